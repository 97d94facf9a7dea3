"""Verbs of the files to hand in: ask, claim on a lease, grow, finish, delete."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.audit.queries import newest_lines
from coalition.db import changed_rows, once, sweep
from coalition.petition.hand_in_models import (
    HAND_IN_LIFETIME,
    HandIn,
    HandInChunk,
    HandInState,
)
from coalition.statements.models import DocumentVersion

LEASE = timedelta(minutes=10)  # renewed with every step; longer than the longest one
MOST_ATTEMPTS = 3
RETRY_AFTER = timedelta(seconds=30)
DOWNLOADED = "downloaded"  # what happened to a list, as the log says it
UNFINISHED = (HandInState.WAITING, HandInState.RUNNING)


class NoLongerOurs(Exception):
    """The request was deleted, or another worker has taken it over."""


@dataclass(frozen=True)
class HandInFile:
    """A finished file, and its length in bytes."""

    name: str
    size: int


def ask_hand_in(
    session: Session, petition_version_id: int | None, *, actor: str, now: datetime
) -> HandIn:
    """Have the list made, of one version of the text or of all.

    Whoever has asked for the same and waits for it gets that one: a button pressed twice makes
    one list.
    """
    waiting = session.scalars(
        select(HandIn).where(
            HandIn.asked_by == actor,
            HandIn.petition_version_id.is_not_distinct_from(petition_version_id),
            HandIn.state.in_(UNFINISHED),
        )
    ).first()
    if waiting:
        return waiting
    hand_in = HandIn(
        id=uuid.uuid4(),
        asked_by=actor,
        asked_at=now,
        petition_version_id=petition_version_id,
        state=HandInState.WAITING,
        due_at=now,
    )
    session.add(hand_in)
    session.flush()
    note(session, hand_in, "asked for", what=of_which_text(session, hand_in), actor=actor, now=now)
    return hand_in


def note(
    session: Session, hand_in: HandIn, what_happened: str, *, what: str, actor: str, now: datetime
) -> None:
    """A line in the log: which list, its numbers and texts. Never a name."""
    record(
        session,
        actor=actor,
        action=_action_of(what_happened),
        subject=_subject_of(hand_in.id),
        reason=what,
        now=now,
    )


def _action_of(what_happened: str) -> str:
    return f"hand-in {what_happened}"


def _subject_of(hand_in_id: uuid.UUID) -> str:
    return f"hand-in {hand_in_id}"


def of_which_text(session: Session, hand_in: HandIn) -> str:
    """In words, of which version of the petition the list is."""
    if hand_in.petition_version_id is None:
        return "every version of the petition"
    version = session.get_one(DocumentVersion, hand_in.petition_version_id).version
    return f"petition version {version}"


def in_numbers(session: Session, hand_in: HandIn) -> str:
    """For the log: how many names are on the list, and of which version of the petition."""
    return f"names: {hand_in.total}, {of_which_text(session, hand_in)}"


def claim_hand_in(session: Session, *, now: datetime) -> HandIn | None:
    """Take the request that has waited longest, on a lease that ends by itself.

    One whose worker was killed comes back when its lease ends, and is begun afresh; one that
    was begun MOST_ATTEMPTS times is given up.
    """
    due = once(
        select(HandIn.id)
        .where(HandIn.state.in_(UNFINISHED), HandIn.due_at <= now)
        .order_by(HandIn.asked_at)
        .limit(1)
        .with_for_update(skip_locked=True),
        "due",
    )
    hand_in = session.scalars(
        update(HandIn)
        .where(HandIn.id.in_(select(due.c.id)))
        .values(
            state=HandInState.RUNNING,
            due_at=now + LEASE,
            attempts=HandIn.attempts + 1,
            total=0,
            done_count=0,
            spelled_count=0,
        )
        .returning(HandIn)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).one_or_none()
    if hand_in is None:
        return None
    session.execute(delete(HandInChunk).where(HandInChunk.hand_in_id == hand_in.id))
    if hand_in.attempts > MOST_ATTEMPTS:
        give_up(session, hand_in, now=now)
        return None
    return hand_in


def advance(session: Session, hand_in: HandIn, *, now: datetime, **values: Any) -> None:
    """Write down how far the list is, and renew the lease. Raises NoLongerOurs."""
    result = session.execute(
        update(HandIn)
        .where(_still_ours(hand_in))
        .values(due_at=now + LEASE, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed_rows(result):
        raise NoLongerOurs


def _still_ours(hand_in: HandIn) -> ColumnElement[bool]:
    """Each claim counts one more try: whose lease ended must not touch what the next one has."""
    return (
        (HandIn.id == hand_in.id)
        & (HandIn.attempts == hand_in.attempts)
        & (HandIn.state == HandInState.RUNNING)
    )


def add_chunks(
    session: Session, hand_in: HandIn, file: str, first: int, pieces: Sequence[bytes]
) -> None:
    """Append pieces to a file, the first of them as number `first`."""
    session.add_all(
        HandInChunk(hand_in_id=hand_in.id, file=file, number=number, size=len(data), data=data)
        for number, data in enumerate(pieces, first)
    )
    session.flush()


def finish(session: Session, hand_in: HandIn, *, now: datetime) -> None:
    """The files are whole, and can be downloaded. Raises NoLongerOurs."""
    advance(session, hand_in, now=now, state=HandInState.DONE, finished_at=now)
    made = session.get_one(HandIn, hand_in.id, populate_existing=True)
    note(session, made, "made", what=in_numbers(session, made), actor="worker", now=now)


def put_back(session: Session, hand_in: HandIn, *, at: datetime, tried: bool) -> None:
    """Let a worker take it again from `at` on; `tried` if this one came to grief over it."""
    session.execute(
        update(HandIn)
        .where(_still_ours(hand_in))
        .values(
            state=HandInState.WAITING,
            due_at=at,
            attempts=HandIn.attempts - (0 if tried else 1),
        )
        .execution_options(synchronize_session=False)
    )


def give_up(session: Session, hand_in: HandIn, *, now: datetime) -> None:
    """No list could be made; its pieces go. Does nothing once it is another worker's."""
    given_up = session.execute(
        update(HandIn)
        .where(_still_ours(hand_in))
        .values(state=HandInState.FAILED, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed_rows(given_up):
        session.execute(delete(HandInChunk).where(HandInChunk.hand_in_id == hand_in.id))
        note(
            session, hand_in, "failed", what=of_which_text(session, hand_in), actor="worker",
            now=now,
        )  # fmt: skip


def delete_hand_in(session: Session, hand_in: HandIn, *, actor: str, now: datetime) -> None:
    """Delete a request with its files; a worker that is at it stops at its next step."""
    words = in_numbers(session, hand_in)
    session.execute(delete(HandIn).where(HandIn.id == hand_in.id))
    note(session, hand_in, "deleted", what=words, actor=actor, now=now)


def delete_past_hand_ins(session: Session, *, now: datetime) -> int:
    """Delete what is past HAND_IN_LIFETIME, finished or not. Returns how many."""
    return sweep(session, HandIn, HandIn.asked_at < now - HAND_IN_LIFETIME)


def find_hand_in(session: Session, hand_in_id: uuid.UUID, *, now: datetime) -> HandIn | None:
    """The request, unless its time is over."""
    found = session.get(HandIn, hand_in_id, populate_existing=True)
    return found if found and now - found.asked_at <= HAND_IN_LIFETIME else None


def hand_ins(session: Session, *, now: datetime) -> list[HandIn]:
    """Every request whose time is not over, the newest first."""
    return list(
        session.scalars(
            select(HandIn)
            .where(HandIn.asked_at >= now - HAND_IN_LIFETIME)
            .order_by(HandIn.asked_at.desc())
        )
    )


def hand_ins_to_fetch(session: Session, actor: str, *, now: datetime) -> list[HandIn]:
    """Lists that are done, and of which whoever asked for them has downloaded nothing yet."""
    done = session.scalars(
        select(HandIn).where(
            HandIn.asked_by == actor,
            HandIn.state == HandInState.DONE,
            HandIn.asked_at >= now - HAND_IN_LIFETIME,
        )
    ).all()
    subjects = {_subject_of(each.id): each for each in done}
    fetched = {line.subject for line in newest_lines(session, subjects, [_action_of(DOWNLOADED)])}
    return [each for subject, each in subjects.items() if subject not in fetched]


def files_of(session: Session, hand_in: HandIn) -> list[HandInFile]:
    """The files of a list that is done; none before."""
    if hand_in.state is not HandInState.DONE:
        return []
    size = func.sum(HandInChunk.size)
    rows = session.execute(
        select(HandInChunk.file, size)
        .where(HandInChunk.hand_in_id == hand_in.id)
        .group_by(HandInChunk.file)
        .order_by(HandInChunk.file)
    )
    return [HandInFile(name, int(length)) for name, length in rows]


def read_chunk(session: Session, hand_in_id: uuid.UUID, file: str, number: int) -> bytes | None:
    """One piece of a file; None after the last."""
    return session.scalar(
        select(HandInChunk.data).where(
            HandInChunk.hand_in_id == hand_in_id,
            HandInChunk.file == file,
            HandInChunk.number == number,
        )
    )
