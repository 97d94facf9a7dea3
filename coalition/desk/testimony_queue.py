"""What waits to be read, and is this person's to read: by its labels, never by its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import with_role
from coalition.desk import reading_actions
from coalition.desk.claims import claims_now, passed_by
from coalition.desk.in_hand import Hand, NotYours
from coalition.desk.models import ItemKind, PassedOn
from coalition.desk.reading_rules import Refused, Why, weight_of
from coalition.mail.address import NotAnAddress, address_digests
from coalition.statements.telling import Telling
from coalition.testimonies import decisions
from coalition.testimonies.models import Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.queries import Waiting, find_testimony, labels_of, waiting

KIND = ItemKind.TESTIMONY


class NotNow(Exception):
    """Whoever is signed in does not begin another one now; `refused` says why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.words)
        self.refused = refused


@dataclass(frozen=True)
class Line:
    """A testimony as the queue shows it to one person."""

    waiting: Waiting
    is_mine: bool
    why_not: Why | None  # it cannot be taken just now; None, too, where a break is offered before


@dataclass(frozen=True)
class Queue:
    """What one person sees: what is in their hands, then what is offered to them, in calm order."""

    lines: Sequence[Line]
    resting: int
    skipped: int


def queue_for(session: Session, moderator: Moderator, telling: Telling, *, now: datetime) -> Queue:
    """The queue as it is for this person, now."""
    claims = claims_now(session, KIND, now=now)
    found = _theirs(session, moderator, now=now)
    mine = [each for each in found if each.id in claims]
    free = [each for each in found if each.id not in claims]
    offer = reading_actions.for_reader(session, moderator, free, telling, now=now)
    why_not = reading_actions.refusals(session, moderator, now=now)
    lines = [Line(each, True, None) for each in mine]
    for each in offer.shown:
        refused = why_not(weight_of(each.labels, telling), goes_on=True)
        lines.append(Line(each, False, refused.why if refused else None))
    return Queue(lines, offer.resting, offer.skipped)


def _theirs(session: Session, moderator: Moderator, *, now: datetime) -> list[Waiting]:
    """What this person may take, or has taken, the longest waiting first."""
    claims = claims_now(session, KIND, now=now)
    passed = passed_by(session, KIND, moderator)
    return [
        each
        for each in waiting(session)
        if each.id not in passed
        and _is_for(moderator, each)
        and (each.id not in claims or claims[each.id].moderator_id == moderator.id)
    ]


def _is_for(moderator: Moderator, each: Waiting) -> bool:
    """Whether they neither wrote it, nor edited it, nor declined it before."""
    if moderator.id in {*each.edited_by, each.declined_by}:
        return False
    return not is_own(moderator, each.contact)


def offered_to_nobody(session: Session, *, now: datetime) -> int:
    """How many wait, are in nobody's hands, and are offered to none of those who read: each of
    them passed it on, skips what it is about, or must not be its reader. A number alone, so that
    nobody learns who skips what."""
    claims = claims_now(session, KIND, now=now)
    free = [each for each in waiting(session) if each.id not in claims]
    readers = with_role(session, Role.MODERATOR)
    skipped = reading_actions.skipped_by_each(session, readers)
    passes = session.execute(
        select(PassedOn.item_id, PassedOn.moderator_id).where(PassedOn.kind == KIND)
    )
    passed = {(item_id, reader_id) for item_id, reader_id in passes}
    return sum(
        not any(
            (each.id, reader.id) not in passed
            and skipped[reader.id].isdisjoint(each.labels)
            and _is_for(reader, each)
            for reader in readers
        )
        for each in free
    )


def is_skipped(session: Session, moderator: Moderator, testimony: Testimony) -> bool:
    """Whether it is about something that this person skips."""
    labels = labels_of(testimony, edition_of(session, testimony))
    return not set(labels).isdisjoint(reading_actions.skipped_by(session, moderator))


def begin(hand: Hand, telling: Telling, *, goes_on: bool) -> None:
    """Begin to read what was just claimed, if its reader may begin another one now.

    `goes_on`: they were offered a break. Raises NotNow, NotYours for what they skip, and
    NotPossible.
    """
    session, moderator, now = hand.session, hand.moderator, hand.now
    testimony = find_testimony(session, hand.item_id)
    if testimony is None or is_skipped(session, moderator, testimony):
        raise NotYours
    weight = weight_of(labels_of(testimony, edition_of(session, testimony)), telling)
    refused = reading_actions.may_take(session, moderator, weight, now=now, goes_on=goes_on)
    if refused is not None:
        raise NotNow(refused)
    decisions.take(session, testimony.id, moderator, now=now)
    reading_actions.note_reading(session, moderator, weight, now=now)


def is_own(moderator: Moderator, contact: str | None) -> bool:
    """Whether the address that its writer left is this person's."""
    if not contact:
        return False
    try:
        return moderator.address_digest in address_digests(contact)
    except NotAnAddress:
        return False
