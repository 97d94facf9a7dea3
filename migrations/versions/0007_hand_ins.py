"""Lists to hand in: what was asked for, and the encrypted pieces of the files."""

import sqlalchemy as sa
from alembic import op

revision = '0007_hand_ins'
down_revision = '0006_signature_search'


def upgrade() -> None:
    op.create_table('hand_ins',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('asked_by', sa.String(length=200), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('petition_version_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('waiting', 'running', 'done', 'failed', name='hand_in_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('as_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('done_count', sa.Integer(), nullable=False),
    sa.Column('spelled_count', sa.Integer(), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['petition_version_id'], ['document_versions.id'], name=op.f('fk_hand_ins_petition_version_id_document_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_ins'))
    )
    op.create_table('hand_in_chunks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('hand_in_id', sa.Uuid(), nullable=False),
    sa.Column('file', sa.String(length=40), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['hand_in_id'], ['hand_ins.id'], name=op.f('fk_hand_in_chunks_hand_in_id_hand_ins'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_in_chunks'))
    )
    with op.batch_alter_table('hand_in_chunks', schema=None) as batch_op:
        batch_op.create_index('uq_hand_in_chunks_number', ['hand_in_id', 'file', 'number'], unique=True)



def downgrade() -> None:
    with op.batch_alter_table('hand_in_chunks', schema=None) as batch_op:
        batch_op.drop_index('uq_hand_in_chunks_number')

    op.drop_table('hand_in_chunks')
    op.drop_table('hand_ins')
