"""The worker: what it does when a mail cannot be written, sent, or not now."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail import actions
from coalition.mail.actions import GIVE_UP_AFTER, LEASE, LONGEST_RETRY, retry_delay
from coalition.mail.messages import Email, build
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.queries import oldest_due
from coalition.mail.transports import SmtpTransport
from coalition.mail.worker import Batch, Pace, deliver_batch
from coalition.petition import emails
from coalition.settings import MailServer
from tests.mailbox import Mailbox, free_port

Work = Callable[[], Batch]


def queue(number: int = 1, **details: str) -> list[uuid.UUID]:
    with transaction() as session:
        return [
            actions.queue_message(
                session,
                emails.ERASED,
                now=clock.utc_now(),
                details={"address": f"person{each}@example.org", **details},
            )
            for each in range(number)
        ]


def message(session: Session, message_id: uuid.UUID) -> OutboxMessage:
    session.rollback()
    session.expire_all()
    return session.get_one(OutboxMessage, message_id)


def pass_time(moment: timedelta) -> None:
    """As if so much time had passed for every mail that waits."""
    with transaction() as session:
        for row in session.scalars(select(OutboxMessage)):
            row.due_at -= moment
            row.created_at -= moment


def test_an_address_that_the_server_refuses_for_good_is_not_tried_again(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    mailbox.answer = lambda envelope: "550 5.1.1 <person0@example.org>: no such person"
    (message_id,) = queue()
    assert work().failed == 1
    failed = message(session, message_id)
    assert failed.state is MessageState.FAILED
    assert failed.failure == "SMTP 550"
    assert failed.payload is None
    pass_time(timedelta(days=1))
    assert work() == Batch()


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 no such person", "550 5.1.10 no such", "552 5.2.2 mailbox full",
        "553 5.1.3 bad address", "550 no such person", "551 moved",
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mailbox_is_final(
    app: Flask, mailbox: Mailbox, work: Work, reply: str
) -> None:
    mailbox.answer = lambda envelope: reply
    queue()
    assert work().failed == 1


@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 relay access denied", "550 5.7.1 client host blocked", "554 no",
        "550 5.1.8 sender domain unknown", "550 5.4.1 no route", "503 bad sequence",
    ],
)  # fmt: skip
def test_what_is_wrong_with_us_costs_no_mail(
    app: Flask, session: Session, mailbox: Mailbox, work: Work, reply: str
) -> None:
    mailbox.answer = lambda envelope: reply
    (message_id,) = queue()
    assert work().put_back == 1
    assert message(session, message_id).state is MessageState.WAITING
    assert message(session, message_id).payload is not None


@pytest.mark.parametrize("reply", ["421 closing", "530 5.7.0 authentication required"])
def test_a_server_that_takes_no_mail_at_all_stops_the_batch(
    app: Flask, mailbox: Mailbox, work: Work, reply: str
) -> None:
    mailbox.answer = lambda envelope: reply
    queue(3)
    batch = work()
    assert batch.server_unavailable
    assert batch.put_back == 3


def test_a_worker_whose_lease_has_ended_leaves_the_mail_to_the_next(
    app: Flask, session: Session
) -> None:
    (message_id,) = queue()
    now = clock.utc_now()
    with transaction() as writing:
        (first,) = actions.claim_batch(writing, 1, now=now)
        writing.expunge_all()
    with transaction() as writing:
        (second,) = actions.claim_batch(writing, 1, now=now + LEASE * 2)
        writing.expunge_all()
    with transaction() as writing:
        actions.fail_for_good(writing, first, "SMTP 550", now=now)
        actions.try_later(writing, first, "SMTP 451", now=now)
        actions.give_back(writing, [first], now=now)
    assert message(session, message_id).failure is None
    assert message(session, message_id).attempts == 2
    with transaction() as writing:
        actions.finish(writing, [second], MessageState.SENT, now=now)
    assert message(session, message_id).state is MessageState.SENT


@pytest.mark.parametrize("reply", ["451 4.3.0 try later", "452 too many"])
def test_a_passing_refusal_is_tried_again_later(
    app: Flask, session: Session, mailbox: Mailbox, work: Work, reply: str
) -> None:
    mailbox.answer = lambda envelope: reply
    (message_id,) = queue()
    assert work().put_back == 1
    waiting = message(session, message_id)
    assert waiting.state is MessageState.WAITING
    assert waiting.due_at > clock.utc_now()
    assert waiting.failure == f"SMTP {reply[:3]}"
    mailbox.answer = lambda envelope: "250 OK"
    assert work() == Batch()
    pass_time(timedelta(minutes=2))
    assert work().sent == 1
    assert message(session, message_id).failure is None


def test_a_mail_that_cannot_be_delivered_is_given_up_after_days(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    mailbox.answer = lambda envelope: "451 4.3.0 try later"
    (message_id,) = queue()
    pass_time(GIVE_UP_AFTER + timedelta(minutes=1))
    work()
    assert message(session, message_id).state is MessageState.FAILED


def test_one_refused_mail_does_not_stop_the_others(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    mailbox.answer = lambda envelope: (
        "550 no" if envelope.rcpt_tos == ["person1@example.org"] else "250 OK"
    )
    queue(3)
    batch = work()
    assert (batch.sent, batch.failed) == (2, 1)
    assert sorted(mailbox.recipients) == ["person0@example.org", "person2@example.org"]


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(
    app: Flask, session: Session, mailbox: Mailbox, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    ids = queue(3)
    with transaction() as writing:
        writing.execute(
            update(OutboxMessage).where(OutboxMessage.id == ids[0]).values(payload='{"to": "x"}')
        )
    assert work().sent == 2
    assert message(session, ids[0]).state is MessageState.WAITING
    assert message(session, ids[0]).failure == "KeyError"
    assert "could not be written: KeyError" in caplog.text


def test_a_server_that_is_away_costs_one_try_of_one_mail(app: Flask, session: Session) -> None:
    ids = queue(3)
    transport = SmtpTransport(MailServer("smtp", "127.0.0.1", free_port()))
    batch = deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=Event())
    assert batch.server_unavailable
    rows = [message(session, each) for each in ids]
    assert Counter(row.attempts for row in rows) == {1: 1, 0: 2}
    assert all(row.state is MessageState.WAITING for row in rows)


def test_one_connection_serves_many_mails(app: Flask, mailbox: Mailbox, work: Work) -> None:
    queue(20)
    assert work().sent == 20
    assert mailbox.connections == 1


def test_a_connection_that_the_server_closed_is_made_anew(app: Flask, mailbox: Mailbox) -> None:
    transport = SmtpTransport(MailServer("smtp", "127.0.0.1", mailbox.port))
    transport.check()
    assert transport._connection is not None
    assert transport._connection.sock is not None
    transport._connection.sock.shutdown(2)
    queue()
    batch = deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=Event())
    assert batch.sent == 1
    transport.close()


def test_the_lease_keeps_other_workers_away_until_it_ends(app: Flask) -> None:
    queue(3)
    now = clock.utc_now()
    with transaction() as session:
        assert len(actions.claim_batch(session, 2, now=now)) == 2
    with transaction() as session:
        assert len(actions.claim_batch(session, 10, now=now)) == 1
    with transaction() as session:
        assert actions.claim_batch(session, 10, now=now) == []
    with transaction() as session:
        later = now + LEASE + timedelta(seconds=1)
        assert len(actions.claim_batch(session, 10, now=later)) == 3


def test_when_told_to_stop_the_rest_is_given_back_at_once(
    app: Flask, session: Session, mailbox: Mailbox
) -> None:
    queue(5)
    stop = Event()

    def stop_after_two(envelope: object) -> str:
        if len(mailbox.received) == 1:
            stop.set()
        return "250 OK"

    mailbox.answer = stop_after_two
    transport = SmtpTransport(MailServer("smtp", "127.0.0.1", mailbox.port))
    batch = deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=stop)
    transport.close()
    assert (batch.sent, batch.put_back) == (2, 3)
    with transaction() as writing:
        again = actions.claim_batch(writing, 10, now=clock.utc_now())
        assert [row.attempts for row in again] == [1, 1, 1]


def test_the_content_is_gone_once_sent_and_the_row_some_days_later(
    app: Flask, session: Session, work: Work
) -> None:
    queue()
    raw = text("SELECT payload FROM outbox_messages")
    assert session.scalar(raw) is not None
    work()
    session.rollback()
    assert session.scalar(raw) is None
    now = clock.utc_now()
    with transaction() as writing:
        assert actions.delete_finished(writing, now=now + timedelta(days=6)) == 0
        assert actions.delete_finished(writing, now=now + timedelta(days=8)) == 1


def test_every_try_of_a_mail_has_the_same_message_id(app: Flask, mailbox: Mailbox) -> None:
    now = clock.utc_now()
    email = Email("ada@example.org", "Subject", "text", "<p>html</p>")
    message_id = uuid.uuid4()
    first, second = (build(email, message_id, now + timedelta(days=n)) for n in (0, 1))
    line = f"Message-ID: <{message_id.hex}@example.org>".encode()
    assert line in first.content
    assert line in second.content


@pytest.mark.parametrize(
    ("to", "recipient"),
    [
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("zoë@example.org", "zoë@example.org"),
    ],
)
def test_addresses_of_any_script_are_written_to(
    app: Flask, mailbox: Mailbox, work: Work, to: str, recipient: str
) -> None:
    with transaction() as session:
        actions.queue_message(session, emails.ERASED, now=clock.utc_now(), details={"address": to})
    assert work().sent == 1
    assert mailbox.recipients == [recipient]


def test_the_mail_is_plain_to_read_and_says_that_a_machine_wrote_it(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    queue()
    work()
    (mail,) = mailbox.received
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "Petition <petition@example.org>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_age_of_the_mail_that_waits_longest_is_told(app: Flask, session: Session) -> None:
    queue(2)
    pass_time(timedelta(minutes=20))
    assert oldest_due(session, now=clock.utc_now()) >= timedelta(minutes=20)


def test_retries_wait_longer_each_time_up_to_a_limit() -> None:
    for attempts in (1, 2, 5, 100):
        delays = [retry_delay(attempts) for _ in range(50)]
        assert max(delays) <= LONGEST_RETRY * 1.5
        assert len(set(delays)) > 1
    assert max(retry_delay(1) for _ in range(50)) < min(retry_delay(4) for _ in range(50))


def test_mail_goes_no_faster_than_its_rate() -> None:
    stop = Event()
    pace = Pace(50)
    started = clock.utc_now()
    for _ in range(11):
        pace.wait(stop)
    assert clock.utc_now() - started >= timedelta(seconds=10 / 50)
