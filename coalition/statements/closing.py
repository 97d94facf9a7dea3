"""Closing the petition: nobody can sign any more; and opening it again, for a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from flask import current_app
from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from coalition.audit.actions import record
from coalition.db import db
from coalition.statements.actions import lock_texts
from coalition.statements.models import KEPT_AFTER_CLOSING, Closing
from coalition.statements.queries import REMEMBERED, latest_versions

REOPENABLE = timedelta(days=30)  # after the closing: a mistake is found by then
SUBJECT = "the petition"


class CannotClose(Exception):
    """There is nothing to close, or to open again; the message says why."""


@dataclass(frozen=True)
class Closed:
    """That the petition is closed, since when, and with how many signatures once that is fixed."""

    id: int
    at: datetime
    final_count: int | None
    deleting_since: datetime | None = None

    @property
    def deleted_on(self) -> datetime:
        """From when on what people gave is deleted."""
        return self.at + KEPT_AFTER_CLOSING


def find_closing(session: Session) -> Closing | None:
    """The closing that stands; None while the petition is open."""
    return session.scalars(select(Closing).where(Closing.reopened_at.is_(None))).one_or_none()


def standing_id() -> ScalarSelect[int | None]:
    """The id of the closing that stands, as part of a statement; NULL while the petition is open.

    `max` makes a row of no row.
    """
    return select(func.max(Closing.id)).where(Closing.reopened_at.is_(None)).scalar_subquery()


def stands(closing_id: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """Whether this is the id of the closing that stands."""
    return exists().where(Closing.id == closing_id, Closing.reopened_at.is_(None))


def close_campaign(session: Session, *, actor: str, now: datetime) -> Closing:
    """Let nobody sign any more. Raises CannotClose if nothing is published, or it is closed."""
    lock_texts(session)
    if not latest_versions(session):
        raise CannotClose("no campaign is published yet")
    standing = find_closing(session)
    if standing:
        raise CannotClose(f"it is closed already, since {standing.closed_at:%Y-%m-%d %H:%M} UTC")
    closing = Closing(closed_at=now, closed_by=actor)
    session.add(closing)
    session.flush()
    record(session, actor=actor, action="petition closed", subject=SUBJECT, now=now)
    return closing


def reopen_campaign(session: Session, *, actor: str, now: datetime) -> None:
    """Let people sign again, where the closing was a mistake.

    Raises CannotClose if it is open, was closed for longer than REOPENABLE, or what its signatories
    gave is being deleted.
    """
    lock_texts(session)
    closing = session.scalars(
        select(Closing).where(Closing.reopened_at.is_(None)).with_for_update()
    ).one_or_none()
    if closing is None:
        raise CannotClose("it is open")
    if closing.deleting_since:
        raise CannotClose("what people gave with their signatures is being deleted, or is gone")
    if now - closing.closed_at > REOPENABLE:
        raise CannotClose(f"it was closed more than {REOPENABLE.days} days ago")
    closing.reopened_at, closing.reopened_by = now, actor
    session.flush()
    record(session, actor=actor, action="petition reopened", subject=SUBJECT, now=now)


@dataclass
class _Memory:
    closed: Closed | None = None
    asked_at: float = float("-inf")


def _memory() -> _Memory:
    memory: _Memory = current_app.extensions.setdefault("closing", _Memory())
    return memory


def remembered_closing() -> Closed | None:
    """Whether the petition is closed, as this process last read it, without asking the database."""
    return _memory().closed


def forget_closing() -> None:
    """Let this process ask the database again before it next says whether the petition is closed."""
    _memory().asked_at = float("-inf")


def current_closing() -> Closed | None:
    """Whether the petition is closed, at most REMEMBERED seconds old; None while it is open.

    While the database is away what was last read stays good.
    """
    memory = _memory()
    if monotonic() - memory.asked_at > REMEMBERED:
        try:
            row = db.session.execute(
                select(
                    Closing.id, Closing.closed_at, Closing.final_count, Closing.deleting_since
                ).where(Closing.reopened_at.is_(None))
            ).one_or_none()
            memory.closed = Closed(*row) if row else None
        except SQLAlchemyError:
            db.session.rollback()
        memory.asked_at = monotonic()
    return memory.closed
