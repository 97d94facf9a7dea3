"""Sending again what failed or waits, and the signs of whether mail flows."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.mail import actions, queries
from coalition.mail.actions import BEAT_EVERY, GIVE_UP_AFTER, LEASE
from coalition.mail.address import address_digests
from coalition.mail.cli import mail_commands
from coalition.mail.failures import explain, explain_status, is_about_mailbox
from coalition.mail.models import Bounce, BounceKind, MailPulse, MessageState, OutboxMessage
from coalition.mail.queries import RATE_WINDOW, SILENT_AFTER
from coalition.mail.sending_again import NotPossible, send_again, send_all_again
from coalition.mail.worker import Batch
from coalition.petition import emails
from coalition.petition.models import SignatureStatus
from tests.factories import make_signature
from tests.mailbox import Mailbox

Work = Callable[[], Batch]


@pytest.fixture
def message_id(app: Flask, mailbox: Mailbox, work: Work) -> uuid.UUID:
    """A mail to ada@example.org that was tried once, and refused as the mailbox says."""
    with transaction() as session:
        signature = make_signature(
            session, email="ada@example.org", status=SignatureStatus.AWAITING
        )
        return actions.queue_message(
            session, emails.SIGNING, now=clock.utc_now(), reference=signature.id
        )


def refuse(mailbox: Mailbox, work: Work, reply: str) -> None:
    mailbox.answer = lambda envelope: reply
    work()
    mailbox.answer = lambda envelope: "250 OK"


def press(message_id: uuid.UUID, attempts: int = 1) -> bool:
    with transaction() as session:
        return send_again(
            session, message_id, attempts=attempts, actor="Grace", now=clock.utc_now()
        )


def message(message_id: uuid.UUID) -> OutboxMessage:
    db.session.remove()
    return db.session.get_one(OutboxMessage, message_id)


def audited() -> list[tuple[str, str, str]]:
    db.session.remove()
    lines = select(AuditEntry).where(AuditEntry.action == "mail sent again")
    return [(each.actor, each.subject, each.reason) for each in db.session.scalars(lines)]


def add_bounce(status: str, kind: BounceKind = BounceKind.PERMANENT) -> None:
    with transaction() as session:
        session.add(
            Bounce(
                id=uuid.uuid4(), message_id=uuid.uuid4(), mail_kind=emails.SIGNING, kind=kind,
                address_digest=address_digests("ada@example.org")[0], status=status,
                at=clock.utc_now(), diagnostic="",
            )
        )  # fmt: skip


def test_a_mail_that_is_not_there_cannot_be_sent_again(app: Flask) -> None:
    with pytest.raises(NotPossible, match="no longer there"):
        press(uuid.uuid4())


def test_a_mail_that_was_sent_cannot_be_sent_again(message_id: uuid.UUID, work: Work) -> None:
    assert work().sent == 1
    with pytest.raises(NotPossible, match="has been sent since"):
        press(message_id)
    assert audited() == []


def test_a_mail_that_is_in_the_hands_of_a_worker_is_left_to_it(message_id: uuid.UUID) -> None:
    with transaction() as session:
        actions.claim_batch(session, 1, now=clock.utc_now())
    with pytest.raises(NotPossible, match="being sent just now"):
        press(message_id)


def test_a_mail_whose_worker_died_is_due_as_soon_as_the_lease_ends(message_id: uuid.UUID) -> None:
    long_ago = clock.utc_now() - LEASE - timedelta(seconds=1)
    with transaction() as session:
        session.get_one(OutboxMessage, message_id).due_at = long_ago
        session.flush()
        assert len(actions.claim_batch(session, 1, now=long_ago)) == 1
    assert press(message_id) is False


def test_a_page_that_is_older_than_the_last_try_sends_nothing(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work
) -> None:
    refuse(mailbox, work, "451 later")
    with pytest.raises(NotPossible, match="tried again since you looked"):
        press(message_id, attempts=0)


@pytest.mark.parametrize(("reply", "state"), [("550 no", "failed"), ("451 later", "waiting")])
def test_two_presses_send_one_mail_and_leave_one_line_in_the_log(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work, reply: str, state: str
) -> None:
    refuse(mailbox, work, reply)
    assert message(message_id).state == state
    assert [press(message_id), press(message_id)] == [True, False]
    assert audited() == [("Grace", f"mail {message_id}", f"SMTP {reply[:3]}")]
    assert work().sent == 1
    assert mailbox.recipients == ["ada@example.org"]
    with pytest.raises(NotPossible):
        press(message_id)


def test_with_another_provider_all_that_was_refused_goes_out_at_once(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    now = clock.utc_now()
    with transaction() as session:
        people = [make_signature(session, email=f"p{each}@example.org").id for each in range(4)]
        actions.queue_many(session, emails.WITHDRAWN, people[:3], now=now)
    refuse(mailbox, work, "451 4.7.1 not from you")
    with transaction() as session:
        later = now + timedelta(hours=1)
        actions.queue_many(session, emails.WITHDRAWN, people[3:], now=later)
        in_hand = session.scalars(select(OutboxMessage).limit(1)).one()
        in_hand.leased_until = now + LEASE
    assert work().sent == 0

    gap, now = timedelta(minutes=1), clock.utc_now()
    for number in (2, 1):  # the first is due at once, the second a minute later
        with transaction() as session:
            assert send_all_again(session, gap=gap, actor="Grace", now=now) == number
        assert work().sent == 1
    assert [line[:2] for line in audited()] == [
        ("Grace", "mails that were refused: 2"),
        ("Grace", "mails that were refused: 1"),
    ]
    with transaction() as session:
        assert send_all_again(session, gap=gap, actor="Grace", now=now) == 0
    db.session.remove()
    assert queries.waiting_for_try(db.session()) == (1, 1)


def test_a_mail_that_was_given_up_has_as_many_days_again(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work
) -> None:
    with transaction() as session:
        row = session.get_one(OutboxMessage, message_id)
        row.created_at -= GIVE_UP_AFTER + timedelta(hours=1)
    refuse(mailbox, work, "451 later")
    assert message(message_id).state is MessageState.FAILED
    press(message_id)
    refuse(mailbox, work, "451 later")
    assert message(message_id).state is MessageState.WAITING


def test_a_mail_whose_content_is_deleted_cannot_be_sent_again(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    with transaction() as session:
        details = {"address": "ada@example.org"}
        lost = actions.queue_message(session, emails.LINK, now=clock.utc_now(), details=details)
    refuse(mailbox, work, "550 no")
    with pytest.raises(NotPossible, match="must ask again"):
        press(lost)


@pytest.mark.parametrize("reply", ["550 no", "451 later"])
@pytest.mark.parametrize("status", ["5.1.1", "5.2.1", "5.0.0"])
def test_a_mailbox_that_sent_mail_back_for_good_is_not_written_to_again(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work, status: str, reply: str
) -> None:
    refuse(mailbox, work, reply)
    add_bounce(status)
    with pytest.raises(NotPossible, match=rf"came back for good on .* \({status}: .*address"):
        press(message_id)
    assert audited() == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.7.1", BounceKind.PERMANENT),  # once we are off the list, mail goes through
        ("5.1.8", BounceKind.PERMANENT),
        ("4.4.1", BounceKind.TEMPORARY),
    ],
)
def test_a_bounce_that_says_nothing_against_the_mailbox_does_not_hinder(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work, status: str, kind: BounceKind
) -> None:
    refuse(mailbox, work, "550 5.7.1 unwanted")
    add_bounce(status, kind)
    assert press(message_id)


def test_a_mail_keeps_only_a_digest_of_whom_it_went_to(
    message_id: uuid.UUID, mailbox: Mailbox, work: Work
) -> None:
    assert message(message_id).recipient_digest is None
    refuse(mailbox, work, "451 later")
    digest = address_digests("ada@example.org")[0]
    assert message(message_id).recipient_digest == digest
    press(message_id)
    work()
    sent = message(message_id)
    assert (sent.recipient_digest, sent.reference, sent.payload) == (digest, None, None)


def test_what_waits_is_counted_by_kind_with_the_oldest_first(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        for hours in (1, 3):
            details = {"address": f"a{hours}@example.org"}
            actions.queue_message(
                writing, emails.ERASED, now=now - timedelta(hours=hours), details=details
            )
    refuse(mailbox, work, "451 later")
    with transaction() as writing:
        details = {"address": "b@example.org"}
        actions.queue_message(writing, emails.LINK, now=now, details=details)
    found = queries.waiting_by_kind(session)
    assert [(each.kind, each.number, each.refused) for each in found] == [
        (emails.ERASED, 2, 2),
        (emails.LINK, 1, 0),
    ]
    assert found[0].oldest == now - timedelta(hours=3)
    assert len(queries.stuck_messages(session)) == 2


def test_a_worker_that_was_never_there_is_not_alive(app: Flask, session: Session) -> None:
    health = queries.health(session, now=clock.utc_now())
    assert (health.beat_at, health.is_alive, health.trouble) == (None, False, None)


def test_a_worker_is_alive_as_long_as_it_looks_after_the_outbox(
    app: Flask, session: Session, work: Work
) -> None:
    work()
    now = clock.utc_now()
    assert queries.health(session, now=now).is_alive
    session.rollback()
    assert not queries.health(session, now=now + SILENT_AFTER).is_alive


def test_the_command_says_whether_anybody_sends_mail(app: Flask) -> None:
    now = clock.utc_now()

    def told() -> str:
        return app.test_cli_runner().invoke(mail_commands, ["list"]).output.splitlines()[0]

    assert told() == "No worker has ever looked after the mail: start one."
    with transaction() as session:
        actions.beat(session, now=now)
    assert told() == "A worker looks after the mail."
    with transaction() as session:
        pulse = session.scalars(select(MailPulse)).one()
        pulse.trouble, pulse.trouble_since = "SMTP 535", now - timedelta(hours=1)
    assert told().startswith("A worker is there. The mail server takes no mail since 20")
    with transaction() as session:
        session.scalars(select(MailPulse)).one().beat_at = now - SILENT_AFTER
    assert told().startswith("No worker looks after the mail since 20")


def test_a_worker_leaves_a_sign_only_so_often(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    beats = []
    for later in (timedelta(), BEAT_EVERY, BEAT_EVERY + timedelta(seconds=1)):
        with transaction() as writing:
            actions.beat(writing, now=now + later)
        session.rollback()
        beats.append(session.scalars(select(MailPulse.beat_at)).one())
    assert beats == [now, now, now + BEAT_EVERY + timedelta(seconds=1)]


def test_a_server_that_takes_no_mail_is_told_with_since_when_until_it_does(
    message_id: uuid.UUID, session: Session, mailbox: Mailbox, work: Work
) -> None:
    refuse(mailbox, work, "530 5.7.0 sign in first")
    first = queries.health(session, now=clock.utc_now())
    assert first.trouble == "SMTP 530"
    session.rollback()
    press(message_id)
    refuse(mailbox, work, "421 closing")
    again = queries.health(session, now=clock.utc_now())
    assert (again.trouble, again.trouble_since) == ("SMTP 421", first.trouble_since)
    session.rollback()
    press(message_id, attempts=2)
    assert work().sent == 1
    health = queries.health(session, now=clock.utc_now())
    assert (health.trouble, health.trouble_since) == (None, None)


def test_the_rate_is_that_of_the_last_minutes(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        for each in range(10):
            details = {"address": f"a{each}@example.org"}
            actions.queue_message(writing, emails.ERASED, now=now, details=details)
    assert work().sent == 10
    assert queries.health(session, now=clock.utc_now()).per_minute == 2.0
    later = clock.utc_now() + RATE_WINDOW
    assert queries.health(session, now=later).per_minute == 0.0


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        ("SMTP 550", "no such mailbox"),
        ("SMTP 552", "full"),
        ("SMTP 535", "refuses our sign-in"),
        ("SMTP 554", "refuses our mail"),
        ("SMTP 499", "come back later"),
        ("SMTP 599", "refuses our mail"),
        ("TimeoutError", "did not answer"),
        ("gaierror", "name of our mail server"),
        ("KeyError", "our own program"),
    ],
)
def test_a_refusal_is_told_in_plain_words(failure: str, why: str) -> None:
    told = explain(failure)
    assert why in told.why
    assert told.what_to_do.endswith(".")


@pytest.mark.parametrize(
    ("status", "why", "about_mailbox"),
    [
        ("5.1.1", "no such mailbox", True),
        ("5.1.10", "no such mailbox", True),
        ("5.1.8", "refuses our mail", False),
        ("5.2.2", "full", True),
        ("5.7.26", "refuses our mail", False),
        ("5.0.0", "says no more", True),
        ("5.9.9", "says no more", False),
        ("4.4.7", "could not be reached", False),
        ("4.0.0", "late", False),
    ],
)
def test_a_status_is_told_in_plain_words(status: str, why: str, about_mailbox: bool) -> None:
    assert why in explain_status(status).why
    assert is_about_mailbox(status) is about_mailbox
