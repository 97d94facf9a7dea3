"""What somebody at the desk decides about a complaint, and what follows for the text."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.audit.actions import record
from coalition.mail.actions import queue_message
from coalition.testimonies import complaint_emails, decisions, emails
from coalition.testimonies.complaint_models import Complaint, ComplaintState
from coalition.testimonies.models import DeclineCode, PausedBy, PublishedTestimony, Testimony
from coalition.testimonies.moving import forget_approval, locked, published_of
from coalition.testimonies.states import NotPossible, State

LONGEST_WORDS = decisions.LONGEST_WORDS  # characters


def testimony_of(session: Session, complaint: Complaint) -> Testimony:
    """What the complaint is about."""
    return session.scalars(
        select(Testimony)
        .join(PublishedTestimony, PublishedTestimony.testimony_id == Testimony.id)
        .where(PublishedTestimony.slug == complaint.slug)
        .execution_options(populate_existing=True)
    ).one()


def may_come_back(session: Session, testimony: Testimony) -> bool:
    """Whether it is on the site, or its writer could put it there again as it is."""
    if testimony.state is State.PUBLISHED:
        return True
    published = published_of(session, testimony)
    return is_paused_by_writer(testimony) and bool(published and published.edition_id)


def is_paused_by_writer(testimony: Testimony) -> bool:
    """Whether nobody at the desk reads it now, or moves it, because its writer wishes so."""
    return testimony.state is State.PAUSED and testimony.paused_by is PausedBy.WRITER


def take_down(
    session: Session, complaint_id: uuid.UUID, moderator: Moderator, words: str, *, now: datetime
) -> None:
    """Take the text off the site until the complaint is decided; one person is enough. `words`
    tell its writer why. Raises NotPossible."""
    complaint = _open(session, complaint_id)
    _keep_off(session, testimony_of(session, complaint).id, moderator, words, now=now)
    complaint.looked_at = complaint.looked_at or now
    _record(session, complaint, "take the text down", moderator, now=now)


def leave_up(
    session: Session, complaint_id: uuid.UUID, moderator: Moderator, *, now: datetime
) -> None:
    """After a first look, leave things as they are until the complaint is decided. Raises
    NotPossible."""
    complaint = _open(session, complaint_id)
    complaint.looked_at = complaint.looked_at or now
    _record(session, complaint, "leave the text as it is", moderator, now=now)


def uphold(
    session: Session,
    complaint_id: uuid.UUID,
    moderator: Moderator,
    *,
    words: str,
    writer_words: str,
    code: DeclineCode | None,
    now: datetime,
) -> None:
    """Agree: the text stays off the site. With a `code` it is declined, without it is edited anew.
    What its writer has paused stays paused, and is read anew once they go on.

    `words` go to whoever complained, `writer_words` to its writer. Raises NotPossible.
    """
    complaint = _open(session, complaint_id)
    testimony = locked(session, testimony_of(session, complaint).id)
    if may_come_back(session, testimony):
        _keep_off(session, testimony.id, moderator, writer_words, now=now)
    if is_paused_by_writer(testimony):
        if testimony.decision_words != writer_words:  # it was kept off before, in other words
            _tell_in_pause(session, testimony, writer_words, now=now)
    elif testimony.state is State.PAUSED and code is not None:
        decisions.decline(
            session, testimony.id, moderator, code, writer_words, turn=testimony.turn, now=now
        )
    elif testimony.state is State.PAUSED:
        decisions.reopen(session, testimony.id, moderator, turn=testimony.turn, now=now)
        testimony.decision_words = writer_words
        emails.tell_writer(session, testimony, now=now)
    _close(session, complaint, ComplaintState.UPHELD, moderator, words, now=now)


def refuse(
    session: Session, complaint_id: uuid.UUID, moderator: Moderator, *, words: str, now: datetime
) -> bool:
    """Do not agree. What was taken down goes back at once, unless this same person took it down:
    then somebody else has to. Returns whether it still is down. Raises NotPossible."""
    complaint = _open(session, complaint_id)
    testimony = locked(session, testimony_of(session, complaint).id)
    if _is_down(testimony) and testimony.decided_by != moderator.id:
        decisions.restore(session, testimony.id, moderator, turn=testimony.turn, now=now)
    _close(session, complaint, ComplaintState.NOT_UPHELD, moderator, words, now=now)
    return _is_down(testimony)


def _is_down(testimony: Testimony) -> bool:
    return testimony.state is State.PAUSED and testimony.paused_by is PausedBy.DESK


def _keep_off(
    session: Session, testimony_id: uuid.UUID, moderator: Moderator, words: str, *, now: datetime
) -> None:
    """Take it down; where its writer has paused it, let them not put it back as it was."""
    testimony = locked(session, testimony_id)
    if is_paused_by_writer(testimony):
        forget_approval(session, testimony)
        _tell_in_pause(session, testimony, words, now=now)
        return
    decisions.take_down(session, testimony_id, moderator, words, now=now)


def _tell_in_pause(session: Session, testimony: Testimony, words: str, *, now: datetime) -> None:
    """Tell its writer, who reads it once they come back. Nobody stands as who decided: there is
    nothing for them to answer."""
    testimony.decision_words, testimony.decided_by = words, None
    emails.tell_writer(session, testimony, now=now)


def _open(session: Session, complaint_id: uuid.UUID) -> Complaint:
    found = session.get(Complaint, complaint_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotPossible("there is no such complaint")
    if found.state is not ComplaintState.OPEN:
        raise NotPossible("it is decided already")
    return found


def _close(
    session: Session,
    complaint: Complaint,
    state: ComplaintState,
    moderator: Moderator,
    words: str,
    *,
    now: datetime,
) -> None:
    complaint.state, complaint.decision_words = state, words
    complaint.decided_by, complaint.closed_at = moderator.id, now
    complaint.looked_at = complaint.looked_at or now
    if complaint.email:
        queue_message(session, complaint_emails.DECIDED, reference=complaint.id, now=now)
    _record(session, complaint, state.value.replace("-", " "), moderator, now=now)


def _record(
    session: Session, complaint: Complaint, action: str, moderator: Moderator, *, now: datetime
) -> None:
    session.flush()
    record(
        session,
        actor=moderator.actor,
        action=f"complaint: {action}",
        subject=f"complaint {complaint.id}",
        now=now,
    )
