"""`coalition db copy`: every row into another database, as from SQLite to PostgreSQL.

While it runs, the target says of itself that it is half a copy: its version is HALF, so that no
site is ready on it and no migration goes on from there, and the table `half_copy` tells how many
rows of which table are there, and what the source was when it began. Rows are written in the order
of their keys, and in the same transaction as their number: a copy that was killed goes on after
the last of them. Version and table are put right in one transaction, once both databases agree.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from coalition.db import Base
from coalition.schema import HALF, is_current, newest, versions
from coalition.settings import checked_database_url
from coalition.stored import Sum, read_rows, stored_engine, stored_tables, sum_up

ROWS_WRITTEN = 500  # in one transaction
BYTES_WRITTEN = 4 * 1024 * 1024  # likewise, or a little more
# Tables in which the migrations write a row: nothing has happened while this column of it is 0.
SEEDED = {"audit_head": "number"}

half_copy = Table(
    "half_copy",
    MetaData(),
    Column("table_name", String(100), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("copied", BigInteger, nullable=False),
)
_version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
Sums = Mapping[str, Sum]


class NotCopied(Exception):
    """Why there is no copy, in one line that says what to do."""


@dataclass(frozen=True)
class Copied:
    """How many rows of how many tables are in both databases."""

    rows: int
    tables: int


@click.command("copy")
@click.option(
    "--to",
    "url",
    required=True,
    metavar="URL",
    help="The other database. - reads it from standard input, where nobody else sees its password.",
)
@with_appcontext
def copy(url: str) -> None:
    """Copy every row into another database, as from SQLite to PostgreSQL.

    Stop the site and its workers first: nothing may be written meanwhile. The other database needs
    all tables (`coalition db upgrade`) and no rows. When the copy is stopped or killed, the same
    command goes on where it was. At the end both databases are compared, row by row.
    """
    if url == "-":
        url = sys.stdin.readline().strip()
    try:
        done = copy_database(current_app.config["SQLALCHEMY_DATABASE_URI"], url)
    except NotCopied as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done.rows} rows of {done.tables} tables are copied, and both databases agree.")


def copy_database(source_url: str, target_url: str) -> Copied:
    """Copy every row of the database at `source_url` into the one at `target_url`.

    Goes on with a copy that was begun before. Raises NotCopied.
    """
    try:
        target_url = checked_database_url(target_url)
    except ValueError as error:
        raise NotCopied(f"the address of the other database {error}") from error
    source, target = stored_engine(source_url), stored_engine(target_url)
    if source.dialect.name != "sqlite":
        source = source.execution_options(isolation_level="REPEATABLE READ")
    tables = stored_tables()
    with source.connect() as read:
        _refuse(read, target)
        sums = _sum_up("Reading this database", read, tables)
        copied = _begin_or_go_on(target, sums)
        rows = sum(each.rows for each in sums.values())
        with _what_failed(), _progress("Copying", rows) as seen:
            seen(sum(copied.values()))
            for table in tables:
                _copy_table(read, target, table, copied[table.name], seen)
    with _what_failed(), source.connect() as read:
        _compare(read, target, tables, sums)
        _finish(read, target)
    return Copied(rows, len(tables))


def _refuse(read: Connection, target: Engine) -> None:
    """Raises NotCopied when this database cannot be copied there."""
    if not is_current(read):
        if versions(read) == {HALF}:
            raise NotCopied("this database is itself half a copy")
        raise NotCopied("this database needs `coalition db upgrade` first")
    file = target.url.database
    if target.dialect.name == "sqlite" and not Path(str(file)).is_file():
        raise NotCopied(
            f"there is no database at {file}; make it by `coalition db upgrade`, with "
            "COALITION_DATABASE_URL set to it"
        )
    try:
        with target.connect() as there:
            if _identity(there) == _identity(read):
                raise NotCopied("the other database is this one")
            _refuse_version(versions(there))
    except OperationalError as error:
        raise NotCopied("the other database does not answer, or does not let us in") from error


def _refuse_version(found: frozenset[str]) -> None:
    if not found:
        raise NotCopied(
            "the other database has no tables; make them by `coalition db upgrade`, with "
            "COALITION_DATABASE_URL set to it"
        )
    if found not in (newest(), {HALF}):
        raise NotCopied(
            f"the other database has another version of the tables ({', '.join(sorted(found))}) "
            f"than this one ({', '.join(sorted(newest()))}); use `coalition db upgrade` on it"
        )


def _identity(connection: Connection) -> object:
    """Equal for two connections to one database, whatever their addresses look like."""
    if connection.dialect.name == "sqlite":
        found = Path(str(connection.engine.url.database)).stat()
        return found.st_dev, found.st_ino
    started = text("SELECT pg_postmaster_start_time(), current_database()")
    return tuple(connection.execute(started).one())


def _begin_or_go_on(target: Engine, sums: Sums) -> dict[str, int]:
    """How many rows of each table are there already. Raises NotCopied."""
    with target.connect().execution_options(writes=True) as there, there.begin():
        if versions(there) != {HALF}:
            _begin(there, sums)
        begun = {each.table_name: each for each in there.execute(select(half_copy))}
    differing = [
        name
        for name, found in sums.items()
        if name not in begun or Sum(begun[name].rows, begun[name].checksum) != found
    ]
    if differing or len(begun) != len(sums):
        raise NotCopied(
            "the other database holds half a copy, of another database or of this one before it "
            f"was written to ({', '.join(differing)}); empty it and begin anew"
        )
    return {name: each.copied for name, each in begun.items()}


def _begin(there: Connection, sums: Sums) -> None:
    """Mark an empty database as half a copy. Raises NotCopied."""
    for name, table in Base.metadata.tables.items():
        rows = select(func.count()).select_from(table)
        if name in SEEDED:
            rows = rows.where(table.columns[SEEDED[name]] != 0)
        if count := there.scalar(rows):
            raise NotCopied(
                f"the other database is not empty ({name}: {count}); nothing was copied"
            )
    for name in SEEDED:
        there.execute(delete(Base.metadata.tables[name]))
    there.execute(update(_version).values(version_num=HALF))
    half_copy.create(there)
    there.execute(
        insert(half_copy),
        [
            {"table_name": name, "rows": found.rows, "checksum": found.checksum, "copied": 0}
            for name, found in sums.items()
        ],
    )


def _copy_table(
    read: Connection, target: Engine, table: Table, done: int, seen: Callable[[int], object]
) -> None:
    with target.connect().execution_options(writes=True) as there:
        for batch in _batches(read_rows(read, table, skip=done)):
            try:
                with there.begin():
                    _write(there, table, batch, done)
            except (DataError, IntegrityError) as error:
                raise NotCopied(_which_row(there, table, batch)) from error
            done += len(batch)
            seen(len(batch))


def _batches(rows: Iterator[Any]) -> Iterator[list[dict[str, Any]]]:
    """Rows in lists that are neither long nor large."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(dict(row._mapping))
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(batch) == ROWS_WRITTEN or size >= BYTES_WRITTEN:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(there: Connection, table: Table, batch: Sequence[dict[str, Any]], done: int) -> None:
    moved = there.execute(
        update(half_copy)
        .where(half_copy.c.table_name == table.name, half_copy.c.copied == done)
        .values(copied=done + len(batch))
    )
    if moved.rowcount != 1:
        raise NotCopied("another copy to that database is running; let it end")
    there.execute(insert(table), batch)


def _which_row(there: Connection, table: Table, batch: Sequence[dict[str, Any]]) -> str:
    """Says which row the other database does not take: by its key alone, for the rest is what
    somebody typed."""
    for row in batch:
        try:
            with there.begin() as trying:
                there.execute(insert(table), row)
                trying.rollback()
        except (DataError, IntegrityError) as error:
            key = ", ".join(
                f"{each.name} {value.hex() if isinstance(value, bytes) else value}"
                for each in table.primary_key
                if (value := row[each.name]) is not None
            )
            return (
                f"the other database does not take the row of {table.name} with {key} "
                f"({type(error.orig).__name__}); nothing is lost here: put it right and run this "
                "again"
            )
    return (
        f"the other database does not take rows of {table.name}; does something else write to it?"
    )


def _compare(read: Connection, target: Engine, tables: Sequence[Table], sums: Sums) -> None:
    """Raises NotCopied unless both databases hold what was there at the beginning."""
    with target.connect() as there:
        copied = _sum_up("Comparing: the copy", there, tables)
    if differing := _differing(sums, copied):
        raise NotCopied(
            f"the copy is not what was read ({differing}): something else has written to it; "
            "empty it and begin anew"
        )
    if differing := _differing(sums, _sum_up("Comparing: this database", read, tables)):
        raise NotCopied(
            f"this database was written to while it was copied ({differing}), so the copy is not "
            "whole; stop the site and its workers, empty the other database and begin anew"
        )


def _differing(one: Sums, other: Sums) -> str:
    return ", ".join(
        f"{name}: {one[name].rows} rows, then {other[name].rows}"
        if one[name].rows != other[name].rows
        else f"{name}: {one[name].rows} rows, not all the same"
        for name in one
        if one[name] != other[name]
    )


def _finish(read: Connection, target: Engine) -> None:
    """Let new rows be numbered after those that were copied, and call the copy whole."""
    with target.connect().execution_options(writes=True) as there, there.begin():
        for table in Base.metadata.sorted_tables:
            _move_sequence(read, there, table)
        half_copy.drop(there)
        there.execute(update(_version).values(version_num=next(iter(newest()))))


def _move_sequence(read: Connection, there: Connection, table: Table) -> None:
    """SQLite numbers a row after the largest there is; PostgreSQL must be told."""
    column = table.autoincrement_column
    if column is None or there.dialect.name != "postgresql":
        return
    last = there.scalar(select(func.max(column))) or 0
    sequence = cast(func.pg_get_serial_sequence(table.name, column.name), REGCLASS)
    if read.dialect.name == "postgresql":
        # A number is never given twice, even where its row is gone.
        last = max(last, read.scalar(select(func.pg_sequence_last_value(sequence))) or 0)
    if last:
        there.execute(select(func.setval(sequence, last)))


def _sum_up(label: str, connection: Connection, tables: Sequence[Table]) -> dict[str, Sum]:
    rows = sum(connection.scalar(select(func.count()).select_from(each)) or 0 for each in tables)
    with _progress(label, rows) as seen:
        return {table.name: sum_up(connection, table, seen) for table in tables}


@contextmanager
def _progress(label: str, rows: int) -> Iterator[Callable[[int], object]]:
    with click.progressbar(length=rows, label=f"{label}: {rows} rows") as bar:
        yield bar.update


@contextmanager
def _what_failed() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise NotCopied(
            f"the copy stopped, for a database failed ({type(error).__name__}); nothing is lost: "
            "the same command goes on where it stopped"
        ) from error
