"""Whole stories, of a signature and of an organisation, told with the keys of a keyboard alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.keyboard import choose, go_to, press, tick, write
from tests.browser.sites import PATIENT
from tests.browser.visits import DESK, PHONE, Visit, visiting
from tests.conftest import Site, serving
from tests.factories import LOGO
from tests.mailbox import Mailbox, link_in

VISITORS: dict[str, dict[str, Any]] = {
    "at a desk": {"viewport": DESK},
    "without JavaScript": {"viewport": DESK, "java_script_enabled": False},
    "on a phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "with twice the text": {"viewport": DESK},
}


@pytest.fixture
def open_site(prepared_sqlite: Path, tmp_path: Path, mailbox: Mailbox) -> Iterator[Site]:
    shutil.copy(prepared_sqlite, tmp_path / "site.db")
    database = f"sqlite:///{tmp_path / 'site.db'}"
    with serving(database, mailbox, tmp_path / "log", **PATIENT) as site:
        yield site


@pytest.fixture(params=VISITORS)
def visit(request: pytest.FixtureRequest, browser: Browser, open_site: Site) -> Iterator[Visit]:
    options = VISITORS[request.param]
    with visiting(browser, open_site.url, reduced_motion="reduce", **options) as here:
        if request.param == "with twice the text":
            here.set_text_size(32)
        yield here


def expect_page(visit: Visit, heading: str) -> None:
    expect(visit.page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))
    # Half of a page, before its styles and letters have come, may be of another width.
    visit.page.wait_for_load_state()
    room = "[document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
    needed, given = visit.page.evaluate(room)
    assert needed <= given, f"{visit.page.url} scrolls sideways"


def expect_count(page: Page, words: str) -> None:
    """The number is brought up to date every second or so; the page is loaded again by hand."""
    for _ in range(30):
        page.goto("/petition")
        said = " ".join(page.locator(".count").inner_text().split())
        if said == words:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"the page says “{said}”, not “{words}”")


def test_signing_and_withdrawing(visit: Visit, mailbox: Mailbox) -> None:
    page, keys = visit.page, visit.page.keyboard
    page.goto("/petition")
    write(page, "Your name", "Zoë Fictional")
    write(page, "Email", "zoe")
    go_to(page.locator("#region"))
    keys.type("Wales")
    go_to(page.locator("#consent"))
    keys.press("Space")
    press(page, "button", "Sign the petition")

    expect(page.get_by_role("alert")).to_be_focused()
    press(page, "link", "Enter an email address in the form name@example.org")
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    keys.press("Shift+Tab")
    keys.press("Tab")
    keys.type("zoe@example.org")
    press(page, "button", "Sign the petition")
    expect_page(visit, "Check your email")

    page.goto(link_in(mailbox.wait_for(1), "confirm"))
    expect_page(visit, "One last step")
    expect(page.get_by_role("main")).to_contain_text("Wales")
    press(page, "button", "Yes, count my signature")
    expect_page(visit, "Your signature is counted")
    private = page.url.replace("counted", "signature")
    expect_count(page, "1 person has signed")

    page.go_back()
    press(page, "link", "Your signature")
    expect_page(visit, "Your signature")
    assert page.url == private
    press(page, "button", "Withdraw my signature")
    expect(page.get_by_role("status")).to_contain_text("Your signature is withdrawn")
    expect_page(visit, "Your signature")
    expect_count(page, "Be among the first to sign.")
    assert visit.complaints == []
    assert visit.failed == []


def test_an_organisation_registers_and_withdraws(
    visit: Visit, open_site: Site, mailbox: Mailbox
) -> None:
    page = visit.page
    page.goto("/supporters")
    press(page, "link", "Add your organisation")
    write(page, "Name of the organisation", "Fictional Friends")
    write(page, "Website optional", "friends.example.org")
    choose(page, "Kind of organisation", "Charity")
    choose(page, "Where it works", "Scotland")
    write(page, "In your own words optional", "We support it.")
    file = {"name": "logo.png", "mimeType": "image/png", "buffer": LOGO}
    page.locator("#logo_file").set_input_files([file])  # type: ignore[list-item]
    press(page, "button", "Check before you send")

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("The logo that you sent")
    write(page, "Your name", "Ada Fictional")
    write(page, "Your role in the organisation", "Chair")
    write(page, "Your email at the organisation", "ada@friends.example.org")
    tick(page, "authority")
    tick(page, "consent")
    press(page, "button", "Check before you send")
    expect_page(visit, "Check what you will send")
    press(page, "button", "Send it")
    expect_page(visit, "Check your email")

    page.goto(link_in(mailbox.wait_for(1), "supporters/confirm"))
    expect_page(visit, "One last step")
    press(page, "button", "Yes, my organisation supports the statement")
    expect(page.get_by_role("status")).to_contain_text("Confirmed. A person reads it now")
    waiting = open_site.command("endorsements", "list").stdout.split()
    shown = open_site.command("endorsements", "show", waiting[0]).stdout
    entry = shown.partition("Entry: ")[2].split()[0]
    approved = open_site.command("endorsements", "approve", waiting[0], "--entry", entry)
    assert approved.returncode == 0

    page.goto(link_in(mailbox.wait_for(2), "supporters/entry"))
    expect_page(visit, "Your organisation’s entry")
    press(page, "link", "as everybody reads it")
    expect_page(visit, "Fictional Friends")
    expect(page.get_by_role("img", name="Logo of Fictional Friends")).to_be_visible()
    page.go_back()
    press(page, "button", "Withdraw our name")
    expect(page.get_by_role("status")).to_contain_text("Withdrawn. A mail says so, too.")
    page.goto("/supporters/fictional-friends")
    expect(page.get_by_role("main")).to_contain_text("Withdrew on")
    assert visit.complaints == []
    assert visit.failed == []
