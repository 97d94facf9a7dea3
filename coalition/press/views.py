"""The files of figures, as they are now and as they were frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from importlib.metadata import version
from time import monotonic
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from coalition import clock
from coalition.db import db
from coalition.press import queries
from coalition.press.answers import answer_file
from coalition.press.formats import FORMATS, About, as_json
from coalition.press.packages import PACKAGE, Publisher, data_package, open_api, release_list
from coalition.press.schemas import SCHEMAS
from coalition.press.tables import TABLES
from coalition.replica import read_from_replica
from coalition.statements.queries import NoCampaign, current_campaign
from coalition.web.access import Access, open_to
from coalition.web.caching import PAGE_SECONDS, STALE_SECONDS
from coalition.web.data import open_data
from coalition.web.headers import ONE_YEAR
from coalition.web.problems import NoSuchFile

blueprint = Blueprint("press", __name__)
JSON = "application/json"
REMEMBERED = 2.0  # seconds for which a process does not make a file again
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAME = re.compile(r"[a-z0-9]{1,30}\.[a-z]{1,9}", re.ASCII)
# What a page of another site may send and read beside the plain (Fetch, "CORS protocol").
CORS = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-Match, If-Modified-Since, If-None-Match, If-Range, "
    "If-Unmodified-Since, Range",
    "Access-Control-Max-Age": "86400",
}
EXPOSED = "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag"


def is_file_path(path: str) -> bool:
    """Whether this is the address of a file of figures, so that errors are for programs.

    Files have in their names what pages have not: a dot. It is looked for without an expression
    that could be made to try each dot of a long address again and again.
    """
    name = path.rpartition("/")[2]
    return (
        path.startswith("/press/") and not path.startswith("/press/embargo/") and "." in name[1:-1]
    )


@dataclass(frozen=True)
class _File:
    """A file as it was made last, and since when this process knows it to be so."""

    content: bytes
    since: datetime
    asked_at: float


@blueprint.get("/press/<name>.<ending>")
@open_to(Access.PUBLIC)
def current(name: str, ending: str) -> Response:
    """A table, or what tells of the tables, as it is now."""
    file = f"{name}.{ending}"
    make = _maker(file)
    if make is None:
        raise _no_such_table(name)
    try:
        found = _remembered(file, make)
    except NoCampaign:
        abort(503)
    kept = f"public, max-age={PAGE_SECONDS}, stale-while-revalidate={STALE_SECONDS}"
    return answer_file(file, found.content, found.since, kept)


def _maker(file: str) -> Callable[[datetime], bytes] | None:
    """What makes the file with this name; None where there is none."""
    if file in _TELLING:
        return _TELLING[file]
    name, _, ending = file.partition(".")
    if name not in TABLES or ending not in FORMATS:
        return None

    def make(now: datetime) -> bytes:
        table = TABLES[name](db.session(), now)
        about = About(current_campaign().details.name, f"{_site()}/press/{file}")
        return FORMATS[ending].write(table, about)

    return make


def _no_such_table(name: str) -> NoSuchFile:
    if name in TABLES:
        formats = [f"/press/{name}.{each}" for each in FORMATS]
        return NoSuchFile("These figures cannot be had in this format.", formats=formats)
    files = [f"/press/{each}.csv" for each in TABLES] + [f"/press/{each}" for each in _TELLING]
    return NoSuchFile("There are no figures of this name.", files=files)


def _site() -> str:
    return str(current_app.config["SITE_URL"])


def _publisher() -> Publisher:
    details = current_campaign().details
    return Publisher(details.name, details.contact, _site())


def _package(now: datetime) -> bytes:
    return as_json(data_package(list(SCHEMAS.values()), _publisher()))


def _open_api(now: datetime) -> bytes:
    return as_json(open_api(_publisher(), version=version("coalition")))


def _releases(now: datetime) -> bytes:
    return as_json(release_list(queries.releases(db.session()), f"{_site()}/press/releases"))


_TELLING: Mapping[str, Callable[[datetime], bytes]] = {
    PACKAGE: _package,
    "openapi.json": _open_api,
    "releases.json": _releases,
}


def _remembered(file: str, make: Callable[[datetime], bytes]) -> _File:
    """The file, made at most REMEMBERED seconds ago.

    While the database is away the last one stays good: it says as at when it was true. Answers
    503 where there is none yet.
    """
    memory: dict[str, _File] = current_app.extensions.setdefault("press", {})
    known = memory.get(file)
    if known and monotonic() - known.asked_at <= REMEMBERED:
        return known
    now = clock.utc_now()
    try:
        content = read_from_replica(db.session(), partial(make, now))
    except SQLAlchemyError:
        db.session.rollback()
        return known or abort(503)
    is_same = known is not None and known.content == content
    since = known.since if known and is_same else now
    memory[file] = _File(content, since, monotonic())
    return memory[file]


@blueprint.get("/press/releases/<day>/<name>")
@open_to(Access.PUBLIC)
def frozen(day: str, name: str) -> Response:
    """A copy that was frozen on a Monday."""
    try:
        return _frozen(day, name)
    except SQLAlchemyError:
        db.session.rollback()
        abort(503)


def _frozen(day: str, name: str) -> Response:
    session = db.session()
    release = queries.find_release(session, _monday(day))
    if release is None:
        raise _no_such_release(_monday(day))
    file = queries.find_file(session, release.day, name) if _NAME.fullmatch(name) else None
    if file is None:
        (line,) = [each for each in queries.releases(session) if each.day == release.day]
        raise NoSuchFile(
            "The copies of this day hold no such file.",
            files=[f"/press/releases/{day}/{each.name}" for each in line.files],
        )
    return answer_file(
        name, file.content, release.made_at, f"public, max-age={ONE_YEAR}, immutable"
    )


def _monday(day: str) -> date:
    """The date that was asked for. Raises NoSuchFile where it is none."""
    try:
        if _DAY.fullmatch(day):
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise NoSuchFile(
        "This is not a date: write the year, the month and the day, as in 2026-11-23.",
        **_range(),
    )


def _no_such_release(day: date) -> NoSuchFile:
    first, last = queries.first_and_last_release(db.session())
    if first is None or last is None:
        words = "Nothing was frozen yet: that happens on Mondays."
    elif day < first:
        words = "This is before the first copies."
    elif day > clock.utc_now().date():
        words = "This day has not come yet."
    elif day > last:
        words = "No copies were frozen on this day yet: that happens on Mondays."
    else:
        words = "No copies were frozen on this day: that happens on Mondays."
    return NoSuchFile(words, **_range())


def _range() -> dict[str, Any]:
    """What copies there are, for those who asked for others."""
    first, last = queries.first_and_last_release(db.session())
    return {
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
        "list": "/press/releases.json",
    }


@blueprint.after_request
def let_everybody_read(response: Response) -> Response:
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        response.headers.extend(CORS)
    return open_data(response)
