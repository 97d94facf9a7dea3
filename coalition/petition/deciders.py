"""Who decided against a signature: what its owner writes about that is read by somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.audit.queries import newest_lines
from coalition.petition.models import BulkChange, BulkDecision, BulkKind

AGAINST = ("hold", "remove", "keep")  # decisions, by their names; whoever signed is told why


def last_deciders(
    session: Session, signature_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, frozenset[str]]:
    """Who decided last against each of these signatures, by their actors: two, where it took two.

    Signatures that nobody decided against are left out.
    """
    if not signature_ids:
        return {}
    last: dict[uuid.UUID, tuple[datetime, frozenset[str]]] = {}
    subjects = {subject_of(each): each for each in signature_ids}
    actions = [action_of(name) for name in AGAINST]
    for line in newest_lines(session, subjects, actions):
        last[subjects[line.subject]] = line.at, frozenset({line.actor})
    for signature_id, at, actor, second in session.execute(
        select(
            BulkChange.signature_id,
            BulkDecision.done_at,
            BulkDecision.actor,
            BulkDecision.second_actor,
        )
        .join(BulkDecision, BulkDecision.id == BulkChange.decision_id)
        .where(
            BulkChange.signature_id.in_(signature_ids),
            BulkChange.undone.is_(False),
            BulkDecision.kind.in_((BulkKind.HOLD, BulkKind.REMOVE)),
        )
        .order_by(BulkDecision.done_at)
    ):
        if at and (signature_id not in last or at >= last[signature_id][0]):
            last[signature_id] = at, frozenset(filter(None, (actor, second)))
    return {signature_id: actors for signature_id, (_, actors) in last.items()}


def action_of(decision: str) -> str:
    """What the log calls a decision about one signature."""
    return f"signature: {decision}"


def subject_of(signature_id: uuid.UUID) -> str:
    """What the log calls a signature."""
    return f"signature {signature_id}"
