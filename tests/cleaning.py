"""Deleting what is past its time, as the worker does."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from coalition.retention import CLEAN_UPS, clean_all
from coalition.testimonies import retention


def clean_up(now: datetime) -> None:
    """Delete what is past its time then. Raises what a clean-up raised."""
    for done in clean_all(now=now):
        if isinstance(done.found, Exception):
            raise done.found


def clean_up_testimonies(session: Session, *, now: datetime) -> None:
    """The same of testimonies alone, in a transaction that has begun."""
    for each in CLEAN_UPS:
        if each.delete.__module__ == retention.__name__:
            each.delete(session, now=now)
