"""The private page: see, correct, download, withdraw, erase, appeal."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.decisions import DECISIONS, NotPossible, decide
from coalition.petition.models import Kind, Region, Signature, SignatureStatus
from coalition.petition.tally import verify_tally
from tests.conftest import run_command
from tests.factories import make_signature
from tests.mailbox import Mailbox, link_in, text_of
from tests.visitor import Page, Visitor

Status = SignatureStatus
Work = Callable[[], object]


def make(**values: object) -> Signature:
    with transaction() as session:
        return make_signature(session, email="ada@example.org", **values)  # type: ignore[arg-type]


def private_path(signature: Signature, rest: str = "") -> str:
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    return f"/petition/signature/{token}{rest}"


def private_page(visitor: Visitor, signature: Signature) -> Page:
    return visitor.get(private_path(signature))


def current(session: Session, signature: Signature) -> Signature | None:
    identity = inspect(signature).identity
    session.rollback()
    session.expunge_all()
    return session.get(Signature, identity)


def assert_tally_agrees(session: Session, total: int) -> None:
    session.rollback()
    assert verify_tally(session) == (total, [])


@pytest.mark.parametrize("rest", ["", "/erase", "/download.json"])
@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.DISOWN])
def test_a_link_for_another_purpose_does_not_open_the_private_page(
    app: Flask, visitor: Visitor, rest: str, purpose: Purpose
) -> None:
    token = make_token(purpose, make().id, clock.utc_now())
    page = visitor.get(f"/petition/signature/{token}{rest}")
    assert page.status == 404
    assert "This link does not work" in page.text
    assert "ada@" not in page.text


@pytest.mark.parametrize("action", ["details", "withdraw", "erase", "appeal"])
def test_nothing_is_done_with_a_link_that_is_not_ours(
    app: Flask, visitor: Visitor, session: Session, action: str
) -> None:
    signature = make()
    for token in ("x", make_token(Purpose.CONFIRM, signature.id, clock.utc_now())):
        assert visitor.post(f"/petition/signature/{token}/{action}", {}).status == 404
    kept = current(session, signature)
    assert kept is not None
    assert kept.status is Status.VERIFIED


def test_an_expired_private_link_offers_a_new_one(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    token = make_token(
        Purpose.MANAGE, make(name="Ada Fictional").id, clock.utc_now() - timedelta(days=8)
    )
    page = visitor.get(f"/petition/signature/{token}")
    assert page.status == 410
    assert "ada@" not in page.text
    visitor.submit(page, "/petition/renew")
    work()
    assert "Fictional" not in text_of(mailbox.wait_for(1))
    assert visitor.get(link_in(mailbox.received[0], "signature")).status == 200


def test_the_page_shows_everything_and_is_kept_by_nobody(app: Flask, visitor: Visitor) -> None:
    page = private_page(visitor, make(name="Ada Fictional", region=Region.WALES, kind=Kind.WORKER))
    for words in ("Ada Fictional", "ada@example.org", "Wales", "I work in health or care"):
        assert words in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]


def test_correcting_keeps_the_tally_exact(
    app: Flask, visitor: Visitor, session: Session, work: Work
) -> None:
    signature = make(region=Region.WALES, kind=Kind.ALLY)
    work()
    saved = visitor.submit(
        private_page(visitor, signature), "/details", name="Ada B", region="london", kind=""
    )
    assert "Your changes are saved" in saved.text
    changed = current(session, signature)
    assert changed is not None
    assert (changed.name, changed.region, changed.kind) == ("Ada B", Region.LONDON, None)
    assert_tally_agrees(session, 1)
    work()
    assert_tally_agrees(session, 1)


def test_a_correction_that_is_wrong_keeps_what_was_typed(app: Flask, visitor: Visitor) -> None:
    page = visitor.submit(private_page(visitor, make()), "/details", name="", region="wales")
    assert page.status == 422
    assert "<title>Error: " in page.text
    assert page.form("/details").values["region"] == "wales"


def test_the_download_holds_everything_that_is_held(app: Flask, visitor: Visitor) -> None:
    answer = visitor.get(private_path(make(name="Ada"), "/download.json"))
    data = json.loads(answer.text)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (data["name"], data["email"]) == ("Ada", "ada@example.org")
    assert data["petition_text"]["version"] == 1
    assert "NHS England" in data["petition_text"]["text"]
    assert "network_fingerprint_until" in data
    digests = {"address_digest", "domain_digest", "network_digest"}
    unnamed = (
        {"id", "revision"}
        | digests
        | {f"{text}_version_id" for text in ("petition", "consent", "choices")}
    )
    assert {column.key for column in Signature.__table__.columns} - unnamed <= data.keys()


@pytest.mark.parametrize("status", [Status.VERIFIED, Status.AWAITING, Status.HELD])
def test_withdrawing_takes_one_press(
    app: Flask, visitor: Visitor, session: Session, work: Work, mailbox: Mailbox, status: Status
) -> None:
    signature = make(status=status)
    done = visitor.submit(private_page(visitor, signature), "/withdraw")
    assert "Your signature is withdrawn" in done.text
    visitor.post(private_path(signature, "/withdraw"), {})
    assert_tally_agrees(session, 0)
    work()
    assert "is withdrawn" in text_of(mailbox.wait_for(1))
    assert len(mailbox.received) == 1


def test_a_withdrawn_signature_can_be_given_again(
    app: Flask, visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    signature = make(status=Status.WITHDRAWN)
    form = visitor.get("/petition")
    visitor.submit(form, "/sign", name="Ada", email="ada@example.org", consent="yes")
    work()
    visitor.submit(visitor.get(link_in(mailbox.wait_for(1), "confirm")), "/confirm")
    again = current(session, signature)
    assert again is not None
    assert again.status is Status.VERIFIED
    assert_tally_agrees(session, 1)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_erasing_page_erases_nothing(
    app: Flask, visitor: Visitor, session: Session, method: str
) -> None:
    signature = make()
    path = private_path(signature, "/erase")
    assert visitor.request(method, path, {}, b"", follow=True).status == 200
    assert current(session, signature) is not None


@pytest.mark.parametrize("status", list(Status))
def test_erasing_leaves_nothing_behind(
    app: Flask, visitor: Visitor, session: Session, work: Work, mailbox: Mailbox, status: Status
) -> None:
    signature = make(status=status)
    asked = visitor.get(private_path(signature, "/erase"))
    assert "cannot be undone" in asked.text
    assert "We hold nothing" in visitor.submit(asked, "/erase").text
    assert current(session, signature) is None
    assert_tally_agrees(session, 0)
    work()
    assert "is erased" in text_of(mailbox.wait_for(1))
    assert private_page(visitor, signature).status == 410


def test_a_held_signature_says_so_and_can_be_appealed(
    app: Flask, visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    signature = make()
    with transaction() as writing:
        decide(
            writing, DECISIONS["hold"], signature.id,
            reason="Many came from one domain", actor="test", now=clock.utc_now(),
        )  # fmt: skip
    assert_tally_agrees(session, 0)
    work()
    assert "Many came from one domain" in text_of(mailbox.wait_for(1))
    page = visitor.get(link_in(mailbox.received[0], "signature"))
    assert "held for review" in page.text
    assert "Many came from one domain" in page.text
    refused = visitor.submit(page, "/appeal", words="")
    assert refused.status == 422
    assert "Write what we should know" in refused.text
    done = visitor.submit(page, "/appeal", words="We are a day centre.")
    assert "We have your words" in done.text
    held = current(session, signature)
    assert held is not None
    assert held.appeal == "We are a day centre."
    assert "day centre" not in str([vars(row) for row in session.scalars(select(AuditEntry))])


def test_each_decision_keeps_the_count_exact_and_can_be_undone(
    app: Flask, session: Session
) -> None:
    signature = make()
    for name, total in [("hold", 0), ("release", 1), ("remove", 0), ("restore", 1)]:
        with transaction() as writing:
            decide(
                writing, DECISIONS[name], signature.id,
                reason="because", actor="test", now=clock.utc_now(),
            )  # fmt: skip
        assert_tally_agrees(session, total)


@pytest.mark.parametrize(
    ("status", "name"),
    [(Status.AWAITING, "hold"), (Status.VERIFIED, "release"), (Status.WITHDRAWN, "remove"),
     (Status.HELD, "restore")],
)  # fmt: skip
def test_a_decision_that_does_not_fit_is_refused(app: Flask, status: Status, name: str) -> None:
    signature = make(status=status)
    with pytest.raises(NotPossible, match=f"cannot {name}"), transaction() as session:
        decide(
            session, DECISIONS[name], signature.id,
            reason="because", actor="test", now=clock.utc_now(),
        )  # fmt: skip
    with pytest.raises(NotPossible, match="no such"), transaction() as session:
        decide(
            session, DECISIONS[name], uuid.uuid4(),
            reason="because", actor="test", now=clock.utc_now(),
        )  # fmt: skip


def test_decisions_can_be_made_from_the_command_line(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox
) -> None:
    from tests.conftest import environment

    signature = make()
    settings = environment(database_url, mailbox.url)
    found = run_command(settings, "signatures", "find", "ADA+x@example.org")
    assert str(signature.id) in found.stdout
    held = run_command(settings, "signatures", "hold", str(signature.id), "--reason", "to look at")
    assert held.returncode == 0, held.stderr
    assert str(signature.id) in run_command(settings, "signatures", "held").stdout
    again = run_command(settings, "signatures", "hold", str(signature.id), "--reason", "again")
    assert again.returncode == 1
    assert "cannot hold a signature that is held" in again.stderr
