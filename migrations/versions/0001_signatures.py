"""Texts, signatures, count, mail and audit log."""

import sqlalchemy as sa
from alembic import op

revision = '0001_signatures'
down_revision = None


def upgrade() -> None:
    op.create_table('audit_entries',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=200), nullable=False),
    sa.Column('action', sa.String(length=100), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    op.create_table('blocked_addresses',
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('blocked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('address_digest', name=op.f('pk_blocked_addresses'))
    )
    op.create_table('count_events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('cause', sa.Enum('verified', 'withdrawn', 'erased', 'held', 'released', 'removed', 'restored', 'corrected', name='cause', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('change', sa.Integer(), nullable=False),
    sa.Column('region', sa.Enum('north-east', 'north-west', 'yorkshire-and-the-humber', 'east-midlands', 'west-midlands', 'east-of-england', 'london', 'south-east', 'south-west', 'scotland', 'wales', 'northern-ireland', 'outside-the-uk', name='region', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('kind', sa.Enum('survivor', 'family', 'worker', 'ally', name='kind', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_count_events'))
    )
    op.create_table('daily_tally',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('dimension', sa.Enum('all', 'region', 'kind', name='dimension', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('cause', sa.Enum('verified', 'withdrawn', 'erased', 'held', 'released', 'removed', 'restored', 'corrected', name='cause', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('change', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'dimension', 'category', 'cause', name=op.f('pk_daily_tally'))
    )
    op.create_table('document_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=60), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('change_note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document_versions')),
    sa.UniqueConstraint('slug', 'version', name=op.f('uq_document_versions_slug_version'))
    )
    op.create_table('outbox_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=60), nullable=False),
    sa.Column('reference', sa.Uuid(), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.Enum('waiting', 'sent', 'not_needed', 'failed', name='message_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failure', sa.String(length=80), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_messages'))
    )
    with op.batch_alter_table('outbox_messages', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_messages_finished_at', ['finished_at'], unique=False)
        batch_op.create_index('ix_outbox_messages_waiting', ['due_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'"))

    op.create_table('reviewed_addresses',
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('address_digest', name=op.f('pk_reviewed_addresses'))
    )
    op.create_table('tally_state',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('folded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tally_state'))
    )
    op.create_table('signatures',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('region', sa.Enum('north-east', 'north-west', 'yorkshire-and-the-humber', 'east-midlands', 'west-midlands', 'east-of-england', 'london', 'south-east', 'south-west', 'scotland', 'wales', 'northern-ireland', 'outside-the-uk', name='region', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('kind', sa.Enum('survivor', 'family', 'worker', 'ally', name='kind', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('show_name', sa.Boolean(), nullable=False),
    sa.Column('wants_updates', sa.Boolean(), nullable=False),
    sa.Column('petition_version_id', sa.Integer(), nullable=False),
    sa.Column('consent_version_id', sa.Integer(), nullable=False),
    sa.Column('choices_version_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.Enum('awaiting_verification', 'verified', 'held', 'withdrawn', 'removed', name='signature_status', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('signed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status_changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decision_reason', sa.String(length=500), nullable=True),
    sa.Column('appeal', sa.LargeBinary(), nullable=True),
    sa.Column('appealed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['choices_version_id'], ['document_versions.id'], name=op.f('fk_signatures_choices_version_id_document_versions')),
    sa.ForeignKeyConstraint(['consent_version_id'], ['document_versions.id'], name=op.f('fk_signatures_consent_version_id_document_versions')),
    sa.ForeignKeyConstraint(['petition_version_id'], ['document_versions.id'], name=op.f('fk_signatures_petition_version_id_document_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signatures')),
    sa.UniqueConstraint('address_digest', name=op.f('uq_signatures_address_digest'))
    )
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.create_index('ix_signatures_status_signed_at', ['status', 'signed_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.drop_index('ix_signatures_status_signed_at')

    op.drop_table('signatures')
    op.drop_table('tally_state')
    op.drop_table('reviewed_addresses')
    with op.batch_alter_table('outbox_messages', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_messages_waiting', postgresql_where=sa.text("state = 'waiting'"), sqlite_where=sa.text("state = 'waiting'"))
        batch_op.drop_index('ix_outbox_messages_finished_at')

    op.drop_table('outbox_messages')
    op.drop_table('document_versions')
    op.drop_table('daily_tally')
    op.drop_table('count_events')
    op.drop_table('blocked_addresses')
    op.drop_table('audit_entries')
