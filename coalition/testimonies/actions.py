"""What a writer does with a testimony. None of it is written to the log: the log keeps moments."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.db import is_postgresql
from coalition.testimonies.choices import Choices, Use
from coalition.testimonies.codes import Ticket, hash_code, make_code_digest
from coalition.testimonies.models import Edition, PausedBy, Testimony
from coalition.testimonies.moving import edition_of, locked, move, published_of
from coalition.testimonies.safeguarding import forget_words
from coalition.testimonies.states import NotPossible, State, Verb

LONGEST_TEXT = 50_000  # characters: some 9,000 words, a chapter of a book
LONGEST_ANSWER = 4_000


@dataclass(frozen=True)
class Told:
    """What a writer wrote and chose, and the version of the rules that stood beside it."""

    text: str
    choices: Choices
    contact: str | None
    rules_version_id: int


class Begun(Enum):
    NEW = auto()
    SAME = auto()  # the same form, sent once more
    OTHER = auto()  # with other words, or it is a draft, or taken back: its code is needed


class Stale(Exception):
    """It was changed meanwhile, in another window. What is kept now is told beside what was
    typed."""


def begin(session: Session, ticket: Ticket, told: Told, *, sends: bool, now: datetime) -> Begun:
    """Keep a new testimony as a draft, or send it. Its code is `ticket.code`.

    The same form, however often and from however many windows it is sent, makes one testimony.
    """
    insert = (postgresql if is_postgresql(session) else sqlite).insert(Testimony)
    inserted = session.scalar(
        insert.values(
            id=ticket.testimony_id,
            code_digest=make_code_digest(session, ticket.code),
            code_hash=hash_code(ticket.code),
            state=State.DRAFT,
            revision=1,
            turn=1,
            length=0,
            rules_version_id=told.rules_version_id,
            state_on=day_in_uk(now),
        )
        .on_conflict_do_nothing(index_elements=[Testimony.id])
        .returning(Testimony.id)
    )
    testimony = locked(session, ticket.testimony_id)
    if inserted is None:
        same = (testimony.text, testimony.choices, testimony.contact) == (
            told.text, told.choices, told.contact,
        )  # fmt: skip
        # Nobody is told that a draft was sent, nor that what they took back is there.
        stands = testimony.state is not State.WITHDRAWN and sends == (
            testimony.state is not State.DRAFT
        )
        return Begun.SAME if same and stands else Begun.OTHER
    _write(testimony, told)
    if sends:
        _send(session, testimony, now)
    session.flush()
    return Begun.NEW


def rewrite(
    session: Session,
    testimony_id: uuid.UUID,
    told: Told,
    *,
    revision: int,
    sends: bool,
    now: datetime,
) -> None:
    """Change text and choices. A draft stays a draft unless it `sends`; anything else goes back
    to be read, and comes off the site until that is done.

    `revision` is the one that the writer's page was made from. Raises Stale where there is a
    newer one, or where it was sent meanwhile and this is to save a draft: what is only saved
    goes to nobody. Raises NotPossible once it is erased.
    """
    testimony = locked(session, testimony_id)
    if testimony.state is State.ERASED:
        raise NotPossible("it is erased")
    if testimony.revision != revision or (not sends and testimony.state is not State.DRAFT):
        raise Stale
    same = (testimony.text, testimony.choices) == (told.text, told.choices)
    if not same or testimony.contact != told.contact:
        edition = edition_of(session, testimony)
        testimony.revision += 1
        if same and edition is not None:
            edition.revision = testimony.revision  # nothing for readers to look at anew
    if same and testimony.state not in (State.DRAFT, State.WITHDRAWN):
        testimony.contact = told.contact
        session.flush()
        return
    _write(testimony, told)
    if testimony.state is not State.DRAFT:
        kept = told.choices.use is Use.COUNT
        _move_to_readers(session, testimony, Verb.REVISE_KEPT if kept else Verb.REVISE, now)
    elif sends:
        _send(session, testimony, now)
    else:
        move(session, testimony, Verb.SAVE, now=now)


def _write(testimony: Testimony, told: Told) -> None:
    testimony.text, testimony.choices, testimony.contact = told.text, told.choices, told.contact
    testimony.length = len(told.text)
    testimony.rules_version_id = told.rules_version_id


def _send(session: Session, testimony: Testimony, now: datetime) -> None:
    assert testimony.choices is not None  # noqa: S101 (it was just written)
    kept = testimony.choices.use is Use.COUNT
    testimony.received_on = day_in_uk(now)
    move(session, testimony, Verb.KEEP if kept else Verb.SUBMIT, now=now)


def _move_to_readers(session: Session, testimony: Testimony, verb: Verb, now: datetime) -> None:
    """Send something back to readers as new: what was asked or decided before is over."""
    testimony.received_on = testimony.received_on or day_in_uk(now)
    testimony.paused_by = testimony.decision_words = testimony.answer = None
    testimony.decision_code = testimony.decided_by = testimony.declined_by = None
    move(session, testimony, verb, now=now)
    _forget_editions(session, testimony)


def answer(session: Session, testimony_id: uuid.UUID, words: str, *, now: datetime) -> None:
    """Answer what was asked, or ask that somebody else look at a refusal. Raises NotPossible."""
    testimony = locked(session, testimony_id)
    verb = Verb.APPEAL if testimony.state is State.DECLINED else Verb.ANSWER
    move(session, testimony, verb, now=now)
    testimony.answer = words


def agree(
    session: Session, testimony_id: uuid.UUID, edition_id: uuid.UUID, *, now: datetime
) -> None:
    """Agree to the edited text, which is published at once.

    `edition_id` is that of what the writer read. Raises NotPossible.
    """
    testimony = locked(session, testimony_id)
    move(session, testimony, Verb.AGREE, edition=_shown(session, testimony, edition_id), now=now)


def ask_change(
    session: Session, testimony_id: uuid.UUID, edition_id: uuid.UUID, words: str, *, now: datetime
) -> None:
    """Ask for another edited text: the readers begin anew, with what was taken out before.

    Raises NotPossible.
    """
    testimony = locked(session, testimony_id)
    edition = _shown(session, testimony, edition_id)
    move(session, testimony, Verb.ASK_CHANGE, now=now)
    edition.second_by = None
    testimony.answer = words


def _shown(session: Session, testimony: Testimony, edition_id: uuid.UUID) -> Edition:
    edition = edition_of(session, testimony)
    if edition is None or edition.second_by is None:
        raise NotPossible("no edited text waits for its writer")
    if edition.id != edition_id:
        raise NotPossible("the edited text was changed since the page was opened")
    return edition


def pause(session: Session, testimony_id: uuid.UUID, *, now: datetime) -> None:
    """Let nobody read on, and take it off the site, until its writer goes on. Raises
    NotPossible."""
    testimony = locked(session, testimony_id)
    before = testimony.state
    move(session, testimony, Verb.PAUSE, now=now)
    testimony.paused_by, testimony.paused_from = PausedBy.WRITER, before.value


def resume(session: Session, testimony_id: uuid.UUID, *, now: datetime) -> None:
    """Go on where it was paused: on the site, if it was there; with its writer, or kept private, if
    readers had done their part; else readers begin anew. Raises NotPossible, too where the desk
    took it down."""
    testimony = locked(session, testimony_id)
    if testimony.state is State.PAUSED and testimony.paused_by is PausedBy.DESK:
        raise NotPossible("it was taken down by the coalition, who has to put it back")
    published, edition = published_of(session, testimony), edition_of(session, testimony)
    choices = testimony.choices
    if published and edition and published.edition_id == edition.id:
        move(session, testimony, Verb.RESUME_PUBLISHED, edition=edition, now=now)
    elif testimony.paused_from == State.APPROVED or (choices and choices.use is Use.COUNT):
        move(session, testimony, Verb.RESUME_KEPT, now=now)
    else:
        move(session, testimony, Verb.RESUME, now=now)
    testimony.paused_by = testimony.paused_from = None


def withdraw(session: Session, testimony_id: uuid.UUID, *, now: datetime) -> None:
    """Take it back: off the site, and closed to everybody but its writer. Raises NotPossible."""
    testimony = locked(session, testimony_id)
    move(session, testimony, Verb.WITHDRAW, now=now)
    testimony.paused_by = testimony.decided_by = testimony.decision_code = None
    testimony.declined_by = None
    testimony.decision_words = testimony.answer = None
    testimony.contact = None
    _forget_editions(session, testimony)
    forget_words(session, testimony_id)


def erase(session: Session, testimony_id: uuid.UUID, *, now: datetime) -> None:
    """Delete everything that was written, and the code. Raises NotPossible where that is done."""
    testimony = locked(session, testimony_id)
    move(session, testimony, Verb.ERASE, now=now)
    _forget_editions(session, testimony)
    forget_words(session, testimony_id)
    testimony.code_digest = testimony.code_hash = None
    testimony.text = testimony.choices = testimony.contact = None
    testimony.decision_code = testimony.decision_words = testimony.answer = None
    testimony.decided_by = testimony.declined_by = testimony.paused_by = None
    testimony.received_on = testimony.waits_since = testimony.paused_from = None
    testimony.length = 0
    session.flush()


def _forget_editions(session: Session, testimony: Testimony) -> None:
    session.execute(delete(Edition).where(Edition.testimony_id == testimony.id))
