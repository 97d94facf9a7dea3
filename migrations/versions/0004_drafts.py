"""Texts at the desk: drafts, and who published each version."""

import sqlalchemy as sa
from alembic import op

revision = '0004_drafts'
down_revision = '0003_moderators'


def upgrade() -> None:
    op.create_table('drafts',
    sa.Column('slug', sa.String(length=60), nullable=False),
    sa.Column('moderator_id', sa.Uuid(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Uuid(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['moderator_id'], ['moderators.id'], name=op.f('fk_drafts_moderator_id_moderators'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('slug', 'moderator_id', name=op.f('pk_drafts'))
    )
    with op.batch_alter_table('document_versions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('published_by', sa.String(length=200), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('loaded', sa.Boolean(), server_default=sa.true(), nullable=False))

    # Until now everything came from files; who loaded it stands in the log.
    op.execute("""
        UPDATE document_versions SET published_by = coalesce((
            SELECT max(actor) FROM audit_entries
            WHERE action = 'text published'
            AND subject = document_versions.slug || ' version ' || document_versions.version
        ), '')
    """)


def downgrade() -> None:
    # Not in a batch: SQLite would build the table anew, and others point to its rows.
    op.execute('ALTER TABLE document_versions DROP COLUMN loaded')
    op.execute('ALTER TABLE document_versions DROP COLUMN published_by')
    op.drop_table('drafts')
