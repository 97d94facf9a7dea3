"""By way of whose site people come to sign: until they confirm, and then in the tally."""

import sqlalchemy as sa
from alembic import op

revision = '0012_sources'
down_revision = '0011_press'

BEFORE = "'all', 'region', 'kind', 'aside'"
TABLES = ('signatures', 'count_events')
DIMENSIONS = ('daily_tally', 'press_tables')


def _allow(dimensions: str) -> None:
    for table in DIMENSIONS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f'ck_{table}_dimension'), type_='check')
            batch_op.create_check_constraint(op.f(f'ck_{table}_dimension'), sa.text(f'dimension IN ({dimensions})'))


def _let_categories_have(characters: int) -> None:
    with op.batch_alter_table('daily_tally', schema=None) as batch_op:
        batch_op.alter_column('category', type_=sa.String(length=characters), existing_nullable=False)


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('source', sa.String(length=80), nullable=True))
    _allow(f"{BEFORE}, 'source'")
    _let_categories_have(80)


def downgrade() -> None:
    op.execute("DELETE FROM daily_tally WHERE dimension = 'source'")
    _allow(BEFORE)
    _let_categories_have(40)
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('source')
