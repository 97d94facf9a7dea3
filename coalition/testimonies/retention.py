"""What is deleted of testimonies, and when; it was said before anything was written."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
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
from coalition.testimonies.moving import edition_of, locked, move
from coalition.testimonies.states import State, Verb

ERASED_AFTER = {
    State.DRAFT: DRAFT_LIFETIME,
    State.DECLINED: DECLINED_LIFETIME,
    State.WITHDRAWN: WITHDRAWN_LIFETIME,
}


def delete_past_testimonies(session: Session, *, now: datetime) -> None:
    """Erase drafts, refused and withdrawn testimonies that are past their time, and close what
    its writer has not answered."""
    for state, lifetime in ERASED_AFTER.items():
        for testimony_id in _past(session, (state,), lifetime, now):
            if locked(session, testimony_id).state is state:
                erase(session, testimony_id, now=now)
    for testimony_id in _unanswered(session, now):
        testimony = locked(session, testimony_id)
        move(session, testimony, Verb.LAPSE, now=now)
        testimony.decision_code, testimony.decision_words = DeclineCode.NO_ANSWER, None
        testimony.decided_by = None
    _delete_empty_rows(session, now)


def _past(
    session: Session, states: Sequence[State], lifetime: timedelta, now: datetime
) -> Sequence[uuid.UUID]:
    return session.scalars(
        select(Testimony.id)
        .where(Testimony.state.in_(states), Testimony.state_on < day_in_uk(now - lifetime))
        .order_by(Testimony.id)
    ).all()


def _unanswered(session: Session, now: datetime) -> list[uuid.UUID]:
    """What waits for its writer; not what is approved because it stays private."""
    found = []
    for testimony_id in _past(session, (State.NEEDS_WRITER, State.APPROVED), ANSWER_LIFETIME, now):
        testimony = locked(session, testimony_id)
        edition = edition_of(session, testimony)
        waits = testimony.state is State.NEEDS_WRITER or (
            testimony.state is State.APPROVED and edition is not None and edition.second_by
        )
        if waits:
            found.append(testimony_id)
    return found


def _delete_empty_rows(session: Session, now: datetime) -> None:
    """Of what was never public, not even the row stays."""
    session.execute(
        delete(Testimony).where(
            Testimony.state == State.ERASED,
            Testimony.state_on < day_in_uk(now - WITHDRAWN_LIFETIME),
            Testimony.id.not_in(select(PublishedTestimony.testimony_id)),
            Testimony.id.not_in(select(Edition.testimony_id)),
        )
    )
