"""The whole story of a testimony: told, edited, read by a second person, changed as its writer asks,
published, and taken back; in real browsers, by the keys of a keyboard alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from coalition.accounts.models import Role
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.settings import Settings
from coalition.testimonies.models import Testimony
from tests.browser.desk import arrive
from tests.browser.keyboard import choose, go_to, press, tick, write
from tests.browser.sites import PATIENT, Place
from tests.browser.visits import PHONE, visiting
from tests.conftest import serving
from tests.desking import make_moderator
from tests.mailbox import Mailbox
from tests.telling import open_the_form
from tests.visitor import visitor_at

TEXT = "They came at night. Officer Fictional stayed with me. I had asked for a nurse."
# OWASP Password Storage Cheat Sheet: Argon2id of 19 MiB, two passes, one lane.
SLOW_TO_GUESS = "$argon2id$v=19$m=19456,t=2,p=1$"
SUMMARY = "Somebody asked for a nurse, and police came."


@pytest.fixture
def place(database_url: str, mailbox: Mailbox, tmp_path: Path) -> Iterator[Place]:
    """A running site whose campaign has set its emergency rule."""
    with serving(database_url, mailbox, tmp_path / "log", **PATIENT) as site:
        app = create_app(Settings.from_environment(site.environment))
        open_the_form(app)
        while "Not open yet" in visitor_at(site.url).get("/testimonies/share").text:
            time.sleep(0.1)
        yield Place(site.url, app)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def reading(browser: Browser, place: Place, name: str, *, scripts: bool) -> Iterator[Page]:
    """A moderator at the desk, who has taken what waits."""
    who = make_moderator(place.app, Role.MODERATOR, name=name)
    with visiting(browser, place.url, java_script_enabled=scripts) as visit:
        arrive(visit.page, place, who)
        take(visit.page)
        yield visit.page
        assert visit.complaints == []
        assert visit.failed == []


def take(page: Page) -> None:
    page.goto("/desk/testimonies")
    go_to(page.get_by_role("button", name="Take it"))
    page.keyboard.press("Enter")


def tell(page: Page) -> str:
    """Returns the receipt code."""
    page.goto("/testimonies/share")
    press(page, "button", "Begin to write")
    go_to(page.locator("#text"))
    page.keyboard.type(TEXT)
    press(page, "button", "Go on")
    choose(page, "What may we do with it?", "Publish it without a name")
    press(page, "button", "Look at it once more")
    expect(page.get_by_role("alert")).to_be_focused()
    tick(page, "consent")
    press(page, "button", "Look at it once more")
    expect(page.get_by_role("main")).to_contain_text("Officer Fictional")
    press(page, "button", "Send it")
    return page.locator(".receipt").inner_text()


def kept_of_code(place: Place) -> str:
    """The hash of the only receipt code."""
    with place.app.app_context(), transaction() as session:
        return session.scalars(select(Testimony.code_hash)).one()


def come_back(page: Page, code: str) -> None:
    page.goto("/testimonies/return")
    write(page, "Your code", code)
    press(page, "button", "Open it")
    expect(page.get_by_role("heading", level=1)).to_have_text("What you told")


def take_out_a_name(page: Page) -> None:
    """Two words: the first with Space, the next one with Shift and an arrow, where scripts run."""
    press(page, "link", "Take words out")
    words = page.locator(".word input")
    go_to(words.nth(4))
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("2 words are ticked.")).to_be_visible()
    go_to(page.get_by_role("button", name="Take it out as a name"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Taken out. 1 place is out in all.")


def take_out_where(page: Page) -> None:
    """Word by word, as without scripts."""
    press(page, "link", "Take words out")
    for name in ("at", "night"):
        go_to(page.get_by_role("checkbox", name=name, exact=True))
        page.keyboard.press("Space")
    go_to(page.get_by_role("button", name="Take it out as a date"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Taken out. 2 places are out in all.")


def tick_all(page: Page) -> None:
    boxes = page.locator("[name=clear]")
    for number in range(boxes.count()):
        go_to(boxes.nth(number))
        page.keyboard.press("Space")


def hand_on(page: Page) -> None:
    press(page, "link", "title and summary")
    if not page.get_by_label("Summary").input_value():
        choose(page, "Title: what it describes above all", "describes restraint by police")
        write(page, "Summary", SUMMARY)
    press(page, "button", "Save, and see the page")
    expect(page.get_by_role("region", name="As the public reads it")).not_to_contain_text("Officer")
    press(page, "link", "the checklist")
    press(page, "button", "Hand it on to a second reader")
    expect(page.get_by_role("alert")).to_be_focused()
    tick_all(page)
    press(page, "button", "Hand it on to a second reader")
    expect(page.get_by_role("status")).to_contain_text("waits for a second reader")


def approve(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Second reading")
    press(page, "link", "Read the first passage")
    expect(page.locator(".passage")).to_contain_text("[name taken out] stayed")
    assert "Officer" not in page.content()
    tick_all(page)
    press(page, "button", "Approve it, and ask its writer")
    expect(page.get_by_role("status")).to_contain_text("Its writer is asked now")


def test_told_without_scripts_published_by_two_and_taken_back(
    browser: Browser, place: Place
) -> None:
    with visiting(browser, place.url, java_script_enabled=False, viewport=PHONE) as visit:
        writer = visit.page
        code = tell(writer)
        assert kept_of_code(place).startswith(SLOW_TO_GUESS)

        with reading(browser, place, "Mo Fictional", scripts=True) as first:
            take_out_a_name(first)
            hand_on(first)
        with reading(browser, place, "Flo Fictional", scripts=False) as second:
            approve(second)

        come_back(writer, code)
        edited = writer.get_by_role("region", name="As it would be published")
        expect(edited).to_contain_text("They came at night. [name taken out] stayed")
        go_to(writer.locator("#words"))
        writer.keyboard.type("Please take the night out.")
        press(writer, "button", "Ask for it")

        with reading(browser, place, "Jo Fictional", scripts=False) as third:
            expect(third.get_by_role("main")).to_contain_text("Please take the night out.")
            take_out_where(third)
            hand_on(third)
        with reading(browser, place, "Flo Fictional", scripts=True) as second:
            approve(second)

        come_back(writer, code)
        expect(edited).to_contain_text("They came [date taken out]. [name taken out] stayed")
        press(writer, "button", "Yes, publish it so")
        expect(writer.get_by_role("main")).to_contain_text("It is published.")

        with visiting(browser, place.url) as anybody:
            public = anybody.page
            public.goto("/testimonies")
            go_to(public.get_by_role("link", name=re.compile("this account.*Describes")))
            public.keyboard.press("Enter")
            go_to(public.get_by_text("Read this account"))
            public.keyboard.press("Enter")
            expect(public.get_by_role("article")).to_contain_text("I had asked for a nurse.")
            assert "Officer" not in public.content()

            come_back(writer, code)
            press(writer, "button", "Withdraw it")
            expect(writer.get_by_role("main")).to_contain_text("You have withdrawn it.")
            answer = public.reload()
            assert answer
            assert answer.status == 410
            assert "nurse" not in public.content()
            public.go_back()
            public.reload()
            expect(public.get_by_role("main")).not_to_contain_text("restraint by police")
        assert visit.failed == []
