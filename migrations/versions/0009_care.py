"""Readers' care, flags for the safeguarding lead, complaints about published texts."""

import sqlalchemy as sa
from alembic import op

revision = '0009_care'
down_revision = '0008_testimonies'

ITEM_KINDS = {'claims': 'claim_kind', 'passed_on': 'passed_kind'}


def upgrade() -> None:
    for table, name in ITEM_KINDS.items():
        _allow(table, name, "'endorsement', 'signature', 'testimony', 'complaint'")
    op.create_table('reading_preferences',
    sa.Column('reader', sa.LargeBinary(length=32), nullable=False),
    sa.Column('stored', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('reader', name=op.f('pk_reading_preferences'))
    )
    op.create_table('readings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reader', sa.LargeBinary(length=32), nullable=False),
    sa.Column('weight', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_readings'))
    )
    with op.batch_alter_table('readings', schema=None) as batch_op:
        batch_op.create_index('ix_readings_reader_at', ['reader', 'at'], unique=False)

    op.create_table('safeguarding_flags',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('testimony_id', sa.Uuid(), nullable=True),
    sa.Column('rules_version_id', sa.Integer(), nullable=False),
    sa.Column('raised_by', sa.Uuid(), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('words', sa.LargeBinary(), nullable=True),
    sa.Column('outcome', sa.Enum('none', 'exception', name='safeguarding_outcome', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('exception', sa.Integer(), nullable=True),
    sa.Column('done', sa.LargeBinary(), nullable=True),
    sa.Column('writer_told', sa.Enum('nothing-done', 'yes', 'no-way', 'danger', name='safeguarding_told', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('closed_by', sa.Uuid(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(outcome IS NULL) = (closed_at IS NULL)', name=op.f('ck_safeguarding_flags_closed_whole')),
    sa.ForeignKeyConstraint(['closed_by'], ['moderators.id'], name=op.f('fk_safeguarding_flags_closed_by_moderators')),
    sa.ForeignKeyConstraint(['raised_by'], ['moderators.id'], name=op.f('fk_safeguarding_flags_raised_by_moderators')),
    sa.ForeignKeyConstraint(['rules_version_id'], ['document_versions.id'], name=op.f('fk_safeguarding_flags_rules_version_id_document_versions')),
    sa.ForeignKeyConstraint(['testimony_id'], ['testimonies.id'], name=op.f('fk_safeguarding_flags_testimony_id_testimonies'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_safeguarding_flags'))
    )
    with op.batch_alter_table('safeguarding_flags', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_safeguarding_flags_testimony_id'), ['testimony_id'], unique=False)

    op.create_table('complaints',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('ground', sa.Enum('identifies', 'defamation', 'live-case', 'copyright', 'other', name='complaint_ground', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('details', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('open', 'upheld', 'not-upheld', name='complaint_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_words', sa.LargeBinary(), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name=op.f('ck_complaints_closed_whole')),
    sa.ForeignKeyConstraint(['decided_by'], ['moderators.id'], name=op.f('fk_complaints_decided_by_moderators')),
    sa.ForeignKeyConstraint(['slug'], ['published_testimonies.slug'], name=op.f('fk_complaints_slug_published_testimonies')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaints'))
    )
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_complaints_slug'), ['slug'], unique=False)


def _allow(table: str, name: str, kinds: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(f'ck_{table}_{name}'), type_='check')
        batch_op.create_check_constraint(op.f(f'ck_{table}_{name}'), sa.text(f'kind IN ({kinds})'))


def downgrade() -> None:
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_complaints_slug'))

    op.drop_table('complaints')
    with op.batch_alter_table('safeguarding_flags', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_safeguarding_flags_testimony_id'))

    op.drop_table('safeguarding_flags')
    with op.batch_alter_table('readings', schema=None) as batch_op:
        batch_op.drop_index('ix_readings_reader_at')

    op.drop_table('readings')
    op.drop_table('reading_preferences')
    for table, name in ITEM_KINDS.items():
        op.execute(sa.text(f"DELETE FROM {table} WHERE kind = 'complaint'"))
        _allow(table, name, "'endorsement', 'signature', 'testimony'")
