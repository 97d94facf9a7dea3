"""Everybody who edited a testimony, and not only the last one, can not be its second reader."""

import sqlalchemy as sa
from alembic import op

revision = '0010_editors'
down_revision = '0009_care'

# A column with its constraint: SQLite adds no other one to a table that is there, and the table
# cannot be made anew while what is public points at it.
ADD = (
    "ALTER TABLE testimony_editions ADD COLUMN editors TEXT DEFAULT '' NOT NULL "
    "CONSTRAINT ck_testimony_editions_no_editor_is_second CHECK (second_by IS NULL OR "
    "replace(editors, replace(CAST(second_by AS VARCHAR(36)), '-', ''), '') = editors)"
)


def upgrade() -> None:
    op.execute(sa.text(ADD))
    op.execute(sa.text(
        "UPDATE testimony_editions SET editors = replace(CAST(first_by AS VARCHAR(36)), '-', '')"
    ))


def downgrade() -> None:
    op.execute(sa.text('ALTER TABLE testimony_editions DROP COLUMN editors'))
