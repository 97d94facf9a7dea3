"""Log lines: for people as text, for programs as JSON; nothing of anybody in either.

Whoever logs names kinds and places, never what somebody typed. What other libraries log of an
error is held to that here: its kind and where it happened, without its text.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from coalition.web.watch import ACCESS_LOGGER, request_id

LOG_FORMAT_VARIABLE = "COALITION_LOG_FORMAT"  # read before the settings, which may be wrong
# The web server writes its own lines by ours. It logs no request: that would hold addresses of
# visitors and private links.
SERVER_LOGGERS: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}

_Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def places(traceback: TracebackType | None) -> str:
    """Where an error happened, the innermost place first."""
    found = []
    while traceback:
        code = traceback.tb_frame.f_code
        found.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return " < ".join(found[::-1])


class TextFormatter(logging.Formatter):
    """One line for people, with the number of the request in brackets where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(number)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        number = request_id()
        record.number = f" [{number}]" if number else ""
        return super().format(record)

    def formatException(self, ei: _Error) -> str:  # noqa: N802 (the library's name)
        return f"{ei[0].__name__ if ei[0] else 'nothing'} at {places(ei[2])}"


class JsonFormatter(TextFormatter):
    """One object a line: time, level, logger, message, and of a request its number."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        number = request_id()
        if number:
            line["request_id"] = number
        line.update(getattr(record, "request", {}))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up_logs(log_format: str | None) -> None:
    """Write this process's log to the standard error, as `log_format` says ("text" if None).

    An unknown format is text: the settings refuse it in a moment.
    """
    is_json = (log_format or "").strip() == "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if is_json else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(is_json)
    logging.getLogger(ACCESS_LOGGER).setLevel(logging.INFO if is_json else logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
