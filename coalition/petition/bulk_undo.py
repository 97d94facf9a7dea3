"""Undoing a decision about many: by one moderator, or by two."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.mail.actions import queue_many, take_back
from coalition.petition import emails
from coalition.petition.bulk import locked_decision, log_decision, mail_gap
from coalition.petition.bulk_limit import undoing_takes_two
from coalition.petition.bulk_statements import (
    change,
    choose_again,
    noted,
    remember_reviews,
    those_to_tell,
)
from coalition.petition.decisions import NotPossible, forget_reviews
from coalition.petition.models import BulkChange, BulkDecision, BulkKind, BulkState, Cause
from coalition.petition.own import own_signatures

_CAUSE_OF_UNDOING = {
    BulkKind.HOLD: Cause.RELEASED,
    BulkKind.RELEASE: Cause.HELD,
    BulkKind.REMOVE: Cause.RESTORED,
}


def undo(
    session: Session, decision_id: uuid.UUID, *, limit: int, actor: str, now: datetime
) -> BulkDecision:
    """Make each signature what it was before, where nothing was decided about it since; or
    propose that, where it takes two; or agree to what another moderator proposed.

    `limit` is how many one moderator decides about alone. Pressed twice, it is done once.
    Raises NotPossible.
    """
    decision = locked_decision(session, decision_id)
    if decision.state is BulkState.UNDONE or decision.undoers == [actor]:
        return decision
    if decision.state is not BulkState.DONE:
        raise NotPossible(f"this decision is {decision.state.value}")
    if decision.undo_waits:
        _carry_out(session, decision, [*decision.undoers, actor], now=now)
    elif undoing_takes_two(session, decision, actor, limit=limit, now=now):
        decision.undone_by, decision.undone_at = actor, now
        log_decision(session, decision, f"bulk {decision.kind.value} undo proposed", actor, now=now)
    else:
        _carry_out(session, decision, [actor], now=now)
    return decision


def _carry_out(
    session: Session, decision: BulkDecision, actors: list[str], *, now: datetime
) -> None:
    """Those whose owners were not told yet are not written to at all."""
    if decision.done_at is None:
        raise NotPossible("this decision was never carried out")
    own = own_signatures(session, *actors)
    decision.undone_count = choose_again(session, decision, ~own)
    changed = select(BulkChange.signature_id).where(
        BulkChange.decision_id == decision.id, BulkChange.undone
    )
    change(
        session,
        changed,
        becomes=noted(decision, BulkChange.before),
        reason=noted(decision, BulkChange.reason_before),
        cause=_CAUSE_OF_UNDOING[decision.kind],
        new_matter=False,
        now=now,
    )
    if decision.kind is BulkKind.RELEASE:
        remember_reviews(session, changed, now=now)
    else:
        forget_reviews(session, changed.where(~BulkChange.reviewed_before))
    untold = set(take_back(session, emails.DECIDED, changed, queued_at=decision.done_at))
    told = [each for each in those_to_tell(session, changed) if each not in untold]
    queue_many(session, emails.DECIDED, told, gap=mail_gap(), now=now)
    decision.state, decision.undone_by = BulkState.UNDONE, ", ".join(actors)
    decision.undone_at = now
    log_decision(session, decision, f"bulk {decision.kind.value} undone", actors[-1], now=now)


def leave_as_it_is(
    session: Session, decision_id: uuid.UUID, *, actor: str, now: datetime
) -> BulkDecision:
    """Do not undo what somebody wants to undo. They may say so themselves. Raises NotPossible
    once it is undone."""
    decision = locked_decision(session, decision_id)
    if decision.state is BulkState.UNDONE:
        raise NotPossible("it is undone already")
    if decision.undo_waits:
        decision.undone_by = decision.undone_at = None
        log_decision(session, decision, f"bulk {decision.kind.value} undo refused", actor, now=now)
    return decision
