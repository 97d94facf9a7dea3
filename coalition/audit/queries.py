"""Reads of the audit log: some of its lines, by page or all of them one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from coalition.audit.models import AuditEntry
from coalition.clock import start_of_day_in_uk

PAGE = 100  # lines
LINES_AT_ONCE = 1000


@dataclass(frozen=True)
class Wanted:
    """Which lines to show. What is left empty narrows nothing down."""

    actor: str = ""  # words that must stand in it, in any case
    action: str = ""  # exactly
    subject: str = ""  # words that must stand in it, in any case
    first_day: date | None = None  # by the clock of the United Kingdom
    last_day: date | None = None

    @property
    def narrowed_by(self) -> list[str]:
        """The names of what narrows the lines down: not what was looked for, which may be typed
        and so may name somebody."""
        return [name.replace("_", " ") for name, value in vars(self).items() if value]


@dataclass(frozen=True)
class Page:
    """Some lines, the newest first."""

    lines: Sequence[AuditEntry]
    older: int | None  # the line before which the next page begins


def page_of_lines(session: Session, wanted: Wanted, *, before: int | None = None) -> Page:
    """The newest PAGE lines that are wanted, of those before the line `before`."""
    statement = select(AuditEntry).where(*_conditions(wanted)).order_by(AuditEntry.id.desc())
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    found = session.scalars(statement.limit(PAGE + 1)).all()
    more = len(found) > PAGE
    return Page(found[:PAGE], found[PAGE - 1].id if more else None)


def all_lines(session: Session, wanted: Wanted) -> Iterator[Row[Any]]:
    """Every line that is wanted, the oldest first, read in pieces."""
    columns: Any = AuditEntry.__table__.c
    last = 0
    while True:
        # A short query for each piece: a slow reader holds no cursor open.
        rows = session.execute(
            select(*columns)
            .where(AuditEntry.id > last, *_conditions(wanted))
            .order_by(AuditEntry.id)
            .limit(LINES_AT_ONCE)
        ).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


def newest_lines(
    session: Session, subjects: Collection[str], actions: Collection[str]
) -> Sequence[AuditEntry]:
    """The newest line about each of these subjects that tells of one of these actions."""
    if not subjects:
        return []
    newest = (
        select(func.max(AuditEntry.id))
        .where(AuditEntry.subject.in_(subjects), AuditEntry.action.in_(actions))
        .group_by(AuditEntry.subject)
    )
    return session.scalars(select(AuditEntry).where(AuditEntry.id.in_(newest))).all()


def known_actions(session: Session) -> Sequence[str]:
    """Every action that stands in the log, by name."""
    return session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = []
    if wanted.actor:
        found.append(AuditEntry.actor.icontains(wanted.actor, autoescape=True))
    if wanted.action:
        found.append(AuditEntry.action == wanted.action)
    if wanted.subject:
        found.append(AuditEntry.subject.icontains(wanted.subject, autoescape=True))
    if wanted.first_day:
        found.append(AuditEntry.at >= start_of_day_in_uk(wanted.first_day))
    if wanted.last_day:
        end = start_of_day_in_uk(wanted.last_day + timedelta(days=1))
        found.append(AuditEntry.at < end)
    return found
