"""What the database is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg import Cursor
from psycopg.pq import TransactionStatus
from sqlalchemy import event

from coalition.db import db


@contextmanager
def listening(moment: str, listener: Callable[..., None]) -> Iterator[None]:
    """Have SQLAlchemy call `listener` at each such moment ("before_cursor_execute") of the database."""
    event.listen(db.engine, moment, listener)
    try:
        yield
    finally:
        event.remove(db.engine, moment, listener)


@contextmanager
def asked() -> Iterator[list[str]]:
    """Every statement that this process sends to its database until the block ends."""
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    with listening("before_cursor_execute", note):
        yield statements


@contextmanager
def states_after() -> Iterator[list[TransactionStatus]]:
    """Whether PostgreSQL holds a transaction open after each statement that it is asked."""
    states: list[TransactionStatus] = []

    def note(connection: object, cursor: Cursor[object], *rest: object) -> None:
        states.append(cursor.connection.info.transaction_status)

    with listening("after_cursor_execute", note):
        yield states
