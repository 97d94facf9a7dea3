"""Public figures and lists in forms that other software reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
# Some take the wide forms of East Asian type for the same signs.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

PIECE = 64 * 1024  # characters of a long file that are sent at once


def open_data(response: Response) -> Response:
    """Let any page of any site read the answer."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def csv_response(rows: Sequence[dict[str, Any]], filename: str) -> Response:
    """`rows`, which all have the same keys, as CSV (RFC 4180) in UTF-8, the keys on top."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
        writer.writerows([cell(value) for value in row.values()] for row in rows)
    response = Response(buffer.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def csv_stream(columns: Sequence[str], rows: Iterable[Sequence[Any]], filename: str) -> Response:
    """`rows` as CSV, sent while they are read, so that any number takes no more memory."""

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell(value) for value in row])
            if buffer.tell() > PIECE:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def cell(value: Any) -> str:
    """`value` as a cell of a CSV file that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = str(value)
    if isinstance(value, str) and words.startswith(FORMULA_STARTS):
        return f"'{words}"
    return words
