"""The statements of signing. Each is made once: to put it together takes longer than to run it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    bindparam,
    case,
    exists,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.mail.models import OutboxMessage
from coalition.petition.models import (
    Cause,
    CountEvent,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)
from coalition.statements.closing import standing_id

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
# Beside the ORM, which would look at each row by itself.
_OUTBOX: Any = OutboxMessage.__table__
_EVENTS: Any = CountEvent.__table__


def put_down(
    asked: Session | Connection, signature: Mapping[str, Any], mail: Mapping[str, Any]
) -> None:
    """Write a signature and its mail, given by column. Where its address is known, what waits or
    was withdrawn is replaced, and anything else stays as it is; the mail is about that row.
    """
    if is_postgresql(asked):
        asked.execute(_on_postgresql(), {**_named("s", signature), **_named("m", mail)})
    else:
        signature_id = asked.scalar(_upsert(sqlite), _named("s", signature))
        asked.execute(insert(_OUTBOX), {**mail, "reference": signature_id})


def count_waiting(
    asked: Session | Connection, signature_id: uuid.UUID, revision: int, *, now: datetime
) -> bool:
    """Count a signature that waits, and put its count event down, in one statement of PostgreSQL.

    Returns whether that was done. If not, anything may stand in the way, and nothing was changed:
    it was counted, or changed, or is under review, or the petition is closed.
    """
    given = {"which": signature_id, "shown": revision, "moment": now, "today": now.date()}
    return asked.scalar(_counting(), given) is not None


@cache
def _counting() -> Any:
    table: Any = Signature.__table__
    reviewed = ReviewedAddress.__table__
    now = bindparam("moment", type_=table.c.verified_at.type)
    # Found by its key alone, and looked at then: where ten thousands wait, and PostgreSQL has not yet
    # taken note of how many, it would look for this one among all of them, by their status.
    names = ("id", "status", "revision", "address_digest", "region", "kind", "source")
    found = (
        select(*(table.c[name] for name in names))
        .where(table.c.id == bindparam("which", type_=table.c.id.type))
        .with_for_update(of=table)
        .cte("found")
    )
    changed = (
        update(table)
        .where(
            table.c.id == found.c.id,
            _is(Status.AWAITING, of="found"),
            found.c.revision == bindparam("shown", type_=table.c.revision.type),
            ~exists().where(reviewed.c.address_digest == found.c.address_digest),
            standing_id().is_(None),
        )
        .values(status=Status.VERIFIED, verified_at=now, status_changed_at=now, source=None)
        .returning(found.c.region, found.c.kind, found.c.source)
        .cte("changed")
    )
    event = select(
        bindparam("today", type_=Date), literal(Cause.VERIFIED, _EVENTS.c.cause.type), literal(1),
        literal(1), changed.c.region, changed.c.kind, changed.c.source,
    )  # fmt: skip
    columns = ["day", "cause", "change", "moved", "region", "kind", "source"]
    return insert(_EVENTS).from_select(columns, event).returning(_EVENTS.c.id)


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


def _is(*statuses: Status, of: str = "signatures") -> ColumnElement[bool]:
    """In words, which are short and always the same: psycopg reads a statement of more than 4,096
    characters anew before each use, and SQLAlchemy writes a list of parameters anew."""
    words = ", ".join(f"'{each.value}'" for each in statuses)
    return literal_column(f"{of}.status IN ({words})", Boolean)


def _named(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in values.items()}
