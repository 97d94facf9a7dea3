"""Freezing: what is published of a week, once, and never changes again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.petition.models import Dimension
from coalition.petition.tally import SETTLED
from coalition.press import queries
from coalition.press.disclosure import next_table
from coalition.press.formats import FORMATS, About, as_json
from coalition.press.models import PressFile, PressRelease, PressTable
from coalition.press.packages import CHECKSUMS, PACKAGE, Publisher, checksums, data_package
from coalition.press.tables import frozen_tables
from coalition.statements.closing import find_closing
from coalition.statements.queries import read_campaign

FREEZE_LOCK = 0x66727A65  # any fixed number, other than petition.tally.FOLD_LOCK


def monday_of(now: datetime) -> date:
    """The Monday of this week, by UTC, as the days of the tally are."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=today.weekday())


def last_monday(closed_at: datetime) -> date:
    """The Monday after the petition was closed: the figures of that week are frozen, and then none
    any more."""
    return monday_of(closed_at) + timedelta(days=7)


def freeze(session: Session, *, site_url: str, now: datetime) -> date | None:
    """Publish the tables by region and kind anew where they may be, and keep a copy of all files as
    they were when this week began. Returns the Monday, or None where there is nothing to do: it is
    done already, another worker is at it, nothing was counted yet, or not all of last week is in
    the tally.

    Any number of workers may call this at once. A week in which nobody did so has no copies; the
    next one holds what came in it. The last week is that in which the petition was closed.
    Raises NoCampaign.
    """
    closing = find_closing(session)
    day = min(monday_of(now), last_monday(closing.closed_at)) if closing else monday_of(now)
    if not _is_in_the_tally(session, day) or queries.find_release(session, day):
        return None
    if is_postgresql(session):
        if not session.scalar(select(func.pg_try_advisory_xact_lock(FREEZE_LOCK))):
            return None
        session.expire_all()
        if queries.find_release(session, day):  # another worker was quicker
            return None
    release = PressRelease(day=day, made_at=now)
    session.add(release)
    session.flush()
    for dimension in queries.CATEGORIES:
        _publish(session, dimension, day)
    for name, content in _files(session, day, site_url, now).items():
        digest = hashlib.sha256(content).digest()
        session.add(PressFile(day=day, name=name, content=content, sha256=digest))
    session.flush()
    return day


def _is_in_the_tally(session: Session, day: date) -> bool:
    closing = find_closing(session)
    as_at = queries.read_as_at(session)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    is_final = closing is not None and closing.fixed_at is not None
    if not is_final and (as_at is None or as_at < midnight + SETTLED):
        return False
    return queries.is_counted(session, before=day)


def _publish(session: Session, dimension: Dimension, day: date) -> None:
    """Publish a table anew, if disclosure control lets it."""
    before = queries.read_published(session, dimension)
    after = next_table(before, queries.read_people(session, dimension, before=day))
    if after is None:
        return
    kept = queries.find_table(session, dimension)
    stays = after.left == before.left
    session.add(
        PressTable(
            dimension=dimension,
            day=day,
            shown=after.table,
            joined=after.joined,
            left_until=(kept.left_until if kept else None) if stays else day,
        )
    )
    session.flush()


def _files(session: Session, day: date, site_url: str, now: datetime) -> Mapping[str, bytes]:
    details = read_campaign(session).details
    folder = f"{site_url}/press/releases/{day.isoformat()}"
    tables = frozen_tables(session, day, now)
    files = {}
    for table in tables:
        for ending, each in FORMATS.items():
            name = f"{table.schema.name}.{ending}"
            files[name] = each.write(table, About(details.name, f"{folder}/{name}"))
    package = data_package(
        [each.schema for each in tables],
        Publisher(details.name, details.contact, site_url),
        created=now,
        files=files,
    )
    files[PACKAGE] = as_json(package)
    return {**files, CHECKSUMS: checksums(files)}
