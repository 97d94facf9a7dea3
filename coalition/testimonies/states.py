"""Where a testimony stands, and every passage from one state to another: there is no other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    DRAFT = "draft"  # saved by its writer, sent to nobody
    SUBMITTED = "submitted"  # waits for a first reader
    CLAIMED = "claimed"  # a first reader has it
    NEEDS_WRITER = "needs_writer"  # something was asked of its writer
    REDACTED = "redacted"  # edited by a first reader; waits for a second one
    SECOND_READING = "second_reading"  # a second reader has it
    APPROVED = "approved"  # nothing more for readers to do: see Passage KEEP, ACCEPT and APPROVE
    PUBLISHED = "published"
    PAUSED = "paused"  # by its writer, or taken down by the desk
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by its writer; nobody at the desk can open it any more
    ERASED = "erased"  # nothing is left but that it was there


class Verb(StrEnum):
    """What somebody does that changes the state."""

    # Its writer.
    SAVE = "save"
    SUBMIT = "submit"
    KEEP = "keep"  # send it to be counted only: nobody reads it
    REVISE = "revise"
    REVISE_KEPT = "revise_kept"  # the same, to be counted only
    ANSWER = "answer"
    APPEAL = "appeal"
    AGREE = "agree"  # to the edited text
    ASK_CHANGE = "ask_change"  # of the edited text
    PAUSE = "pause"
    RESUME = "resume"
    RESUME_PUBLISHED = "resume_published"
    RESUME_KEPT = "resume_kept"
    WITHDRAW = "withdraw"
    ERASE = "erase"
    # A first reader.
    CLAIM = "claim"
    GIVE_BACK = "give_back"
    ASK_WRITER = "ask_writer"
    ACCEPT = "accept"  # read, as its writer wished, and kept private
    REDACT = "redact"
    # A second reader, who is somebody else.
    BEGIN_SECOND = "begin_second"
    GIVE_BACK_SECOND = "give_back_second"
    SEND_BACK = "send_back"
    APPROVE = "approve"  # its writer is asked before it is published
    PUBLISH = "publish"  # its writer wished not to be asked
    # Any of them.
    DECLINE = "decline"
    TAKE_DOWN = "take_down"  # one person is enough
    RESTORE = "restore"  # by somebody else than who took it down
    REOPEN = "reopen"  # what was taken down is to be edited anew
    # Nobody: time has passed.
    LAPSE = "lapse"


@dataclass(frozen=True)
class Passage:
    """From each of these states to that one."""

    before: frozenset[State]
    after: State


def _from(*before: State, to: State) -> Passage:
    return Passage(frozenset(before), to)


_READ = (State.CLAIMED, State.NEEDS_WRITER, State.REDACTED, State.SECOND_READING)
_ALIVE = (State.SUBMITTED, *_READ, State.APPROVED, State.PUBLISHED)

PASSAGES: dict[Verb, Passage] = {
    Verb.SAVE: _from(State.DRAFT, to=State.DRAFT),
    Verb.SUBMIT: _from(State.DRAFT, to=State.SUBMITTED),
    Verb.KEEP: _from(State.DRAFT, to=State.APPROVED),
    # What was published comes off the site while its new words are read.
    Verb.REVISE: _from(*_ALIVE, State.PAUSED, State.DECLINED, State.WITHDRAWN, to=State.SUBMITTED),
    Verb.REVISE_KEPT: _from(
        *_ALIVE, State.PAUSED, State.DECLINED, State.WITHDRAWN, to=State.APPROVED
    ),
    Verb.ANSWER: _from(State.NEEDS_WRITER, to=State.SUBMITTED),
    Verb.APPEAL: _from(State.DECLINED, to=State.SUBMITTED),
    Verb.AGREE: _from(State.APPROVED, to=State.PUBLISHED),
    Verb.ASK_CHANGE: _from(State.APPROVED, to=State.SUBMITTED),
    Verb.PAUSE: _from(*_ALIVE, to=State.PAUSED),
    Verb.RESUME: _from(State.PAUSED, to=State.SUBMITTED),
    Verb.RESUME_PUBLISHED: _from(State.PAUSED, to=State.PUBLISHED),
    Verb.RESUME_KEPT: _from(State.PAUSED, to=State.APPROVED),
    Verb.WITHDRAW: _from(*_ALIVE, State.PAUSED, State.DECLINED, to=State.WITHDRAWN),
    Verb.ERASE: _from(*(set(State) - {State.ERASED}), to=State.ERASED),
    Verb.CLAIM: _from(State.SUBMITTED, State.CLAIMED, to=State.CLAIMED),
    Verb.GIVE_BACK: _from(State.CLAIMED, to=State.SUBMITTED),
    Verb.ASK_WRITER: _from(State.CLAIMED, to=State.NEEDS_WRITER),
    Verb.ACCEPT: _from(State.CLAIMED, to=State.APPROVED),
    Verb.REDACT: _from(State.CLAIMED, to=State.REDACTED),
    Verb.BEGIN_SECOND: _from(State.REDACTED, State.SECOND_READING, to=State.SECOND_READING),
    Verb.GIVE_BACK_SECOND: _from(State.SECOND_READING, to=State.REDACTED),
    Verb.SEND_BACK: _from(State.SECOND_READING, to=State.SUBMITTED),
    Verb.APPROVE: _from(State.SECOND_READING, to=State.APPROVED),
    Verb.PUBLISH: _from(State.SECOND_READING, to=State.PUBLISHED),
    Verb.DECLINE: _from(State.CLAIMED, State.SECOND_READING, State.PAUSED, to=State.DECLINED),
    Verb.TAKE_DOWN: _from(State.PUBLISHED, to=State.PAUSED),
    Verb.RESTORE: _from(State.PAUSED, to=State.PUBLISHED),
    Verb.REOPEN: _from(State.PAUSED, to=State.SUBMITTED),
    Verb.LAPSE: _from(State.NEEDS_WRITER, State.APPROVED, to=State.DECLINED),
}

# Where nobody at the desk may open the text.
CLOSED_TO_DESK = frozenset({State.DRAFT, State.WITHDRAWN, State.ERASED})


class NotPossible(Exception):
    """The testimony is not where this can be done; the message says why, in words for whoever
    tried."""


def passed(state: State, verb: Verb) -> State:
    """Where `verb` leads from `state`. Raises NotPossible."""
    passage = PASSAGES[verb]
    if state not in passage.before:
        raise NotPossible(WHERE_IT_STANDS[state])
    return passage.after


WHERE_IT_STANDS = {
    State.DRAFT: "it is a draft, which was sent to nobody",
    State.SUBMITTED: "it waits to be read",
    State.CLAIMED: "somebody reads it just now",
    State.NEEDS_WRITER: "its writer was asked something, and has not answered yet",
    State.REDACTED: "it was edited, and waits for a second reader",
    State.SECOND_READING: "a second reader has it just now",
    State.APPROVED: "the readers have done their part",
    State.PUBLISHED: "it is published",
    State.PAUSED: "it is paused, or was taken down",
    State.DECLINED: "it was declined",
    State.WITHDRAWN: "its writer has withdrawn it",
    State.ERASED: "its writer has erased it",
}
