"""Whoever owns an address is told of decisions about their signature; nobody else is written to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition import actions
from coalition.petition.bulk import preview
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import BulkKind, Signature, SignatureStatus
from tests.bulking import FLOOD, carry_out, flood, mails, statuses, take_back
from tests.factories import agreed_now
from tests.mailbox import Mailbox, text_of

Status = SignatureStatus
Work = Callable[[], object]
ME = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)


def sign(*addresses: str) -> None:
    """Send the form with these addresses, and leave the mails in the outbox."""
    with transaction() as session:
        for each in addresses:
            actions.sign_petition(session, each, ME, agreed_now(), now=a_while_ago())


def a_while_ago() -> Any:
    """So that a mail that was queued then is due now, however slowly mails follow one another."""
    return clock.utc_now() - timedelta(minutes=5)


def decided(name: str, signature_id: uuid.UUID) -> bool:
    with transaction() as session:
        return decide(
            session, DECISIONS[name], signature_id, reason="These look alike.", actor="test",
            now=clock.utc_now(),
        )  # fmt: skip


def test_removing_an_unconfirmed_flood_writes_to_nobody(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    flood(3, Status.AWAITING)
    confirmed = flood(1)
    assert preview(session, BulkKind.REMOVE, FLOOD).untold == 3
    decision = carry_out(BulkKind.REMOVE, now=a_while_ago())
    work()
    assert statuses(session) == {Status.REMOVED: 4}
    assert [each["To"] for each in mailbox.received] == [
        session.get_one(Signature, confirmed[0]).email
    ]
    take_back(decision, now=a_while_ago())
    work()
    assert statuses(session) == {Status.AWAITING: 3, Status.VERIFIED: 1}
    assert len(mailbox.received) == 2
    assert mailbox.received[0]["To"] == mailbox.received[1]["To"]


def test_a_mail_that_asks_to_confirm_is_not_sent_once_the_signature_is_removed(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    """The outbox may be long while a flood goes on: what is left of it is not sent."""
    sign("one@flood.example.org", "two@flood.example.org")
    carry_out(BulkKind.REMOVE)
    work()
    assert mailbox.received == []


def test_whoever_signs_again_after_a_removal_learns_of_it(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    sign("one@flood.example.org")
    carry_out(BulkKind.REMOVE, now=a_while_ago())
    sign("one@flood.example.org")
    work()
    (mail,) = mailbox.received
    assert "These look alike." in text_of(mail)


@pytest.mark.parametrize("name", ["remove", "restore"])
def test_a_single_decision_about_what_nobody_confirmed_writes_to_nobody(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, name: str
) -> None:
    before = Status.AWAITING if name == "remove" else Status.REMOVED
    (signature_id,) = flood(1, before, verified_at=None)
    assert decided(name, signature_id) is False
    work()
    assert mailbox.received == []
    assert mails(session) == 0


@pytest.mark.parametrize("name", ["hold", "release", "remove", "restore"])
def test_a_single_decision_about_what_was_confirmed_is_told(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, name: str
) -> None:
    (before, *_) = sorted(DECISIONS[name].allowed_from - {Status.AWAITING})
    (signature_id,) = flood(1, before)
    assert decided(name, signature_id) is True
    work()
    assert len(mailbox.received) == 1


def test_whoever_wrote_to_us_gets_an_answer_even_if_they_never_confirmed(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    (signature_id,) = flood(1, Status.REMOVED, verified_at=None)
    with transaction() as writing:
        actions.appeal_decision(writing, signature_id, "It is me.", now=clock.utc_now())
    assert decided("restore", signature_id) is True
    work()
    (mail,) = mailbox.received
    assert "Please confirm that this address is yours" in text_of(mail)


def test_whoever_wrote_to_us_gets_an_answer_when_a_removal_is_undone(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    one, _ = flood(2, Status.AWAITING)
    decision = carry_out(BulkKind.REMOVE)
    with transaction() as writing:
        actions.appeal_decision(writing, one, "It is me.", now=clock.utc_now())
    take_back(decision, now=a_while_ago())
    work()
    assert [each["To"] for each in mailbox.received] == [session.get_one(Signature, one).email]
