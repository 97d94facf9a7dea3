"""Deciding about many signatures, as a moderator does, and what came of it."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail.models import OutboxMessage
from coalition.petition import emails
from coalition.petition.bulk import decide_all, preview
from coalition.petition.bulk_undo import undo
from coalition.petition.models import BulkDecision, BulkKind, Signature, SignatureStatus
from coalition.petition.search import Search
from coalition.petition.tally import fold, verify_tally
from tests.factories import make_signature

Status = SignatureStatus
FLOOD = Search(domain="flood.example.org")


def carry_out(
    kind: BulkKind, search: Search = FLOOD, decision_id: uuid.UUID | None = None, **values: Any
) -> BulkDecision:
    with transaction() as session:
        now = values.get("now") or clock.utc_now()
        given: dict[str, Any] = {
            "counted": preview(session, kind, search).count,
            "limit": 100,
            "reason": "These look alike.",
            "actor": "moderator one",
            "now": now,
            **values,
        }
        return decide_all(session, decision_id or uuid.uuid4(), kind, search, **given)


def take_back(
    decision: BulkDecision, *, actor: str = "moderator one", limit: int = 100_000, **values: Any
) -> BulkDecision:
    with transaction() as session:
        given: dict[str, Any] = {"actor": actor, "limit": limit, "now": clock.utc_now(), **values}
        return undo(session, decision.id, **given)


def flood(
    size: int = 3,
    status: Status = Status.VERIFIED,
    domain: str = "flood.example.org",
    **values: Any,
) -> list[uuid.UUID]:
    """So many signatures from one domain."""
    with transaction() as session:
        return [
            make_signature(
                session, email=f"{uuid.uuid4().hex}@{domain}", status=status, **values
            ).id
            for _ in range(size)
        ]


def statuses(session: Session) -> Counter[Status]:
    session.rollback()
    return Counter(session.scalars(select(Signature.status)))


def mails(session: Session) -> int:
    session.rollback()
    return session.scalars(
        select(func.count()).select_from(OutboxMessage).where(OutboxMessage.kind == emails.DECIDED)
    ).one()


def assert_exact(session: Session, verified: int) -> None:
    session.rollback()
    assert verify_tally(session) == (verified, [])
    with transaction() as writing:
        fold(writing, now=clock.utc_now())
    session.rollback()
    assert verify_tally(session) == (verified, [])
