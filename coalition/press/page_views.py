"""The pages for newspapers: figures, charts, words, releases, and how the figures are made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.db import db
from coalition.mail.private_links import LINK_LIFETIME
from coalition.petition.models import UNVERIFIED_LIFETIME
from coalition.petition.tally import SETTLED
from coalition.press import queries, tables
from coalition.press.charts import Chart
from coalition.press.disclosure import RULE
from coalition.press.figures import CHARTS
from coalition.press.formats import REPORTING_SAFELY
from coalition.press.schemas import MEASURES, SCHEMAS
from coalition.statements import embargo
from coalition.statements.queries import current_campaign
from coalition.web.access import Access, open_to
from coalition.web.caching import PAGE_SECONDS, public_page
from coalition.web.filters import long_date, number

blueprint = Blueprint("press_pages", __name__, url_prefix="/press")
NEWEST_DAYS = 14  # that the page shows as a table
NEWEST = 5  # weeks of frozen copies that the page names; a list has all


def page_context(now: datetime) -> dict[str, Any]:
    """What the press page shows beside the campaign's own words."""
    session = db.session()
    found = tables.headline(session, now).values()
    charts = {name: make(session, now) for name, make in CHARTS.items()}
    return {
        "measures": [
            (MEASURES[name][0], value, as_at, MEASURES[name][1])
            for name, (value, as_at) in found.items()
        ],
        "charts": list(charts.items()),
        "days": _newest_days(charts["daily"], charts["total"]),
        "regions": _by_region(charts["regions"]),
        "frozen": queries.releases(session)[:NEWEST],
        "schemas": SCHEMAS.values(),
        "release_list": current_campaign().press.releases_out(now),
        "not_to_be_found": REPORTING_SAFELY,
    }


def _newest_days(changes: Chart, totals: Chart) -> list[tuple[str, str, str]]:
    """Day, change and total, the newest first."""
    rows: list[tuple[Any, ...]] = list(
        zip(changes.labels, changes.numbers, totals.numbers, strict=True)
    )
    return [
        (long_date(day), number(change), number(total))
        for day, change, total in rows[: -NEWEST_DAYS - 1 : -1]
    ]


def _by_region(chart: Chart) -> list[tuple[str, str]]:
    return [
        (str(name), chart.suppressed if figure is None else number(figure))
        for name, figure in zip(chart.labels, chart.numbers, strict=True)
    ]


@blueprint.get("")
@open_to(Access.PUBLIC)
@public_page
def press() -> str:
    return render_template("press/press.html", **page_context(clock.utc_now()))


@blueprint.get("/methodology")
@open_to(Access.PUBLIC)
@public_page
def methodology() -> str:
    """How the figures are made: each number on it is the one that the code uses."""
    return render_template(
        "press/methodology.html",
        rule=RULE,
        link_days=LINK_LIFETIME.days,
        unverified_days=UNVERIFIED_LIFETIME.days,
        page_seconds=PAGE_SECONDS,
        settled_minutes=int(SETTLED.total_seconds() / 60),
    )


@blueprint.get("/releases/<slug>")
@open_to(Access.PUBLIC)
@public_page
def release(slug: str) -> str:
    """A press release that is out. One under embargo is not there."""
    found = current_campaign().press.find_release(slug)
    if found is None or not found.is_out(clock.utc_now()):
        abort(404)
    return render_template("press/release.html", release=found, is_out=True)


@blueprint.get("/embargo/<token>")
@open_to(Access.TOKEN)
def under_embargo(token: str) -> str | BaseResponse:
    """The same before its embargo ends, for whoever has been given the link."""
    now = clock.utc_now()
    found = embargo.read_link(token, now)
    if found is None:
        abort(404)
    if found.is_out(now):
        return redirect(url_for("press_pages.release", slug=found.slug), 303)
    return render_template("press/release.html", release=found, is_out=False)
