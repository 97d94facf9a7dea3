"""A text is written, looked at, compared and published, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from coalition.accounts.models import Role
from tests.browser.desk import arrive
from tests.browser.sites import Sites
from tests.browser.visits import visiting
from tests.desking import make_moderator


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_text_is_written_looked_at_and_published(
    browser: Browser, sites: Sites, scripts: bool
) -> None:
    words = f"Said with scripts: {scripts}."
    place = sites.desk
    with visiting(browser, place.url, java_script_enabled=scripts) as visit:
        page = visit.page
        arrive(page, place, make_moderator(place.app, Role.EDITOR))
        page.goto("/desk")
        page.get_by_role("link", name="Texts").click()
        page.get_by_role("link", name="Reasons, on the front page", exact=True).click()
        page.get_by_label("The text").fill(f"{words}\n\n- A point.")
        page.get_by_role("button", name="Save and see it as readers will").click()
        expect(page.get_by_text("This is a preview.")).to_be_visible()
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("button", name="Sign the petition")).to_be_disabled()
        page.get_by_role("link", name="compare and publish").click()
        page.get_by_role("button", name="Publish version").click()
        expect(
            page.get_by_text("Say what changed: readers see it in the history").first
        ).to_be_visible()
        page.get_by_label("What changed").fill("It is shorter.")
        page.get_by_role("button", name="Publish version").click()
        expect(page.get_by_text("is public now.")).to_be_visible()
        page.goto("/")
        expect(page.get_by_text(words)).to_be_visible()
