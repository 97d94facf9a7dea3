"""What somebody who reads has set and read; given to that person alone, and never to the log."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.clock import day_in_uk, start_of_day_in_uk
from coalition.crypto import keyring
from coalition.db import sweep
from coalition.desk.reading_models import READINGS_KEPT, Reading, ReadingPreference
from coalition.desk.reading_rules import (
    RECENT,
    USUAL_CEILING,
    Calm,
    Refused,
    calm,
    refusal,
    weight_of,
    without_skipped,
)
from coalition.statements.telling import Telling
from coalition.testimonies.queries import Waiting

PURPOSE = "reading.reader"


@dataclass(frozen=True)
class Meter:
    """How much somebody has read today, for their eyes alone."""

    readings: int
    points: int
    ceiling: int


@dataclass(frozen=True)
class Offer:
    """What is offered to one person, in calm order; how many rest, and how many they skip."""

    shown: Sequence[Waiting]
    resting: int
    skipped: int


def _digests(moderator_id: uuid.UUID) -> tuple[bytes, ...]:
    return keyring().digests(PURPOSE, moderator_id.hex)


def _preference(session: Session, moderator: Moderator) -> ReadingPreference | None:
    return session.scalars(
        select(ReadingPreference).where(ReadingPreference.reader.in_(_digests(moderator.id)))
    ).first()


def skipped_by(session: Session, moderator: Moderator) -> tuple[str, ...]:
    """The slugs of the labels that this person skips."""
    found = _preference(session, moderator)
    return found.skipped if found else ()


def skipped_by_each(
    session: Session, moderators: Sequence[Moderator]
) -> dict[uuid.UUID, frozenset[str]]:
    """The same of several people, in one statement, to count by: it is shown to nobody."""
    readers = {digest: each.id for each in moderators for digest in _digests(each.id)}
    found = dict.fromkeys((each.id for each in moderators), frozenset[str]())
    for row in session.scalars(
        select(ReadingPreference).where(ReadingPreference.reader.in_(readers))
    ):
        found[readers[row.reader]] = frozenset(row.skipped)
    return found


def ceiling_of(session: Session, moderator: Moderator) -> int:
    """How many points this person reads in a day."""
    found = _preference(session, moderator)
    return found.ceiling if found else USUAL_CEILING


def set_preferences(
    session: Session, moderator: Moderator, skipped: Collection[str], ceiling: int
) -> None:
    """Keep what this person skips, and their ceiling for a day."""
    stored = json.dumps({"skipped": sorted(skipped), "ceiling": ceiling})
    session.execute(
        delete(ReadingPreference).where(ReadingPreference.reader.in_(_digests(moderator.id)))
    )
    session.add(ReadingPreference(reader=_digests(moderator.id)[0], stored=stored))
    session.flush()


def _weights_since(session: Session, moderator: Moderator, since: datetime) -> list[int]:
    rows = session.scalars(
        select(Reading.weight)
        .where(Reading.reader.in_(_digests(moderator.id)), Reading.at >= since)
        .order_by(Reading.at, Reading.id)
    )
    return [int(weight) for weight in rows]


def _today(session: Session, moderator: Moderator, now: datetime) -> list[int]:
    return _weights_since(session, moderator, start_of_day_in_uk(day_in_uk(now)))


def meter_of(session: Session, moderator: Moderator, *, now: datetime) -> Meter:
    """How much this person has read today, by the clocks of the United Kingdom."""
    today = _today(session, moderator, now)
    return Meter(len(today), sum(today), ceiling_of(session, moderator))


def for_reader(
    session: Session,
    moderator: Moderator,
    waiting: Sequence[Waiting],
    telling: Telling,
    *,
    now: datetime,
) -> Offer:
    """Of what waits, the longest waiting first: what is offered to this person, and in which
    order."""
    kept, skipped = without_skipped(waiting, skipped_by(session, moderator))
    weights = {each.id: weight_of(each.labels, telling) for each in kept}
    recent = _weights_since(session, moderator, now - RECENT)
    found: Calm = calm(kept, weights, recent[-1] if recent else None)
    return Offer(found.shown, len(found.held), skipped)


class Refusals(Protocol):
    """Whether somebody is given another one of this weight now; None where they are."""

    def __call__(self, weight: int, *, goes_on: bool) -> Refused | None: ...


def refusals(session: Session, moderator: Moderator, *, now: datetime) -> Refusals:
    """What this person is told who asks for another one now, by how heavy it is."""
    today = _today(session, moderator, now)
    recent = _weights_since(session, moderator, now - RECENT)
    ceiling = ceiling_of(session, moderator)
    return lambda weight, *, goes_on: refusal(weight, today, recent, ceiling, goes_on=goes_on)


def may_take(
    session: Session, moderator: Moderator, weight: int, *, now: datetime, goes_on: bool = False
) -> Refused | None:
    """Whether this person may begin another one, of this weight; None where they may.

    To be asked in the transaction that takes it, and not for what they have in hand already.
    `goes_on`: a break was offered. Of two windows, the second waits here for the first.
    """
    session.execute(
        select(Moderator.id).where(Moderator.id == moderator.id).with_for_update(key_share=True)
    )
    return refusals(session, moderator, now=now)(weight, goes_on=goes_on)


def note_reading(session: Session, moderator: Moderator, weight: int, *, now: datetime) -> None:
    """This person begins to read one of this weight."""
    session.add(Reading(reader=_digests(moderator.id)[0], weight=str(weight), at=now))
    session.flush()


def delete_past_readings(session: Session, *, now: datetime) -> int:
    """Delete what was read longer ago than READINGS_KEPT. Returns how many rows."""
    return sweep(session, Reading, Reading.at < now - READINGS_KEPT)


def move_readings(session: Session, moderator_id: uuid.UUID) -> None:
    """Keep what belongs to this person under the newest digest, once the secrets change."""
    newest, *older = _digests(moderator_id)
    for table in (Reading, ReadingPreference):
        session.execute(
            update(table)
            .where(table.reader.in_(older))
            .values(reader=newest)
            .execution_options(synchronize_session=False)
        )
