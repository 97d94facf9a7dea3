"""How a reader comes to what is published of testimonies."""

from __future__ import annotations

from playwright.sync_api import Page

from coalition import clock
from coalition.db import transaction
from coalition.testimonies import actions
from coalition.testimonies.choices import Use
from tests.browser.sites import Place, Sites
from tests.browser.ways import Way
from tests.telling import publish, told

MOST = 11  # one more than stands on a page
_published: dict[str, list[str]] = {}


def _some(place: Place) -> list[str]:
    """So many that they take two pages, one of them under a name and in another script."""
    if place.url not in _published:
        with place.app.app_context():
            first = told(use=Use.PUBLISH_NAMED, name="ليلى")
        chosen = [first] + [None] * (MOST - 1)
        _published[place.url] = [publish(place.app, what)[1] for what in chosen]
    return _published[place.url]


def read_list(query: str = "") -> Way:
    def way(page: Page, sites: Sites) -> None:
        _some(sites.main)
        page.goto(f"/testimonies{query}")

    return way


def read_one(page: Page, sites: Sites) -> None:
    page.goto(f"/testimonies/{_some(sites.main)[0]}")


def open_one(page: Page, sites: Sites) -> None:
    read_one(page, sites)
    page.get_by_text("Read this account").click()


def read_what_was_taken_back(page: Page, sites: Sites) -> None:
    ticket, slug = publish(sites.main.app)
    with sites.main.app.app_context(), transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=clock.utc_now())
    page.goto(f"/testimonies/{slug}")
