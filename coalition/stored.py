"""Rows as a database stores them, and sums of them that are the same on every engine."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Enum,
    MetaData,
    Row,
    String,
    Table,
    make_url,
    select,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from coalition.db import Base, UtcDateTime, engine_beside

ROWS_READ = 100  # at once; some hold a picture or a piece of a file
SUM_BYTES = 32  # of SHA-256


@dataclass(frozen=True)
class Sum:
    """How many rows a table has, and their checksum in hexadecimal."""

    rows: int
    checksum: str


def stored_engine(url: str) -> Engine:
    """An engine for the database at `url` that gives and takes JSON as the text that it is."""
    return engine_beside(make_url(url), json_serializer=_as_text, json_deserializer=_as_text)


def _as_text(value: str | bytes) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def stored_tables() -> list[Table]:
    """Every table, those that others refer to first, with its columns as they are stored: what is
    encrypted stays so, enums are their text. To be used with `stored_engine`."""
    metadata = MetaData()
    return [
        Table(
            table.name,
            metadata,
            *(
                Column(each.name, stored_type(each.type), primary_key=each.primary_key)
                for each in table.columns
            ),
        )
        for table in Base.metadata.sorted_tables
    ]


def stored_type(declared: TypeEngine[Any]) -> TypeEngine[Any]:
    """What a column of this type is to the database. A moment stays one in UTC on each engine."""
    if isinstance(declared, UtcDateTime):
        return declared
    if isinstance(declared, TypeDecorator):
        return stored_type(declared.impl_instance)
    if isinstance(declared, Enum):
        return String()
    if isinstance(declared, JSON):
        return JSON(none_as_null=True)
    return declared


def read_rows(connection: Connection, table: Table, skip: int = 0) -> Iterator[Row[Any]]:
    """The rows of a stored table in the order of its key, some at a time, after the first `skip`.

    The order of text is the database's own, and may be another one on another engine.
    """
    rows = select(table).order_by(*table.primary_key).offset(skip)
    yield from connection.execute(rows.execution_options(yield_per=ROWS_READ))


def sum_up(connection: Connection, table: Table, seen: Callable[[int], object]) -> Sum:
    """The rows of a stored table, summed up; `seen` is told now and then of how many more.

    A row is spelled as its values in the order of their columns' names, each as a letter for its
    kind and then bytes, after their number in eight bytes: text in UTF-8, whole numbers in
    decimals, a UUID as its 16 bytes, moments in UTC to the microsecond and days as ISO 8601 has
    them, JSON with its names sorted. Its SHA-256 is read as a number, most significant byte
    first, and the checksum is the sum of all of them, modulo 2^256. So it depends neither on the
    engine nor on the order of rows. It finds faults; it is no seal against somebody who looks
    for other rows with the same sum.
    """
    is_json = {each.name for each in table.columns if isinstance(each.type, JSON)}
    places = [(index, each.name) for index, each in enumerate(table.columns)]
    places.sort(key=lambda place: place[1])
    total = count = told = 0
    rows = select(table).execution_options(yield_per=ROWS_READ)
    for count, row in enumerate(connection.execute(rows), 1):
        digest = hashlib.sha256()
        for index, name in places:
            spelled = spell_json(row[index]) if name in is_json else spell(row[index])
            digest.update(len(spelled).to_bytes(8))
            digest.update(spelled)
        total += int.from_bytes(digest.digest())
        if count % ROWS_READ == 0:
            seen(count - told)
            told = count
    seen(count - told)
    return Sum(count, (total % 2 ** (8 * SUM_BYTES)).to_bytes(SUM_BYTES).hex())


SPELLING: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"-",
    bool: lambda value: b"t" if value else b"f",
    int: lambda value: b"i%d" % value,
    str: lambda value: b"s" + value.encode(),
    bytes: lambda value: b"b" + value,
    uuid.UUID: lambda value: b"u" + value.bytes,
    datetime: lambda value: (
        b"m" + value.astimezone(UTC).isoformat(timespec="microseconds").encode()
    ),
    date: lambda value: b"d" + value.isoformat().encode(),
}


def spell(value: Any) -> bytes:
    """One stored value as bytes. Raises KeyError for a kind that no column has."""
    return SPELLING[type(value)](value)


def spell_json(text: str | None) -> bytes:
    """Stored JSON as bytes, however the database has written it."""
    if text is None:
        return spell(None)
    return b"j" + json.dumps(json.loads(text), sort_keys=True).encode()
