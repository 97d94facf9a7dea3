"""The tables of figures, each made from the tally, or from what was frozen.

`headline`, `daily`, `regions`, `kinds` and `organisations` are for pages and charts as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.endorsements.queries import supporters
from coalition.petition.models import REGION_NAMES, Cause, Dimension, Kind, Region
from coalition.press import queries, schemas
from coalition.press.queries import Numbers
from coalition.press.schemas import MEASURES, Schema, Shown
from coalition.web.links import page_url

ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)

# Of the Office for National Statistics: "Regions (December 2024)" and "Countries (December 2024)",
# both of its Open Geography Portal.
ONS_CODES = {
    Region.NORTH_EAST: "E12000001",
    Region.NORTH_WEST: "E12000002",
    Region.YORKSHIRE: "E12000003",
    Region.EAST_MIDLANDS: "E12000004",
    Region.WEST_MIDLANDS: "E12000005",
    Region.EAST: "E12000006",
    Region.LONDON: "E12000007",
    Region.SOUTH_EAST: "E12000008",
    Region.SOUTH_WEST: "E12000009",
    Region.SCOTLAND: "S92000003",
    Region.WALES: "W92000004",
    Region.NORTHERN_IRELAND: "N92000002",
}
KIND_TITLES = {
    Kind.SURVIVOR: "Use services, or are survivors",
    Kind.FAMILY: "Are family, or carers",
    Kind.WORKER: "Work in health or care",
    Kind.ALLY: "Are allies",
}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A table as it is now: rows in the order of its schema's columns."""

    schema: Schema
    rows: Sequence[Row]
    as_at: datetime | None  # up to when everything is in it; None before there is a first table

    def records(self) -> list[dict[str, Any]]:
        """Its rows, each by the names of the columns."""
        names = [each.name for each in self.schema.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Headline:
    """The headline figures. What each of them means stands in `schemas.MEASURES`."""

    numbers: Numbers
    public: Mapping[str, int]  # organisations, and testimonies, on the public lists
    public_as_at: datetime

    def values(self) -> dict[str, tuple[int, datetime]]:
        """Each measure's figure, and as at when."""
        figures = {
            "signatures": self.numbers.signatures,
            "signatures_that_day": self.numbers.that_day,
            **self.numbers.aside,
        }
        found = {name: (figures[name], self.numbers.as_at) for name in MEASURES if name in figures}
        lists = {name: (value, self.public_as_at) for name, value in self.public.items()}
        return {**found, **lists}


def end_of_day_before(day: date) -> datetime:
    """The last second, in UTC, before this day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - ONE_SECOND


def headline(session: Session, now: datetime) -> Headline:
    """The headline figures: as the tally has them now; those of public lists as at `now`."""
    as_at = queries.read_as_at(session) or now.replace(microsecond=0)
    numbers = queries.read_numbers(session, as_at=as_at, all_days=True)
    return Headline(numbers, queries.count_public(session), now.replace(microsecond=0))


def headline_before(session: Session, day: date, now: datetime) -> Headline:
    """The headline figures as they were when this day began; those of public lists as at
    `now`."""
    numbers = queries.read_numbers(session, as_at=end_of_day_before(day), all_days=False)
    return Headline(numbers, queries.count_public(session), now.replace(microsecond=0))


def counts_table(found: Headline) -> Table:
    rows = [
        (name, MEASURES[name][0], value, as_at, MEASURES[name][1])
        for name, (value, as_at) in found.values().items()
    ]
    return Table(schemas.COUNTS, rows, found.numbers.as_at)


def daily(session: Session, before: date) -> Table:
    """Every day from the first that counted to the last before `before`, days without a change
    among them."""
    changes = queries.changes_by_day(session, before=before)
    rows, total = [], 0
    day = min(changes, default=before)
    while day < before:
        row = _day(day, changes.get(day, {}), total)
        total = row[-1]
        rows.append(row)
        day += ONE_DAY
    return Table(schemas.DAILY, rows, end_of_day_before(before))


def _day(day: date, changes: Mapping[Cause, int], before: int) -> Row:
    def number(*causes: Cause) -> int:
        return sum(changes.get(each, 0) for each in causes)

    change = sum(changes.values())
    return (
        day,
        number(Cause.VERIFIED),
        number(Cause.RELEASED, Cause.RESTORED),
        -number(Cause.WITHDRAWN, Cause.ERASED),
        -number(Cause.HELD),
        -number(Cause.REMOVED),
        change,
        before + change,
    )


def regions(session: Session) -> Table:
    """By nation and region, as it was last published: suppressed, rounded, frozen."""
    shown, as_at = _frozen(session, Dimension.REGION)
    rows = [
        (each.value, REGION_NAMES[each], ONS_CODES.get(each), *shown[each.value], as_at)
        for each in Region
    ]
    return Table(schemas.REGIONS, rows, as_at)


def kinds(session: Session) -> Table:
    """By the part in which people sign, as it was last published: suppressed, rounded, frozen."""
    shown, as_at = _frozen(session, Dimension.KIND)
    rows = [(each.value, KIND_TITLES[each], *shown[each.value], as_at) for each in Kind]
    return Table(schemas.KINDS, rows, as_at)


def _frozen(
    session: Session, dimension: Dimension
) -> tuple[dict[str, tuple[int | None, Shown]], datetime | None]:
    table = queries.find_table(session, dimension)
    numbers = table.shown if table else {}
    shown = {}
    for category in queries.CATEGORIES[dimension]:
        number = numbers.get(category)
        shown[category] = (number, Shown.SUPPRESSED if number is None else Shown.ROUNDED)
    return shown, end_of_day_before(table.day) if table else None


def organisations(session: Session, now: datetime) -> Table:
    """The public list, by name."""
    rows = [
        (
            page_url("supporters.supporter", slug=each.endorsement.slug),
            each.entry.name,
            each.entry.kind.value,
            each.entry.nation.value,
            "withdrawn" if each.is_withdrawn else "supports",
            each.endorsement.endorsed_on,
            day_in_uk(each.endorsement.status_changed_at) if each.is_withdrawn else None,
            each.statement_version,
            None if each.is_withdrawn else each.entry.website or None,
            each.is_recorded,
        )
        for each in supporters(session)
    ]
    return Table(schemas.ORGANISATIONS, rows, now.replace(microsecond=0))


def _daily_now(session: Session, now: datetime) -> Table:
    return daily(session, queries.first_day_not_over(session, now))


# Each table as it is now. Called with a session and `now`.
TABLES: Mapping[str, Callable[[Session, datetime], Table]] = {
    "counts": lambda session, now: counts_table(headline(session, now)),
    "daily": _daily_now,
    "regions": lambda session, _: regions(session),
    "kinds": lambda session, _: kinds(session),
    "organisations": organisations,
}


def frozen_tables(session: Session, day: date, now: datetime) -> list[Table]:
    """What the copies of this day hold, which is a Monday: everything before it, nothing of it.

    Those by region and kind are as they stand: publish them anew before.
    """
    return [
        counts_table(headline_before(session, day, now)),
        daily(session, day),
        regions(session),
        kinds(session),
    ]
