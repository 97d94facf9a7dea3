"""What stands aside of the count, in the tally; what the press is given."""

import sqlalchemy as sa
from alembic import op

revision = '0011_press'
down_revision = '0010_editors'

ASIDE = {'left': 'left_aside', 'entered': 'entered_aside'}
BEFORE = "'all', 'region', 'kind'"


def _enum(name):
    return sa.Enum('held', 'removed', 'withdrawn', name=name, native_enum=False, create_constraint=True, length=40)


def _allow(dimensions: str) -> None:
    with op.batch_alter_table('daily_tally', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_daily_tally_dimension'), type_='check')
        batch_op.create_check_constraint(op.f('ck_daily_tally_dimension'), sa.text(f'dimension IN ({dimensions})'))


def upgrade() -> None:
    with op.batch_alter_table('count_events', schema=None) as batch_op:
        batch_op.add_column(sa.Column('moved', sa.Integer(), nullable=False, server_default='1'))
        for column, name in ASIDE.items():
            batch_op.add_column(sa.Column(column, _enum(name), nullable=True))
    with op.batch_alter_table('count_events', schema=None) as batch_op:
        batch_op.alter_column('moved', server_default=None)
    _allow(f"{BEFORE}, 'aside'")
    _count_aside()
    op.create_table('press_releases',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_press_releases'))
    )
    op.create_table('press_files',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['day'], ['press_releases.day'], name=op.f('fk_press_files_day_press_releases')),
    sa.PrimaryKeyConstraint('day', 'name', name=op.f('pk_press_files'))
    )
    op.create_table('press_tables',
    sa.Column('dimension', sa.Enum('all', 'region', 'kind', 'aside', name='dimension', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('shown', sa.JSON(), nullable=False),
    sa.Column('joined', sa.BigInteger(), nullable=False),
    sa.Column('left_until', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['day'], ['press_releases.day'], name=op.f('fk_press_tables_day_press_releases')),
    sa.PrimaryKeyConstraint('dimension', 'day', name=op.f('pk_press_tables'))
    )


def _count_aside() -> None:
    """Those who stand aside now, from the signatures; those who ever withdrew, from the tally and
    from the events that are not in it yet."""
    # Moments are kept in UTC, as the days of the tally are.
    is_postgresql = op.get_bind().dialect.name == 'postgresql'
    day = "CAST(status_changed_at AT TIME ZONE 'UTC' AS DATE)" if is_postgresql else 'date(status_changed_at)'
    for status in ('held', 'removed'):
        op.execute(sa.text(
            "INSERT INTO daily_tally (day, dimension, category, cause, change) "
            f"SELECT {day}, 'aside', '{status}', '{status}', count(*) FROM signatures "
            f"WHERE status = '{status}' AND verified_at IS NOT NULL GROUP BY 1"
        ))
    op.execute(sa.text(
        "INSERT INTO daily_tally (day, dimension, category, cause, change) "
        "SELECT day, 'aside', 'withdrawn', cause, -sum(change) FROM ("
        "SELECT day, cause, change FROM daily_tally WHERE dimension = 'all' "
        "UNION ALL SELECT day, cause, change FROM count_events) AS changes "
        "WHERE cause IN ('withdrawn', 'erased') GROUP BY day, cause"
    ))


def downgrade() -> None:
    op.drop_table('press_tables')
    op.drop_table('press_files')
    op.drop_table('press_releases')
    op.execute(sa.text("DELETE FROM daily_tally WHERE dimension = 'aside'"))
    _allow(BEFORE)
    op.execute(sa.text('DELETE FROM count_events WHERE change = 0'))
    with op.batch_alter_table('count_events', schema=None) as batch_op:
        for column, name in ASIDE.items():
            batch_op.drop_constraint(op.f(f'ck_count_events_{name}'), type_='check')
            batch_op.drop_column(column)
        batch_op.drop_column('moved')
