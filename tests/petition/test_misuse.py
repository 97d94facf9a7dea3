"""What somebody might try, or slip into, and what must hold all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.mail.private_links import Purpose, make_token
from coalition.petition import actions
from coalition.petition.actions import Verification
from coalition.petition.decisions import DECISIONS, NotPossible, decide
from coalition.petition.models import ReviewedAddress, Signature, SignatureStatus
from coalition.petition.tally import verify_tally
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder
from tests.conftest import ROOT, SECRET, environment, run_command
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox, code_in, link_in, text_of
from tests.signing import sign
from tests.visitor import Visitor

Status = SignatureStatus
Work = Callable[[], object]


def signature_now(session: Session) -> Signature:
    session.rollback()
    session.expunge_all()
    return session.scalars(select(Signature)).one()


def decided(name: str, signature: Signature, reason: str = "because") -> None:
    with transaction() as session:
        decide(
            session, DECISIONS[name], signature.id,
            reason=reason, actor="test", now=clock.utc_now(),
        )  # fmt: skip


def sign_and_confirm(session: Session, email: str = "ada@example.org") -> Verification:
    personal = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
    with transaction() as writing:
        actions.sign_petition(writing, email, personal, agreed_now(), now=clock.utc_now())
    waiting = signature_now(session)
    with transaction() as writing:
        return actions.verify_signature(writing, waiting.id, waiting.revision, now=clock.utc_now())


@pytest.mark.parametrize("decision", ["hold", "remove"])
@pytest.mark.parametrize("way_round", ["withdraw", "erase"])
def test_signing_again_does_not_undo_a_decision(
    app: Flask, session: Session, decision: str, way_round: str
) -> None:
    sign_and_confirm(session)
    decided(decision, signature_now(session))
    with transaction() as writing:
        act = {"withdraw": actions.withdraw_signature, "erase": actions.erase_signature}
        act[way_round](writing, signature_now(session).id, now=clock.utc_now())
    outcome = sign_and_confirm(session, "Ada+again@Example.org")
    assert outcome in (Verification.HELD, Verification.REMOVED)
    assert signature_now(session).status in (Status.HELD, Status.REMOVED)
    session.rollback()
    assert verify_tally(session) == (0, [])


def test_a_decision_that_is_taken_back_is_forgotten(app: Flask, session: Session) -> None:
    sign_and_confirm(session)
    for name in ("hold", "release", "remove", "restore"):
        decided(name, signature_now(session))
    session.rollback()
    assert session.scalars(select(ReviewedAddress)).all() == []
    assert verify_tally(session) == (1, [])


def test_restoring_counts_nothing_that_nobody_confirmed(app: Flask, session: Session) -> None:
    """Verified, withdrawn, signed again by a stranger, removed, restored."""
    sign_and_confirm(session)
    with transaction() as writing:
        actions.withdraw_signature(writing, signature_now(session).id, now=clock.utc_now())
    personal = actions.Personal("Eve", None, None, show_name=True, wants_updates=False)
    with transaction() as writing:
        actions.sign_petition(
            writing, "ada@example.org", personal, agreed_now(), now=clock.utc_now()
        )
    decided("remove", signature_now(session))
    decided("restore", signature_now(session))
    restored = signature_now(session)
    assert (restored.status, restored.verified_at) == (Status.AWAITING, None)


def test_a_signature_that_counts_again_is_told_so_in_kind_words(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    with transaction() as writing:
        signature = make_signature(writing)
    decided("hold", signature)
    decided("release", signature)
    work()
    assert "has looked at your signature again" in text_of(mailbox.received[-1])


def test_each_decision_can_be_appealed(app: Flask, session: Session) -> None:
    with transaction() as writing:
        signature = make_signature(writing)
    for name in ("hold", "release", "hold"):
        decided(name, signature)
        with transaction() as writing:
            expected = name == "hold"
            now = clock.utc_now()
            assert actions.appeal_decision(writing, signature.id, "why?", now=now) is expected
    decided("release", signature)
    assert signature_now(session).appeal is None


def test_a_reason_too_long_is_refused_before_anything_changes(app: Flask) -> None:
    with transaction() as session:
        signature = make_signature(session)
    with pytest.raises(NotPossible, match="500 characters"):
        decided("hold", signature, "x" * 501)


def test_the_version_that_is_kept_is_the_one_that_was_on_the_page(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    before = agreed_now()
    page = visitor.get("/petition")
    texts = read_folder(ROOT / "campaign")
    for slug in ("petition", "consent"):
        texts[slug] = texts[slug].replace("A few mails a year", "Some mails") + "\n\n# More\n"
    with transaction() as writing:
        publish_texts(writing, texts, actor="test", now=clock.utc_now())
    app.extensions.pop("campaign")
    assert agreed_now() != before
    visitor.submit(page, "/sign", name="Ada", email="ada@example.org", consent="yes")
    signature = signature_now(session)
    assert signature.petition_version_id == before.petition_version_id
    assert signature.consent_version_id == before.consent_version_id
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    private = visitor.get(f"/petition/signature/{token}")
    assert visitor.submit(private, "/details", show_name="yes").status == 200
    corrected = signature_now(session)
    assert corrected.consent_version_id == before.consent_version_id
    assert corrected.choices_version_id == agreed_now().consent_version_id


def test_a_code_opens_nothing_once_the_signature_is_confirmed(
    visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    sign(visitor)
    work()
    code = code_in(mailbox.wait_for(1))
    page = visitor.get("/petition/code")
    typed = {"email": "ada@example.org", "code": code}
    confirm = visitor.submit(page, "/petition/code", **typed)
    visitor.submit(confirm, "/petition/confirm")
    again = visitor.submit(page, "/petition/code", **typed)
    assert again.status == 422
    assert "/petition/signature" not in again.text


def test_a_code_runs_out_with_the_signature(
    app: Flask, visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    sign(visitor)
    work()
    with transaction() as writing:
        writing.scalars(select(Signature)).one().signed_at -= timedelta(days=7, minutes=1)
    page = visitor.get("/petition/code")
    answer = visitor.submit(
        page, "/petition/code", email="ada@example.org", code=code_in(mailbox.wait_for(1))
    )
    assert answer.status == 422


def test_following_link_after_link_prolongs_nothing(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        signature = make_signature(session)
    six_days_ago = clock.utc_now() - timedelta(days=6)
    for purpose, place in ((Purpose.CONFIRM, "confirm"), (Purpose.DISOWN, "not-me")):
        token = make_token(purpose, signature.id, six_days_ago)
        page = visitor.get(f"/petition/{place}/{token}")
        inherited = next(link for link in page.links if "/petition/signature/" in link)
        exact = make_token(Purpose.MANAGE, signature.id, six_days_ago)
        assert inherited == f"/petition/signature/{exact}"


def test_asking_for_a_mail_prolongs_nothing(app: Flask, visitor: Visitor, session: Session) -> None:
    sign(visitor)
    signed_at = signature_now(session).signed_at
    visitor.submit(
        visitor.get("/petition/your-signature"), "/petition/resend", email="ada@example.org"
    )
    assert signature_now(session).signed_at == signed_at


def test_an_expired_link_to_nothing_offers_the_form_and_no_button(
    app: Flask, visitor: Visitor
) -> None:
    with transaction() as session:
        signature = make_signature(session, status=Status.AWAITING)
    token = make_token(Purpose.CONFIRM, signature.id, clock.utc_now() - timedelta(days=8))
    with transaction() as session:
        session.delete(session.get_one(Signature, signature.id))
    page = visitor.get(f"/petition/confirm/{token}")
    assert page.status == 410
    assert "There is nothing here any more" in page.text
    assert page.forms == []


def test_words_sent_over_an_expired_link_are_given_back(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        signature = make_signature(session, status=Status.HELD)
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now() - timedelta(days=8))
    page = visitor.post(f"/petition/signature/{token}/appeal", {"words": "Our long story"})
    assert page.status == 410
    assert "Our long story" in page.text


@pytest.mark.parametrize("body", ["5", "[1]", '{"name": 5}', '{"email": ["a"]}', "null", "{"])
@pytest.mark.parametrize("path", ["/petition/sign", "/petition/code", "/petition/resend"])
def test_json_in_place_of_a_form_is_an_empty_form(visitor: Visitor, path: str, body: str) -> None:
    headers = {"Content-Type": "application/json", "Origin": visitor.origin}
    page = visitor.request("POST", path, headers, body.encode(), follow=False)
    assert page.status == 422


def test_a_file_in_place_of_a_name_is_no_name(visitor: Visitor) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a.txt"\r\n\r\nAda\r\n--x--'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Origin": visitor.origin}
    page = visitor.request("POST", "/petition/sign", headers, body, follow=False)
    assert page.status == 422
    assert "Enter your name" in page.text


@pytest.mark.parametrize("field", ["name", "email"])
def test_a_text_made_to_be_slow_is_refused_unread(
    visitor: Visitor, session: Session, field: str
) -> None:
    """Thousands of combining marks take seconds to normalise."""
    page = sign(visitor, **{field: "a" + "\u0323\u0301" * 5_000})
    assert page.status == 422
    assert "characters or fewer" in page.text or "characters at most" in page.text


def test_whoever_is_blocked_can_be_written_to_again(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox, database_url: str
) -> None:
    with transaction() as session:
        for spelling in ("ada@example.org", "ADA+x@example.org"):
            block_address(session, spelling, now=clock.utc_now())
    settings = environment(database_url, mailbox.url)
    assert run_command(settings, "signatures", "unblock", "ada@example.org").returncode == 0
    again = run_command(settings, "signatures", "unblock", "ada@example.org")
    assert (again.returncode, "not blocked" in again.stderr) == (1, True)
    sign(visitor)
    work()
    assert link_in(mailbox.wait_for(1), "confirm")


def test_looking_up_an_address_is_written_to_the_audit_log(
    app: Flask, database_url: str, mailbox: Mailbox, session: Session
) -> None:
    from coalition.audit.models import AuditEntry

    settings = environment(database_url, mailbox.url)
    run_command(settings, "signatures", "find", "nobody@example.org")
    session.rollback()
    lines = [json.dumps([row.action, row.subject]) for row in session.scalars(select(AuditEntry))]
    assert "address looked up" in lines[-1]
    assert "nobody@" not in "".join(lines)


def test_two_signatures_of_one_address_become_one_when_keys_are_rotated(
    make_app: Callable[..., Flask], database_url: str, mailbox: Mailbox
) -> None:
    """Given while one process had the new secret first, and another did not know it."""
    old, new = SECRET, "n" * 40  # the database was prepared under the old one
    personal = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
    for keys in (f"{new},{old}", old):
        with make_app(SECRET_KEYS=keys).app_context(), transaction() as session:
            now = clock.utc_now()
            actions.sign_petition(session, "ada@example.org", personal, agreed_now(), now=now)
            rows = list(session.execute(select(Signature.id, Signature.status)))
            for signature_id, status in rows:
                if status is Status.AWAITING:
                    actions.verify_signature(session, signature_id, 1, now=now)
    settings = environment(database_url, mailbox.url, SECRET_KEYS=f"{new},{old}")
    rotated = run_command(settings, "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert run_command(settings, "keys", "rotate").returncode == 0
    with make_app(SECRET_KEYS=new).app_context(), transaction() as session:
        assert session.scalars(select(Signature)).one().email == "ada@example.org"
        assert verify_tally(session) == (1, [])
