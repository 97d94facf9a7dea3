"""Every state of reading testimonies at the desk; see states.py."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.desk.reading_actions import note_reading, set_preferences
from coalition.desk.reading_rules import HIGHEST_CEILING
from coalition.statements.telling import HEAVIEST
from coalition.testimonies import actions, decisions
from coalition.testimonies.choices import Use
from coalition.testimonies.identifiers import find_identifiers
from coalition.testimonies.models import DeclineCode, Testimony
from coalition.testimonies.redaction import Span, SpanKind
from tests.browser.desk import arrive, at_desk
from tests.browser.sites import Place, Sites
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, press
from tests.desking import make_moderator
from tests.telling import ALL_CLEAR, FRONT, TEXT, make_testimony, publish, told

HARD_TEXT = f"{TEXT} It was on 3 May 2021, at {'x' * 120}.\n\nجاءت الشرطة مع الممرضة إلى البيت.\n\n{LONG_WORDS}"
LABELS = ("restraint-by-police", "care-refused", "prosecution")


def waits(place: Place, *, labels: tuple[str, ...] = LABELS, **choices: Any) -> uuid.UUID:
    with place.app.app_context(), transaction() as session:
        what = told(HARD_TEXT, labels=labels, **choices)
        return make_testimony(session, what).testimony_id


def edited(place: Place, **choices: Any) -> uuid.UUID:
    """One that waits for a second reader."""
    first = make_moderator(place.app, Role.MODERATOR)
    number = waits(place, **choices)
    with place.app.app_context(), transaction() as session:
        edit_all(session, number, session.get_one(Moderator, first))
    return number


def edit_all(session: Any, number: uuid.UUID, first: Moderator) -> None:
    """As its first reader would who takes out all that the machine finds."""
    now = clock.utc_now()
    decisions.take(session, number, first, now=now)
    testimony = session.get_one(Testimony, number)
    found = find_identifiers(testimony.text or "")
    spans = [Span(each.start, each.end, SpanKind.DETAIL) for each in found]
    decisions.save_edition(session, number, first, turn=testimony.turn, spans=spans, front=FRONT)
    decisions.redact(session, number, first, ALL_CLEAR, turn=testimony.turn, now=now)


def is_reader(page: Page, place: Place) -> None:
    arrive(page, place, make_moderator(place.app, Role.MODERATOR, name=LONG_NAME[:190]))


def _take_and_open(number: Callable[[Place], uuid.UUID], rest: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        path = f"/desk/testimonies/{number(sites.main)}"
        is_reader(page, sites.main)
        page.goto(path)
        press(page, "Take it")
        page.wait_for_url(f"**{path}")
        if rest:
            page.goto(f"{path}{rest}")

    return way


def open_first(rest: str = "", **choices: Any) -> Way:
    """As a first reader, at one of its pages."""
    return _take_and_open(lambda place: waits(place, **choices), rest)


def open_second(rest: str = "", **choices: Any) -> Way:
    """As a second reader, at one of its pages."""
    return _take_and_open(lambda place: edited(place, **choices), rest)


def second_who_knows_it(page: Page, sites: Sites) -> None:
    """As a second reader who has begun to read it before, and gave it back."""
    place = sites.main
    who, first = (make_moderator(place.app, Role.MODERATOR) for _ in range(2))
    number = waits(place)
    with place.app.app_context(), transaction() as session:
        reader, now = session.get_one(Moderator, who), clock.utc_now()
        decisions.take(session, number, reader, now=now)
        decisions.give_back(session, number, reader, now=now)
        edit_all(session, number, session.get_one(Moderator, first))
    arrive(page, place, who)
    page.goto(f"/desk/testimonies/{number}")
    press(page, "Take it")
    page.wait_for_url(f"**/desk/testimonies/{number}")


def see_queue(page: Page, sites: Sites) -> None:
    waits(sites.main)
    edited(sites.main)
    at_desk("/desk/testimonies", Role.MODERATOR)(page, sites)


def look_after(page: Page, place: Place, *skipped: str) -> None:
    """As a reader who skips something, and has just read one of the heaviest."""
    who = make_moderator(place.app, Role.MODERATOR)
    with place.app.app_context(), transaction() as session:
        moderator = session.get_one(Moderator, who)
        set_preferences(session, moderator, skipped, HIGHEST_CEILING)
        note_reading(session, moderator, HEAVIEST, now=clock.utc_now())
    arrive(page, place, who)


def see_calm_queue(page: Page, sites: Sites) -> None:
    waits(sites.main)
    waits(sites.main, labels=("detention",))
    waits(sites.main, labels=("what-helped",))
    look_after(page, sites.main, "detention")
    page.goto("/desk/testimonies")


def see_what_i_skip(page: Page, sites: Sites) -> None:
    number = waits(sites.main)
    look_after(page, sites.main, *LABELS)
    page.goto(f"/desk/testimonies/{number}")


def take_another_of_the_heaviest(page: Page, sites: Sites) -> None:
    number = waits(sites.main)
    look_after(page, sites.main)
    page.goto(f"/desk/testimonies/{number}")
    press(page, "Take it")


def see_what_another_began(page: Page, sites: Sites) -> None:
    first, number = make_moderator(sites.main.app, Role.MODERATOR), waits(sites.main)
    with sites.main.app.app_context(), transaction() as session:
        reader, now = session.get_one(Moderator, first), clock.utc_now()
        decisions.take(session, number, reader, now=now)
        turn = session.get_one(Testimony, number).turn
        decisions.save_edition(session, number, reader, turn=turn, front=FRONT)
        decisions.give_back(session, number, reader, now=now)
    at_desk(f"/desk/testimonies/{number}", Role.MODERATOR)(page, sites)
    press(page, "Take it")


def see_outline(page: Page, sites: Sites) -> None:
    at_desk(f"/desk/testimonies/{waits(sites.main)}", Role.MODERATOR)(page, sites)


def see_what_another_has(page: Page, sites: Sites) -> None:
    open_first()(page, sites)
    path = page.url
    page.context.clear_cookies()
    at_desk(path, Role.MODERATOR)(page, sites)


def see_what_waits_for_its_writer(page: Page, sites: Sites) -> None:
    open_first("/ask")(page, sites)
    path = page.url.removesuffix("/ask")
    page.get_by_label("Your words").fill("When was that?")
    press(page, "See how it reads")
    press(page, "Ask this")
    page.goto(path)


def see_an_appeal(page: Page, sites: Sites) -> None:
    place = sites.main
    first, number = make_moderator(place.app, Role.MODERATOR), waits(place)
    with place.app.app_context(), transaction() as session:
        reader, now = session.get_one(Moderator, first), clock.utc_now()
        decisions.take(session, number, reader, now=now)
        decisions.decline(
            session, number, reader, DeclineCode.LIVE_CASE, LONG_WORDS,
            turn=session.get_one(Testimony, number).turn, now=now,
        )  # fmt: skip
        actions.answer(session, number, LONG_WORDS, now=now)
    at_desk(f"/desk/testimonies/{number}", Role.MODERATOR)(page, sites)
    press(page, "Take it")


def see_it_sent_back(page: Page, sites: Sites) -> None:
    open_second("/send-back")(page, sites)
    path = page.url.removesuffix("/send-back")
    page.get_by_label("Your words").fill(LONG_WORDS)
    press(page, "See how it reads")
    press(page, "Send it back")
    page.context.clear_cookies()
    at_desk(path, Role.MODERATOR)(page, sites)
    press(page, "Take it")


def take_out(page: Page, sites: Sites) -> None:
    open_first("/edit?passage=2")(page, sites)
    page.get_by_role("button", name="Take out “Officer Fictional”").click()


def take_out_nothing(page: Page, sites: Sites) -> None:
    open_first("/edit")(page, sites)
    page.get_by_role("button", name="Take it out as a name").click()


def write_front(summary: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        open_first("/front")(page, sites)
        page.get_by_label("Summary").fill(summary)
        press(page, "Save, and see the page")

    return way


def check(*, hands_on: bool) -> Way:
    def way(page: Page, sites: Sites) -> None:
        write_front(FRONT.summary)(page, sites)
        page.get_by_role("link", name="the checklist").click()
        if hands_on:
            page.get_by_label("It threatens nobody").check()
            press(page, "Hand it on to a second reader")

    return way


def say(rest: str, words: str, button: str = "See how it reads", *, second: bool = False) -> Way:
    def way(page: Page, sites: Sites) -> None:
        (open_second if second else open_first)(rest)(page, sites)
        page.get_by_label("Your words").fill(words)
        if rest == "/decline":
            page.locator("[name=code]").select_option("live-case")
        press(page, button)

    return way


def see_the_original(page: Page, sites: Sites) -> None:
    open_second()(page, sites)
    press(page, "Show me the original")


def approve_without_looking(page: Page, sites: Sites) -> None:
    open_second()(page, sites)
    press(page, "Approve it, and ask its writer")


def withdrawn_meanwhile(page: Page, sites: Sites) -> None:
    open_first("?to=all")(page, sites)
    number = uuid.UUID(page.url.split("/")[-1].split("?")[0])
    with sites.main.app.app_context(), transaction() as session:
        actions.withdraw(session, number, now=clock.utc_now())
    page.reload()


def ask_when_it_was_withdrawn(page: Page, sites: Sites) -> None:
    open_first("/ask")(page, sites)
    number = uuid.UUID(page.url.split("/")[-2])
    page.get_by_label("Your words").fill(LONG_WORDS)
    with sites.main.app.app_context(), transaction() as session:
        actions.withdraw(session, number, now=clock.utc_now())
    press(page, "See how it reads")


def see_published(page: Page, sites: Sites) -> None:
    publish(sites.main.app)
    at_desk("/desk/testimonies/published", Role.MODERATOR)(page, sites)


def see_on_the_site(page: Page, sites: Sites) -> None:
    ticket, _ = publish(sites.main.app)
    at_desk(f"/desk/testimonies/{ticket.testimony_id}/public", Role.MODERATOR)(page, sites)


def take_down(words: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        see_on_the_site(page, sites)
        page.get_by_label("Your words").fill(words)
        press(page, "Take it down now")

    return way


def see_what_another_took_down(page: Page, sites: Sites) -> None:
    take_down(LONG_WORDS)(page, sites)
    path = page.url.split("?")[0]
    page.context.clear_cookies()
    at_desk(path, Role.MODERATOR)(page, sites)
    press(page, "Read the text")


def read_my_own(page: Page, sites: Sites) -> None:
    address = f"mo{uuid.uuid4().hex[:6]}@friends.example.org"
    with sites.main.app.app_context(), transaction() as session:
        number = make_testimony(session, told(contact=address)).testimony_id
    at_desk(f"/desk/testimonies/{number}", Role.MODERATOR, email=address)(page, sites)


TESTIMONY_STATES = [
    State("desk testimonies", see_queue, "never its text"),
    State("desk testimonies: calm", see_calm_queue, "because it is about what you skip"),
    State("desk testimony: skipped", see_what_i_skip, "about something that you skip"),
    State("desk testimony: rests", take_another_of_the_heaviest, "Not this one just now"),
    State("desk testimony: begun", see_what_another_began, "Somebody else has begun to edit it"),
    State("desk testimony: outline", see_outline, "You have not taken it"),
    State("desk testimony: another's", see_what_another_has, "is reading it"),
    State("desk testimony: asked", see_what_waits_for_its_writer, "has not answered yet"),
    State("desk testimony: own", read_my_own, "judged your own account", 403),
    State("desk testimony", open_first(), "Read the first passage"),
    State("desk testimony: one passage", open_first("?to=1"), "Read the next passage"),
    State("desk testimony: all", open_first("?to=all"), "the end of the text"),
    State("desk testimony: private", open_first(use=Use.READ), "it stays private"),
    State("desk testimony: appeal", see_an_appeal, "asks you to look again"),
    State("desk testimony: sent back", see_it_sent_back, "A second reader sent it back"),
    State("desk testimony edit", open_first("/edit?passage=2"), "Found in this passage"),
    State("desk testimony edit: out", take_out, "1 place is out"),
    State("desk testimony edit: nothing", take_out_nothing, "Nothing was chosen", 422),
    State("desk testimony front", open_first("/front"), "before they choose to read"),
    wrong("desk testimony front: empty", write_front(" "), "Write one or two plain sentences"),
    State("desk testimony preview", write_front(FRONT.summary), "As the public reads it"),
    State("desk testimony preview: bare", open_first("/preview"), "no title and no summary"),
    State("desk testimony check", check(hands_on=False), "Found by its shape"),
    wrong("desk testimony check: gaps", check(hands_on=True), "The checklist is not done"),
    State("desk testimony check: bare", open_first("/check"), "needs a title and a summary"),
    State("desk testimony ask", open_first("/ask"), "Reading waits until they answer"),
    wrong("desk testimony ask: nothing", say("/ask", " "), "Write some words"),
    State("desk testimony decline", say("/decline", LONG_WORDS), "What its writer reads"),
    State("desk testimony second", open_second("?to=all"), "as the public would"),
    State("desk testimony second: known", second_who_knows_it, "You have read it before"),
    wrong("desk testimony second: gaps", approve_without_looking, "The checklist is not done"),
    State("desk testimony second: original", see_the_original, "As it was written"),
    State(
        "desk testimony send back",
        say("/send-back", LONG_WORDS, second=True),
        "What your colleague reads",
    ),
    State("desk testimony: gone", withdrawn_meanwhile, "It is with its writer again", 410),
    State("desk testimony: refused", ask_when_it_was_withdrawn, "Nothing was changed", 409),
    State("desk testimonies public", see_published, "What is on the site"),
    State("desk testimony public", see_on_the_site, "Take it down"),
    wrong("desk testimony public: no words", take_down(" "), "Write some words"),
    State("desk testimony public: down", take_down(LONG_WORDS), "It is off the site"),
    State("desk testimony public: restore", see_what_another_took_down, "Put it back as it was"),
]
