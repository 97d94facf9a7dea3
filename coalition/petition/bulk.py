"""Decisions about all signatures that a search finds: hold, release, remove.

Each is one transaction of a few statements, whatever its size, so that the count is exact at
every moment. Whoever has written against a decision is never removed in bulk: their words are
read first, and decided about one by one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, case, func, literal, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.db import is_postgresql
from coalition.mail.actions import queue_many, slow_gap
from coalition.petition import emails
from coalition.petition.bulk_limit import decided_alone, lock_bulk
from coalition.petition.bulk_statements import (
    change,
    choose,
    remember_reviews,
    those_to_tell,
)
from coalition.petition.decisions import (
    HOLD,
    LONGEST_REASON,
    RELEASE,
    REMOVE,
    NotPossible,
    forget_reviews,
)
from coalition.petition.models import (
    KNOWN_TO_ITS_OWNER,
    UNDO_WAITS,
    BulkChange,
    BulkDecision,
    BulkKind,
    BulkState,
    Signature,
    SignatureStatus,
)
from coalition.petition.own import own_signatures
from coalition.petition.search import Search, conditions

Status = SignatureStatus
PROPOSAL_LIFETIME = timedelta(days=7)  # a proposal that nobody has confirmed by then lapses

_DECISIONS = {BulkKind.HOLD: HOLD, BulkKind.RELEASE: RELEASE, BulkKind.REMOVE: REMOVE}
_STATUS_TYPE = Signature.__table__.c.status.type
_AS_BEFORE = case(
    (Signature.verified_at.is_not(None), literal(Status.VERIFIED, _STATUS_TYPE)),
    else_=literal(Status.AWAITING, _STATUS_TYPE),
)
_BECOMES: dict[BulkKind, ColumnElement[Status]] = {
    BulkKind.HOLD: literal(Status.HELD, _STATUS_TYPE),
    BulkKind.RELEASE: _AS_BEFORE,
    BulkKind.REMOVE: literal(Status.REMOVED, _STATUS_TYPE),
}


class CountChanged(NotPossible):
    """The search finds another number than was shown; nothing was done. `count` is the new one."""

    def __init__(self, count: int) -> None:
        super().__init__(f"the number has changed to {count}")
        self.count = count


@dataclass(frozen=True)
class Preview:
    """What a bulk decision would do."""

    count: int  # signatures that it would change
    found: int  # signatures that the search finds
    appealed: int  # those that it leaves alone because their owners' words wait to be read
    untold: int  # of those that it would change, whose addresses nobody confirmed
    own: int  # those that it leaves alone because they are of whoever decides


def preview(session: Session, kind: BulkKind, search: Search, *actors: str) -> Preview:
    """Count what a decision of `actors` would change. Raises NotAnAddress."""
    found = conditions(session, search)
    allowed, free = _possible(kind)
    own = own_signatures(session, *actors)
    allowed = and_(allowed, ~own)
    row = session.execute(
        select(
            func.count(),
            func.count(case((and_(allowed, free), 1))),
            func.count(case((and_(allowed, ~free), 1))),
            func.count(case((and_(allowed, free, ~KNOWN_TO_ITS_OWNER), 1))),
            func.count(case((own, 1))),
        )
        .select_from(Signature)
        .where(*found)
    ).one()
    return Preview(found=row[0], count=row[1], appealed=row[2], untold=row[3], own=row[4])


def _possible(kind: BulkKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a signature is in a state that allows the decision, and whether it is free of
    words that wait to be read.
    """
    words_wait = and_(Signature.status == Status.HELD, Signature.appealed_at.is_not(None))
    return (
        Signature.status.in_(_DECISIONS[kind].allowed_from),
        ~words_wait if kind is BulkKind.REMOVE else true(),
    )


def decide_all(
    session: Session,
    decision_id: uuid.UUID,
    kind: BulkKind,
    search: Search,
    *,
    counted: int,
    limit: int,
    reason: str,
    actor: str,
    now: datetime,
) -> BulkDecision:
    """Decide about all that `search` finds; or propose it, where `actor` would decide alone about
    more than `limit` within BULK_WINDOW.

    `decision_id` was made with the form: what was sent twice is done once, and the decision
    that stands is returned. `counted` is the number that the moderator was shown; `reason` is
    told to the signatories. Raises NotAnAddress, NotPossible, and CountChanged where the number
    is another by now.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise NotPossible(f"the reason must have 1 to {LONGEST_REASON} characters")
    if counted < 1:
        raise NotPossible("there is nothing to decide about")
    lock_bulk(session)
    begun = _begin(
        session,
        {
            "id": decision_id,
            "kind": kind,
            "state": BulkState.PROPOSED,
            "actor": actor,
            "reason": reason,
            "count": counted,
            "at": now,
        },
    )
    decision = session.get_one(BulkDecision, decision_id, populate_existing=True)
    if not begun:
        return decision
    if counted + decided_alone(session, actor, now=now) > limit:
        count = preview(session, kind, search, actor).count
        if count != counted:
            raise CountChanged(count)
        decision.search = search.as_text()
        log_decision(
            session, decision, f"bulk {kind.value} proposed", actor, reason=reason, now=now
        )
    else:
        _carry_out(session, decision, search, actor=actor, now=now)
    return decision


def _begin(session: Session, values: dict[str, Any]) -> bool:
    """Write the decision down, unless it is there. Whoever sends it at the same instant waits."""
    upsert = (postgresql if is_postgresql(session) else sqlite).insert(BulkDecision)
    begun = upsert.values(values).on_conflict_do_nothing().returning(BulkDecision.id)
    return session.scalar(begun) is not None


def confirm_proposal(
    session: Session, decision_id: uuid.UUID, *, counted: int, actor: str, now: datetime
) -> BulkDecision:
    """Carry out what another moderator proposed. Confirmed twice, it is done once.

    `counted` is the number that this moderator was shown. Raises NotPossible, also where
    `actor` is the one who proposed it, and CountChanged.
    """
    decision = locked_decision(session, decision_id)
    if decision.state in (BulkState.DONE, BulkState.UNDONE) and decision.second_actor == actor:
        return decision
    _must_wait(decision)
    if decision.actor == actor:
        raise NotPossible("somebody else than the person who proposed it must confirm it")
    search = Search.from_text(decision.search or "")
    decision.second_actor = actor
    _carry_out(session, decision, search, counted=counted, actor=actor, now=now)
    return decision


def refuse_proposal(
    session: Session, decision_id: uuid.UUID, *, actor: str, now: datetime
) -> BulkDecision:
    """Take a proposal off the list; nothing is changed. Its own author may do it, too.

    Raises NotPossible.
    """
    decision = locked_decision(session, decision_id)
    if decision.state is BulkState.REFUSED:
        return decision
    _must_wait(decision)
    decision.state, decision.second_actor, decision.search = BulkState.REFUSED, actor, None
    log_decision(session, decision, f"bulk {decision.kind.value} refused", actor, now=now)
    return decision


def locked_decision(session: Session, decision_id: uuid.UUID) -> BulkDecision:
    """The decision, held against any other change. Raises NotPossible where there is none."""
    lock_bulk(session)
    decision = session.get(BulkDecision, decision_id, with_for_update=True, populate_existing=True)
    if decision is None:
        raise NotPossible("there is no such decision")
    return decision


def _must_wait(decision: BulkDecision) -> None:
    if decision.state is not BulkState.PROPOSED:
        raise NotPossible(f"this proposal is {decision.state.value}")


def _carry_out(
    session: Session,
    decision: BulkDecision,
    search: Search,
    *,
    counted: int | None = None,
    actor: str,
    now: datetime,
) -> None:
    expected = decision.count if counted is None else counted
    own = own_signatures(session, decision.actor, actor)
    found = [*conditions(session, search), *_possible(decision.kind), ~own]
    count = choose(session, decision, found)
    if count != expected:
        # Nothing stays: what follows is rolled back with the transaction that this ends.
        raise CountChanged(count)
    changed = select(BulkChange.signature_id).where(BulkChange.decision_id == decision.id)
    releases = decision.kind is BulkKind.RELEASE
    change(
        session,
        changed,
        becomes=_BECOMES[decision.kind],
        reason=None if releases else literal(decision.reason),
        cause=_DECISIONS[decision.kind].cause,
        new_matter=not releases,
        now=now,
    )
    if releases:
        forget_reviews(session, changed)
    else:
        remember_reviews(session, changed, now=now)
    queue_many(session, emails.DECIDED, those_to_tell(session, changed), gap=mail_gap(), now=now)
    decision.state, decision.count = BulkState.DONE, count
    decision.done_at, decision.search = now, None
    log_decision(
        session, decision, f"bulk {decision.kind.value}", actor, reason=decision.reason, now=now
    )


def mail_gap() -> timedelta:
    """The time between two of the mails that tell of a decision."""
    return slow_gap(current_app.extensions["settings"].mail_rate)


def lapse_proposals(session: Session, *, now: datetime) -> int:
    """Take proposals off the list, to decide or to undo, that nobody confirmed in time. Returns
    how many."""
    past = now - PROPOSAL_LIFETIME
    old = session.scalars(
        select(BulkDecision)
        .where(
            ((BulkDecision.state == BulkState.PROPOSED) & (BulkDecision.at < past))
            | (UNDO_WAITS & (BulkDecision.undone_at < past))
        )
        .order_by(BulkDecision.id)
        .with_for_update(skip_locked=True)
    ).all()
    for each in old:
        what = f"bulk {each.kind.value}"
        if each.undo_waits:
            each.undone_by = each.undone_at = None
            what = f"{what} undo"
        else:
            each.state, each.search = BulkState.LAPSED, None
        log_decision(session, each, f"{what} lapsed", "worker", now=now)
    return len(old)


def log_decision(
    session: Session,
    decision: BulkDecision,
    action: str,
    actor: str,
    *,
    reason: str = "",
    now: datetime,
) -> None:
    """Write to the audit log what became of a decision: its number, and no search."""
    count = decision.undone_count if decision.state is BulkState.UNDONE else decision.count
    record(
        session,
        actor=actor,
        action=f"signatures: {action}",
        subject=f"bulk decision {decision.id}: {count} signatures",
        reason=reason,
        now=now,
    )
