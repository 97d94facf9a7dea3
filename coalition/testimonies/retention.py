"""What is deleted of testimonies, and when; it was said before anything was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.db import sweep
from coalition.testimonies.actions import erase
from coalition.testimonies.models import (
    ANSWER_LIFETIME,
    DECLINED_LIFETIME,
    DRAFT_LIFETIME,
    WITHDRAWN_LIFETIME,
    DeclineCode,
    Edition,
    PublishedTestimony,
    Testimony,
)
from coalition.testimonies.moving import move
from coalition.testimonies.states import State, Verb

ERASED_AFTER = {
    State.DRAFT: DRAFT_LIFETIME,
    State.DECLINED: DECLINED_LIFETIME,
    State.WITHDRAWN: WITHDRAWN_LIFETIME,
}


def erase_past_testimonies(session: Session, *, now: datetime) -> int:
    """Erase drafts, refused and withdrawn testimonies that are past their time. Returns how
    many."""
    erased = 0
    for state, lifetime in ERASED_AFTER.items():
        for testimony in _past(session, lifetime, now, Testimony.state == state):
            erase(session, testimony.id, now=now)
            erased += 1
    return erased


def close_unanswered(session: Session, *, now: datetime) -> int:
    """Close what has waited too long for its writer: an answer, or their word about an edited
    text. What was read and stays private waits for nobody. Returns how many."""
    asked = exists().where(
        Edition.testimony_id == Testimony.id,
        Edition.revision == Testimony.revision,
        Edition.second_by.is_not(None),
    )
    waits = (Testimony.state == State.NEEDS_WRITER) | ((Testimony.state == State.APPROVED) & asked)
    closed = 0
    for testimony in _past(session, ANSWER_LIFETIME, now, waits):
        move(session, testimony, Verb.LAPSE, now=now)
        testimony.decision_code, testimony.decision_words = DeclineCode.NO_ANSWER, None
        testimony.decided_by = None
        closed += 1
    return closed


def delete_erased(session: Session, *, now: datetime) -> int:
    """Of what was never public, not even the row stays. Returns how many."""
    return sweep(
        session,
        Testimony,
        Testimony.state == State.ERASED,
        Testimony.state_on < day_in_uk(now - WITHDRAWN_LIFETIME),
        Testimony.id.not_in(select(PublishedTestimony.testimony_id)),
    )


def _past(
    session: Session, lifetime: timedelta, now: datetime, which: ColumnElement[bool]
) -> Iterator[Testimony]:
    """Those that are past their time and nobody else holds, locked in the order of their key."""
    yield from session.scalars(
        select(Testimony)
        .where(which, Testimony.state_on < day_in_uk(now - lifetime))
        .order_by(Testimony.id)
        .with_for_update(skip_locked=True)
    ).all()


CLEAN_UPS = (erase_past_testimonies, close_unanswered, delete_erased)
