"""How a moderator comes to each state of the desk."""

from __future__ import annotations

import uuid
from typing import Any

from playwright.sync_api import Page

from coalition import clock
from coalition.accounts.actions import ask_reset
from coalition.accounts.links import make_password_token
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.endorsements.models import EndorsementStatus
from coalition.endorsements.queries import find_by_contact
from coalition.petition.hand_in_actions import add_chunks, ask_hand_in
from coalition.petition.hand_in_models import HAND_IN_LIFETIME, HandInState
from tests.browser.sites import Place, Sites
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, press
from tests.desking import PASSWORD, code_now, give_password, make_moderator, sign_in_as

ADMIN = (Role.ADMINISTRATOR, Role.MODERATOR)


def arrive(page: Page, place: Place, moderator_id: uuid.UUID) -> None:
    """Be somebody who has signed in, in this browser.

    Once all of the page before has come: an answer that is still on its way brings back the cookie
    of whoever was here, or takes it from whoever comes.
    """
    page.wait_for_load_state()
    cookies = sign_in_as(place.app, moderator_id).cookies
    page.context.add_cookies(
        [{"name": name, "value": value, "url": place.url} for name, value in cookies.items()]
    )


def at_desk(path: str, *roles: Role, **values: Any) -> Way:
    """Open a page of the desk as somebody with these roles."""

    def way(page: Page, sites: Sites) -> None:
        arrive(page, sites.main, make_moderator(sites.main.app, *(roles or ADMIN), **values))
        page.goto(path)

    return way


def organisation(place: Place, **values: Any) -> uuid.UUID:
    """An organisation that waits, with all that one can send. Returns its id."""
    given = {
        "status": EndorsementStatus.IN_REVIEW,
        "name": LONG_NAME,
        "words": LONG_WORDS,
        "logo_id": place.logo(),
        "logo_alt": "Two hands",
        **values,
    }
    contact_id = place.endorsement(**given)
    with place.app.app_context(), transaction() as session:
        found = find_by_contact(session, contact_id)
        assert found is not None
        return found.id


def see_organisation(page: Page, sites: Sites) -> None:
    """One that waits, before it is taken."""
    at_desk(f"/desk/organisations/{organisation(sites.main)}")(page, sites)


def take_organisation(page: Page, sites: Sites) -> None:
    see_organisation(page, sites)
    press(page, "Take it")


def decide_with(button: str, words: str = "", code: str = "") -> Way:
    def way(page: Page, sites: Sites) -> None:
        take_organisation(page, sites)
        page.get_by_label("Words to its contact").fill(words)
        if code:
            page.locator("main [name=code]").select_option(code)
        press(page, button)

    return way


def see_what_another_has(page: Page, sites: Sites) -> None:
    take_organisation(page, sites)
    path = page.url
    page.context.clear_cookies()
    at_desk(path)(page, sites)


def judge_my_own(page: Page, sites: Sites) -> None:
    address = f"mo{uuid.uuid4().hex[:6]}@friends.example.org"
    number = organisation(sites.main, email=address)
    at_desk(f"/desk/organisations/{number}", email=address)(page, sites)


def see_published(page: Page, sites: Sites) -> None:
    """The list of those on the list, in which one is searched for."""
    sites.main.endorsement(name="Able Group", status=EndorsementStatus.REMOVED)
    sites.main.endorsement(name="Able Union")
    at_desk("/desk/organisations/published")(page, sites)
    page.get_by_label("Name, or part of it").fill("able")
    press(page, "Search")


def take_published(status: EndorsementStatus) -> Way:
    def way(page: Page, sites: Sites) -> None:
        at_desk(f"/desk/organisations/{organisation(sites.main, status=status)}")(page, sites)
        press(page, "Take it")

    return way


def take_off_the_list(page: Page, sites: Sites) -> None:
    take_published(EndorsementStatus.PUBLISHED)(page, sites)
    page.get_by_label("Words to its contact").fill(LONG_WORDS)
    press(page, "Take it off the list")


def see_list(state: HandInState, *, other: bool = False, **values: Any) -> Way:
    """A list to hand in, at some point of its way."""

    def way(page: Page, sites: Sites) -> None:
        app = sites.main.app
        asker_id = make_moderator(app, *ADMIN)
        with app.app_context(), transaction() as session:
            now = clock.utc_now()
            actor = session.get_one(Moderator, asker_id).actor
            hand_in = ask_hand_in(session, None, actor=actor, now=now)
            hand_in.state, hand_in.as_at = state, now
            hand_in.due_at = now + HAND_IN_LIFETIME  # no worker takes it
            for name, value in values.items():
                setattr(hand_in, name, value)
            if state is HandInState.DONE:
                for file in ("names.csv", "petition.pdf"):
                    add_chunks(session, hand_in, file, 1, [b"x" * 4_000])
            path = f"/desk/hand-in/{hand_in.id}"
        if other:
            at_desk(path)(page, sites)
        else:
            arrive(page, sites.main, asker_id)
            page.goto(path)

    return way


def ask_for_no_version(page: Page, sites: Sites) -> None:
    at_desk("/desk/hand-in")(page, sites)
    page.evaluate("document.querySelector('[name=version] option').value = '99'")
    press(page, "Make the list")


def see_person(page: Page, sites: Sites, *, asked: bool = False) -> None:
    """Somebody whose second proof is lost."""
    app = sites.main.app
    lost_id, asker_id = make_moderator(app, Role.MODERATOR), make_moderator(app, *ADMIN)
    if asked:
        with app.app_context(), transaction() as session:
            lost, asker = (session.get_one(Moderator, each) for each in (lost_id, asker_id))
            ask_reset(session, lost, asker, now=clock.utc_now())
    sign_in_as(app, lost_id)
    at_desk(f"/desk/people/{lost_id}")(page, sites)


def see_asked_reset(page: Page, sites: Sites) -> None:
    see_person(page, sites, asked=True)


def give_no_role(page: Page, sites: Sites) -> None:
    see_person(page, sites)
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    press(page, "Change the roles")


def see_own_roles(page: Page, sites: Sites) -> None:
    """One's own page, where another administrator can change one's roles."""
    make_moderator(sites.main.app, *ADMIN, name="Ada Fictional")
    moderator_id = make_moderator(sites.main.app, *ADMIN)
    arrive(page, sites.main, moderator_id)
    page.goto(f"{sites.main.url}/desk/people/{moderator_id}")


def remove_the_last_administrator(page: Page, sites: Sites) -> None:
    moderator_id = make_moderator(sites.desk.app, Role.ADMINISTRATOR, name="Ada")
    arrive(page, sites.desk, moderator_id)
    page.goto(f"{sites.desk.url}/desk/people/{moderator_id}")
    press(page, "Remove Ada")


def invite_nobody(page: Page, sites: Sites) -> None:
    at_desk("/desk/people")(page, sites)
    press(page, "Invite")


def follow_invitation(page: Page, sites: Sites) -> None:
    app = sites.main.app
    moderator_id = make_moderator(app, Role.EDITOR)
    with app.app_context(), transaction() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.password = moderator.tf_primary_method = moderator.tf_totp_secret = None
        token = make_password_token(moderator, clock.utc_now())
    page.goto(f"/desk/password/{token}")


def choose_password(password: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        follow_invitation(page, sites)
        page.get_by_label("New password").fill(password)
        press(page, "Keep this password")

    return way


def give_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/desk/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    press(page, "Go on")


def sign_in_wrongly(page: Page, sites: Sites) -> None:
    give_sign_in(page, "nobody@desk.example.org")


def give_password_alone(page: Page, sites: Sites) -> None:
    app = sites.main.app
    give_sign_in(page, give_password(app, make_moderator(app, Role.EDITOR)))


def give_code(code: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        give_password_alone(page, sites)
        page.get_by_label("The six digits").fill(code or code_now())
        press(page, "Sign in")

    return way


def give_recovery_code(page: Page, sites: Sites) -> None:
    give_password_alone(page, sites)
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("One of your recovery codes").fill("not-one-of-them")
    press(page, "Sign in")


def set_up_an_app(page: Page, sites: Sites) -> None:
    choose_password(PASSWORD)(page, sites)
    email = sites.main.newest_address()
    give_sign_in(page, email)


def forget_password(email: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto("/desk/forgotten")
        page.get_by_label("Email").fill(email)
        press(page, "Send me a link")

    return way


def send_after_the_session_ended(page: Page, sites: Sites) -> None:
    take_organisation(page, sites)
    page.get_by_label("Words to its contact").fill(LONG_WORDS)
    page.context.clear_cookies()
    press(page, "Ask for more")


def send_from_another_session(page: Page, sites: Sites) -> None:
    take_organisation(page, sites)
    page.get_by_label("Words to its contact").fill(LONG_WORDS)
    arrive(page, sites.main, make_moderator(sites.main.app, *ADMIN))
    press(page, "Ask for more")
