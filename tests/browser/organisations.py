"""How the contact of an organisation comes to each state of a page."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from playwright.sync_api import Page

from coalition.endorsements.models import EndorsementStatus
from coalition.mail.private_links import Purpose
from tests.browser.sites import Place, Sites
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, an_address, press
from tests.factories import LOGO

State = EndorsementStatus
NAME = "The Fictional Friends of Nowhere"
PATHS = {
    Purpose.ENDORSE_CONFIRM: "/supporters/confirm/",
    Purpose.ENDORSE_DISOWN: "/supporters/not-me/",
    Purpose.ENDORSE_MANAGE: "/supporters/entry/",
    Purpose.CHANGE_OLD: "/supporters/change/",
    Purpose.CHANGE_NEW: "/supporters/change/",
}
Answer = str | bool | bytes


def fill(page: Page, answers: dict[str, Answer]) -> None:
    for name, answer in answers.items():
        place = page.locator(f"main [name={name}]")
        if isinstance(answer, bytes):
            file = {"name": "logo.png", "mimeType": "image/png", "buffer": answer}
            place.set_input_files([file])  # type: ignore[list-item]
        elif isinstance(answer, bool):
            place.set_checked(answer)
        elif name in ("kind", "nation"):
            place.select_option(answer)
        else:
            place.fill(answer, force=True)  # the robots' field lies where nobody sees it


def fill_in(page: Page, **answers: Answer) -> None:
    """Look at what one would send, having answered this, and for the rest what is needed."""
    needed: dict[str, Answer] = {
        "name": NAME,
        "kind": "user-led",
        "nation": "wales",
        "contact_name": "Ada Fictional",
        "contact_role": "Chair",
        "email": an_address(),
        "authority": True,
        "consent": True,
    }
    fill(page, {**needed, **answers})
    press(page, "Check before you send")


def register_with(*buttons: str, **answers: Answer) -> Way:
    """Fill in the form, and press these buttons on the pages that follow."""

    def way(page: Page, sites: Sites) -> None:
        page.goto("/supporters/endorse")
        fill_in(page, **answers)
        for button in buttons:
            press(page, button)

    return way


def register_with_nothing(page: Page, sites: Sites) -> None:
    page.goto("/supporters/endorse")
    press(page, "Check before you send")


def register_with_an_old_form(page: Page, sites: Sites) -> None:
    page.goto("/supporters/endorse")
    page.locator("main [name=stamp]").evaluate("field => { field.value = 'long ago' }")
    fill_in(page)


def register_too_often(page: Page, sites: Sites) -> None:
    address = an_address()
    for _ in range(4):
        register_with("Send it", email=address, words=LONG_WORDS)(page, sites)


def register_on_the_broken_site(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.broken.url}/supporters/endorse")
    fill_in(page, logo_file=LOGO, words=LONG_WORDS)


def correct_the_address(page: Page, sites: Sites) -> None:
    register_with("Send it", logo_file=LOGO)(page, sites)
    page.get_by_role("link", name="The address is wrong").click()


def send_code_form(email: str, code: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/supporters/code")
        fill(page, {"email": email, "code": code})
        press(page, "Go on")

    return way


def ask_for_links(email: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/supporters/your-entry")
        fill(page, {"email": email})
        press(page, "Send me a link")

    return way


def link(
    place: Place, purpose: Purpose, *, age: timedelta = timedelta(), **values: Any
) -> tuple[str, uuid.UUID]:
    """A link to a new endorsement, and whose it is."""
    contact_id = place.endorsement(**{"name": NAME, "words": LONG_WORDS, **values})
    subject = contact_id
    if purpose in (Purpose.CHANGE_OLD, Purpose.CHANGE_NEW):
        subject = place.contact_change(contact_id)
    return PATHS[purpose] + place.token(purpose, subject, age=age), contact_id


def follow(purpose: Purpose, rest: str = "", *, age: timedelta = timedelta(), **values: Any) -> Way:
    """Follow a link of a mail about an endorsement of this kind."""

    def way(page: Page, sites: Sites) -> None:
        path, _ = link(sites.main, purpose, age=age, **values)
        page.goto(path + rest)

    return way


to_confirm = partial(follow, Purpose.ENDORSE_CONFIRM)
waiting = partial(to_confirm, status=State.AWAITING)
to_disown = partial(follow, Purpose.ENDORSE_DISOWN)
entry = partial(follow, Purpose.ENDORSE_MANAGE)
change_old = partial(follow, Purpose.CHANGE_OLD)
change_new = partial(follow, Purpose.CHANGE_NEW)


def confirm_what_is_off_the_list(page: Page, sites: Sites) -> None:
    """The coalition had recorded it, and its contact withdrew it before confirming."""
    contact_id = sites.main.endorsement(is_recorded=True, name=f"Recorded {an_address()}")
    page.goto(PATHS[Purpose.ENDORSE_MANAGE] + sites.main.token(Purpose.ENDORSE_MANAGE, contact_id))
    press(page, "Withdraw our name")
    token = sites.main.token(Purpose.ENDORSE_CONFIRM, contact_id)
    page.goto(PATHS[Purpose.ENDORSE_CONFIRM] + token)


def entry_with_logos(page: Page, sites: Sites) -> None:
    """One that is public, and an edit of it that waits."""
    path, _ = link(
        sites.main, Purpose.ENDORSE_MANAGE, logo_id=sites.main.logo(), logo_alt="Two hands"
    )
    page.goto(f"{path}/edit")
    fill(page, {"name": LONG_NAME})
    press(page, "Send the changes")


def edit_with(**answers: Answer) -> Way:
    def way(page: Page, sites: Sites) -> None:
        entry("/edit", logo_id=sites.main.logo(), logo_alt="Two hands")(page, sites)
        fill(page, answers)
        press(page, "Send the changes")

    return way


def answer_with(words: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        entry(status=State.MORE_ASKED)(page, sites)
        page.get_by_label("Your answer").fill(words)
        press(page, "Send the answer")

    return way


def name_a_contact(**answers: Answer) -> Way:
    def way(page: Page, sites: Sites) -> None:
        entry()(page, sites)
        fill(page, answers)
        press(page, "Ask both mailboxes")

    return way


def follow_after_erasing(page: Page, sites: Sites) -> None:
    path, _ = link(sites.main, Purpose.ENDORSE_MANAGE)
    page.goto(f"{path}/erase")
    press(page, "Erase it")
    page.goto(path)


def agree(page: Page) -> None:
    """Tick whatever boxes there are."""
    for box in page.get_by_role("checkbox").all():
        box.check()


def agree_to_be_the_contact(page: Page, sites: Sites) -> None:
    change_new()(page, sites)
    agree(page)
    press(page, "Yes, I am the new contact")


def confirm_a_change_twice(page: Page, sites: Sites) -> None:
    """At both mailboxes."""
    contact_id = sites.main.endorsement()
    change_id = sites.main.contact_change(contact_id)
    for purpose, button in (
        (Purpose.CHANGE_OLD, "Yes, this is right"),
        (Purpose.CHANGE_NEW, "Yes, I am the new contact"),
    ):
        page.goto(PATHS[purpose] + sites.main.token(purpose, change_id))
        agree(page)
        press(page, button)


def read_about(slug: str, **values: Any) -> Way:
    """Open the public page of an organisation."""

    def way(page: Page, sites: Sites) -> None:
        logo_id = sites.main.logo()
        sites.main.endorsement(logo_id=logo_id, logo_alt="Two hands", **values)
        page.goto(f"/supporters/{slug}")

    return way


def search(query: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        for number, letter in enumerate("ABCÉ1"):
            sites.main.endorsement(name=f"{letter} Fictional Group", email=f"g{number}@example.org")
        page.goto(f"/supporters?{query}")

    return way
