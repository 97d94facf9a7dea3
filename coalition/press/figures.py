"""The charts of the press page: which figures each shows, and what it says in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from coalition.press import queries, tables
from coalition.press.charts import Chart, Shape
from coalition.statements.queries import current_campaign
from coalition.web.filters import long_date, number

SUPPRESSED = "fewer than 8, or not shown"
NO_DAY = "No day is over yet."


def each_day(session: Session, now: datetime) -> Chart:
    """How the number of signatures changed on each day that is over."""
    rows = days_over(session, now)
    sentence = NO_DAY
    if rows:
        most, last = max(rows, key=lambda each: int(each["change"])), rows[-1]
        sentence = (
            f"The number grew most on {long_date(most['date'])}, by {number(most['change'])}; on "
            f"the last day, {long_date(last['date'])}, it changed by {number(last['change'])}."
        )
    return _of_days(Shape.EACH_DAY, "Signatures each day", rows, "change", sentence)


def in_total(session: Session, now: datetime) -> Chart:
    """How many signatures there were at the end of each day that is over."""
    rows = days_over(session, now)
    sentence = NO_DAY
    if rows:
        first, last = rows[0], rows[-1]
        people = "person" if last["total"] == 1 else "people"
        sentence = (
            f"{number(last['total'])} {people} had signed at the end of {long_date(last['date'])}; "
            f"the count began on {long_date(first['date'])}."
        )
    return _of_days(Shape.TOTAL, "Signatures in total", rows, "total", sentence)


def by_region(session: Session, now: datetime) -> Chart:
    """Where those live who said so, as it was last published."""
    table = tables.regions(session)
    shown = [(row["name"], row["signatures"]) for row in table.records()]
    told = [(name, figure) for name, figure in shown if figure is not None]
    hidden = len(shown) - len(told)
    if not told:
        sentence = "No number of any nation or region is large enough to be shown yet."
    else:
        name, figure = max(told, key=lambda each: each[1])
        sentence = (
            f"Of those who said where they live, the most, about {number(figure)}, are of {name}."
        )
        if hidden:
            sentence += (
                f" {hidden} of {len(shown)} nations and regions are not shown, because their "
                "numbers are small."
            )
    return Chart(
        Shape.CATEGORIES,
        labels=tuple(name for name, _ in shown),
        numbers=tuple(figure for _, figure in shown),
        title="Signatures by nation and region",
        alternative=sentence,
        suppressed=SUPPRESSED,
        **_whose(table.as_at),
    )


def days_over(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Rows of the daily table, whose last is that of yesterday at most."""
    return tables.daily(session, queries.first_day_not_over(session, now)).records()


def _of_days(
    shape: Shape, title: str, rows: list[dict[str, Any]], column: str, alternative: str
) -> Chart:
    return Chart(
        shape,
        labels=tuple(each["date"] for each in rows),
        numbers=tuple(each[column] for each in rows),
        title=title,
        alternative=alternative,
        **_whose(rows[-1]["date"] if rows else None),
    )


def _whose(until: date | None) -> dict[str, str]:
    details = current_campaign().details
    source = f"{details.name}: verified signatures"
    return {
        "source": f"{source} until {long_date(until)}, UTC" if until else source,
        "accent": details.accent,
    }


# Called with a session and `now`.
CHARTS: Mapping[str, Callable[[Session, datetime], Chart]] = {
    "total": in_total,
    "daily": each_day,
    "regions": by_region,
}
