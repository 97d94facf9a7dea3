"""Reading public pages and files from a replica of the database.

What everybody sees alike may be a moment old, so a crowd of readers need not ask the database that
signatures are written to. Whatever the replica does not answer, the database itself is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from coalition.postgresql import PATIENCE

REST = 10.0  # seconds for which a replica that failed is not asked again

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class Replica:
    """The replica of one process, and whether it is asked just now."""

    def __init__(self, url: str, pool_size: int) -> None:
        self._rests_until = 0.0
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args=PATIENCE,
        )

    def rests(self) -> bool:
        """Whether it failed so short a time ago that it is not asked."""
        return monotonic() < self._rests_until

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def rest(self, error: DBAPIError) -> None:
        """It failed: leave it alone for REST."""
        self._rests_until = monotonic() + REST
        log.warning(
            "the replica failed (%s); pages are read from the database", type(error.orig).__name__
        )


@contextmanager
def _asked(session: Session, engine: Engine) -> Iterator[None]:
    session.info["replica"] = engine
    try:
        # Now, for what remembers the last answer while the database is away would not tell.
        session.connection()
        yield
    finally:
        session.info.pop("replica", None)


def current_replica() -> Replica | None:
    """The replica of the application that is at work, if it has one."""
    return current_app.extensions.get("replica")


def read_from_replica(session: Session, read: Callable[[], Answer]) -> Answer:
    """What `read` gives, which only reads, and may be asked twice: from the replica if there is one
    that answers, else from the database itself."""
    replica = current_replica()
    if replica is None or replica.rests():
        return read()
    try:
        with _asked(session, replica.engine):
            return read()
    except DBAPIError as error:
        # Gone, or a moment behind a migration, or busy with what has been written meanwhile.
        session.rollback()
        replica.rest(error)
        return read()


def init_replica(app: Flask, url: str | None, pool_size: int) -> None:
    """Let public pages be read from the replica at `url`, `pool_size` connections a process."""
    if url is not None:
        app.extensions["replica"] = Replica(url, pool_size)
