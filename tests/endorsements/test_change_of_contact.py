"""Another contact for an organisation: named by the one, confirmed by both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.mail.private_links import LINK_LIFETIME
from coalition.statements.queries import current_campaign
from tests.cleaning import clean_up
from tests.endorsing import NEW_CONTACT, ask_for_change, entry_path, look, made
from tests.mailbox import Mailbox, link_in
from tests.visitor import Page, Visitor, visitor_of

Work = Callable[[], object]
MakeApp = Callable[..., Flask]


def change_links(work: Work, mailbox: Mailbox) -> dict[str, str]:
    """The links of the two mails that ask for a change, by the address they went to."""
    mailbox.received.clear()
    work()
    return {mail["To"]: link_in(mail, "supporters/change") for mail in mailbox.received}


def agree(visitor: Visitor, link: str) -> Page:
    page = visitor.get(link)
    return visitor.submit(page, "/supporters/change/", authority="yes", consent="yes")


@pytest.mark.parametrize("left_out", ["authority", "consent", "stamp"])
def test_nobody_becomes_the_contact_without_agreeing(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox, left_out: str
) -> None:
    endorsement = made(email="old@example.org")
    work()
    ask_for_change(visitor, endorsement)
    links = change_links(work, mailbox)
    visitor.submit(visitor.get(links["old@example.org"]), "/supporters/change/")
    answers = {"authority": "yes", "consent": "yes", left_out: ""}
    page = visitor.submit(visitor.get(links["grace@example.org"]), "/supporters/change/", **answers)
    assert page.status == 422
    assert "There is a problem" in page.text
    assert look(session, endorsement).contact_email == "old@example.org"


def test_another_contact_needs_both_mailboxes(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(email="old@example.org")
    work()
    old_page = entry_path(endorsement)
    assert "We have written to both mailboxes" in ask_for_change(visitor, endorsement).text
    links = change_links(work, mailbox)
    assert set(links) == {"old@example.org", "grace@example.org"}
    for link in links.values():
        visitor.get(link)
    assert look(session, endorsement).contact_email == "old@example.org"
    page = agree(visitor, links["grace@example.org"])
    assert "Half done" in page.text
    # The same mailbox twice is not both.
    assert "Half done" in agree(visitor, links["grace@example.org"]).text
    assert look(session, endorsement).contact_email == "old@example.org"
    page = visitor.submit(visitor.get(links["old@example.org"]), "/supporters/change/")
    assert "The contact is changed" in page.text
    found = look(session, endorsement)
    assert (found.contact_email, found.contact_name, found.contact_role) == tuple(
        NEW_CONTACT[name] for name in ("email", "contact_name", "contact_role")
    )
    assert found.consent_version_id == current_campaign().consent.version_id
    # Whoever was the contact before sees nothing of the new one.
    assert visitor.get(old_page).status == 410
    mailbox.received.clear()
    work()
    (mail,) = mailbox.received
    assert mail["To"] == "grace@example.org"
    assert visitor.get(link_in(mail, "supporters/entry")).status == 200


@pytest.mark.parametrize("wrong", [{"email": "grace@"}, {"contact_name": ""}, {"contact_role": ""}])
def test_a_contact_that_cannot_be_is_refused_at_the_field(
    app: Flask, visitor: Visitor, wrong: dict[str, str]
) -> None:
    page = ask_for_change(visitor, made(), **wrong)
    assert page.status == 422
    kept = page.form("/contact").values
    assert all(kept[name] == value for name, value in NEW_CONTACT.items() if name not in wrong)


def test_a_change_that_is_asked_for_anew_makes_the_earlier_links_useless(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(email="old@example.org")
    work()
    ask_for_change(visitor, endorsement)
    first = change_links(work, mailbox)
    ask_for_change(visitor, endorsement, email="other@example.org")
    for link in first.values():
        assert visitor.post(link, {}).status == 410
    assert look(session, endorsement).contact_email == "old@example.org"


def test_nobody_is_flooded_with_mail_through_a_private_link(app: Flask, make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_ADDRESS="1 per hour"))
    endorsement = made(email="old@example.org")
    assert ask_for_change(visitor, endorsement).status == 200
    # Neither of the two mailboxes: the one that goes gets a mail, too.
    for email in ("grace@example.org", "other@example.org"):
        page = ask_for_change(visitor, endorsement, email=email)
        assert page.status == 429
        assert "Grace Fictional" in page.text
    endorsement = made(email="second@example.org")
    old = entry_path(endorsement, days=LINK_LIFETIME.days, seconds=1)
    for status in (200, 429):
        renewal = visitor.get(old).form("/supporters/renew/").action
        assert visitor.post(renewal, {}).status == status


def test_a_change_that_nobody_confirms_is_deleted(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(email="old@example.org")
    work()
    ask_for_change(visitor, endorsement)
    links = change_links(work, mailbox)
    clean_up(clock.utc_now() + timedelta(days=7, seconds=1))
    assert {visitor.get(link).status for link in links.values()} == {410}
