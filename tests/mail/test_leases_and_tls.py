"""Several workers at once, what is left of a mail, and whom it goes to and how."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail import actions, worker
from coalition.mail.messages import Email, build
from coalition.mail.models import OutboxMessage
from coalition.mail.transports import ServerUnavailable, SmtpTransport
from coalition.mail.worker import Pace, deliver_batch
from coalition.petition import emails
from coalition.petition.actions import request_link
from coalition.settings import MailServer
from tests.certificates import make_certificate
from tests.engines import on_postgresql, on_sqlite
from tests.factories import make_signature
from tests.mailbox import Mailbox, free_port

Work = Callable[[], object]


def queue(number: int) -> None:
    with transaction() as session:
        for each in range(number):
            details = {"address": f"person{each}@example.org"}
            actions.queue_message(session, emails.ERASED, now=clock.utc_now(), details=details)


@on_postgresql
def test_a_worker_takes_what_another_leaves_and_does_not_wait_for_it(app: Flask) -> None:
    queue(5)
    now = clock.utc_now()

    def claim_beside() -> set[uuid.UUID]:
        with app.app_context(), transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '3s'"))
            return {row.id for row in actions.claim_batch(session, 10, now=now)}

    with transaction() as session, ThreadPoolExecutor(1) as threads:
        first = {row.id for row in actions.claim_batch(session, 2, now=now)}
        second = threads.submit(claim_beside).result(20)
    assert (len(first), len(second)) == (2, 3)
    assert not first & second


def test_no_mail_is_begun_close_to_the_end_of_the_lease(
    app: Flask, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_MARGIN", actions.LEASE)
    queue(3)
    transport = SmtpTransport(MailServer("smtp", "127.0.0.1", mailbox.port))
    batch = deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=Event())
    transport.close()
    assert (batch.sent, batch.put_back) == (0, 3)
    assert mailbox.received == []


def test_once_sent_nothing_tells_whom_a_mail_was_about(
    app: Flask, session: Session, work: Work
) -> None:
    with transaction() as writing:
        signature = make_signature(writing)
        actions.queue_message(writing, emails.SIGNING, now=clock.utc_now(), reference=signature.id)
    work()
    session.rollback()
    row = session.scalars(select(OutboxMessage)).one()
    assert (row.state, row.reference, row.payload) == ("sent", None, None)


@pytest.mark.parametrize("typed", ["ada+x@example.org", "ADA@example.org"])
def test_a_link_goes_to_the_address_that_was_proved_however_it_is_asked_for(
    app: Flask, work: Work, mailbox: Mailbox, typed: str
) -> None:
    """ada+x@ may be another person's mailbox where the server knows no tags."""
    with transaction() as session:
        make_signature(session, email="ada@example.org")
        request_link(session, typed, now=clock.utc_now())
    work()
    assert mailbox.recipients == ["ada@example.org"]


@contextmanager
def encrypting(folder: Path) -> Iterator[tuple[Mailbox, Path]]:
    """An SMTP server that takes mail over TLS only, and the certificate that it shows."""
    shown, secret = make_certificate(folder, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown, secret)
    mailbox = Mailbox()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        ready_timeout=20,
        tls_context=context,
        require_starttls=True,
    )
    mailbox.port = controller.port
    controller.start()
    try:
        yield mailbox, shown
    finally:
        controller.stop()


def deliver_one(port: int) -> None:
    transport = SmtpTransport(MailServer("smtp+starttls", "127.0.0.1", port))
    try:
        email = Email("ada@example.org", "Words", "Words\n", "<p>Words</p>")
        transport.send(build(email, uuid.uuid4(), clock.utc_now()))
    finally:
        transport.close()


@on_sqlite
def test_mail_is_encrypted_on_its_way_to_the_server_that_was_meant_and_to_no_other(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with encrypting(tmp_path) as (mailbox, certificate):
        with pytest.raises(ServerUnavailable, match="SSLCertVerificationError"):
            deliver_one(mailbox.port)
        assert mailbox.recipients == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        deliver_one(mailbox.port)
        assert mailbox.recipients == ["ada@example.org"]
