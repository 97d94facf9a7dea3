"""What moderators do at the desk, from the first mail on, in a real browser by the keyboard's
names of things."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from coalition.accounts.models import Role
from coalition.db import db
from coalition.endorsements.models import EndorsementStatus
from coalition.endorsements.queries import find_endorsement
from tests.browser import desk
from tests.browser.sites import Sites
from tests.browser.visits import visiting
from tests.browser.ways import press
from tests.desking import PASSWORD, code_now, give_password, make_moderator


def add_authenticator(page: Page) -> None:
    """A passkey of the browser's own making, which says yes to whatever it is asked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_invitation_to_a_decision(browser: Browser, sites: Sites, scripts: bool) -> None:
    with visiting(browser, sites.main.url, java_script_enabled=scripts) as visit:
        page = visit.page
        desk.follow_invitation(page, sites)
        page.get_by_label("New password").fill(PASSWORD)
        press(page, "Keep this password")
        desk_address = sites.main.newest_address()
        page.get_by_label("Email").fill(desk_address)
        page.get_by_label("Password").fill(PASSWORD)
        press(page, "Go on")
        press(page, "Show me the key for the app")
        secret = page.locator("main code").inner_text().replace("-", "").replace(" ", "")
        page.get_by_label("The six digits").fill(code_now(secret))
        press(page, "Go on")
        expect(page.get_by_role("heading", name="The desk")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in at the desk")).to_be_visible()


def test_a_passkey_is_added_and_signs_in_by_itself(browser: Browser, sites: Sites) -> None:
    app = sites.main.app
    with visiting(browser, sites.main.url.replace("127.0.0.1", "localhost")) as visit:
        page = visit.page
        desk.give_sign_in(page, give_password(app, make_moderator(app, Role.EDITOR)))
        page.get_by_label("The six digits").fill(code_now())
        press(page, "Sign in")
        page.goto("/desk/passkeys")
        add_authenticator(page)
        page.get_by_label("A name for the new one").fill("my phone")
        press(page, "Add a passkey")
        page.wait_for_url("**/desk/you")
        expect(page.get_by_text("my phone")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("link", name="Sign in with a passkey").click()
        press(page, "Use a passkey")
        expect(page.get_by_role("heading", name="The desk")).to_be_visible()
        page.goto("/desk/passkeys")
        page.get_by_role("button", name=re.compile("Delete.*my phone")).click()
        page.goto("/desk/you")
        expect(page.get_by_text("my phone")).to_have_count(0)


def test_an_organisation_is_taken_read_and_approved(browser: Browser, sites: Sites) -> None:
    number = desk.organisation(sites.main, name="Journey Group")
    with visiting(browser, sites.main.url, java_script_enabled=False) as visit:
        page = visit.page
        desk.at_desk("/desk/organisations")(page, sites)
        page.get_by_role("button", name=re.compile("Take it.*Journey Group")).click()
        expect(page.get_by_text("Two hands")).to_be_visible()
        press(page, "Approve")
        expect(page.get_by_role("heading", name="The mail to its contact")).to_be_visible()
        press(page, "Yes, do it")
        expect(page.get_by_role("status")).to_contain_text("It is on the list")
    with sites.main.app.app_context():
        found = find_endorsement(db.session(), number)
        assert found is not None
        assert found.status is EndorsementStatus.PUBLISHED
