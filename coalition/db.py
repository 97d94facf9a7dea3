"""The database: one engine, one base class, and the one place where a commit happens."""

from __future__ import annotations

import select as sockets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn, cast

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import (
    CTE,
    URL,
    ClauseElement,
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Engine,
    Enum,
    Executable,
    MetaData,
    NullPool,
    Result,
    Select,
    UpdateBase,
    create_engine,
    delete,
    event,
    select,
    tuple_,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from coalition.postgresql import PATIENCE

BACKUP_LIFETIME = timedelta(days=30)  # deploy/systemd/coalition-backup.service deletes older ones
SQLITE_PATIENCE = 30_000  # milliseconds a writer waits for another one


class Base(DeclarativeBase):
    """Base of every mapped class; the names of keys and constraints are the same everywhere."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class RoutedSession(FlaskSession):
    """A session that writes where `begin_writing` says so, and nowhere else.

    What it reads beside that is read from the replica where it is told to, and on PostgreSQL each
    read is a transaction by itself: asked once, where to begin and to end one would ask three times.
    """

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Any = None, **rest: Any
    ) -> Any:
        if bind is not None:
            return bind
        if self.info.get("writes"):
            return writing_engine()
        if isinstance(clause, UpdateBase):
            _refuse_to_write()
        return self.info.get("replica") or super().get_bind(mapper, clause, **rest)


@event.listens_for(RoutedSession, "before_flush")
def _write_in_a_transaction_alone(session: Session, *_: Any) -> None:
    if not session.info.get("writes"):
        _refuse_to_write()


def _refuse_to_write() -> NoReturn:
    raise RuntimeError("nothing is written outside of transaction()")


db = SQLAlchemy(
    model_class=Base, session_options={"class_": RoutedSession, "expire_on_commit": False}
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Refuses naive values; gives aware ones on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_column(enum: type[StrEnum], name: str) -> Enum:
    """A column type for `enum`: its values as text, guarded by a check constraint."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


@contextmanager
def transaction() -> Iterator[Session]:
    """One write: committed when the block ends, rolled back when it raises.

    Begins afresh, so that what was read before cannot be stale. On SQLite the write lock is
    taken at once: a transaction that reads first and writes later could not be repeated.
    Raises RuntimeError when transactions are nested, for the inner one could not be undone alone.
    """
    session: Session = db.session()
    _begin_afresh(session)
    session.info["in_transaction"] = True
    try:
        begin_writing(session)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("in_transaction")
        session.info.pop("writes", None)


def begin_writing(session: Session) -> None:
    """Let the session write from now on, for as long as it lives: for what commits by itself, in a
    library. Whatever is ours uses `transaction`."""
    session.rollback()
    session.info["writes"] = True
    session.connection()


def _begin_afresh(session: Session) -> None:
    """Let go of what was read. Raises RuntimeError where something is being written."""
    if session.info.get("in_transaction"):
        raise RuntimeError("transaction() does not nest")
    session.rollback()


@contextmanager
def single_statement() -> Iterator[Connection]:
    """A write of one statement, which PostgreSQL takes for a transaction by itself: it is asked
    once, where `transaction` asks three times, to begin and to commit.

    Without a session, which takes as long as the statement. Raises as `transaction` does.
    """
    if db.session.registry.has():
        _begin_afresh(db.session())
    if db.engine.dialect.name == "sqlite":
        with writing_engine().begin() as connection:
            yield connection
    else:
        with db.engine.connect() as connection:
            yield connection


def writing_engine() -> Engine:
    """The engine of the running application as it is used to write: with transactions that last
    until they are committed. It shares its connections with `db.engine`."""
    engine: Engine = current_app.extensions["writing_engine"]
    return engine


@contextmanager
def one_moment() -> Iterator[Session]:
    """Reads that all see one moment, however long they take, while others go on writing.

    On a connection of its own beside the pool: a long list must not leave a process without
    connections.
    """
    engine = engine_beside(db.engine.url)
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine, expire_on_commit=False) as session:
        yield session


def engine_beside(url: URL, **options: Any) -> Engine:
    """An engine for the database at `url` that keeps no connection; `options` are SQLAlchemy's."""
    is_sqlite = url.get_backend_name() == "sqlite"
    patience = {} if is_sqlite else PATIENCE
    engine = create_engine(url, poolclass=NullPool, connect_args=patience, **options)
    if is_sqlite:
        _prepare_sqlite(engine)
    return engine


# What SQLite cannot do just now: write on a full or failing disk, or beside another writer.
_SQLITE_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def is_passing(error: BaseException | None) -> bool:
    """Whether the database failed for a reason that passes: it is away, full or too busy. What
    was asked of it can be asked again later."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        # The lowest byte is the kind, the others say more (sqlite.org/rescode.html).
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_PASSING
    return isinstance(error, OperationalError | InterfaceError)


def is_postgresql(asked: Session | Connection) -> bool:
    """Whether a session, or a connection, is one with PostgreSQL."""
    bind = asked.get_bind() if isinstance(asked, Session) else asked
    return bind.dialect.name == "postgresql"


def tell(
    asked: Session | Connection, statement: Executable, values: Mapping[str, Any]
) -> CursorResult[Any]:
    """Have PostgreSQL carry out a statement that is kept, with `values` for its parameters.

    As `execute` does, but its words and what each value is turned into are looked up once for all,
    which otherwise takes as long as to send it. What comes back is as the driver gives it.
    """
    connection = asked.connection() if isinstance(asked, Session) else asked
    words, turns = _words_of(statement, connection.dialect)
    given = {name: turn(values[name]) if turn else values[name] for name, turn in turns}
    return connection.exec_driver_sql(words, given)


@lru_cache(maxsize=32)
def _words_of(statement: Executable, dialect: Dialect) -> tuple[str, list[tuple[str, Any]]]:
    """The words of a statement, and of each of its parameters the name and what turns a value of
    ours into one of the driver's."""
    compiled = cast(SQLCompiler, cast(ClauseElement, statement).compile(dialect=dialect))
    turns = [
        (name, parameter.type.dialect_impl(dialect).bind_processor(dialect))
        for parameter, name in compiled.bind_names.items()
    ]
    return compiled.string, turns


def changed_rows(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return int(cast("CursorResult[Any]", result).rowcount)


def once(rows: Select[Any], name: str) -> CTE:
    """`rows` as a common table expression that is worked out once.

    A plain subquery with FOR UPDATE SKIP LOCKED and LIMIT may be run again for each row that
    it is compared with, and then takes more rows than its limit.
    """
    return rows.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def in_order(
    table: type[Base],
    *conditions: ColumnElement[bool],
    wait: bool = True,
    limit: int | None = None,
) -> ColumnElement[bool]:
    """The rows of `table` that fit, as the condition of a DELETE or UPDATE of many: they are
    locked in the order of their key.

    Two statements that lock the same rows in different orders may wait for one another. Without
    `wait`, rows that somebody else holds are left out: for what comes round again anyway. No more than `limit` are taken.
    """
    key = table.__mapper__.primary_key
    rows = select(*key).where(*conditions).order_by(*key).limit(limit)
    rows = rows.with_for_update(skip_locked=not wait)
    # Within its own SELECT: SQLite's driver counts the rows of no statement that begins with WITH.
    held = rows.cte("held", nesting=True).prefix_with("MATERIALIZED", dialect="postgresql")
    return tuple_(*key).in_(select(*held.c))


def sweep(
    session: Session,
    table: type[Base],
    *conditions: ColumnElement[bool],
    limit: int | None = None,
) -> int:
    """Delete the rows of `table` that fit, `limit` at most, and wait for none that somebody else
    holds: it is there the next time. Returns how many."""
    result = session.execute(
        delete(table)
        .where(in_order(table, *conditions, wait=False, limit=limit))
        .execution_options(synchronize_session=False)
    )
    return changed_rows(result)


def init_database(app: Flask, url: str, pool_size: int) -> None:
    """Attach the database at `url` to the application, `pool_size` connections a process."""
    is_sqlite = url.startswith("sqlite")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_pre_ping": not is_sqlite,
        "skip_autocommit_rollback": not is_sqlite,
        "connect_args": {} if is_sqlite else PATIENCE,
        "isolation_level": None if is_sqlite else "AUTOCOMMIT",
    }
    db.init_app(app)
    writes: dict[str, Any] = (
        {"writes": True} if is_sqlite else {"isolation_level": "READ COMMITTED"}
    )
    with app.app_context():
        (_prepare_sqlite if is_sqlite else _ping_only_in_doubt)(db.engine)
        app.extensions["writing_engine"] = db.engine.execution_options(**writes)


def _ping_only_in_doubt(engine: Engine) -> None:
    """Let the pool notice a connection that PostgreSQL has closed before it is used, without
    asking over each: a server that ends one, or is killed, leaves something to be read on its
    socket, where otherwise nothing is.

    Why not ask over each: docs/adr/0010-running.md.
    """
    ping = engine.dialect.do_ping

    def ping_in_doubt(dbapi_connection: DBAPIConnection) -> bool:
        if dbapi_connection.closed:
            return False
        poll = sockets.poll()
        poll.register(dbapi_connection.fileno(), sockets.POLLIN)
        return not poll.poll(0) or ping(dbapi_connection)

    engine.dialect.do_ping = ping_in_doubt  # type: ignore[method-assign]


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: DBAPIConnection, record: Any) -> None:
        # The driver must not begin transactions on its own: see begin() below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_PATIENCE}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
