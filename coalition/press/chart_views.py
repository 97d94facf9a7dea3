"""The charts as files: for pages, for print, and for sharing."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from time import monotonic

from flask import Blueprint, Response, abort, current_app
from sqlalchemy.exc import SQLAlchemyError

from coalition import clock
from coalition.db import db
from coalition.press.answers import answer_file
from coalition.press.charts import HEIGHT, SHARED_HEIGHT, Chart
from coalition.press.figures import CHARTS
from coalition.replica import read_from_replica
from coalition.statements.queries import NoCampaign
from coalition.web.access import Access, open_to
from coalition.web.data import open_data
from coalition.web.problems import NoSuchFile

blueprint = Blueprint("charts", __name__)
REMEMBERED = 60.0  # seconds for which a process does not ask for the figures again
KEPT_FOR = 600  # seconds: they change once a day
ENDINGS = ("svg", "png")
SIZES = {"": HEIGHT, "-shared": SHARED_HEIGHT}
_NAME = re.compile(r"([a-z]{1,20})(-shared)?", re.ASCII)


@blueprint.get("/press/charts/<name>.<ending>")
@open_to(Access.PUBLIC)
def chart(name: str, ending: str) -> Response:
    """One chart; that whose name ends in -shared has the size of a picture beside a link."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] not in CHARTS or ending not in ENDINGS:
        files = [
            f"/press/charts/{each}{size}.{end}"
            for each in CHARTS
            for size in SIZES
            for end in ENDINGS
        ]
        raise NoSuchFile("There is no such chart.", files=files)
    try:
        figures, since = _remembered(found[1])
    except NoCampaign:
        abort(503)
    from coalition.press.drawing import draw  # noqa: PLC0415 (it takes long, and few ask for it)

    content = draw(figures, ending, SIZES[found[2] or ""])
    response = answer_file(f"{name}.{ending}", content, since, f"public, max-age={KEPT_FOR}")
    # Opened by itself, an SVG can do nothing: its own styles are all that it needs.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return open_data(response)


def _remembered(name: str) -> tuple[Chart, datetime]:
    """The figures of a chart, asked for at most REMEMBERED seconds ago, and since when this process
    knows them to be so. While the database is away the last ones stay good."""
    memory: dict[str, tuple[Chart, datetime, float]]
    memory = current_app.extensions.setdefault("charts", {})
    known = memory.get(name)
    if known and monotonic() - known[2] <= REMEMBERED:
        return known[:2]
    now = clock.utc_now()
    try:
        figures = read_from_replica(db.session(), partial(CHARTS[name], db.session(), now))
    except SQLAlchemyError:
        db.session.rollback()
        return known[:2] if known else abort(503)
    since = known[1] if known and known[0] == figures else now
    memory[name] = (figures, since, monotonic())
    return figures, since
