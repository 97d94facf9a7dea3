"""Reads for the press: from the tally and from what was frozen, never from the signatures, so that
they cost the same at a million as at a hundred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from coalition.endorsements.models import Endorsement, EndorsementStatus, Entry, EntryState
from coalition.petition.models import (
    Aside,
    Cause,
    CountEvent,
    DailyTally,
    Dimension,
    Kind,
    Region,
    TallyState,
)
from coalition.press.disclosure import People, Published
from coalition.press.models import PressFile, PressRelease, PressTable
from coalition.statements.closing import find_closing, stands
from coalition.testimonies.models import PublishedTestimony

CATEGORIES: Mapping[Dimension, Sequence[str]] = {
    Dimension.REGION: [each.value for each in Region],
    Dimension.KIND: [each.value for each in Kind],
}


@dataclass(frozen=True)
class Numbers:
    """What the tally says by itself."""

    signatures: int  # verified, and counting
    that_day: int  # how that number changed on the day of `as_at`, in UTC
    aside: Mapping[str, int]  # those that were confirmed and do not count, by where they stand
    as_at: datetime  # every change until then is in it


def read_numbers(session: Session, *, as_at: datetime, all_days: bool) -> Numbers:
    """The numbers, from the tally alone: of every day that is in it, or of those up to the day of
    `as_at`."""
    day = as_at.date()
    days = [] if all_days else [DailyTally.day <= day]
    rows = session.execute(
        select(
            DailyTally.dimension,
            DailyTally.category,
            func.sum(DailyTally.change),
            func.sum(case((DailyTally.day == day, DailyTally.change), else_=0)),
        )
        .where(DailyTally.dimension.in_((Dimension.ALL, Dimension.ASIDE)), *days)
        .group_by(DailyTally.dimension, DailyTally.category)
    )
    found = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}
    total, that_day = found.get((Dimension.ALL, ""), (0, 0))
    aside = {each.value: found.get((Dimension.ASIDE, each.value), (0, 0))[0] for each in Aside}
    return Numbers(total, that_day, aside, as_at)


def read_as_at(session: Session) -> datetime | None:
    """Until when every change is in the tally; None before it was first folded."""
    moment = session.scalar(select(TallyState.folded_at))
    return moment.replace(microsecond=0) if moment else None


def first_day_not_over(session: Session, now: datetime) -> date:
    """The day that is not over yet, as at when the tally was told; once the final number is fixed,
    the day after that of the closing."""
    as_at = read_as_at(session) or now
    closing = find_closing(session)
    is_final = closing is not None and closing.fixed_at is not None
    return as_at.date() + timedelta(days=1) if is_final else as_at.date()


def changes_by_day(session: Session, *, before: date) -> dict[date, dict[Cause, int]]:
    """How the national count changed on each day before `before`, by why; only days on which it
    did."""
    rows = session.execute(
        select(DailyTally.day, DailyTally.cause, DailyTally.change)
        .where(DailyTally.dimension == Dimension.ALL, DailyTally.day < before)
        .order_by(DailyTally.day)
    )
    found: dict[date, dict[Cause, int]] = {}
    for day, cause, change in rows:
        found.setdefault(day, {})[cause] = int(change)
    return found


def is_counted(session: Session, *, before: date) -> bool:
    """Whether something was counted before this day, and all of that is in the tally."""
    waits = session.scalar(
        select(CountEvent.id)
        .where(CountEvent.day < before, ~stands(CountEvent.closing_id))
        .limit(1)
    )
    counted = session.scalar(select(DailyTally.day).where(DailyTally.day < before).limit(1))
    return waits is None and counted is not None


def read_people(session: Session, dimension: Dimension, *, before: date) -> People:
    """Who had joined and left each category before this day."""
    rows = session.execute(
        select(
            DailyTally.category,
            func.sum(case((DailyTally.change > 0, DailyTally.change), else_=0)),
            func.sum(case((DailyTally.change < 0, -DailyTally.change), else_=0)),
        )
        .where(DailyTally.dimension == dimension, DailyTally.day < before)
        .group_by(DailyTally.category)
    )
    joined, left = {}, {}
    for category, more, fewer in rows:
        joined[category], left[category] = int(more), int(fewer)
    return People(joined, left)


def find_table(session: Session, dimension: Dimension) -> PressTable | None:
    """The table that stands, by region or by kind; None before the first."""
    return session.scalars(
        select(PressTable)
        .where(PressTable.dimension == dimension)
        .order_by(PressTable.day.desc())
        .limit(1)
    ).one_or_none()


def read_published(session: Session, dimension: Dimension) -> Published:
    """What was published last, as disclosure control needs it."""
    table = find_table(session, dimension)
    if table is None:
        return Published.nothing(CATEGORIES[dimension])
    left: Mapping[str, int] = {}
    if table.left_until:
        left = read_people(session, dimension, before=table.left_until).left
    shown = {each: table.shown.get(each) for each in CATEGORIES[dimension]}
    return Published(shown, table.joined, left)


def count_public(session: Session) -> dict[str, int]:
    """How many organisations are on the public list, without those that withdrew, and how many
    testimonies."""
    supporting = (
        select(func.count())
        .select_from(Endorsement)
        .join(Entry, Entry.endorsement_id == Endorsement.id)
        .where(Endorsement.status == EndorsementStatus.PUBLISHED, Entry.state == EntryState.PUBLIC)
    )
    told = select(func.count()).where(PublishedTestimony.is_public)
    return {
        "organisations": session.scalar(supporting) or 0,
        "testimonies": session.scalar(told) or 0,
    }


def find_release(session: Session, day: date) -> PressRelease | None:
    """The frozen copies of the week that ended before this Monday."""
    return session.get(PressRelease, day)


def first_and_last_release(session: Session) -> tuple[date | None, date | None]:
    """The days of the first and of the newest frozen copies."""
    row = session.execute(select(func.min(PressRelease.day), func.max(PressRelease.day))).one()
    return row[0], row[1]


def find_file(session: Session, day: date, name: str) -> PressFile | None:
    """One frozen file."""
    return session.get(PressFile, (day, name))


@dataclass(frozen=True)
class FileLine:
    """What a list says of a frozen file."""

    name: str
    size: int  # bytes
    sha256: bytes


@dataclass(frozen=True)
class ReleaseLine:
    """What a list says of the frozen copies of a week."""

    day: date
    made_at: datetime
    files: Sequence[FileLine]


def releases(session: Session) -> list[ReleaseLine]:
    """All frozen copies, the newest first, without their content."""
    files: dict[date, list[FileLine]] = {}
    for day, *line in session.execute(
        select(
            PressFile.day, PressFile.name, func.length(PressFile.content), PressFile.sha256
        ).order_by(PressFile.name)
    ):
        files.setdefault(day, []).append(FileLine(*line))
    rows = session.scalars(select(PressRelease).order_by(PressRelease.day.desc()))
    return [ReleaseLine(each.day, each.made_at, files.get(each.day, [])) for each in rows]
