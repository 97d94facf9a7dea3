"""The closing of the petition, and what happens after it."""

import sqlalchemy as sa
from alembic import op

revision = '0015_closing'
down_revision = '0014_flagged_revision'

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('closings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('closed_at', MOMENT, nullable=False),
    sa.Column('closed_by', sa.String(length=200), nullable=False),
    sa.Column('final_count', sa.BigInteger(), nullable=True),
    sa.Column('fixed_at', MOMENT, nullable=True),
    sa.Column('deleting_since', MOMENT, nullable=True),
    sa.Column('reopened_at', MOMENT, nullable=True),
    sa.Column('reopened_by', sa.String(length=200), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closings'))
    )
    with op.batch_alter_table('count_events', schema=None) as batch_op:
        batch_op.add_column(sa.Column('closing_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f('fk_count_events_closing_id_closings'), 'closings', ['closing_id'], ['id'])


def downgrade() -> None:
    with op.batch_alter_table('count_events', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fk_count_events_closing_id_closings'), type_='foreignkey')
        batch_op.drop_column('closing_id')
    op.drop_table('closings')
