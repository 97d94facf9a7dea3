"""Every state of readers' care, of flags and of complaints; see states.py."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page
from sqlalchemy import select

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.statements.queries import current_campaign
from coalition.statements.telling import Telling
from coalition.testimonies import actions, decisions, safeguarding
from coalition.testimonies.complaint_actions import complain
from coalition.testimonies.complaint_forms import NEEDED
from coalition.testimonies.complaint_models import Complaint, Ground
from coalition.testimonies.models import PublishedTestimony, Testimony
from coalition.testimonies.safeguarding_models import SafeguardingFlag
from tests.browser.desk import arrive, at_desk
from tests.browser.sites import Place, Sites
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, press, then
from tests.caring import open_rule
from tests.desking import make_moderator
from tests.telling import make_testimony, publish, told

BREAK = "/desk/you/break/00000000-0000-4000-8000-000000000000"


def set_ceiling(ceiling: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        at_desk("/desk/you/reading", Role.MODERATOR)(page, sites)
        page.get_by_label("describes being detained").check()
        page.get_by_label("Points a day at most").fill(ceiling)
        press(page, "Save")

    return way


def current_telling(place: Place) -> Telling:
    with place.app.app_context():
        return current_campaign().telling


def in_hand(place: Place) -> tuple[uuid.UUID, uuid.UUID]:
    """A testimony that a reader has opened, and that reader."""
    reader = make_moderator(place.app, Role.MODERATOR, name=LONG_NAME[:190])
    if not current_telling(place).exceptions:
        with place.app.app_context(), transaction() as session:
            open_rule(session)
        place.app.extensions.pop("campaign", None)
    with place.app.app_context(), transaction() as session:
        number = make_testimony(session).testimony_id
        moderator = session.get_one(Moderator, reader)
        decisions.take(session, number, moderator, now=clock.utc_now())
    return number, reader


def see_flag_form(page: Page, sites: Sites) -> None:
    number, reader = in_hand(sites.main)
    arrive(page, sites.main, reader)
    page.goto(f"/desk/testimonies/{number}/flag")


def flag_with(words: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        see_flag_form(page, sites)
        page.get_by_label("What worries you").fill(words)
        press(page, "Tell the lead")

    return way


def flag_unread(page: Page, sites: Sites) -> None:
    number, _ = in_hand(sites.main)
    at_desk(f"/desk/testimonies/{number}/flag", Role.MODERATOR)(page, sites)
    page.get_by_label("What worries you").fill(LONG_WORDS)
    press(page, "Tell the lead")


def flag(place: Place, *, withdrawn: bool = False) -> uuid.UUID:
    number, reader = in_hand(place)
    flag_id, now = uuid.uuid4(), clock.utc_now()
    with place.app.app_context(), transaction() as session:
        moderator = session.get_one(Moderator, reader)
        safeguarding.raise_flag(session, flag_id, number, moderator, LONG_WORDS, now=now)
        if withdrawn:
            actions.withdraw(session, number, now=now)
    return flag_id


def see_case_that_changed(page: Page, sites: Sites) -> None:
    flag_id = flag(sites.main)
    with sites.main.app.app_context(), transaction() as session:
        number = session.get_one(SafeguardingFlag, flag_id).testimony_id
        assert number
        testimony, what = session.get_one(Testimony, number), told(LONG_WORDS)
        revision, now = testimony.revision, clock.utc_now()
        actions.rewrite(session, number, what, revision=revision, sends=True, now=now)
    at_desk(f"/desk/safeguarding/{flag_id}", Role.SAFEGUARDING)(page, sites)
    press(page, OPEN_IT)


def see_flags(page: Page, sites: Sites) -> None:
    flag(sites.main)
    at_desk("/desk/safeguarding", Role.SAFEGUARDING)(page, sites)


def see_case(*, withdrawn: bool = False) -> Way:
    def way(page: Page, sites: Sites) -> None:
        path = f"/desk/safeguarding/{flag(sites.main, withdrawn=withdrawn)}"
        at_desk(path, Role.SAFEGUARDING)(page, sites)

    return way


OPEN_IT = "Open it, and read the text"


def apply_exception(page: Page, sites: Sites) -> None:
    then(see_case(), OPEN_IT)(page, sites)
    page.get_by_label("What applies").select_option("1")
    press(page, "Close it")


def begin_complaint(page: Page, sites: Sites) -> None:
    _, slug = publish(sites.main.app)
    page.goto(f"/testimonies/{slug}/complain")


def complain_of(ground: Ground, *buttons: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        begin_complaint(page, sites)
        page.get_by_label("What is it about?").select_option(ground.value)
        press(page, "Go on")
        for button in buttons:
            press(page, button)

    return way


def send_complaint(page: Page, sites: Sites) -> None:
    complain_of(Ground.OTHER)(page, sites)
    page.get_by_label("What is wrong").fill(LONG_WORDS)
    page.get_by_label("Your email").fill(f"{uuid.uuid4().hex[:8]}@example.org")
    press(page, "Send it")


def complain_of_what_is_gone(page: Page, sites: Sites) -> None:
    complain_of(Ground.OTHER)(page, sites)
    slug = page.url.split("/")[-2]
    with sites.main.app.app_context(), transaction() as session:
        published = session.get_one(PublishedTestimony, slug)
        actions.withdraw(session, published.testimony_id, now=clock.utc_now())
    page.get_by_label("What is wrong").fill(LONG_WORDS)
    press(page, "Send it")


def complaint(place: Place, ground: Ground = Ground.DEFAMATION) -> uuid.UUID:
    _, slug = publish(place.app)
    details = dict.fromkeys(NEEDED[ground], "no") | {
        "words": LONG_WORDS,
        "name": LONG_NAME,
        "email": f"{uuid.uuid4().hex[:8]}@example.org",
    }
    with place.app.app_context(), transaction() as session:
        return complain(session, uuid.uuid4(), slug, ground, details, now=clock.utc_now())


def see_complaint(page: Page, sites: Sites) -> None:
    at_desk(f"/desk/complaints/{complaint(sites.main)}", Role.MODERATOR)(page, sites)


def see_complaints(page: Page, sites: Sites) -> None:
    complaint(sites.main)
    at_desk("/desk/complaints", Role.MODERATOR)(page, sites)


def see_complaint_of_mine(page: Page, sites: Sites) -> None:
    number = complaint(sites.main)
    with sites.main.app.app_context(), transaction() as session:
        address = session.get_one(Complaint, number).email
    at_desk(f"/desk/complaints/{number}", Role.MODERATOR, email=address)(page, sites)


def see_complaint_of_my_edition(page: Page, sites: Sites) -> None:
    number = complaint(sites.main)
    at_desk("/desk", Role.MODERATOR)(page, sites)  # somebody else is here who can decide
    with sites.main.app.app_context(), transaction() as session:
        slug = session.get_one(Complaint, number).slug
        editor = session.get_one(PublishedTestimony, slug).first_by
    assert editor is not None
    page.context.clear_cookies()
    arrive(page, sites.main, editor)
    page.goto(f"/desk/complaints/{number}")


def see_complaint_in_a_pause(page: Page, sites: Sites) -> None:
    number = complaint(sites.main)
    with sites.main.app.app_context(), transaction() as session:
        published = session.get_one(PublishedTestimony, session.get_one(Complaint, number).slug)
        actions.pause(session, published.testimony_id, now=clock.utc_now())
    at_desk(f"/desk/complaints/{number}", Role.MODERATOR)(page, sites)
    press(page, "Take it")


def take_it_down(page: Page, sites: Sites) -> None:
    then(see_complaint, "Take it")(page, sites)
    page.get_by_label("Words to the writer").fill(LONG_WORDS)
    press(page, "Take the text down for now")


def answer_with(button: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        then(see_complaint, "Take it")(page, sites)
        page.get_by_label("Words to the writer").fill(LONG_WORDS)
        page.get_by_label("Words to whoever complained").fill(LONG_WORDS)
        press(page, button)

    return way


def see_what_is_decided(page: Page, sites: Sites) -> None:
    then(answer_with("Do not agree"), "Yes, do it")(page, sites)
    with sites.main.app.app_context(), transaction() as session:
        newest = select(Complaint).order_by(Complaint.closed_at.desc()).limit(1)
        newest = newest.where(Complaint.closed_at.is_not(None))
        number = session.scalars(newest).one().id
    page.goto(f"/desk/complaints/{number}")


CARE_STATES = [
    State("desk reading", at_desk("/desk/you/reading", Role.MODERATOR), "Only you see this"),
    State("desk reading: saved", set_ceiling("12"), "0 of 12 points"),
    wrong("desk reading: too much", set_ceiling("many"), "Enter a whole number from 3 to 20"),
    State(
        "desk reading: enough",
        at_desk("/desk/you/reading?refused=ceiling", Role.MODERATOR),
        "tomorrow is another day",
    ),
    State("desk reading: break", at_desk(BREAK, Role.MODERATOR), "Nothing here runs away"),
    State("desk flag", see_flag_form, "Are you worried about somebody?"),
    State("desk flag: raised", flag_with(LONG_WORDS), "It is with the lead"),
    wrong("desk flag: no words", flag_with(""), "what worries you"),
    State("desk flag: not read", flag_unread, "you have not opened it", 409),
    State("desk safeguarding", see_flags, "The longest waiting first".lower()),
    State("desk safeguarding: one", see_case(), "The rule that the writer saw"),
    State("desk safeguarding: opened", then(see_case(), OPEN_IT), "What worried the reader"),
    State("desk safeguarding: changed", see_case_that_changed, "has been back"),
    State(
        "desk safeguarding: withdrawn",
        then(see_case(withdrawn=True), OPEN_IT),
        "Nobody can read it any more",
    ),
    wrong("desk safeguarding: no account", apply_exception, "Write what was done"),
    State(
        "desk safeguarding: closed", then(see_case(), OPEN_IT, "Close it"), "no exception applied"
    ),
    State("complain", begin_complaint, "You need no lawyer"),
    *(
        wrong(f"complain: {ground.value}", complain_of(ground, "Send it"), NEEDED[ground]["words"])
        for ground in Ground
    ),
    State("complain: another", complain_of(Ground.OTHER, "It is about something else"), "Go on"),
    State("complain: sent", send_complaint, "What happens when"),
    State("complain: gone", complain_of_what_is_gone, "What you had written", 410),
    State("desk complaints", see_complaints, "the clock that runs out first"),
    State("desk complaint", see_complaint, "You have not taken it"),
    State("desk complaint: own", see_complaint_of_mine, "judged yourself", 403),
    State("desk complaint: let go", see_complaint_of_my_edition, "judged your own work", 403),
    State("desk complaint: taken", then(see_complaint, "Take it"), "The law, as we understand it"),
    State("desk complaint: paused", see_complaint_in_a_pause, "Its writer has paused the text"),
    wrong(
        "desk complaint: no words",
        then(see_complaint, "Take it", "Agree"),
        "Say why, in kind words",
    ),
    State("desk complaint: down", take_it_down, "The text is off the site"),
    State("desk complaint: check", answer_with("Agree"), "What the writer reads with their code"),
    State("desk complaint: decided", see_what_is_decided, "not upheld"),
]
