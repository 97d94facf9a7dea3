"""How many signatures one moderator decides about alone: the sum of a day, not of one form."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.petition.models import BulkDecision, BulkState

BULK_WINDOW = timedelta(hours=24)  # README, COALITION_BULK_LIMIT
BULK_LOCK = 0x62756C6B  # any fixed number


def lock_bulk(session: Session) -> None:
    """Let one decision about many be made after the other, so that two forms that are sent at
    once are counted together. Comes before any other lock."""
    if is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": BULK_LOCK})


def decided_alone(session: Session, actor: str, *, now: datetime) -> int:
    """How many signatures `actor` changed in bulk within BULK_WINDOW without a second moderator:
    by decisions, undone since or not, and by undoing what was not theirs alone."""
    since = now - BULK_WINDOW
    theirs_alone = (BulkDecision.actor == actor) & BulkDecision.second_actor.is_(None)
    decided = select(func.sum(BulkDecision.count)).where(theirs_alone, BulkDecision.done_at > since)
    undone = select(func.sum(BulkDecision.undone_count)).where(
        ~theirs_alone,
        BulkDecision.state == BulkState.UNDONE,
        BulkDecision.undone_by == actor,
        BulkDecision.undone_at > since,
    )
    return sum(int(session.scalar(each) or 0) for each in (decided, undone))


def undoing_takes_two(
    session: Session, decision: BulkDecision, actor: str, *, limit: int, now: datetime
) -> bool:
    """Whether `actor` needs a second moderator to undo a decision.

    What one decided alone, one takes back alone: it brings back what was.
    """
    is_theirs_alone = decision.actor == actor and decision.second_actor is None
    if is_theirs_alone and decision.count <= limit:
        return False
    return decision.count + decided_alone(session, actor, now=now) > limit
