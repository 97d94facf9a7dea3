"""Moderators, their passkeys and sessions; claims of what waits."""

import sqlalchemy as sa
from alembic import op

revision = '0003_moderators'
down_revision = '0002_endorsements'


def upgrade() -> None:
    op.create_table('moderators',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('email', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('invited_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('password', sa.String(length=255), nullable=True),
    sa.Column('fs_uniquifier', sa.String(length=64), nullable=False),
    sa.Column('tf_primary_method', sa.String(length=64), nullable=True),
    sa.Column('tf_totp_secret', sa.LargeBinary(), nullable=True),
    sa.Column('last_code', sa.BigInteger(), nullable=True),
    sa.Column('tf_phone_number', sa.String(length=1), nullable=True),
    sa.Column('fs_webauthn_user_handle', sa.String(length=64), nullable=True),
    sa.Column('recovery_codes', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_moderators')),
    sa.UniqueConstraint('address_digest', name=op.f('uq_moderators_address_digest')),
    sa.UniqueConstraint('fs_uniquifier', name=op.f('uq_moderators_fs_uniquifier')),
    sa.UniqueConstraint('fs_webauthn_user_handle', name=op.f('uq_moderators_fs_webauthn_user_handle'))
    )
    op.create_table('claims',
    sa.Column('kind', sa.Enum('endorsement', 'signature', name='claim_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('item_id', sa.Uuid(), nullable=False),
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_claims_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('kind', 'item_id', name=op.f('pk_claims'))
    )
    op.create_table('desk_sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('browser', sa.LargeBinary(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_desk_sessions_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_desk_sessions'))
    )
    with op.batch_alter_table('desk_sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_sessions_moderator_id'), ['moderator_id'], unique=False)

    op.create_table('moderator_roles',
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Enum('moderator', 'safeguarding-lead', 'press-officer', 'editor', 'administrator', name='desk_role', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_moderator_roles_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('moderator_id', 'name', name=op.f('pk_moderator_roles'))
    )
    op.create_table('passed_on',
    sa.Column('kind', sa.Enum('endorsement', 'signature', name='passed_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('item_id', sa.Uuid(), nullable=False),
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('passed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_passed_on_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('kind', 'item_id', 'moderator_id', name=op.f('pk_passed_on'))
    )
    op.create_table('passkeys',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('credential_id', sa.LargeBinary(length=1024), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.Integer(), nullable=False),
    sa.Column('transport_names', sa.String(length=200), nullable=False),
    sa.Column('backup_state', sa.Boolean(), nullable=False),
    sa.Column('device_type', sa.String(length=64), nullable=False),
    sa.Column('extensions', sa.String(length=255), nullable=True),
    sa.Column('lastuse_datetime', sa.DateTime(timezone=True), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('usage', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_passkeys_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id'))
    )
    op.create_table('second_factor_resets',
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('asked_by', sa.Uuid(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['moderators.id'], name=op.f('fk_second_factor_resets_asked_by_moderators'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_second_factor_resets_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('moderator_id', name=op.f('pk_second_factor_resets'))
    )
    with op.batch_alter_table('endorsements', schema=None) as batch_op:
        batch_op.add_column(sa.Column('decided_by', sa.String(length=200), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('endorsements', schema=None) as batch_op:
        batch_op.drop_column('decided_by')

    op.drop_table('second_factor_resets')
    op.drop_table('passkeys')
    op.drop_table('passed_on')
    op.drop_table('moderator_roles')
    with op.batch_alter_table('desk_sessions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_sessions_moderator_id'))

    op.drop_table('desk_sessions')
    op.drop_table('claims')
    op.drop_table('moderators')
