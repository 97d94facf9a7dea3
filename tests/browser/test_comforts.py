"""What scripts add to pages that work without them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.sites import Place, Sites
from tests.browser.visits import visiting
from tests.visitor import visitor_at

NEUTRAL = "https://www.bbc.co.uk/weather"  # campaign/campaign.toml, leave_to


@pytest.fixture
def page(browser: Browser, sites: Sites) -> Iterator[Page]:
    def show_the_weather(route: Route) -> None:
        route.fulfill(body="Rain", content_type="text/plain")

    with visiting(browser, sites.main.url) as visit:
        visit.page.context.route(f"{NEUTRAL}**", show_the_weather)
        yield visit.page


@pytest.mark.parametrize("path", ["/", "/statement", "/petition/your-signature"])
def test_shift_three_times_leaves_the_site(page: Page, path: str) -> None:
    page.goto(path)
    page.keyboard.press("Shift")
    expect(page.get_by_role("status")).to_have_text("Press Shift 2 more times to leave this site.")
    page.keyboard.press("Shift")
    expect(page.get_by_role("status")).to_have_text("Press Shift 1 more time to leave this site.")
    page.keyboard.press("Shift")
    page.wait_for_url(f"{NEUTRAL}**")
    # Not back to the page at one press: it was replaced.
    assert page.evaluate("history.length") <= 2


def test_capitals_and_a_pause_do_not_leave_the_site(page: Page) -> None:
    page.clock.install()
    page.goto("/petition")
    page.locator("#name").focus()
    page.keyboard.type("AB CD")
    for _ in range(2):
        page.keyboard.press("Shift")
    page.clock.run_for(6_000)
    page.keyboard.press("Shift")
    expect(page.get_by_role("status")).to_have_text("Press Shift 2 more times to leave this site.")
    assert page.url.endswith("/petition")


def counted(place: Place, signatures: int) -> None:
    """Count so many more, and wait until the site says so."""
    before = _count(place)
    for _ in range(signatures):
        place.signature()
    deadline = time.monotonic() + 20
    while _count(place) < before + signatures:
        assert time.monotonic() < deadline, "the worker did not count"
        time.sleep(0.2)


def _count(place: Place) -> int:
    count = visitor_at(place.url).get("/petition/count.json").text
    return int(json.loads(count)["count"])


def test_the_count_goes_on_while_the_page_is_open(page: Page, sites: Sites) -> None:
    counted(sites.main, 2)
    page.clock.install()
    page.goto("/petition")
    numeral = page.locator("[data-count]")
    before = int(numeral.inner_text().replace(",", ""))
    counted(sites.main, 3)
    assert int(numeral.inner_text().replace(",", "")) == before
    page.clock.run_for(75_000)
    expect(numeral).to_have_text(f"{_count(sites.main):,}")
    assert page.locator("[data-counted-at]").get_attribute("datetime").endswith("Z")  # type: ignore[union-attr]
