"""Databases to copy: a row in every table, and all rows told as they are stored."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Enum,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    insert,
    select,
)
from sqlalchemy.types import TypeEngine

from coalition.db import Base, UtcDateTime
from coalition.stored import stored_engine, stored_tables, stored_type

# What a constraint of the table asks for.
CONSTRAINED: dict[str, dict[str, Any]] = {
    "network_rules": {"limits": None},
    "testimony_editions": {"second_by": None},
    "published_testimonies": {"is_public": False},
}


VALUES: dict[type[TypeEngine[Any]], Any] = {
    UtcDateTime: datetime(2026, 7, 1, 23, 59, 59, 123456, UTC),
    Date: date(2026, 2, 28),
    Boolean: True,
    Uuid: uuid.UUID(int=2**127 + 7),
    JSON: '{"Zoë": null, "a": 1.5}',
    LargeBinary: b"\x00\xff'\\ no text",
    Integer: 7,
    BigInteger: 2**40,
}
TEXT = "Zoë 🙂\n'\\x00"


def _value(column: Column[Any]) -> Any:
    if isinstance(column.type, Enum):
        return column.type.enums[-1]
    kind = stored_type(column.type)
    return TEXT[: kind.length] if isinstance(kind, String) else VALUES[type(kind)]


def _row(table: Table, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    values = {}
    for column in table.columns:
        values[column.name] = _value(column)
        for key in column.foreign_keys:
            values[column.name] = made[key.column.table.name][key.column.name]
    return {**values, **CONSTRAINED.get(table.name, {})}


def fill_every_table(url: str) -> None:
    """Put a row into every table that has none."""
    engine = stored_engine(url)
    made: dict[str, dict[str, Any]] = {}
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for stored in stored_tables():
            found = connection.execute(select(stored)).first()
            if found is None:
                row = _row(Base.metadata.tables[stored.name], made)
                connection.execute(insert(stored), row)
                found = connection.execute(select(stored)).first()
            assert found is not None
            made[stored.name] = dict(found._mapping)


def all_rows(url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of every table as it is stored, however often it is there."""
    with stored_engine(url).connect() as connection:
        return {
            table.name: Counter(tuple(row) for row in connection.execute(select(table)))
            for table in stored_tables()
        }
