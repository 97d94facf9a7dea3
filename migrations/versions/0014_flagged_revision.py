"""Which revision of a testimony a flag was raised about."""

import sqlalchemy as sa
from alembic import op

revision = '0014_flagged_revision'
down_revision = '0013_waiting'


def upgrade() -> None:
    op.add_column('safeguarding_flags', sa.Column('revision', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('safeguarding_flags', 'revision')
