"""What the tests of the press room do again and again."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from coalition.db import transaction
from coalition.petition.models import Cause, CountEvent, Kind, Region
from coalition.petition.tally import fold
from coalition.press.actions import freeze
from tests.visitor import Visitor

SITE = "http://127.0.0.1:8000"
MONDAY = date(2026, 11, 2)
WEEK = timedelta(days=7)
FILES = [
    f"{name}.{ending}"
    for name in ("counts", "daily", "regions", "kinds")
    for ending in ("csv", "json", "xlsx")
]


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def count(
    day: date,
    number: int,
    *,
    cause: Cause = Cause.VERIFIED,
    region: Region | None = None,
    kind: Kind | None = None,
) -> None:
    """Let the count change by `number` on a day."""
    with transaction() as session:
        session.execute(
            insert(CountEvent).values(
                day=day, cause=cause, change=number, region=region, kind=kind, moved=abs(number)
            )
        )


def fold_at(now: datetime) -> None:
    with transaction() as session:
        fold(session, now=now)


def freeze_at(now: datetime) -> date | None:
    with transaction() as session:
        return freeze(session, site_url=SITE, now=now)


def freeze_week(monday: date = MONDAY) -> date | None:
    """Do what the worker does in the first hour of a week."""
    fold_at(at(monday, 0, 30))
    return freeze_at(at(monday, 1))


def rows(visitor: Visitor, path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    answer = visitor.get(path)
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))


def values(visitor: Visitor, folder: str = "/press") -> dict[str, int]:
    """The headline figures."""
    return {each["measure"]: int(each["value"]) for each in rows(visitor, f"{folder}/counts.csv")}


def problem(visitor: Visitor, path: str, status: int, **headers: str) -> Any:
    """What a program is told of an error."""
    answer = visitor.get(path, follow=False, **headers)
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    told = json.loads(answer.text)
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


def count_for_months(now: datetime) -> None:
    """A hundred days until yesterday: many sign at first, then fewer, and some take it back."""
    today = now.date()
    for ago in range(100, 0, -1):
        day = today - timedelta(days=ago)
        for each, region in enumerate(Region):
            count(day, 3 + int(40 * (13 - each) * 0.95 ** (100 - ago)), region=region)
        count(day, 20, kind=Kind.ALLY)
        if ago % 9 == 0:
            count(day, -60, cause=Cause.WITHDRAWN)
    monday = today - timedelta(days=today.weekday())
    fold_at(now)
    freeze_at(max(now, at(monday, 1)))
