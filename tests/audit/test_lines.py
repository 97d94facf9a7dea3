"""What must stand in the audit log once it has happened, and what must stand in no log."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.petition import actions
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import SignatureStatus
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder
from tests.conftest import ROOT, environment, run_command, running
from tests.factories import make_signature
from tests.mailbox import Mailbox
from tests.visitor import Visitor

Status = SignatureStatus
Line = tuple[str, str, str, str]


def newest_line(session: Session) -> Line:
    session.rollback()
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    return entry.actor, entry.action, entry.subject, entry.reason


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ("hold", Status.VERIFIED),
        ("release", Status.HELD),
        ("remove", Status.AWAITING),
        ("restore", Status.REMOVED),
    ],
)
def test_each_decision_is_written_with_who_made_it_and_why(
    app: Flask, session: Session, decision: str, status: Status
) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=status)
        decide(
            writing, DECISIONS[decision], signature.id,
            reason="Many came at once", actor="Grace", now=clock.utc_now(),
        )  # fmt: skip
    assert newest_line(session) == (
        "Grace",
        f"signature: {decision}",
        f"signature {signature.id}",
        "Many came at once",
    )


def test_an_appeal_is_written_without_its_words(app: Flask, session: Session) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=Status.HELD)
        assert actions.appeal_decision(writing, signature.id, "We are a ward", now=clock.utc_now())
    expected = ("signatory", "appeal received", f"signature {signature.id}", "")
    assert newest_line(session) == expected


def test_whoever_is_unblocked_stands_in_the_log_without_the_address(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox
) -> None:
    with transaction() as writing:
        block_address(writing, "ada@example.org", now=clock.utc_now())
    settings = environment(database_url, mailbox.url)
    assert run_command(settings, "signatures", "unblock", "ada@example.org").returncode == 0
    assert newest_line(session) == ("command line", "address unblocked", "", "")


def test_each_text_that_is_published_is_written_with_its_version(
    app: Flask, session: Session
) -> None:
    texts = read_folder(ROOT / "campaign")
    texts["petition"] += "\n\n# More\n"
    with transaction() as writing:
        publish_texts(writing, texts, actor="Grace", now=clock.utc_now())
    assert newest_line(session) == ("Grace", "text published", "petition version 2", "")


def test_a_failure_is_logged_by_its_kind_and_its_place_alone(
    app: Flask, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """The text of a fault of the database quotes the statement, and may quote its values."""
    page = visitor.get("/petition/your-signature")
    with transaction() as session:
        session.execute(text("ALTER TABLE outbox_messages RENAME TO gone"))
    failed = visitor.submit(page, "/petition/resend", email="ada@example.org")
    assert failed.status == 500
    assert "petition.resend failed: " in caplog.text
    assert "outbox_messages" not in caplog.text


def test_a_fault_of_the_worker_is_logged_by_its_kind_alone(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE count_events RENAME TO gone"))
    log = tmp_path / "worker.log"
    with running(environment(database_url, mailbox.url), "worker", log=log):
        deadline = time.monotonic() + 20
        while "goes on: " not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    assert "count_events" not in log.read_text()
