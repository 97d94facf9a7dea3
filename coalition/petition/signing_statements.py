"""The statements of signing. Each is made once: to put it together takes longer than to run it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, bindparam, case, insert, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.mail.models import OutboxMessage
from coalition.petition.models import Signature, SignatureStatus

Status = SignatureStatus

# What a new signature consists of, beside its key and its status.
_SAID = (
    "domain_digest", "network_digest", "email", "name", "region", "kind", "source", "show_name",
    "wants_updates", "petition_version_id", "consent_version_id", "choices_version_id",
    "signed_at", "status_changed_at",
)  # fmt: skip
_SIGNED = ("id", "address_digest", *_SAID, "status", "revision")
_FORGOTTEN = ("verified_at", "decision_reason", "appeal", "appealed_at")
_MAIL = ("id", "kind", "state", "attempts", "created_at", "due_at")
_OUTBOX: Any = OutboxMessage.__table__  # beside the ORM, which would look at each row by itself


def put_down(session: Session, signature: Mapping[str, Any], mail: Mapping[str, Any]) -> None:
    """Write a signature and its mail, given by column. Where its address is known, what waits or
    was withdrawn is replaced, and anything else stays as it is; the mail is about that row.
    """
    if is_postgresql(session):
        session.execute(_on_postgresql(), {**_named("s", signature), **_named("m", mail)})
    else:
        signature_id = session.scalar(_upsert(sqlite), _named("s", signature))
        session.execute(insert(_OUTBOX), {**mail, "reference": signature_id})


@cache
def _on_postgresql() -> Any:
    """Both rows in one statement."""
    signed = _upsert(postgresql).cte("signed")
    columns = _OUTBOX.c
    row = select(*(bindparam(f"m_{name}", type_=columns[name].type) for name in _MAIL), signed.c.id)
    return insert(_OUTBOX).from_select([*_MAIL, "reference"], row)


@cache
def _upsert(dialect: Any) -> Any:
    table = Signature.__table__
    statement = dialect.insert(table).values(
        {name: bindparam(f"s_{name}", type_=table.c[name].type) for name in _SIGNED}
    )
    replaceable = _is(Status.AWAITING, Status.WITHDRAWN)
    changes: dict[str, Any] = {
        name: case((replaceable, statement.excluded[name]), else_=table.c[name]) for name in _SAID
    }
    changes |= {name: case((~replaceable, table.c[name])) for name in _FORGOTTEN}
    changes["status"] = case(
        (_is(Status.WITHDRAWN), statement.excluded.status), else_=table.c.status
    )
    changes["revision"] = case((replaceable, table.c.revision + 1), else_=table.c.revision)
    return statement.on_conflict_do_update(
        index_elements=["address_digest"], set_=changes
    ).returning(table.c.id)


def _is(*statuses: Status) -> ColumnElement[bool]:
    """In words, which are short and always the same: psycopg reads a statement of more than 4,096
    characters anew before each use, and SQLAlchemy writes a list of parameters anew."""
    words = ", ".join(f"'{each.value}'" for each in statuses)
    return literal_column(f"signatures.status IN ({words})", Boolean)


def _named(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in values.items()}
