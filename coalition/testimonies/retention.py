"""What is deleted of testimonies, and when; it was said before anything was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.db import sweep
from coalition.testimonies import emails
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


def erase_past_drafts(session: Session, *, now: datetime) -> int:
    """Erase drafts that nobody has saved for DRAFT_LIFETIME. Returns how many."""
    return _erase_past(session, State.DRAFT, DRAFT_LIFETIME, now)


def erase_declined(session: Session, *, now: datetime) -> int:
    """Erase what was declined or closed longer ago than DECLINED_LIFETIME. Returns how many."""
    return _erase_past(session, State.DECLINED, DECLINED_LIFETIME, now)


def erase_withdrawn(session: Session, *, now: datetime) -> int:
    """Erase what its writer withdrew longer ago than WITHDRAWN_LIFETIME. Returns how many."""
    return _erase_past(session, State.WITHDRAWN, WITHDRAWN_LIFETIME, now)


def _erase_past(session: Session, state: State, lifetime: timedelta, now: datetime) -> int:
    past = list(_past(session, lifetime, now, Testimony.state == state))
    for testimony in past:
        erase(session, testimony.id, now=now)
    return len(past)


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
        emails.tell_writer(session, testimony, now=now)
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
