"""Tables as files: CSV, JSON, XLSX. The same figures in each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter

from coalition.press.schemas import Column
from coalition.press.tables import Table
from coalition.web.data import cell

# Stands in every download that has a place for it, and in the Data Package.
REPORTING_SAFELY = (
    "Please do not use these figures, alone or together with others, to find out who signed. Some "
    "who did are ill, in distress, or at risk if they are found out."
)
WIDEST = 60  # characters of a spreadsheet's column


@dataclass(frozen=True)
class About:
    """What a file says of itself, apart from its rows."""

    source: str  # the campaign's name
    address: str  # of this very file

    def cite(self, table: Table) -> str:
        """How to cite the file, with the moment that its figures are true of."""
        moment = f", as at {table.as_at:%d %B %Y, %H:%M} UTC" if table.as_at else ""
        return f"{self.source}: {table.schema.title}{moment}. {self.address}"


def plain(value: Any) -> Any:
    """A value as JSON has it, and as Table Schema reads it: dates by ISO 8601, moments in UTC."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _csv_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(plain(value))


def to_csv(table: Table, about: About) -> bytes:
    """By RFC 4180, in UTF-8 without a byte order mark; no cell is taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(each.name for each in table.schema.columns)
    writer.writerows(map(_csv_cell, row) for row in table.rows)
    return buffer.getvalue().encode()


def to_json(table: Table, about: About) -> bytes:
    """Rows as objects, with what they mean."""
    names = [each.name for each in table.schema.columns]
    return as_json(
        {
            "name": table.schema.name,
            "title": table.schema.title,
            "definition": table.schema.about,
            "as_at": plain(table.as_at),
            "source": about.source,
            "address": about.address,
            "cite": about.cite(table),
            "reporting_safely": REPORTING_SAFELY,
            "rows": [dict(zip(names, map(plain, row), strict=True)) for row in table.rows],
        }
    )


def as_json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def to_xlsx(table: Table, about: About) -> bytes:
    """A workbook of two sheets, the figures with a type for each cell, and what they mean. The same
    table gives the same bytes."""
    buffer = io.BytesIO()
    moment = (table.as_at or datetime(2000, 1, 1)).replace(tzinfo=None)  # noqa: DTZ001 (as Excel has it)
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties(
            {"title": table.schema.title, "company": about.source, "created": moment}
        )
        bold = book.add_format({"bold": True})
        formats = {
            "integer": book.add_format({"num_format": "#,##0"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
            "datetime": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet = book.add_worksheet(table.schema.name)
        for place, column in enumerate(table.schema.columns):
            values = [row[place] for row in table.rows]
            sheet.set_column(place, place, _width(column, values))
            sheet.write_string(0, place, column.name, bold)
            for line, value in enumerate(values, 1):
                _write(sheet, line, place, value, formats.get(column.kind))
        sheet.freeze_panes(1, 1)
        _add_about(book, table, about, bold)
    return buffer.getvalue()


def _write(sheet: Any, line: int, place: int, value: Any, form: Any) -> None:
    """Each by the method for its type: none of them takes words for a formula or a link."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value, form)
    elif isinstance(value, int):
        sheet.write_number(line, place, value, form)
    elif isinstance(value, datetime):
        sheet.write_datetime(line, place, value.replace(tzinfo=None), form)
    elif isinstance(value, date):
        sheet.write_datetime(line, place, value, form)
    else:
        sheet.write_string(line, place, value, form)


def _width(column: Column, values: Sequence[Any]) -> int:
    lengths = [len(str(plain(value))) for value in values if value is not None]
    return min(max(len(column.name), *lengths, 0) + 2, WIDEST)


def _add_about(book: Any, table: Table, about: About, bold: Any) -> None:
    sheet = book.add_worksheet("about")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    lines = [
        ("Table", table.schema.title),
        ("Definition", table.schema.about),
        *((each.name, each.about) for each in table.schema.columns),
        ("As at", plain(table.as_at) or ""),
        ("Source", about.source),
        ("Address", about.address),
        ("How to cite", about.cite(table)),
        ("Reporting safely", REPORTING_SAFELY),
    ]
    for line, (name, words) in enumerate(lines):
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, words, wrapped)


@dataclass(frozen=True)
class Format:
    """A kind of file that every table can be had as."""

    media_type: str
    write: Callable[[Table, About], bytes]


FORMATS: Mapping[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", to_csv),
    "json": Format("application/json", to_json),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", to_xlsx),
}
