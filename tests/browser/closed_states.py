"""What visitors meet once the petition is closed."""

from __future__ import annotations

from playwright.sync_api import Page

from coalition.endorsements.models import EndorsementStatus
from coalition.mail.private_links import Purpose
from coalition.petition.models import SignatureStatus
from tests.browser.sites import Sites
from tests.browser.state import State
from tests.browser.ways import LONG_NAME, LONG_WORDS, PATHS, Way, press

PAGES = ["/", "/petition", "/statement", "/supporters", "/supporters/endorse", "/testimonies/share",
         "/embed", "/embed/count", "/embed/sign"]  # fmt: skip
SAID = "closed on"
SEND = """fields => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = fields.action;
    for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement("textarea");
        [input.name, input.value] = [name, value];
        form.append(input);
    }
    document.body.append(form);
    HTMLFormElement.prototype.submit.call(form);
}"""
SIGNED = {"name": LONG_NAME, "email": "late@example.org", "region": "wales", "kind": "ally"}
REGISTERED = {"name": "Able Group", "words": LONG_WORDS, "email": "late@example.org"}
TOLD = {"step": "send", "text": LONG_WORDS, "name": "Zoë Fictional"}


def see(path: str) -> Way:
    return lambda page, sites: page.goto(f"{sites.closed.url}{path}")


def follow(purpose: Purpose, status: SignatureStatus) -> Way:
    def way(page: Page, sites: Sites) -> None:
        signature_id = sites.closed.signature(status=status)
        page.goto(f"{sites.closed.url}{PATHS[purpose]}{sites.closed.token(purpose, signature_id)}")

    return way


def confirm_in_a_form_of_before(page: Page, sites: Sites) -> None:
    follow(Purpose.CONFIRM, SignatureStatus.AWAITING)(page, sites)
    with page.expect_navigation():
        page.evaluate(SEND, {"action": page.url, "revision": "1"})


def send_late(path: str, fields: dict[str, str]) -> Way:
    """Send a form that was opened while the petition was open."""

    def way(page: Page, sites: Sites) -> None:
        page.goto(f"{sites.closed.url}/help")
        with page.expect_navigation():
            page.evaluate(SEND, {**fields, "action": path})

    return way


def confirm_an_organisation(page: Page, sites: Sites) -> None:
    contact_id = sites.closed.endorsement(status=EndorsementStatus.AWAITING)
    token = sites.closed.token(Purpose.ENDORSE_CONFIRM, contact_id)
    page.goto(f"{sites.closed.url}/supporters/confirm/{token}")


def withdraw(page: Page, sites: Sites) -> None:
    follow(Purpose.MANAGE, SignatureStatus.VERIFIED)(page, sites)
    press(page, "Withdraw my signature")


CLOSED_STATES = [
    *(State(f"closed: {path}", see(path), SAID) for path in PAGES),
    State("closed: signed late", send_late("/petition/sign", SIGNED), "for you to copy", 410),
    State(
        "closed: registered late",
        send_late("/supporters/endorse", REGISTERED),
        "so that you can copy it",
        410,
    ),
    State("closed: told late", send_late("/testimonies/share", TOLD), "Nothing was sent", 410),
    State(
        "closed: confirm", follow(Purpose.CONFIRM, SignatureStatus.AWAITING), "is not counted", 410
    ),
    State("closed: confirmed late", confirm_in_a_form_of_before, "What was typed is deleted", 410),
    State("closed: organisation", confirm_an_organisation, "no organisation is added", 410),
    State(
        "closed: yours", follow(Purpose.MANAGE, SignatureStatus.VERIFIED), "the final number stays"
    ),
    State(
        "closed: yours, waiting",
        follow(Purpose.MANAGE, SignatureStatus.AWAITING),
        "was not confirmed before the petition closed",
    ),
    State("closed: withdrawn", withdraw, "Your signature is withdrawn"),
]
