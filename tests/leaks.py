"""Looking for what must not be there: in every place where a site leaves something, byte by byte,
in whatever way it may be written."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from sqlalchemy import MetaData, create_engine


def spellings(mark: str) -> Iterator[bytes]:
    """The ways in which a mark may stand in a file: as it is, as addresses, pages, JSON and other
    systems write it, in hexadecimal, in base64 wherever it begins in the encoded text."""
    data = mark.encode()
    yield from (data, data.hex().encode(), mark.encode("utf-16-le"), mark.encode("utf-16-be"))
    yield from (each.encode() for each in (quote(mark, safe=""), quote_plus(mark)))
    yield from (each.encode() for each in (html.escape(mark), json.dumps(mark)[1:-1]))
    yield data.decode().encode("ascii", "backslashreplace")
    for before in range(3):
        # What depends on the bytes around the mark is cut off at either end.
        encoded = base64.b64encode(bytes(before) + data)
        first = (0, 2, 3)[before]
        whole = encoded[first : (before + len(data)) * 8 // 6]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")


@dataclass
class Marks:
    """What can be recognised: a string, and what it is."""

    known: dict[str, str] = field(default_factory=dict)

    def add(self, mark: str, what: str) -> str:
        assert len(mark) >= 6, f"{mark!r} may stand somewhere by chance"
        self.known[mark] = what
        return mark

    def found_in(self, content: bytes, *, except_for: Iterable[str] = ()) -> list[str]:
        """What each mark in `content` is, in any spelling and any case."""
        lower, known_here = content.lower(), set(except_for)
        return [
            f"{what}: {mark}"
            for mark, what in self.known.items()
            if mark not in known_here
            and any(each in content or each.lower() in lower for each in spellings(mark))
        ]


def columns_of(database_url: str) -> Mapping[str, bytes]:
    """Everything that a database holds, by column."""
    engine = create_engine(database_url)
    tables = MetaData()
    tables.reflect(engine)
    found: dict[str, list[bytes]] = {}
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table.name}"').mappings():
                for name, value in row.items():
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    found.setdefault(f"{table.name}.{name}", []).append(raw)
    engine.dispose()
    return {column: b"\n".join(values) for column, values in found.items()}
