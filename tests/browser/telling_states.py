"""Every state of the pages on which people tell what happened; see states.py."""

from __future__ import annotations

from playwright.sync_api import Page

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.db import transaction
from coalition.testimonies import actions, decisions
from coalition.testimonies.codes import Ticket
from coalition.testimonies.models import DeclineCode, Testimony
from coalition.testimonies.states import Verb
from tests.browser.sites import Sites
from tests.browser.state import State, wrong
from tests.browser.ways import Way, press
from tests.telling import TEXT, approve, edit, make_testimony, told, two_readers

LONG = f"{TEXT}\n\n{'And it went on, hour after hour. ' * 60}\n\nشرح ما حدث"


def the_way_in(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.telling.url}/testimonies/share")


def begin(page: Page, sites: Sites) -> None:
    the_way_in(page, sites)
    press(page, "Begin to write")


def write(text: str = LONG) -> Way:
    def way(page: Page, sites: Sites) -> None:
        begin(page, sites)
        page.get_by_label("What happened").fill(text)
        press(page, "Go on")

    return way


def choose(text: str = LONG, use: str = "Publish it without a name", *, agrees: bool = True) -> Way:
    def way(page: Page, sites: Sites) -> None:
        write(text)(page, sites)
        if use:
            page.get_by_label("What may we do with it?").select_option(label=use)
        page.locator("[name=consent]").set_checked(agrees)
        press(page, "Look at it once more")

    return way


def after(way: Way, *buttons: str) -> Way:
    def longer(page: Page, sites: Sites) -> None:
        way(page, sites)
        for button in buttons:
            press(page, button)

    return longer


def other_words_after_going_back(page: Page, sites: Sites) -> None:
    choose()(page, sites)
    # As from another window of the same form.
    page.locator("[name=text]").evaluate("field => { field.value = 'Other words.' }")
    unseen = {name: page.locator(f"[name={name}]").input_value() for name in ("ticket", "rules")}
    page.request.post(
        f"{sites.telling.url}/testimonies/share",
        form={"step": "send", "text": TEXT, "use": "read", "consent": "yes", **unseen},
    )
    press(page, "Send it")


def open_with(ticket: Ticket) -> Way:
    def way(page: Page, sites: Sites) -> None:
        page.goto(f"{sites.telling.url}/testimonies/return")
        page.get_by_label("Your code").fill(ticket.code)
        press(page, "Open it")

    return way


def stands_at(verb: Verb | None, *buttons: str) -> Way:
    """Open what the desk has asked about, declined or approved, or what just waits."""

    def way(page: Page, sites: Sites) -> None:
        app = sites.telling.app
        readers = two_readers(app)
        with app.app_context(), transaction() as session:
            ticket = make_testimony(session, told(LONG))
            number, now = ticket.testimony_id, clock.utc_now()
            first, second = (session.get_one(Moderator, each) for each in readers)
            if verb is Verb.APPROVE:
                edit(session, number, first)
                approve(session, number, second)
            elif verb is Verb.WITHDRAW:
                actions.withdraw(session, number, now=now)
            elif verb is not None:
                decisions.take(session, number, first, now=now)
                turn = session.get_one(Testimony, number).turn
                if verb is Verb.ASK_WRITER:
                    decisions.ask_writer(session, number, first, "Which year?", turn=turn, now=now)
                else:
                    decisions.decline(
                        session, number, first, DeclineCode.LIVE_CASE, "Later, perhaps.",
                        turn=turn, now=now,
                    )  # fmt: skip
        open_with(ticket)(page, sites)
        for button in buttons:
            press(page, button)

    return way


def without_a_pass(page: Page, sites: Sites) -> None:
    stands_at(Verb.ASK_WRITER)(page, sites)
    # Which takes the fields that there are, and waits for none.
    page.wait_for_load_state()
    page.locator("[name=key]").evaluate_all("fields => fields.forEach(f => { f.value = 'old' })")
    page.get_by_label("Your words").fill("In spring.")
    press(page, "Send the answer")


def write_without_a_pass(page: Page, sites: Sites) -> None:
    stands_at(None, "Change the text or the choices")(page, sites)
    page.locator("[name=key]").evaluate("field => { field.value = 'old' }")
    for button in ("Go on", "Look at it once more", "Send it"):
        press(page, button)


def change_in_two_windows(page: Page, sites: Sites) -> None:
    stands_at(None, "Change the text or the choices")(page, sites)
    page.locator("[name=revision]").evaluate("field => { field.value = '0' }")
    for button in ("Go on", "Look at it once more", "Send it"):
        press(page, button)


def a_code_that_is_wrong(page: Page, sites: Sites) -> None:
    page.goto(f"{sites.telling.url}/testimonies/return")
    page.get_by_label("Your code").fill("1234 5678 9012 3456")
    press(page, "Open it")


def a_file_that_is_gone(page: Page, sites: Sites) -> None:
    choose()(page, sites)
    press(page, "Send it")
    page.locator("[name=sealed]").evaluate("field => { field.value = 'old' }")
    press(page, "Save it as a file")


TELLING_STATES = [
    State("tell: the way in", the_way_in, "Before everything else"),
    State("tell: write", begin, "In your own words"),
    wrong("tell: nothing written", write(""), "Write something, however short"),
    wrong("tell: too long", write("long " * 10_001), "is the most that"),
    State("tell: choices", write(), "Each of these is a choice of its own"),
    wrong("tell: nothing chosen", choose(use="", agrees=False), "Choose what we may do with it"),
    wrong(
        "tell: named without a name",
        choose(use="Publish it under the name that I give here"),
        "Enter the name, or choose",
    ),
    State("tell: check", choose(), "This may tell who somebody is"),
    wrong(
        "tell: a number like a code",
        after(choose("It was 1234 5678 9012 3456."), "Send it"),
        "holds a number like a receipt code",
    ),
    State("tell: save", after(choose(), "Save it, and stop here"), "nobody reads it"),
    State("tell: sent", after(choose(), "Send it"), "It is shown once"),
    State("tell: sent before", other_words_after_going_back, "We have this already", 409),
    State("tell: file gone", a_file_that_is_gone, "is not shown any more", 410),
    wrong("return: wrong code", a_code_that_is_wrong, "This code opens nothing"),
    State("return: waits", stands_at(None), "It waits to be read"),
    State("return: paused", stands_at(None, "Pause it"), "You have paused it"),
    State("return: asked", stands_at(Verb.ASK_WRITER), "What we ask"),
    wrong("return: no answer", stands_at(Verb.ASK_WRITER, "Send the answer"), "Write a few words"),
    State("return: declined", stands_at(Verb.DECLINE), "Ask for another look"),
    State("return: to agree", stands_at(Verb.APPROVE), "As it would be published"),
    State("return: published", stands_at(Verb.APPROVE, "Yes, publish it so"), "It is published"),
    State("return: withdrawn", stands_at(Verb.WITHDRAW), "You have withdrawn it"),
    State("return: erase", stands_at(None, "Erase everything"), "Nobody can undo this"),
    State(
        "return: erased",
        stands_at(None, "Erase everything", "Erase everything"),
        "Everything is deleted",
    ),
    State("return: pass run out", without_a_pass, "Type it once more", 401),
    State("tell: pass run out", write_without_a_pass, "Type it once more", 401),
    State("tell: two windows", change_in_two_windows, "What is kept now", 409),
]
