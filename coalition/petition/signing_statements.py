"""The statements of signing. Each is made once: to put it together takes longer than to run it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    bindparam,
    case,
    exists,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import is_postgresql, tell
from coalition.mail.models import MessageState, OutboxMessage
from coalition.petition.emails import SIGNING
from coalition.petition.models import (
    Cause,
    CountEvent,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)
from coalition.statements.closing import standing_id

Status = SignatureStatus

# Beside the ORM, which would look at each row by itself.
_SIGNATURES: Any = Signature.__table__
_OUTBOX: Any = OutboxMessage.__table__
_EVENTS: Any = CountEvent.__table__


def _given(column: Any) -> BindParameter[Any]:
    """The value for a column. Under another name: SQLAlchemy keeps those of the columns."""
    return bindparam(f"new_{column.name}", type_=column.type)


def _word(word: str) -> ColumnElement[Any]:
    """A word of ours as it stands in a statement, and not as a value that is handed over."""
    return literal_column(f"'{word}'")


_NOW = bindparam("now", type_=_SIGNATURES.c.signed_at.type)
# What is written of a new signature, and again when it is signed again before it counts. As few
# values as can be: each takes its time to be handed over.
_SAID: dict[str, Any] = {
    **{
        name: _given(_SIGNATURES.c[name])
        for name in (
            "domain_digest", "network_digest", "email", "name", "region", "kind", "source",
            "show_name", "wants_updates", "petition_version_id", "consent_version_id",
        )
    },
    "choices_version_id": _given(_SIGNATURES.c.consent_version_id),
    "signed_at": _NOW,
    "status_changed_at": _NOW,
}  # fmt: skip
_SIGNED = {
    "id": _given(_SIGNATURES.c.id),
    "address_digest": _given(_SIGNATURES.c.address_digest),
    **_SAID,
    "status": _word(Status.AWAITING),
    "revision": literal_column("1"),
}
_MAIL = {
    "id": bindparam("mail_id", type_=_OUTBOX.c.id.type),
    "kind": _word(SIGNING),
    "state": _word(MessageState.WAITING),
    "attempts": literal_column("0"),
    "created_at": _NOW,
    "due_at": _NOW,
}
_FORGOTTEN = ("verified_at", "decision_reason", "appeal", "appealed_at")


def put_down(asked: Session | Connection, signature: Mapping[str, Any], *, now: datetime) -> None:
    """Write a signature that waits to be confirmed, given by column, and the mail that asks for it.

    Where its address is known, what waits or was withdrawn is replaced, and anything else stays as
    it is; the mail is about that row.
    """
    given = {f"new_{name}": value for name, value in signature.items()}
    given |= {"mail_id": uuid.uuid4(), "now": now}
    if is_postgresql(asked):
        tell(asked, _on_postgresql(), given)
    else:
        signature_id = asked.scalar(_upsert(sqlite), given)
        mail = {"new_reference": signature_id, "mail_id": given["mail_id"], "now": now}
        asked.execute(_on_sqlite(), mail)


def count_waiting(
    asked: Session | Connection, signature_id: uuid.UUID, revision: int, *, now: datetime
) -> bool:
    """Count a signature that waits, and put its count event down, in one statement of PostgreSQL.

    Returns whether that was done. If not, anything may stand in the way, and nothing was changed:
    it was counted, or changed, or is under review, or the petition is closed.
    """
    given = {"which": signature_id, "shown": revision, "now": now, "today": now.date()}
    return tell(asked, _counting(), given).scalar() is not None


@cache
def _counting() -> Any:
    table = _SIGNATURES
    reviewed = ReviewedAddress.__table__
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
        .values(
            status=_word(Status.VERIFIED), verified_at=_NOW, status_changed_at=_NOW, source=null()
        )
        .returning(found.c.region, found.c.kind, found.c.source)
        .cte("changed")
    )
    event = select(
        bindparam("today", type_=Date), _word(Cause.VERIFIED), literal_column("1"),
        literal_column("1"), changed.c.region, changed.c.kind, changed.c.source,
    )  # fmt: skip
    columns = ["day", "cause", "change", "moved", "region", "kind", "source"]
    return insert(_EVENTS).from_select(columns, event).returning(_EVENTS.c.id)


@cache
def _on_postgresql() -> Any:
    """Both rows in one statement."""
    signed = _upsert(postgresql).cte("signed")
    row = select(*_MAIL.values(), signed.c.id)
    return insert(_OUTBOX).from_select([*_MAIL, "reference"], row)


@cache
def _on_sqlite() -> Any:
    """The row of the mail, after that of the signature."""
    return insert(_OUTBOX).values({**_MAIL, "reference": _given(_OUTBOX.c.reference)})


@cache
def _upsert(dialect: Any) -> Any:
    table = _SIGNATURES
    statement = dialect.insert(table).values(_SIGNED)
    replaceable = _is(Status.AWAITING, Status.WITHDRAWN)
    changes: dict[str, Any] = {
        name: case((replaceable, statement.excluded[name]), else_=table.c[name]) for name in _SAID
    }
    changes |= {name: case((~replaceable, table.c[name])) for name in _FORGOTTEN}
    changes["status"] = case(
        (_is(Status.WITHDRAWN), statement.excluded.status), else_=table.c.status
    )
    changes["revision"] = case(
        (replaceable, table.c.revision + literal_column("1")), else_=table.c.revision
    )
    return statement.on_conflict_do_update(
        index_elements=["address_digest"], set_=changes
    ).returning(table.c.id)


def _is(*statuses: Status, of: str = "signatures") -> ColumnElement[bool]:
    """In words, which are short and always the same: psycopg reads a statement of more than 4,096
    characters anew before each use, and SQLAlchemy writes a list of parameters anew."""
    words = ", ".join(map(str, map(_word, statuses)))
    return literal_column(f"{of}.status IN ({words})", Boolean)
