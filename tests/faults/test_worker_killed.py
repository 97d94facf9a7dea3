"""A worker that is stopped or killed loses no mail."""

from __future__ import annotations

import signal
import time
import uuid
from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from coalition import clock
from coalition.db import transaction
from coalition.mail import actions
from coalition.mail.actions import LEASE
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.worker import BATCH
from coalition.petition import emails
from tests.conftest import environment, running
from tests.mailbox import Mailbox

MAILS = 3 * BATCH + 20  # so that some are not yet claimed in the middle of the third batch


def queue(number: int) -> set[str]:
    with transaction() as session:
        return {
            actions.queue_message(
                session,
                emails.ERASED,
                now=clock.utc_now(),
                details={"address": f"person{each}@example.org"},
            ).hex
            for each in range(number)
        }


def received_ids(mailbox: Mailbox) -> list[str]:
    return [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in mailbox.received]


def wait_until_received(mailbox: Mailbox, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(set(received_ids(mailbox))) < number:
        assert time.monotonic() < deadline, f"{len(mailbox.received)} of {number} came"
        time.sleep(0.02)


def let_leases_end() -> None:
    """As if the time of every lease had passed."""
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.state == MessageState.WAITING)
            .values(due_at=clock.utc_now() - LEASE)
        )


def test_a_worker_killed_in_the_middle_of_a_batch_loses_no_mail(
    app: Flask, database_url: str, mailbox: Mailbox
) -> None:
    ids = queue(MAILS)
    settings = environment(database_url, mailbox.url)
    with running(settings, "worker") as process:
        # In the middle of the third batch: with what was sent, and not yet recorded.
        wait_until_received(mailbox, 2 * BATCH + BATCH // 2)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert len(set(received_ids(mailbox))) < MAILS
    let_leases_end()
    with running(settings, "worker"):
        wait_until_received(mailbox, MAILS)
    arrived = received_ids(mailbox)
    assert set(arrived) == ids
    assert len(arrived) - MAILS <= BATCH


def test_a_worker_told_to_stop_finishes_the_mail_in_hand_and_repeats_none(
    app: Flask, database_url: str, mailbox: Mailbox
) -> None:
    ids = queue(2 * BATCH)
    settings = environment(database_url, mailbox.url)
    with running(settings, "worker") as process:
        wait_until_received(mailbox, BATCH + 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert len(mailbox.received) < len(ids)
    # What was not sent is due at once: nothing waits for a lease to end.
    with running(settings, "worker"):
        wait_until_received(mailbox, len(ids))
    assert sorted(received_ids(mailbox)) == sorted(ids)


def test_the_worker_goes_on_after_its_mail_server_was_away(app: Flask, database_url: str) -> None:
    ids = queue(3)
    away = Mailbox()
    with running(environment(database_url, away.url), "worker") as process:
        time.sleep(3)
        assert process.poll() is None
    with transaction() as session:
        waiting = [row.id for row in session.query(OutboxMessage)]
        assert {uuid.UUID(each) for each in ids} == set(waiting)
        session.execute(update(OutboxMessage).values(due_at=clock.utc_now() - timedelta(hours=1)))
    with away.running(), running(environment(database_url, away.url), "worker"):
        wait_until_received(away, 3)
