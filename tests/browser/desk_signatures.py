"""How a moderator comes to each state of the signatures and the limits at the desk."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page

from coalition.db import transaction
from coalition.petition.models import Region, SignatureStatus
from tests.browser.desk import ADMIN, arrive, at_desk
from tests.browser.sites import Sites
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_NAME, LONG_WORDS, Way, press
from tests.desking import make_moderator
from tests.factories import make_signature

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


def one_signature(page: Page, sites: Sites) -> None:
    with sites.main.app.app_context(), transaction() as session:
        signature = make_signature(
            session,
            name=LONG_NAME,
            status=SignatureStatus.HELD,
            network="203.0.113.7",
            decision_reason=LONG_WORDS[:500],
            appeal=LONG_WORDS,
        )
        signature.appealed_at = signature.signed_at
        number = signature.id
    at_desk(f"/desk/signatures/{number}")(page, sites)


def decide_without_a_reason(page: Page, sites: Sites) -> None:
    one_signature(page, sites)
    press(page, "Release")


def look_before(size: int = CROWD) -> Way:
    def way(page: Page, sites: Sites) -> None:
        find_crowd(size)(page, sites)
        page.get_by_role("link", name="Hold all").click()

    return way


def hold(button: str, reason: str = "These look alike.", size: int = CROWD) -> Way:
    def way(page: Page, sites: Sites) -> None:
        look_before(size)(page, sites)
        page.get_by_label("Why").fill(reason)
        press(page, button)

    return way


def hold_another_number(page: Page, sites: Sites) -> None:
    domain = crowd(sites)
    search_for("Mail domain", domain)(page, sites)
    page.get_by_role("link", name="Hold all").click()
    with sites.main.app.app_context(), transaction() as session:
        make_signature(session, email=f"late@{domain}")
    page.get_by_label("Why").fill("These look alike.")
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
    State("desk signature", one_signature, "That you opened it is written"),
    wrong("desk signature: no words", decide_without_a_reason, "Say why, in kind words"),
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
