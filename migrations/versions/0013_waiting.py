"""Since when a testimony waits, who declined it, and where it stood when it was paused."""

import sqlalchemy as sa
from alembic import op

revision = '0013_waiting'
down_revision = '0012_sources'


def upgrade() -> None:
    op.add_column('testimonies', sa.Column('waits_since', sa.Date(), nullable=True))
    op.add_column('testimonies', sa.Column('declined_by', sa.Uuid(), nullable=True))
    op.add_column('testimonies', sa.Column('paused_from', sa.String(length=40), nullable=True))
    op.execute(sa.text("UPDATE testimonies SET waits_since = state_on"))
    op.execute(sa.text(
        "UPDATE testimonies SET declined_by = decided_by WHERE decision_code IS NOT NULL"
    ))


def downgrade() -> None:
    for name in ('paused_from', 'declined_by', 'waits_since'):
        op.drop_column('testimonies', name)
