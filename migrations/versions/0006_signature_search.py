"""Search of signatures, decisions about many at once, and limits that are set at the desk."""

import sqlalchemy as sa
from alembic import op

revision = '0006_signature_search'
down_revision = '0005_mail_and_audit'


def upgrade() -> None:
    op.create_table('bulk_decisions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('hold', 'release', 'remove', name='bulk_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('state', sa.Enum('proposed', 'refused', 'lapsed', 'done', 'undone', name='bulk_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('actor', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('search', sa.LargeBinary(), nullable=True),
    sa.Column('second_actor', sa.String(length=200), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undone_by', sa.String(length=200), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undone_count', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_decisions'))
    )
    op.create_table('bulk_changes',
    sa.Column('decision_id', sa.Uuid(), nullable=False),
    sa.Column('signature_id', sa.Uuid(), nullable=False),
    sa.Column('before', sa.Enum('awaiting_verification', 'verified', 'held', 'withdrawn', 'removed', name='signature_status', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('reason_before', sa.String(length=500), nullable=True),
    sa.Column('reviewed_before', sa.Boolean(), nullable=False),
    sa.Column('undone', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['bulk_decisions.id'], name=op.f('fk_bulk_changes_decision_id_bulk_decisions'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['signature_id'], ['signatures.id'], name=op.f('fk_bulk_changes_signature_id_signatures'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('decision_id', 'signature_id', name=op.f('pk_bulk_changes'))
    )
    with op.batch_alter_table('bulk_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_changes_signature_id'), ['signature_id'], unique=False)

    op.create_table('limit_overrides',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('limits', sa.String(length=200), nullable=False),
    sa.Column('set_by', sa.String(length=200), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_limit_overrides'))
    )
    op.create_table('network_rules',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('network', sa.LargeBinary(), nullable=False),
    sa.Column('factor', sa.Integer(), nullable=True),
    sa.Column('limits', sa.String(length=200), nullable=True),
    sa.Column('note', sa.LargeBinary(), nullable=False),
    sa.Column('set_by', sa.String(length=200), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(factor IS NULL) <> (limits IS NULL)', name=op.f('ck_network_rules_one_of_both')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_network_rules'))
    )
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.add_column(sa.Column('domain_digest', sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column('network_digest', sa.LargeBinary(length=32), nullable=True))
        batch_op.create_index('ix_signatures_domain', ['domain_digest', 'signed_at'], unique=False)
        batch_op.create_index('ix_signatures_network', ['network_digest', 'signed_at'], unique=False, postgresql_where=sa.text('network_digest IS NOT NULL'), sqlite_where=sa.text('network_digest IS NOT NULL'))



def downgrade() -> None:
    # First what points at signatures: SQLite makes that table anew.
    with op.batch_alter_table('bulk_changes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bulk_changes_signature_id'))

    op.drop_table('bulk_changes')
    op.drop_table('bulk_decisions')
    with op.batch_alter_table('signatures', schema=None) as batch_op:
        batch_op.drop_index('ix_signatures_network', postgresql_where=sa.text('network_digest IS NOT NULL'), sqlite_where=sa.text('network_digest IS NOT NULL'))
        batch_op.drop_index('ix_signatures_domain')
        batch_op.drop_column('network_digest')
        batch_op.drop_column('domain_digest')

    op.drop_table('network_rules')
    op.drop_table('limit_overrides')
