"""Errors as programs read them (RFC 9457), at addresses of files rather than of pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException, NotFound

from coalition.web.data import open_data

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 60
NOTHING_LOST = "Nothing is lost."
DETAILS = {
    404: "There is no such file here.",
    405: "Files can only be read: use GET or HEAD.",
    412: "The file is not the one that the request names in its If-headers. Ask for it anew.",
    416: "The file is shorter than the part that was asked for. Content-Range says how long it is.",
    429: "Too many requests came from your network. Wait as long as Retry-After says.",
    503: f"The figures cannot be had just now. {NOTHING_LOST} Ask again in a minute.",
}
REFUSED = "The request cannot be answered as it was sent."
FAILED = f"Something failed at our side. {NOTHING_LOST} Ask again in a minute."


class NoSuchFile(NotFound):
    """There is no file at the address; `members` tell programs what there is."""

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members: Mapping[str, Any] = members


def problem(error: HTTPException) -> Response:
    """The answer for an HTTP error. Reads no database, for it may be what failed."""
    status = error.code or 500
    detail = DETAILS.get(status, FAILED if status >= 500 else REFUSED)
    members: Mapping[str, Any] = {}
    if isinstance(error, NoSuchFile):
        detail, members = error.description or detail, error.members
    body = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
    response = Response(json.dumps({**body, **members}) + "\n", status, content_type=MEDIA_TYPE)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = ", ".join(sorted(value.split(", ")))
        elif name != "Content-Type":
            response.headers[name] = value
    if status in (500, 503):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return open_data(response)
