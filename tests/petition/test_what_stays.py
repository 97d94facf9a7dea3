"""What a signatory's link, form and key must go on doing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.forms import make_stamp
from coalition.petition.models import Signature, SignatureStatus
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox
from tests.visitor import Visitor, visitor_of

MakeApp = Callable[..., Flask]


def private_path(signature: Signature) -> str:
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    return f"/petition/signature/{token}"


@pytest.mark.parametrize("stamp", ["", "x", "ImEi.aaaaaa.bbbbbb"])
def test_a_correction_on_a_form_that_was_not_made_here_is_offered_anew(
    app: Flask, visitor: Visitor, session: Session, stamp: str
) -> None:
    """Or else nobody could say which consent stood beside it."""
    with transaction() as writing:
        signature = make_signature(writing, name="Ada")
        own_id = signature.id
    page = visitor.get(private_path(signature))
    again = visitor.submit(page, "/details", name="Ada Corrected", show_name="yes", stamp=stamp)
    assert again.status == 422
    assert "Press the button once more" in again.text
    session.rollback()
    session.expunge_all()
    kept = session.get_one(Signature, own_id)
    assert (kept.name, kept.show_name) == ("Ada", False)
    assert again.form("/details").values["name"] == "Ada Corrected"
    assert visitor.submit(again, "/details").status == 200
    session.rollback()
    session.expunge_all()
    assert session.get_one(Signature, own_id).name == "Ada Corrected"


def test_links_that_ran_out_are_renewed_only_so_often(make_app: MakeApp) -> None:
    app = make_app(LIMIT_ADDRESS="2 per hour")
    with app.app_context():
        with transaction() as session:
            signature = make_signature(session, status=SignatureStatus.AWAITING)
        long_ago = clock.utc_now() - timedelta(days=8)
        token = make_token(Purpose.CONFIRM, signature.id, long_ago)
    statuses = [
        visitor_of(app, f"203.0.113.{number}")
        .post(f"/petition/renew/petition.confirm/{token}", {})
        .status
        for number in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_a_proxy_does_not_say_under_which_name_the_site_is_asked(make_app: MakeApp) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    page = visitor_of(app).get("/petition", **{"X-Forwarded-Host": "evil.example.com"})
    assert page.status == 200
    assert "evil.example.com" not in page.text


def test_a_blocked_address_under_which_nothing_is_held_gets_no_mail_either(
    app: Flask, visitor: Visitor, work: Callable[[], object], mailbox: Mailbox
) -> None:
    with transaction() as session:
        block_address(session, "ada@example.org", now=clock.utc_now())
    page = visitor.get("/petition/your-signature")
    visitor.submit(page, "/petition/resend", email="ADA+x@example.org")
    work()
    assert mailbox.received == []


@pytest.mark.parametrize("status", [SignatureStatus.HELD, SignatureStatus.REMOVED])
def test_signing_again_changes_nothing_of_a_signature_that_was_decided_on(
    app: Flask, visitor: Visitor, session: Session, status: SignatureStatus
) -> None:
    """Or else whoever knows an address could take its owner's appeal away."""

    def held_now() -> dict[str, object]:
        session.rollback()
        session.expunge_all()
        kept = session.get_one(Signature, signature.id)
        return {each.key: getattr(kept, each.key) for each in Signature.__table__.columns}

    with transaction() as writing:
        signature = make_signature(
            writing,
            email="ada@example.org",
            status=status,
            decision_reason="Many came at once",
            appeal="We are a ward",
            appealed_at=clock.utc_now(),
        )
    before = held_now()
    page = visitor.get("/petition")
    answers = {"name": "Eve", "email": "ADA+x@example.org", "consent": "yes"}
    assert visitor.submit(page, "/petition/sign", **answers).status == 200
    assert held_now() == before


@pytest.mark.parametrize("status", [each for each in SignatureStatus if each != "verified"])
def test_the_page_that_gives_thanks_is_shown_for_what_counts_alone(
    app: Flask, visitor: Visitor, status: SignatureStatus
) -> None:
    with transaction() as session:
        signature = make_signature(session, status=status)
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    assert visitor.get(f"/petition/counted/{token}").url == f"/petition/signature/{token}"


def test_a_removed_signature_stays_removed_when_it_is_withdrawn(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=SignatureStatus.REMOVED)
        own_id = signature.id
    visitor.post(f"{private_path(signature)}/withdraw", {})
    session.rollback()
    session.expunge_all()
    assert session.get_one(Signature, own_id).status is SignatureStatus.REMOVED


def test_the_download_holds_each_text_that_was_agreed_to(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        signature = make_signature(session)
    data = json.loads(visitor.get(f"{private_path(signature)}/download.json").text)
    for name in ("petition_text", "consent_text", "choices_consent_text"):
        assert data[name].keys() == {"version", "published_at", "text"}
        assert data[name]["text"]


@pytest.mark.parametrize("action", ["erase", "appeal", "details", "withdraw"])
def test_pressed_twice_at_the_same_instant_nothing_breaks(
    make_app: Callable[..., Flask], action: str
) -> None:
    """One press may find that the other has deleted what it has just looked at."""
    app = make_app(DATABASE_POOL="20")
    for _ in range(8):
        with app.app_context():
            with transaction() as session:
                signature = make_signature(session, status=SignatureStatus.HELD)
            token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
            stamp = make_stamp(agreed_now(), clock.utc_now())
        values = {"words": "Look again", "name": "Ada", "stamp": stamp}

        def press(name: str, token: str = token, values: dict[str, str] = values) -> int:
            path = f"/petition/signature/{token}/{name}"
            return visitor_of(app).post(path, values, follow=False).status

        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(press, [action, "erase", action, "erase"]))
        assert statuses <= {303, 410}
