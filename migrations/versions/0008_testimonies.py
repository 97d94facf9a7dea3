"""Testimonies, their edited versions, what of them is public; claims of them."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = '0008_testimonies'
down_revision = '0007_hand_ins'

ITEM_KINDS = {'claims': 'claim_kind', 'passed_on': 'passed_kind'}

# A campaign from before gets a text that keeps the form shut.
SHUT = """# Telling what happened. The form stays shut while `rule` is empty: say there whether you ever
# send services to somebody who writes, and put the rest into your own words.

rule = ""
exceptions = []
exceptions_do = ""
lead = "You can tell us what happened to you. You decide what becomes of it."
who_reads = "People of the coalition read it."
how_long = "Expect weeks, not days. Nobody watches this for emergencies."
consent = "I agree that you may keep what I write, encrypted, and use it as I choose here. It may say something about my health or my views."
press = "Newspapers may quote what is published."
inquiry = "You may give it to an independent inquiry that asks for accounts like mine."
reach = "You may write to me, once for each thing that waits for me."
prompts = []

[[labels]]
slug = "account"
words = "tells what happened to somebody"
weight = 2

[[themes]]
slug = "experience"
name = "Experience"
"""


def upgrade() -> None:
    for table, name in ITEM_KINDS.items():
        _allow(table, name, "'endorsement', 'signature', 'testimony'")
    op.create_table('testimony_lookup_key',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_testimony_lookup_key'))
    )
    op.create_table('testimonies',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code_digest', sa.LargeBinary(length=32), nullable=True),
    sa.Column('code_hash', sa.String(length=255), nullable=True),
    sa.Column('state', sa.Enum('draft', 'submitted', 'claimed', 'needs_writer', 'redacted', 'second_reading', 'approved', 'published', 'paused', 'declined', 'withdrawn', 'erased', name='testimony_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('text', sa.LargeBinary(), nullable=True),
    sa.Column('choices', sa.LargeBinary(), nullable=True),
    sa.Column('contact', sa.LargeBinary(), nullable=True),
    sa.Column('length', sa.Integer(), nullable=False),
    sa.Column('decision_code', sa.Enum('names-somebody', 'live-case', 'threat', 'method', 'not-about-this', 'not-an-account', 'no-answer', 'other', name='testimony_decline_code', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('decision_words', sa.LargeBinary(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('paused_by', sa.Enum('writer', 'desk', name='testimony_pause', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('rules_version_id', sa.Integer(), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=True),
    sa.Column('state_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['moderators.id'], name=op.f('fk_testimonies_decided_by_moderators')),
    sa.ForeignKeyConstraint(['rules_version_id'], ['document_versions.id'], name=op.f('fk_testimonies_rules_version_id_document_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_testimonies')),
    sa.UniqueConstraint('code_digest', name=op.f('uq_testimonies_code_digest'))
    )
    with op.batch_alter_table('testimonies', schema=None) as batch_op:
        batch_op.create_index('ix_testimonies_state', ['state', 'state_on'], unique=False)

    op.create_table('testimony_editions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('testimony_id', sa.Uuid(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('spans', sa.LargeBinary(), nullable=False),
    sa.Column('front', sa.LargeBinary(), nullable=True),
    sa.Column('text', sa.LargeBinary(), nullable=True),
    sa.Column('colleague_words', sa.LargeBinary(), nullable=True),
    sa.Column('first_by', sa.Uuid(), nullable=False),
    sa.Column('second_by', sa.Uuid(), nullable=True),
    sa.CheckConstraint('second_by IS NULL OR second_by <> first_by', name=op.f('ck_testimony_editions_two_people')),
    sa.ForeignKeyConstraint(['first_by'], ['moderators.id'], name=op.f('fk_testimony_editions_first_by_moderators')),
    sa.ForeignKeyConstraint(['second_by'], ['moderators.id'], name=op.f('fk_testimony_editions_second_by_moderators')),
    sa.ForeignKeyConstraint(['testimony_id'], ['testimonies.id'], name=op.f('fk_testimony_editions_testimony_id_testimonies')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_testimony_editions')),
    sa.UniqueConstraint('id', 'first_by', 'second_by', name=op.f('uq_testimony_editions_id_first_by_second_by')),
    sa.UniqueConstraint('testimony_id', 'revision', name=op.f('uq_testimony_editions_testimony_id_revision'))
    )
    op.create_table('published_testimonies',
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('testimony_id', sa.Uuid(), nullable=False),
    sa.Column('is_public', sa.Boolean(), nullable=False),
    sa.Column('edition_id', sa.Uuid(), nullable=True),
    sa.Column('first_by', sa.Uuid(), nullable=True),
    sa.Column('second_by', sa.Uuid(), nullable=True),
    sa.Column('front', sa.LargeBinary(), nullable=True),
    sa.Column('text', sa.LargeBinary(), nullable=True),
    sa.Column('may_press', sa.Boolean(), nullable=False),
    sa.Column('published_on', sa.Date(), nullable=False),
    sa.Column('changed_on', sa.Date(), nullable=False),
    sa.CheckConstraint('is_public = false OR (text IS NOT NULL AND first_by IS NOT NULL AND second_by IS NOT NULL AND first_by <> second_by AND edition_id IS NOT NULL)', name=op.f('ck_published_testimonies_two_people')),
    sa.ForeignKeyConstraint(['edition_id', 'first_by', 'second_by'], ['testimony_editions.id', 'testimony_editions.first_by', 'testimony_editions.second_by'], name='fk_published_testimonies_edition'),
    sa.ForeignKeyConstraint(['testimony_id'], ['testimonies.id'], name=op.f('fk_published_testimonies_testimony_id_testimonies')),
    sa.PrimaryKeyConstraint('slug', name=op.f('pk_published_testimonies')),
    sa.UniqueConstraint('testimony_id', name=op.f('uq_published_testimonies_testimony_id'))
    )
    op.create_table('published_tags',
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('tag', sa.String(length=60), nullable=False),
    sa.ForeignKeyConstraint(['slug'], ['published_testimonies.slug'], name=op.f('fk_published_tags_slug_published_testimonies'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('slug', 'tag', name=op.f('pk_published_tags'))
    )
    with op.batch_alter_table('published_tags', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_published_tags_tag'), ['tag'], unique=False)
    _add_text()


def _allow(table: str, name: str, kinds: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(op.f(f'ck_{table}_{name}'), type_='check')
        batch_op.create_check_constraint(op.f(f'ck_{table}_{name}'), sa.text(f'kind IN ({kinds})'))


def _add_text() -> None:
    texts = sa.table(
        'document_versions',
        *(sa.column(name) for name in ('slug', 'version', 'text', 'change_note', 'published_by')),
        sa.column('published_at', sa.DateTime(timezone=True)),
        sa.column('loaded', sa.Boolean()),
    )
    connection = op.get_bind()
    slugs = set(connection.scalars(sa.select(texts.c.slug)))
    if slugs and 'testimonies' not in slugs:
        op.bulk_insert(texts, [{
            'slug': 'testimonies', 'version': 1, 'text': SHUT, 'change_note': '',
            'published_by': 'upgrade', 'published_at': datetime.now(UTC), 'loaded': True,
        }])


def downgrade() -> None:
    with op.batch_alter_table('published_tags', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_published_tags_tag'))

    op.drop_table('published_tags')
    op.drop_table('published_testimonies')
    op.drop_table('testimony_editions')
    with op.batch_alter_table('testimonies', schema=None) as batch_op:
        batch_op.drop_index('ix_testimonies_state')

    op.drop_table('testimonies')
    op.drop_table('testimony_lookup_key')
    for table, name in ITEM_KINDS.items():
        op.execute(sa.text(f"DELETE FROM {table} WHERE kind = 'testimony'"))
        _allow(table, name, "'endorsement', 'signature'")
