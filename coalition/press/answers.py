"""How a file is answered for: whole, in part, or that it is still the same (RFC 9110)."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask import Response, request
from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import parse_range_header

from coalition.press.formats import FORMATS

MEDIA_TYPES = {
    **{ending: each.media_type for ending, each in FORMATS.items()},
    "txt": "text/plain; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
}


def answer_file(name: str, content: bytes, since: datetime, cache_control: str) -> Response:
    """A file, or the part of it that was asked for, or that it is still the same."""
    ending = name.rpartition(".")[2]
    response = Response(content, content_type=MEDIA_TYPES[ending])
    response.headers["Cache-Control"] = cache_control
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.last_modified = since.replace(microsecond=0)
    response.accept_ranges = "bytes"
    # Whoever compresses it on the way serves several versions at one address.
    response.vary.add("Accept-Encoding")
    if ending in ("csv", "xlsx"):
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.make_conditional(request)
    if response.status_code == 412:
        raise PreconditionFailed
    if response.status_code == 200 and _asks_for_a_part():
        response.make_conditional(request, accept_ranges=True, complete_length=len(content))
    return response


def _asks_for_a_part() -> bool:
    """Whether one part is asked for. Several at once, other units, and what cannot be read are
    ignored, as a server may (RFC 9110, 14.2)."""
    asked = parse_range_header(request.headers.get("Range"))
    return (
        request.method == "GET"
        and asked is not None
        and asked.units == "bytes"
        and len(asked.ranges) == 1
    )
