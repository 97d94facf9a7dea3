"""Among many, too, nobody at the desk decides about their own signature."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.petition.models import Signature
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.factories import make_signature
from tests.searching import Status, confirm, make, preview
from tests.visitor import Visitor

DOMAIN = "flood.example.org"


@pytest.fixture
def moderator(app: Flask) -> Visitor:
    return sign_in_as(app, make_moderator(app, Role.MODERATOR, email=f"mo@{DOMAIN}"))


@pytest.fixture
def other(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Kit Fictional")


def own_signature(status: Status = Status.VERIFIED) -> uuid.UUID:
    """A signature of the moderator's own address, in another spelling."""
    with transaction() as session:
        return make_signature(session, email=f"Mo+petition@{DOMAIN}", status=status).id


def status_of(session: Session, signature_id: uuid.UUID) -> Status:
    session.rollback()
    return session.get_one(Signature, signature_id, populate_existing=True).status


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("hold", Status.VERIFIED, Status.HELD),
        ("remove", Status.VERIFIED, Status.REMOVED),
        ("release", Status.HELD, Status.VERIFIED),
    ],
)
def test_their_own_signature_is_no_part_of_a_decision_about_many(
    app: Flask, moderator: Visitor, session: Session, kind: str, before: Status, after: Status
) -> None:
    others, number = make(3, domain=DOMAIN, status=before), own_signature(before)
    page = preview(moderator, kind, domain=DOMAIN)
    assert f"{kind.capitalize()} 3 signatures?" in page.text
    assert "One of them is your own" in page.text
    confirm(moderator, page)
    assert status_of(session, number) is before
    assert {status_of(session, each) for each in others} == {after}


def test_another_decides_about_it_with_the_others(
    app: Flask, moderator: Visitor, other: Visitor, session: Session
) -> None:
    make(3, domain=DOMAIN)
    number = own_signature()
    page = preview(other, "hold", domain=DOMAIN)
    assert "Hold 4 signatures?" in page.text
    assert "your own" not in page.text
    confirm(other, page)
    assert status_of(session, number) is Status.HELD


def test_whoever_confirms_leaves_their_own_signature_out(
    app: Flask, moderator: Visitor, other: Visitor, session: Session
) -> None:
    make(120, domain=DOMAIN)
    number = own_signature()
    proposal = confirm(other, preview(other, "hold", domain=DOMAIN))
    assert "waits for a second person" in proposal.text
    done = moderator.submit(moderator.get(proposal.url), "/confirm")
    assert "Done on" in done.text
    assert status_of(session, number) is Status.VERIFIED


def test_undoing_leaves_their_own_signature_as_it_is(
    app: Flask, moderator: Visitor, other: Visitor, session: Session
) -> None:
    others, number = make(2, domain=DOMAIN), own_signature()
    done = confirm(other, preview(other, "hold", domain=DOMAIN))
    assert status_of(session, number) is Status.HELD
    undone = moderator.submit(moderator.get(done.url), "/undo")
    assert "2 of 3 are as they were" in undone.text
    assert status_of(session, number) is Status.HELD
    assert {status_of(session, each) for each in others} == {Status.VERIFIED}
