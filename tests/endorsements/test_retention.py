"""What is deleted of endorsements, when, and what stays."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.endorsements import retention
from coalition.endorsements.actions import appeal_decision
from coalition.endorsements.models import (
    DECIDED_LIFETIME,
    UNCONFIRMED_LIFETIME,
    Endorsement,
    EndorsementStatus,
    Entry,
    Logo,
)
from tests.cleaning import clean_up
from tests.factories import make_endorsement
from tests.visitor import Visitor

Status = EndorsementStatus


def rows(session: Session) -> int:
    session.rollback()
    return int(session.scalar(select(func.count()).select_from(Endorsement)) or 0)


def test_what_nobody_confirms_is_deleted_and_its_logo_with_it(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        logo = Logo(id=uuid.uuid4(), data=b"x", width=1, height=1, uploaded_at=now)
        writing.add(logo)
        writing.flush()
        make_endorsement(writing, status=EndorsementStatus.AWAITING, logo_id=logo.id, now=now)
        stays = make_endorsement(writing, status=EndorsementStatus.IN_REVIEW, now=now).id
    clean_up(now + UNCONFIRMED_LIFETIME)
    assert rows(session) == 2
    clean_up(now + UNCONFIRMED_LIFETIME + timedelta(seconds=1))
    session.rollback()
    assert session.scalars(select(Endorsement.id)).all() == [stays]
    assert session.scalar(select(func.count()).select_from(Entry)) == 1
    assert session.scalar(select(func.count()).select_from(Logo)) == 0


@pytest.mark.parametrize("status", [Status.MORE_ASKED, Status.DECLINED, Status.REMOVED])
@pytest.mark.parametrize("answered", [False, True], ids=["no answer", "answered"])
def test_what_was_decided_long_ago_goes_unless_an_answer_waits(
    app: Flask, session: Session, status: EndorsementStatus, answered: bool
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        endorsement_id = make_endorsement(writing, status=status, now=now).id
        if answered:
            appeal_decision(writing, endorsement_id, "Look again.", now=now)
    for age, left in ((timedelta(), 1), (timedelta(seconds=1), int(answered))):
        clean_up(now + DECIDED_LIFETIME + age)
        assert rows(session) == left


def test_of_an_organisation_that_withdrew_the_note_stays_and_its_contact_goes(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        make_endorsement(writing, status=Status.WITHDRAWN, name="Bygone Group", now=now)
    clean_up(now + DECIDED_LIFETIME + timedelta(seconds=1))
    session.rollback()
    found = session.scalars(select(Endorsement)).one()
    assert (found.contact_email, found.contact_name, found.contact_role) == (None, None, None)
    assert found.address_digest is None
    assert "Withdrew on" in visitor.get("/supporters/bygone-group").text


def test_logos_without_a_form_are_bounded_in_number(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_LOOSE_LOGOS", 2)
    now = clock.utc_now()
    ids = [uuid.uuid4() for _ in range(4)]
    with transaction() as writing:
        for age, logo_id in enumerate(ids):
            moment = now - timedelta(hours=age)
            writing.add(Logo(id=logo_id, data=b"x", width=1, height=1, uploaded_at=moment))
        writing.flush()
        make_endorsement(writing, logo_id=ids[3])
    clean_up(now)
    session.rollback()
    assert set(session.scalars(select(Logo.id))) == {ids[0], ids[1], ids[3]}
