"""How a moderator comes to each state of the signatures and the limits at the desk."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.db import transaction
from coalition.petition.actions import appeal_decision
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import Region, SignatureStatus
from tests.browser import ways
from tests.browser.desk import ADMIN, arrive, at_desk
from tests.browser.sites import Sites
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, press
from tests.desking import make_moderator
from tests.factories import make_signature

QUEUE = "/desk/signatures/held"
CROWD = 35  # enough to be a cluster
MANY = 101  # more than one moderator decides about alone


def crowd(sites: Sites, size: int = CROWD) -> str:
    """So many signatures from one mail domain of their own, and one network. Returns the domain."""
    domain = f"d{uuid.uuid4().hex[:8]}.example.org"
    network = f"net-{domain}"
    with sites.main.app.app_context(), transaction() as session:
        for number in range(size):
            make_signature(
                session, email=f"p{number}@{domain}", network=network, region=Region.YORKSHIRE
            )
    return domain


def see_clusters(page: Page, sites: Sites) -> None:
    crowd(sites)
    at_desk("/desk/signatures")(page, sites)


def search_for(label: str, words: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        at_desk("/desk/signatures")(page, sites)
        page.get_by_label(label).fill(words)
        press(page, "Search")

    return way


def find_crowd(size: int = CROWD) -> Way:
    def way(page: Page, sites: Sites) -> None:
        search_for("Mail domain", crowd(sites, size))(page, sites)

    return way


def held(sites: Sites, **values: object) -> uuid.UUID:
    """A held signature whose owner has written to us, with all that one can send."""
    given: dict[str, object] = {
        "name": LONG_NAME,
        "status": SignatureStatus.HELD,
        "network": "203.0.113.7",
        "decision_reason": LONG_WORDS[:500],
        "appeal": LONG_WORDS,
        "appealed_at": clock.utc_now(),
        **values,
    }
    return sites.main.signature(**given)


def see_held(page: Page, sites: Sites) -> None:
    for answers in ({}, {"status": SignatureStatus.REMOVED}, {"appeal": None, "appealed_at": None}):
        held(sites, **answers)
    at_desk(QUEUE)(page, sites)


def see_signature(page: Page, sites: Sites) -> None:
    """One that waits, before it is taken."""
    at_desk(f"/desk/signatures/{held(sites)}")(page, sites)


def take_signature(page: Page, sites: Sites) -> None:
    see_signature(page, sites)
    press(page, "Take it")


def see_signature_of_another(page: Page, sites: Sites) -> None:
    take_signature(page, sites)
    path = page.url
    page.context.clear_cookies()
    at_desk(path)(page, sites)


def see_my_own_signature(page: Page, sites: Sites) -> None:
    address = f"mo{uuid.uuid4().hex[:6]}@example.org"
    at_desk(f"/desk/signatures/{held(sites, email=address)}", email=address)(page, sites)


def see_an_answer_to_my_decision(page: Page, sites: Sites) -> None:
    moderator_id = make_moderator(sites.main.app, *ADMIN)
    number = held(sites, status=SignatureStatus.VERIFIED, appeal=None, appealed_at=None)
    with sites.main.app.app_context(), transaction() as session:
        actor = session.get_one(Moderator, moderator_id).actor
        told = {"reason": "We could not tell.", "actor": actor, "now": clock.utc_now()}
        decide(session, DECISIONS["hold"], number, **told)
        appeal_decision(session, number, LONG_WORDS, now=clock.utc_now())
    arrive(page, sites.main, moderator_id)
    page.goto(f"/desk/signatures/{number}")


def decide_with(button: str, reason: str = LONG_WORDS[:500]) -> Way:
    def way(page: Page, sites: Sites) -> None:
        take_signature(page, sites)
        page.get_by_label("Why", exact=True).fill(reason)
        press(page, button)

    return way


def decide_about_what_changed(page: Page, sites: Sites) -> None:
    take_signature(page, sites)
    number = uuid.UUID(page.url.rpartition("/")[2])
    sites.main.change(number, name="Another Name")
    page.get_by_label("Why", exact=True).fill(LONG_WORDS[:500])
    press(page, "Remove")


def remove_what_nobody_confirmed(page: Page, sites: Sites) -> None:
    number = sites.main.signature(status=SignatureStatus.AWAITING)
    at_desk(f"/desk/signatures/{number}")(page, sites)
    press(page, "Take it")
    page.get_by_label("Why", exact=True).fill("These look alike.")
    press(page, "Remove")


def look_before(size: int = CROWD) -> Way:
    def way(page: Page, sites: Sites) -> None:
        find_crowd(size)(page, sites)
        page.get_by_role("link", name="Hold all").click()

    return way


def hold(button: str, reason: str = "These look alike.", size: int = CROWD) -> Way:
    def way(page: Page, sites: Sites) -> None:
        look_before(size)(page, sites)
        page.get_by_label("Why", exact=True).fill(reason)
        press(page, button)

    return way


def hold_another_number(page: Page, sites: Sites) -> None:
    domain = crowd(sites)
    search_for("Mail domain", domain)(page, sites)
    page.get_by_role("link", name="Hold all").click()
    with sites.main.app.app_context(), transaction() as session:
        make_signature(session, email=f"late@{domain}")
    page.get_by_label("Why", exact=True).fill("These look alike.")
    press(page, f"Hold {CROWD} signatures")


def undo(page: Page, sites: Sites) -> None:
    hold(f"Hold {CROWD} signatures")(page, sites)
    press(page, "Undo all of it")


def see_a_proposal_of_another(page: Page, sites: Sites) -> None:
    hold(f"Propose to hold {MANY} signatures", size=MANY)(page, sites)
    path = page.url
    arrive(page, sites.main, make_moderator(sites.main.app, *ADMIN))
    page.goto(path)


def confirm_a_proposal_of_another(page: Page, sites: Sites) -> None:
    see_a_proposal_of_another(page, sites)
    press(page, f"Hold {MANY} signatures")


def want_to_undo(page: Page, sites: Sites) -> None:
    confirm_a_proposal_of_another(page, sites)
    press(page, "Propose to undo all of it")


def see_what_another_wants_to_undo(page: Page, sites: Sites) -> None:
    want_to_undo(page, sites)
    path = page.url
    arrive(page, sites.main, make_moderator(sites.main.app, *ADMIN))
    page.goto(path)


def trust(network: str) -> Way:
    def way(page: Page, sites: Sites) -> None:
        at_desk("/desk/limits")(page, sites)
        page.get_by_label("Whose network it is").fill(LONG_NAME)
        page.get_by_label("Network", exact=True).fill(network)
        page.get_by_label("Times the general limits").fill("5")
        press(page, "Save")

    return way


SIGNATURE_STATES = [
    State("desk signatures", see_clusters, "Many from one place"),
    wrong("desk signatures: no address", search_for("Email address", "ada"), "name@example.org"),
    State("desk signatures: found", find_crowd(), f"{CROWD} signatures found"),
    State("desk signatures: none", search_for("Mail domain", "none.example.org"), "Nothing fits"),
    State("desk signatures: gone", at_desk("/desk/signatures/found/x"), "Search again", 410),
    State("desk held", see_held, "Those whose owners have written to us come first"),
    State("desk signature", see_signature, "You have not taken it"),
    State("desk signature: taken", take_signature, "What its owner wrote to us"),
    State("desk signature: another's", see_signature_of_another, "is looking at it"),
    State("desk signature: own", see_my_own_signature, "given with your own address", 403),
    State("desk signature: answered", see_an_answer_to_my_decision, "You decided this, and its"),
    wrong("desk signature: no words", decide_with("Remove", ""), "Say why, in kind words"),
    State("desk signature: to keep", decide_with("Keep it held"), "The mail to whoever signed"),
    State("desk signature: changed", decide_about_what_changed, "changed since you read it", 409),
    State("desk signature: no mail", remove_what_nobody_confirmed, "nobody confirmed this address"),
    State(
        "desk held: decided",
        ways.then(decide_with("Release", ""), "Yes, do it"),
        "A mail tells whoever signed",
    ),
    State(
        "desk signature: gone",
        at_desk(f"/desk/signatures/{uuid.UUID(int=7)}"),
        "It is not there",
        410,
    ),
    State("desk bulk", look_before(), "Your search finds"),
    wrong("desk bulk: no words", hold(f"Hold {CROWD} signatures", ""), "Say why, in kind words"),
    State("desk bulk: another number", hold_another_number, "The number has changed", 409),
    State("desk bulk: done", hold(f"Hold {CROWD} signatures"), "Undo all of it"),
    State("desk bulk: undone", undo, "are as they were"),
    State(
        "desk bulk: proposed",
        hold(f"Propose to hold {MANY} signatures", size=MANY),
        "Somebody else must confirm it",
    ),
    State("desk bulk: to confirm", see_a_proposal_of_another, "Look at what it would change"),
    State("desk bulk: confirmed", confirm_a_proposal_of_another, "Propose to undo all of it"),
    State("desk bulk: to undo", want_to_undo, "You want to undo it"),
    State("desk bulk: undo of another", see_what_another_wants_to_undo, "wants to undo it, since"),
    State("desk limits", at_desk("/desk/limits"), "Limits slow a crowd"),
    wrong("desk limits: no network", trust("ward four"), "Enter a network address"),
    State("desk limits: trusted", trust("203.0.113.7"), "This network is on the list"),
]
