"""Bounces, the worker's signs of life, and seals on the audit log."""

import sqlalchemy as sa
from alembic import op
from flask import current_app

revision = '0005_mail_and_audit'
down_revision = '0004_drafts'

LINES_AT_ONCE = 1000


def upgrade() -> None:
    _mail()
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('key', sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column('seal', sa.LargeBinary(length=32), nullable=True))

    head = op.create_table('audit_head',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('key', sa.String(length=8), nullable=False),
    sa.Column('seal', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_head'))
    )
    _seal(head)
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.alter_column('version', existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column('key', existing_type=sa.String(length=8), nullable=False)
        batch_op.alter_column('seal', existing_type=sa.LargeBinary(length=32), nullable=False)


def _mail() -> None:
    op.create_table('bounces',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('message_id', sa.Uuid(), nullable=False),
    sa.Column('mail_kind', sa.String(length=60), nullable=False),
    sa.Column('address_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('kind', sa.Enum('permanent', 'temporary', name='bounce_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('status', sa.String(length=11), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('diagnostic', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bounces')),
    sa.UniqueConstraint('message_id', 'kind', name=op.f('uq_bounces_message_id_kind'))
    )
    with op.batch_alter_table('bounces', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bounces_address_digest'), ['address_digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_bounces_at'), ['at'], unique=False)

    op.create_table('unknown_bounces',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_unknown_bounces'))
    )
    op.create_table('mail_pulse',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('beat_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('trouble', sa.String(length=80), nullable=True),
    sa.Column('trouble_since', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_pulse'))
    )
    with op.batch_alter_table('outbox_messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('recipient_digest', sa.LargeBinary(length=32), nullable=True))


def _seal(head: sa.Table) -> None:
    """Seal the lines that are there, and the head, under the newest secret; digests stay.

    The head is written even for an empty log: from now on its absence is a fault.
    """
    ring = current_app.extensions['keyring']
    key = ring.digest('audit.fingerprint', '').hex()[:8]
    connection = op.get_bind()
    lines = sa.table(
        'audit_entries',
        sa.column('id', sa.Integer()), sa.column('digest', sa.LargeBinary()),
        sa.column('version', sa.Integer()), sa.column('key', sa.String()), sa.column('seal', sa.LargeBinary()),
    )
    number, digest = 0, b''
    while True:
        some = connection.execute(
            sa.select(lines.c.id, lines.c.digest)
            .where(lines.c.version.is_(None)).order_by(lines.c.id).limit(LINES_AT_ONCE)
        ).all()
        if not some:
            break
        connection.execute(
            sa.update(lines).where(lines.c.id == sa.bindparam('line'))
            .values(version=1, key=key, seal=sa.bindparam('to_seal')),
            [
                {'line': line.id, 'to_seal': ring.digest('audit.seal', f'line 1 {line.id} {bytes(line.digest).hex()}')}
                for line in some
            ],
        )
        number, digest = some[-1].id, bytes(some[-1].digest)
    connection.execute(sa.insert(head).values(
        id=1, number=number, digest=digest, key=key,
        seal=ring.digest('audit.seal', f'head {number} {digest.hex()}'),
    ))


def downgrade() -> None:
    op.drop_table('audit_head')
    # Not as a batch: on SQLite that would build the tables anew, without their checks.
    for column in ('seal', 'key', 'version'):
        op.drop_column('audit_entries', column)
    for column in ('recipient_digest', 'leased_until'):
        op.drop_column('outbox_messages', column)
    op.drop_table('mail_pulse')
    op.drop_table('unknown_bounces')
    with op.batch_alter_table('bounces', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_bounces_at'))
        batch_op.drop_index(batch_op.f('ix_bounces_address_digest'))

    op.drop_table('bounces')
