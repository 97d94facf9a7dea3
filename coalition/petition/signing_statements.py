"""The statements of signing. Each is made once: to put it together takes longer than to run it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.mail.models import OutboxMessage
from coalition.petition.models import Signature, SignatureStatus

Status = SignatureStatus

_REPLACED_WHEN_SIGNED_AGAIN = (
    "domain_digest", "network_digest", "email", "name", "region", "kind", "source", "show_name", "wants_updates", "petition_version_id",
    "consent_version_id", "choices_version_id", "signed_at", "verified_at",
    "status_changed_at", "decision_reason", "appeal", "appealed_at",
)  # fmt: skip
# What a new signature and its mail consist of.
_SIGNED = (
    "id", "address_digest", "domain_digest", "network_digest", "email", "name", "region", "kind",
    "show_name", "wants_updates", "petition_version_id", "consent_version_id",
    "choices_version_id", "source", "status", "revision", "signed_at", "verified_at",
    "status_changed_at", "decision_reason", "appeal", "appealed_at",
)  # fmt: skip
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
    replaceable = table.c.status.in_((Status.AWAITING, Status.WITHDRAWN))
    changes: dict[str, Any] = {
        name: case((replaceable, statement.excluded[name]), else_=table.c[name])
        for name in _REPLACED_WHEN_SIGNED_AGAIN
    }
    changes["status"] = case(
        (table.c.status == Status.WITHDRAWN, statement.excluded.status), else_=table.c.status
    )
    changes["revision"] = case((replaceable, table.c.revision + 1), else_=table.c.revision)
    return statement.on_conflict_do_update(
        index_elements=["address_digest"], set_=changes
    ).returning(table.c.id)


def _named(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in values.items()}
