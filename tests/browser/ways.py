"""How a visitor comes to each state of a page, by what stands on the pages before it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from playwright.sync_api import Page, Route

from coalition.mail.private_links import LINK_LIFETIME, Purpose
from coalition.petition.models import SignatureStatus
from tests.browser.sites import Place, Sites
from tests.signing import sign
from tests.visitor import visitor_at

Way = Callable[[Page, Sites], object]
Status = SignatureStatus
TOO_OLD = LINK_LIFETIME + timedelta(days=1)
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Fictional " * 4
LONG_WORDS = "I signed it myself, on my own telephone, from the day centre.\nPlease ask me. " * 4
PATHS = {
    Purpose.CONFIRM: "/petition/confirm/",
    Purpose.DISOWN: "/petition/not-me/",
    Purpose.MANAGE: "/petition/signature/",
}
_numbers = itertools.count(1)


def open_page(path: str) -> Way:
    return lambda page, sites: page.goto(path)


def an_address() -> str:
    return f"visitor{next(_numbers)}@example.org"


def press(page: Page, button: str) -> None:
    page.get_by_role("main").get_by_role("button", name=button, exact=True).click()


def send_sign_form(page: Page, **answers: str | bool) -> None:
    """Sign as somebody who answers this, and for the rest what is needed."""
    answers = {"name": "Zoë Fictional", "email": an_address(), "consent": True, **answers}
    if "kind" in answers:
        page.get_by_text("About you, if you like").click()
    for name, answer in answers.items():
        place = page.locator(f"#sign [name={name}]")
        if isinstance(answer, bool):
            place.set_checked(answer)
        elif name in ("region", "kind"):
            place.select_option(answer)
        else:
            place.fill(answer, force=True)  # the robots' field lies where nobody sees it
    press(page, "Sign the petition")


def sign_with(**answers: str | bool) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/petition")
        send_sign_form(page, **answers)

    return way


def sign_with_an_old_form(page: Page, sites: Sites) -> None:
    page.goto("/petition")
    page.locator("#sign [name=stamp]").evaluate("field => { field.value = 'long ago' }")
    send_sign_form(page)


def sign_too_often(page: Page, sites: Sites) -> None:
    address = an_address()
    for _ in range(3):
        sign(visitor_at(sites.main.url), email=address)
    page.goto("/petition")
    send_sign_form(page, email=address, name=LONG_NAME)


def sign_on_the_broken_site(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.broken.url}/petition")
    send_sign_form(page)


def then(way: Way, *buttons: str) -> Way:
    """Go there, and press these buttons."""

    def longer(page: Page, sites: Sites) -> None:
        way(page, sites)
        for button in buttons:
            press(page, button)

    return longer


def correct_the_address(page: Page, sites: Sites) -> None:
    sign_with(kind="survivor", kind_consent=True, region="wales")(page, sites)
    page.get_by_role("link", name="The address is wrong").click()


def send_code_form(email: str, code: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/petition/code")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Code").fill(code)
        press(page, "Go on")

    return way


def try_too_many_codes(page: Page, sites: Sites) -> None:
    address = an_address()
    for _ in range(5):
        visitor_at(sites.main.url).post("/petition/code", {"email": address, "code": "0000 0000"})
    send_code_form(address, "0000 0000")(page, sites)


def send_link_form(email: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/petition/your-signature")
        page.get_by_label("Email").fill(email)
        press(page, "Send me a link")

    return way


def link(
    place: Place, purpose: Purpose, *, age: timedelta = timedelta(), **values: Any
) -> tuple[str, uuid.UUID]:
    """A link to a new signature, and whose it is."""
    signature_id = place.signature(**{"name": "Zoë Fictional", **values})
    token = place.token(purpose, signature_id, age=age)
    return PATHS[purpose] + token, signature_id


def follow(purpose: Purpose, rest: str = "", *, age: timedelta = timedelta(), **values: Any) -> Way:
    """Follow a link of a mail about a signature of this kind."""

    def way(page: Page, sites: Sites) -> None:
        path, _ = link(sites.main, purpose, age=age, **values)
        page.goto(path + rest)

    return way


to_confirm = partial(follow, Purpose.CONFIRM)
to_disown = partial(follow, Purpose.DISOWN)
yours = partial(follow, Purpose.MANAGE)
waiting = partial(to_confirm, status=Status.AWAITING)
held = partial(
    yours, status=Status.HELD, decision_reason="Many signatures came from one address at once."
)


def see_that_it_was_counted(page: Page, sites: Sites) -> None:
    path, _ = link(sites.main, Purpose.MANAGE)
    page.goto(path.replace("signature", "counted") + "?already=1")


def confirm_what_changed_meanwhile(page: Page, sites: Sites) -> None:
    path, signature_id = link(sites.main, Purpose.CONFIRM, status=Status.AWAITING)
    page.goto(path)
    sites.main.change(signature_id, revision=2, name="Zoe Fictional")
    press(page, "Yes, count my signature")


def disown_what_was_confirmed_meanwhile(page: Page, sites: Sites) -> None:
    path, signature_id = link(sites.main, Purpose.DISOWN, status=Status.AWAITING)
    page.goto(path)
    sites.main.change(signature_id, status=Status.VERIFIED)
    press(page, "Delete it now")


def disown_twice(page: Page, sites: Sites) -> None:
    path, _ = link(sites.main, Purpose.DISOWN, status=Status.AWAITING)
    page.goto(path)
    press(page, "Delete it now")
    page.goto(path)


def follow_after_erasing(page: Page, sites: Sites) -> None:
    path, _ = link(sites.main, Purpose.MANAGE)
    page.goto(f"{path}/erase")
    press(page, "Erase everything")
    page.goto(path)


def correct_with(**answers: str | bool) -> Way:
    def way(page: Page, sites: Sites) -> None:
        yours()(page, sites)
        if "kind" in answers:
            page.get_by_text("About you, if you like").click()
            page.get_by_label("You sign as").select_option(str(answers["kind"]))
        if "name" in answers:
            page.get_by_label("Your name").fill(str(answers["name"]))
        if "show_name" in answers:
            page.locator("[name=show_name]").set_checked(bool(answers["show_name"]))
            page.locator("[name=wants_updates]").set_checked(bool(answers["show_name"]))
        press(page, "Save the changes")

    return way


def correct_with_an_old_form(page: Page, sites: Sites) -> None:
    yours()(page, sites)
    page.locator("[name=stamp]").evaluate("field => { field.value = 'long ago' }")
    press(page, "Save the changes")


def correct_with_an_old_link(page: Page, sites: Sites) -> None:
    path, signature_id = link(sites.main, Purpose.MANAGE)
    page.goto(path)
    old = sites.main.token(Purpose.MANAGE, signature_id, age=TOO_OLD)
    page.locator("form[action$=details]").evaluate(
        "(form, action) => { form.action = action }", f"/petition/signature/{old}/details"
    )
    press(page, "Save the changes")


def appeal_with(words: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        held()(page, sites)
        page.get_by_label("What should the person").fill(words)
        press(page, "Ask for another look")

    return way


def appeal_when_many_write(page: Page, sites: Sites) -> None:
    path, _ = link(sites.strict, Purpose.MANAGE, status=Status.HELD)
    page.goto(sites.strict.url + path)
    visitor_at(sites.strict.url).post("/petition/code", {})
    page.get_by_label("What should the person").fill(LONG_WORDS)
    press(page, "Ask for another look")


def post_from_another_site(page: Page, sites: Sites) -> None:
    page.goto("about:blank")
    page.set_content(f'<form method="post" action="{sites.main.url}/petition/sign"><button>Go')
    page.get_by_role("button").click()


def ask_under_another_name(page: Page, sites: Sites) -> None:
    """As when a name that is not ours points at this machine."""

    def rename(route: Route) -> None:
        headers = {**route.request.headers, "host": "not-ours.example.org"}
        route.fulfill(response=route.fetch(headers=headers))

    page.route("**/help", rename)
    page.goto("/help")


def send_a_whole_book(page: Page, sites: Sites) -> None:
    page.goto("/petition")
    send_sign_form(page, name="book " * 16_000)


def look_at_a_lost_signature(page: Page, sites: Sites) -> None:
    token = sites.broken.token(Purpose.MANAGE, uuid.uuid4())
    page.goto(f"{sites.broken.url}/petition/signature/{token}")


def type_a_code_on_the_broken_site(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.broken.url}/petition/code")
    page.get_by_label("Email").fill("zoe@example.org")
    page.get_by_label("Code").fill("1234 5678")
    press(page, "Go on")


def read_mails_that_were_not_sent(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.trial.url}/petition")
    send_sign_form(page)
    while not page.get_by_role("article").count():
        page.goto(f"{sites.trial.url}/dev/mail")
