"""Organisations on the list at the desk: found, taken off it, published again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.desk.organisation_views import PAGE
from coalition.endorsements import decisions
from coalition.endorsements.actions import appeal_decision, edit_endorsement
from coalition.endorsements.models import DeclineCode, Endorsement, EndorsementStatus
from coalition.endorsements.queries import find_entry
from tests.desking import signed_in
from tests.endorsing import look, made
from tests.factories import make_recorded, public_details
from tests.judging import check, decide, moderator, path, take
from tests.mailbox import Mailbox, text_of
from tests.visitor import Page, Visitor

Status = EndorsementStatus
Work = Callable[[], object]
LIST = "/desk/organisations/published"


def names(page: Page) -> list[str]:
    return [each.split("</bdi>")[0] for each in page.text.split("<bdi>")[1:] if "</a>" in each]


def on_list(page: Page, *wanted: str) -> bool:
    return all(each in page.text for each in wanted)


def test_the_list_names_what_is_public_and_what_was_taken_off(app: Flask) -> None:
    for status in Status:
        made(status, name=f"Group {status.name.title()}")
    page = moderator(app).get(LIST)
    assert "2 organisations" in page.text
    assert on_list(page, "Group Published", "Group Removed", "taken off the list")
    assert "Group Declined" not in page.text
    assert "Group Withdrawn" not in page.text


def test_a_name_is_found_in_any_case_and_without_its_accents(app: Flask) -> None:
    made(name="Übermut & Söhne")
    made(name="Another Group")
    visitor = moderator(app)
    page = visitor.get(LIST)
    for words in ("ubermut", "SOHNE über", "Söhne"):
        found = visitor.get(f"{LIST}?words={words}")
        assert on_list(found, "Übermut &amp; Söhne", "1 organisation with")
        assert "Another Group" not in found.text
    none = visitor.get(f"{LIST}?words=<b>nobody")
    assert "0 organisations with “<bdi>&lt;b&gt;nobody</bdi>”" in none.text
    assert on_list(page, "Another Group")


def test_a_long_list_goes_over_pages(app: Flask) -> None:
    with transaction() as session:
        for number in range(PAGE + 1):
            make_recorded(session, name=f"Group {number:03}")
    visitor = moderator(app)
    first = visitor.get(LIST)
    assert on_list(first, "Group 000", f"Group {PAGE - 1:03}", "page 1 of 2")
    assert f"Group {PAGE:03}" not in first.text
    second = visitor.get(LIST + next(link for link in first.links if "page=2" in link))
    assert on_list(second, f"Group {PAGE:03}", "page 2 of 2")
    assert "There is no page 9" in visitor.get(f"{LIST}?page=9").text
    assert "page 1 of 2" in visitor.get(f"{LIST}?page=x").text


def test_one_is_taken_off_the_list_with_its_mail_shown_first(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(name="Able Group")
    work()
    mailbox.received.clear()
    desk = moderator(app)
    link = next(each for each in desk.get(LIST).links if str(endorsement.id) in each)
    page = desk.submit(desk.get(link), "/take")
    assert "What is public" in page.text
    refused = check(desk, page, "remove", words="")
    assert (refused.status, "Say why, in kind words" in refused.text) == (422, True)
    shown = check(desk, page, "remove", words="It has closed.")
    assert on_list(shown, "You take it off the list", "It has closed.")
    assert "/supporters/entry/" not in shown.text
    assert look(session, endorsement).status is Status.PUBLISHED
    done = desk.submit(shown, "/decide")
    assert "It is off the list" in done.text
    assert look(session, endorsement).status is Status.REMOVED
    assert visitor.get("/supporters/able-group").status == 404
    work()
    (mail,) = mailbox.received
    assert "It has closed." in text_of(mail)
    again = desk.submit(shown, "/decide")
    assert (again.status, "Nothing was decided" in again.text) == (409, True)


def test_somebody_else_publishes_it_again(app: Flask, session: Session, visitor: Visitor) -> None:
    endorsement = made(name="Able Group")
    first, second = moderator(app, "Ada"), moderator(app, "Grace")
    decide(first, endorsement, "remove", words="It has closed.")
    page = first.get(path(endorsement))
    assert "You decided this before" in page.text
    assert not [form for form in page.forms if form.action.endswith("/preview")]
    page = take(second, endorsement)
    assert on_list(page, "What was public", "Publish it again", "by <bdi>Ada</bdi>")
    second.submit(check(second, page, "approve"), "/decide")
    assert look(session, endorsement).status is Status.PUBLISHED
    assert visitor.get("/supporters/able-group").status == 200


def test_what_is_taken_off_the_list_takes_its_waiting_change_along(
    app: Flask, session: Session
) -> None:
    endorsement = made(name="Able Group")
    with transaction() as writing:
        edit_endorsement(
            writing, endorsement.id, public_details(name="New Name"), now=clock.utc_now()
        )
    visitor = moderator(app)
    page = take(visitor, endorsement)
    buttons = [value for _, value in page.form("/preview").buttons]
    assert buttons == ["approve", "decline", "remove"]
    visitor.submit(check(visitor, page, "remove", words="It has closed."), "/decide")
    entry = find_entry(session, endorsement.id)
    assert entry is not None
    assert entry.name == "Able Group"


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("answered", [False, True], ids=["", "answered"])
@pytest.mark.parametrize("edited", [False, True], ids=["", "edited"])
def test_what_is_offered_is_what_can_be_decided(
    app: Flask, session: Session, status: Status, answered: bool, edited: bool
) -> None:
    """For each decision: it stands on the page, or else it is refused."""
    endorsement = made(status)
    now = clock.utc_now()
    with transaction() as writing:
        if answered:
            appeal_decision(writing, endorsement.id, "Look again.", now=now)
        if edited:
            edit_endorsement(writing, endorsement.id, public_details(), now=now)
    found = look(session, endorsement)
    entry = find_entry(session, endorsement.id)
    assert entry is not None
    offered = decisions.possible(found, is_proposed=entry.state.value == "proposed")
    for name in ("approve", "ask", "decline", "remove"):
        try:
            with transaction() as writing:
                carry_out(writing, name, found, entry.id)
                assert name in offered
                raise Undone
        except Undone:
            pass
        except decisions.NotPossible:
            assert name not in offered


class Undone(Exception):
    """What was tried is not to stay."""


def carry_out(session: Session, name: str, endorsement: Endorsement, entry_id: object) -> None:
    told = {"actor": "test", "now": clock.utc_now()}
    if name == "approve":
        decisions.approve(session, endorsement.id, entry_id=entry_id, **told)  # type: ignore[arg-type]
    elif name == "ask":
        decisions.ask_for_more(session, endorsement.id, words="Who?", **told)  # type: ignore[arg-type]
    elif name == "decline":
        decisions.decline(
            session,
            endorsement.id,
            entry_id=entry_id,
            code=DeclineCode.OTHER,
            words="No.",
            **told,  # type: ignore[arg-type]
        )
    else:
        decisions.remove(session, endorsement.id, words="It closed.", **told)  # type: ignore[arg-type]


def test_an_editor_does_not_see_the_list(app: Flask) -> None:
    assert signed_in(app, Role.EDITOR).get(LIST).status == 403
