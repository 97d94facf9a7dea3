"""Endorsements by organisations, with their public entries, logos and contacts."""

import sqlalchemy as sa
from alembic import op

revision = '0002_endorsements'
down_revision = '0001_signatures'


def upgrade() -> None:
    op.create_table('logos',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_logos'))
    )
    op.create_table('endorsements',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=True),
    sa.Column('status', sa.Enum('awaiting_verification', 'in_review', 'more_asked', 'published', 'declined', 'withdrawn', 'removed', name='endorsement_status', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('origin', sa.Enum('registered', 'recorded', name='origin', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=True),
    sa.Column('contact_email', sa.LargeBinary(), nullable=True),
    sa.Column('contact_name', sa.LargeBinary(), nullable=True),
    sa.Column('contact_role', sa.LargeBinary(), nullable=True),
    sa.Column('statement_version_id', sa.Integer(), nullable=False),
    sa.Column('consent_version_id', sa.Integer(), nullable=True),
    sa.Column('endorsed_on', sa.Date(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status_changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decision_code', sa.Enum('not-confirmed', 'not-an-organisation', 'duplicate', 'conflict', 'words', 'other', name='decline_code', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('decision_words', sa.Text(), nullable=True),
    sa.Column('appeal', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['consent_version_id'], ['document_versions.id'], name=op.f('fk_endorsements_consent_version_id_document_versions')),
    sa.ForeignKeyConstraint(['statement_version_id'], ['document_versions.id'], name=op.f('fk_endorsements_statement_version_id_document_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endorsements')),
    sa.UniqueConstraint('contact_id', name=op.f('uq_endorsements_contact_id')),
    sa.UniqueConstraint('slug', name=op.f('uq_endorsements_slug'))
    )
    with op.batch_alter_table('endorsements', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_endorsements_address_digest'), ['address_digest'], unique=False)
        batch_op.create_index('ix_endorsements_status', ['status', 'registered_at'], unique=False)

    op.create_table('contact_changes',
    sa.Column('endorsement_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('role', sa.LargeBinary(), nullable=False),
    sa.Column('consent_version_id', sa.Integer(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('old_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('new_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['consent_version_id'], ['document_versions.id'], name=op.f('fk_contact_changes_consent_version_id_document_versions')),
    sa.ForeignKeyConstraint(['endorsement_id'], ['endorsements.id'], name=op.f('fk_contact_changes_endorsement_id_endorsements'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endorsement_id', name=op.f('pk_contact_changes')),
    sa.UniqueConstraint('id', name=op.f('uq_contact_changes_id'))
    )
    op.create_table('endorsement_entries',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('endorsement_id', sa.Uuid(), nullable=False),
    sa.Column('state', sa.Enum('proposed', 'public', name='entry_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('website', sa.String(length=500), nullable=False),
    sa.Column('kind', sa.Enum('user-led', 'charity', 'community-group', 'union', 'professional-body', 'campaign', 'research', 'service-provider', 'faith-group', 'other', name='organisation', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('nation', sa.Enum('uk', 'england', 'scotland', 'wales', 'northern-ireland', 'elsewhere', name='nation', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('logo_id', sa.Uuid(), nullable=True),
    sa.Column('logo_alt', sa.String(length=200), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['endorsement_id'], ['endorsements.id'], name=op.f('fk_endorsement_entries_endorsement_id_endorsements'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['logo_id'], ['logos.id'], name=op.f('fk_endorsement_entries_logo_id_logos')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endorsement_entries'))
    )
    with op.batch_alter_table('endorsement_entries', schema=None) as batch_op:
        batch_op.create_index('uq_endorsement_entries_state', ['endorsement_id', 'state'], unique=True)



def downgrade() -> None:
    with op.batch_alter_table('endorsement_entries', schema=None) as batch_op:
        batch_op.drop_index('uq_endorsement_entries_state')

    op.drop_table('endorsement_entries')
    op.drop_table('contact_changes')
    with op.batch_alter_table('endorsements', schema=None) as batch_op:
        batch_op.drop_index('ix_endorsements_status')
        batch_op.drop_index(batch_op.f('ix_endorsements_address_digest'))

    op.drop_table('endorsements')
    op.drop_table('logos')
