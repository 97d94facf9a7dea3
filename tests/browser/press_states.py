"""How newspapers come to figures and releases, and what the press office does."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page

from coalition import clock
from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.statements.actions import publish_texts
from coalition.statements.queries import current_campaign, forget_campaign
from tests.browser.desk import at_desk
from tests.browser.sites import Place, Sites
from tests.browser.state import State, wrong
from tests.browser.ways import Way, press
from tests.conftest import ROOT

SLUG = "under-embargo"
RELEASE = """
[[releases]]
slug = "{slug}"
embargo = {embargo}
title = "A fictional release, with a title that is as long as such titles are"
summary = "What it is about, in one sentence."
text = "The words of it."
"""


def await_release(place: Place) -> None:
    """A release whose embargo ends in a month. The site's processes see it within seconds."""
    with place.app.app_context():
        forget_campaign()
        if current_campaign().press.find_release(SLUG):
            return
        until = (clock.utc_now() + timedelta(days=30)).replace(microsecond=0).isoformat()
        text = (ROOT / "campaign" / "press.toml").read_text()
        with transaction() as session:
            new = text + RELEASE.format(slug=SLUG, embargo=until)
            publish_texts(session, {"press": new}, actor="test", now=clock.utc_now())


def see_figures(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.counted.url}/press")


def see_the_table(page: Page, sites: Sites) -> None:
    see_figures(page, sites)
    page.locator("summary", has_text="Nations and regions as a table").click()
    page.locator("summary", has_text="The last 14 days as a table").click()


def at_the_press_desk(page: Page, sites: Sites) -> None:
    await_release(sites.main)
    at_desk("/desk/press", Role.PRESS)(page, sites)
    for _ in range(50):
        if page.get_by_label("Which release").count():
            return
        page.wait_for_timeout(200)
        page.reload()


def make_link(newsroom: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        at_the_press_desk(page, sites)
        page.get_by_label("For which newsroom").fill(newsroom)
        press(page, "Make a link")

    return way


def open_the_link(page: Page, sites: Sites) -> None:
    make_link("The Fictional Times")(page, sites)
    link = page.get_by_label("To copy").input_value()
    page.context.clear_cookies()
    page.goto(f"{sites.main.url}/press/embargo/{link.rpartition('/')[2]}")


PRESS_STATES = [
    State("press: figures", see_figures, "people had signed at the end of"),
    State("press: table", see_the_table, "Yorkshire"),
    State("press: embargo", open_the_link, "Under embargo until"),
    State("desk press", at_the_press_desk, "A link for a newsroom"),
    wrong("desk press: nobody", make_link(" "), "Name the newsroom"),
    State("desk press: link", make_link("The Fictional Times"), "written to the log"),
]
