"""What is true of all states together: none is forgotten, all are HTML, no two share a title."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from tests.browser import markup
from tests.browser.sites import Sites
from tests.browser.states import PAGES, STATES
from tests.browser.tour import Tour
from tests.browser.visits import visiting
from tests.visitor import visitor_at

# Files, at addresses that have parts to be filled in.
DATA = {"static", "your_signature.download", "supporters.logo", "endorsements.preview", "desk_organisations.logo",
        "press.current", "press.frozen", "charts.chart",
}  # fmt: skip


@pytest.fixture(scope="module")
def faults(tour: Tour, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    sources = {name: seen.source for name, seen in tour.everything().items()}
    return markup.faults_of(sources, tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("name", [state.name for state in STATES])
def test_its_html_is_valid(faults: dict[str, list[str]], name: str) -> None:
    assert faults[name] == []


def test_no_two_pages_share_a_title(tour: Tour) -> None:
    titles = [tour.everything()[path].title for path in PAGES]
    assert sorted(titles) == sorted(set(titles))


# Where somebody may be in need, or is busy with another form, nobody is asked to sign.
NOT_TO_SIGN = {
    "/help", "/supporters/endorse", "/supporters/your-entry", "/supporters/code",
    "/supporters/erased", "/testimonies", "/testimonies/share", "/testimonies/return",
    "/petition/your-signature", "/petition/code", "/petition/erased",
}  # fmt: skip


@pytest.mark.parametrize("path", [path for path in PAGES if path not in NOT_TO_SIGN])
def test_the_way_to_sign_is_never_more_than_one_screen_away(
    browser: Browser, sites: Sites, path: str
) -> None:
    size: ViewportSize = {"width": 390, "height": 844}
    with visiting(browser, sites.main.url, viewport=size) as visit:
        visit.page.goto(path)
        farthest = visit.look("way_to_sign")
    assert farthest <= size["height"], f"it is {farthest} pixels away"


def test_every_page_is_among_the_states(tour: Tour, sites: Sites) -> None:
    app = sites.main.app
    seen = {_endpoint(app, each.url) for each in tour.everything().values()}
    forgotten = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in seen and _is_page(app, rule, sites.main.url)
    ]
    assert forgotten == [], "add them to PAGES or STATES in tests/browser/states.py"


def _endpoint(app: Flask, url: str) -> str:
    """The route that answers at this address; none for a form that came back, or an error."""
    try:
        endpoint, _ = app.url_map.bind("").match(urlsplit(url).path, method="GET")
    except HTTPException:
        return ""
    return str(endpoint)


def _is_page(app: Flask, rule: Rule, url: str) -> bool:
    """Whether a browser that opens the route's address sees HTML. Where the address has parts to
    be filled in, it is taken for a page.
    """
    if "GET" not in (rule.methods or ()) or rule.endpoint in DATA:
        return False
    if rule.arguments:
        return True
    answer = visitor_at(url).get(rule.rule, follow=False)
    return answer.status == 200 and "html" in answer.headers["content-type"]
