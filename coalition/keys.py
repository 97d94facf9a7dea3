"""`coalition keys`: make a secret, and move everything to the newest one."""

from __future__ import annotations

import secrets

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import flag_modified

from coalition import clock
from coalition.audit.actions import record
from coalition.db import Base, db, transaction
from coalition.mail.models import OutboxMessage
from coalition.petition.models import BlockedAddress, Signature
from coalition.petition.queries import address_digests

SECRET_BYTES = 48
ROWS_AT_ONCE = 500

key_commands = AppGroup("keys", help="The secrets that every key is derived from.")

# Every table with encrypted columns: its key, the columns, and whether an address is digested.
ENCRYPTED: tuple[tuple[type[Base], InstrumentedAttribute[object], tuple[str, ...], bool], ...] = (
    (Signature, Signature.id, ("email", "name", "appeal"), True),
    (BlockedAddress, BlockedAddress.address_digest, ("email",), True),
    (OutboxMessage, OutboxMessage.id, ("payload",), False),
)


@key_commands.command("new", with_appcontext=False)
def new() -> None:
    """Print a new secret for COALITION_SECRET_KEYS."""
    click.echo(secrets.token_urlsafe(SECRET_BYTES))


@key_commands.command("rotate")
@with_appcontext
def rotate() -> None:
    """Encrypt and digest everything under the newest secret, so that older ones can go."""
    for model, key, columns, digested in ENCRYPTED:
        keys = list(db.session.scalars(select(key)))
        for start in range(0, len(keys), ROWS_AT_ONCE):
            with transaction() as session:
                _rewrite(
                    session,
                    model=model,
                    key=key,
                    keys=keys[start : start + ROWS_AT_ONCE],
                    columns=columns,
                    digested=digested,
                )
        click.echo(f"{model.__tablename__}: {len(keys)} rows under the newest secret")
    with transaction() as session:
        record(
            session,
            actor="command line",
            action="keys rotated",
            subject="every encrypted column",
            now=clock.utc_now(),
        )


def _rewrite(
    session: Session,
    *,
    model: type[Base],
    key: InstrumentedAttribute[object],
    keys: list[object],
    columns: tuple[str, ...],
    digested: bool,
) -> None:
    for row in session.scalars(select(model).where(key.in_(keys)).with_for_update()):
        for column in columns:
            flag_modified(row, column)
        if digested:
            row.address_digest = address_digests(row.email)[0]  # type: ignore[attr-defined]
    session.flush()
