"""What the people who read can decide. Each is written to the log, without a word of the text."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.audit.actions import record
from coalition.testimonies import emails
from coalition.testimonies.choices import Front, Use
from coalition.testimonies.identifiers import find_identifiers
from coalition.testimonies.models import DeclineCode, Edition, PausedBy, Testimony
from coalition.testimonies.moving import edition_of, locked, move, published_of
from coalition.testimonies.readings import READ, READ_EDITED
from coalition.testimonies.redaction import Span, merged, redacted
from coalition.testimonies.states import CLOSED_TO_DESK, NotPossible, State, Verb

LONGEST_WORDS = 4_000  # characters, to its writer
LONGEST_SUMMARY = 400


class Check(StrEnum):
    """What must not be in a published text. Each reader looks for all of them."""

    NAMES_STAFF = "names-staff"
    IDENTIFIES_WRITER = "identifies-writer"
    IDENTIFIES_OTHERS = "identifies-others"
    METHOD = "method"
    LIVE_CASE = "live-case"
    THREAT = "threat"


CHECK_QUESTIONS = {
    Check.NAMES_STAFF: "It names nobody who works in a service",
    Check.IDENTIFIES_WRITER: "Nobody could tell from it who its writer is",
    Check.IDENTIFIES_OTHERS: "Nobody could tell from it who somebody else is",
    Check.METHOD: "It describes no way of self-harm or suicide, and no place for it",
    Check.LIVE_CASE: "No court and no inquest deals with it now, as far as it tells",
    Check.THREAT: "It threatens nobody",
}


@dataclass(frozen=True)
class Checklist:
    """What a reader has made sure of, and which findings of the machine they have looked at."""

    clear: frozenset[Check] = frozenset()
    seen: frozenset[str] = frozenset()

    def gaps(self, text: str) -> list[str]:
        """What still holds publishing back, in words; empty where nothing does."""
        missing = [CHECK_QUESTIONS[check] for check in Check if check not in self.clear]
        unseen = sorted({each.words for each in find_identifiers(text)} - self.seen)
        return missing + [f"Look at “{words}”, and say that it may stay" for words in unseen]


def take(session: Session, testimony_id: uuid.UUID, reader: Moderator, *, now: datetime) -> None:
    """Begin to read, as the first or the second reader, by where it stands.

    Raises NotPossible; too for whoever declined it before, or edited what is to be read.
    """
    testimony = locked(session, testimony_id)
    if testimony.state in (State.REDACTED, State.SECOND_READING):
        _refuse_first_reader(session, testimony, reader)
        verb, what = Verb.BEGIN_SECOND, READ_EDITED
    else:
        _refuse_own_decision(testimony, reader)
        verb, what = Verb.CLAIM, READ
    move(session, testimony, verb, now=now)
    _record(session, testimony, what, reader, now=now)


def note_reading(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, what: str, *, now: datetime
) -> None:
    """Write to the log that somebody reads `what` of it. Raises NotPossible where it is closed to
    the desk."""
    testimony = locked(session, testimony_id)
    if testimony.state in CLOSED_TO_DESK:
        raise NotPossible("its writer has taken it back; there is nothing more for you to do")
    if testimony.paused_by is PausedBy.WRITER:
        raise NotPossible("its writer has paused it; leave it until they go on")
    _record(session, testimony, what, reader, now=now)


def give_back(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, *, now: datetime
) -> None:
    """Leave it to others. What was edited so far stays. Raises NotPossible."""
    testimony = locked(session, testimony_id)
    second = testimony.state is State.SECOND_READING
    move(session, testimony, Verb.GIVE_BACK_SECOND if second else Verb.GIVE_BACK, now=now)
    _record(session, testimony, "give back", reader, now=now)


def ask_writer(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    words: str,
    *,
    turn: int,
    now: datetime,
) -> None:
    """Ask its writer something before going on. Raises NotPossible."""
    testimony = _read_by(session, testimony_id, turn)
    move(session, testimony, Verb.ASK_WRITER, now=now)
    testimony.decision_code, testimony.answer = None, None
    testimony.decision_words, testimony.decided_by = words, reader.id
    emails.tell_writer(session, testimony, now=now)
    _record(session, testimony, "ask the writer", reader, now=now)


def accept(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, *, turn: int, now: datetime
) -> None:
    """It was read, as its writer wished, and stays private. Raises NotPossible where its writer
    wishes to publish it."""
    testimony = _read_by(session, testimony_id, turn)
    choices = testimony.choices
    if choices is None or choices.use is not Use.READ:
        raise NotPossible("its writer wishes to have it published")
    move(session, testimony, Verb.ACCEPT, now=now)
    testimony.decision_code = testimony.decision_words = testimony.answer = None
    _record(session, testimony, "accept as private", reader, now=now)


def decline(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    code: DeclineCode,
    words: str,
    *,
    turn: int,
    now: datetime,
) -> None:
    """Do not publish it, and say why. Raises NotPossible."""
    testimony = _read_by(session, testimony_id, turn)
    _refuse_own_decision(testimony, reader)
    move(session, testimony, Verb.DECLINE, now=now)
    testimony.decision_code, testimony.decision_words = code, words
    testimony.decided_by = testimony.declined_by = reader.id
    testimony.answer = testimony.paused_by = None
    emails.tell_writer(session, testimony, now=now)
    _record(session, testimony, "decline", reader, reason=code.value, now=now)


def save_edition(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    *,
    turn: int,
    spans: Sequence[Span] | None = None,
    front: Front | None = None,
) -> Edition:
    """Keep what a first reader has edited so far; what is None stays as it was. Of a front, the
    name is that which its writer chose, whatever is given.

    Whoever edits is its first reader from then on. Raises NotPossible.
    """
    testimony = _read_by(session, testimony_id, turn)
    if testimony.state is not State.CLAIMED:
        raise NotPossible("only its first reader edits it")
    edition = edition_of(session, testimony)
    if edition is None:
        edition = Edition(testimony_id=testimony.id, revision=testimony.revision)
        edition.spans = []
        session.add(edition)
    edition.edit_as(reader.id)
    edition.text = None
    if spans is not None:
        edition.spans = merged(spans, testimony.length)
    if front is not None:
        # The name is for its writer alone to choose.
        name = testimony.choices.public_name if testimony.choices else ""
        edition.front = replace(front, name=name)
    session.flush()
    return edition


def redact(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    checklist: Checklist,
    *,
    turn: int,
    now: datetime,
) -> None:
    """Finish the edited version, for a second reader. Raises NotPossible, too where the checklist
    has gaps or its first page is not written."""
    testimony = _read_by(session, testimony_id, turn)
    choices, edition = testimony.choices, edition_of(session, testimony)
    if choices is None or not choices.is_public:
        raise NotPossible("its writer does not wish to have it published")
    if edition is None or edition.front is None or testimony.text is None:
        raise NotPossible("its title and summary are not written yet")
    edition.text = redacted(testimony.text, edition.spans)
    _refuse_gaps(checklist, edition)
    edition.edit_as(reader.id)
    edition.colleague_words = None
    move(session, testimony, Verb.REDACT, now=now)
    _record(session, testimony, "edit", reader, now=now)


def send_back(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    words: str,
    *,
    turn: int,
    now: datetime,
) -> None:
    """The edited version is not good enough yet: say why to whoever edits it next. Raises
    NotPossible."""
    testimony = _read_by(session, testimony_id, turn)
    edition = _finished(session, testimony)
    move(session, testimony, Verb.SEND_BACK, now=now)
    edition.colleague_words, edition.second_by = words, None
    _record(session, testimony, "send back", reader, now=now)


def approve(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    checklist: Checklist,
    *,
    edition_id: uuid.UUID,
    turn: int,
    now: datetime,
) -> State:
    """Approve the edited version as its second reader. It is published at once, or once its
    writer agrees, as they chose. Returns where it stands then.

    `edition_id` is that of what was read. Raises NotPossible, too for its first reader.
    """
    testimony = _read_by(session, testimony_id, turn)
    _refuse_first_reader(session, testimony, reader)
    edition = _finished(session, testimony)
    if edition.id != edition_id:
        raise NotPossible("it was edited since you read it; read it again, then decide")
    _refuse_gaps(checklist, edition)
    edition.second_by = reader.id
    session.flush()
    asks = testimony.choices is None or testimony.choices.ask_first
    verb = Verb.APPROVE if asks else Verb.PUBLISH
    move(session, testimony, verb, edition=edition, now=now)
    testimony.decision_code = testimony.decision_words = testimony.answer = None
    emails.tell_writer(session, testimony, now=now)
    _record(session, testimony, "approve" if asks else "publish", reader, now=now)
    return testimony.state


def take_down(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, words: str, *, now: datetime
) -> None:
    """Take a published testimony off the site at once; one person is enough. `words` tell its
    writer why. Raises NotPossible."""
    testimony = locked(session, testimony_id)
    move(session, testimony, Verb.TAKE_DOWN, now=now)
    testimony.paused_by, testimony.decided_by = PausedBy.DESK, reader.id
    testimony.decision_words = words
    emails.tell_writer(session, testimony, now=now)
    _record(session, testimony, "take down", reader, now=now)


def restore(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, *, turn: int, now: datetime
) -> None:
    """Put back what was taken down, as it was. Raises NotPossible, too for who took it down."""
    testimony = _taken_down(session, testimony_id, turn)
    if testimony.decided_by == reader.id:
        raise NotPossible("you took it down; somebody else has to put it back")
    published, edition = published_of(session, testimony), edition_of(session, testimony)
    if published is None or edition is None or published.edition_id != edition.id:
        raise NotPossible("its text was changed since; it has to be read anew")
    move(session, testimony, Verb.RESTORE, edition=edition, now=now)
    testimony.paused_by = testimony.decided_by = testimony.decision_words = None
    emails.tell_writer(session, testimony, now=now)
    _record(session, testimony, "put back", reader, now=now)


def reopen(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, *, turn: int, now: datetime
) -> None:
    """Let what was taken down be edited anew. Raises NotPossible."""
    testimony = _taken_down(session, testimony_id, turn)
    edition = edition_of(session, testimony)
    move(session, testimony, Verb.REOPEN, now=now)
    if edition is not None:
        edition.second_by = None
    testimony.paused_by = testimony.decided_by = testimony.decision_words = None
    _record(session, testimony, "edit anew", reader, now=now)


def _taken_down(session: Session, testimony_id: uuid.UUID, turn: int) -> Testimony:
    testimony = _read_by(session, testimony_id, turn)
    if testimony.paused_by is not PausedBy.DESK:
        raise NotPossible("the desk did not take it down")
    return testimony


def _read_by(session: Session, testimony_id: uuid.UUID, turn: int) -> Testimony:
    """The testimony, unless something has happened to it since the page was made."""
    testimony = locked(session, testimony_id)
    if testimony.state in CLOSED_TO_DESK:
        raise NotPossible("its writer has taken it back; there is nothing more for you to do")
    if testimony.paused_by is PausedBy.WRITER:
        raise NotPossible("its writer has paused it; leave it until they go on")
    if testimony.turn != turn:
        raise NotPossible("something has changed since you opened it; open it again")
    return testimony


def _finished(session: Session, testimony: Testimony) -> Edition:
    edition = edition_of(session, testimony)
    if edition is None or edition.text is None:
        raise NotPossible("no edited version waits for a second reader")
    return edition


def _refuse_gaps(checklist: Checklist, edition: Edition) -> None:
    front = edition.front
    shown = [edition.text, front.summary] if front else [edition.text]
    gaps = checklist.gaps("\n\n".join(each or "" for each in shown))
    if gaps:
        raise NotPossible("the checklist is not done: " + "; ".join(gaps))


def _refuse_first_reader(session: Session, testimony: Testimony, reader: Moderator) -> None:
    edition = edition_of(session, testimony)
    if edition is not None and reader.id in edition.edited_by:
        raise NotPossible("you edited it; somebody else has to read it now")


def _refuse_own_decision(testimony: Testimony, reader: Moderator) -> None:
    """An answer to a refusal is looked at by somebody else than who refused."""
    if testimony.declined_by == reader.id:
        raise NotPossible("you declined it; somebody else has to look at the answer")


def _record(
    session: Session,
    testimony: Testimony,
    action: str,
    reader: Moderator,
    *,
    reason: str = "",
    now: datetime,
) -> None:
    record(
        session,
        actor=reader.actor,
        action=f"testimony: {action}",
        subject=f"testimony {testimony.id}",
        reason=reason,
        now=now,
    )
