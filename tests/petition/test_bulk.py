"""Decisions about many signatures at once: exact, done once, told to those concerned."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.audit.proof import verify_chain
from coalition.db import transaction
from coalition.mail.actions import queue_message
from coalition.mail.models import OutboxMessage
from coalition.petition import actions, emails
from coalition.petition.bulk import CountChanged, confirm_proposal, preview
from coalition.petition.decisions import NotPossible
from coalition.petition.models import (
    BulkChange,
    BulkDecision,
    BulkKind,
    Kind,
    Region,
    ReviewedAddress,
    Signature,
)
from tests.bulking import FLOOD, Status, assert_exact, carry_out, flood, mails, statuses, take_back
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox, text_of

Work = Callable[[], object]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_whoever_decides_says_why(app: Flask, session: Session, reason: str) -> None:
    flood()
    with pytest.raises(NotPossible, match="reason"):
        carry_out(BulkKind.HOLD, reason=reason)
    assert statuses(session) == {Status.VERIFIED: 3}


def test_nothing_found_is_nothing_to_decide_about(app: Flask, session: Session) -> None:
    with pytest.raises(NotPossible, match="nothing to decide"):
        carry_out(BulkKind.HOLD)
    assert session.scalars(select(BulkDecision)).all() == []


@pytest.mark.parametrize("counted", [2, 4])
@pytest.mark.parametrize("limit", [100, 1])
def test_another_number_than_was_shown_changes_nothing(
    app: Flask, session: Session, counted: int, limit: int
) -> None:
    flood(3)
    with pytest.raises(CountChanged) as raised:
        carry_out(BulkKind.HOLD, counted=counted, limit=limit)
    assert raised.value.count == 3
    assert statuses(session) == {Status.VERIFIED: 3}
    assert mails(session) == 0
    assert session.scalars(select(BulkDecision)).all() == []


@pytest.mark.parametrize(
    ("kind", "after", "verified"),
    [
        (BulkKind.HOLD, {"verified": "held"}, 1),
        (BulkKind.RELEASE, {"held": "verified"}, 3),
        (
            BulkKind.REMOVE,
            dict.fromkeys(("awaiting_verification", "verified", "held"), "removed"),
            1,
        ),
    ],
)
def test_each_kind_changes_what_a_single_decision_would_and_nothing_else(
    app: Flask, session: Session, kind: BulkKind, after: dict[str, str], verified: int
) -> None:
    for status in Status:
        flood(1, status, region=Region.WALES, kind=Kind.ALLY)
    with transaction() as writing:
        make_signature(writing, email="somebody@else.example.org")
    decision = carry_out(kind)
    assert decision.count == len(after)
    expected = Counter(Status(after.get(status.value, status.value)) for status in Status)
    assert statuses(session) == expected + Counter([Status.VERIFIED])
    assert mails(session) == len(after.keys() - {"awaiting_verification"})
    assert_exact(session, verified)
    take_back(decision)
    assert statuses(session) == Counter(Status) + Counter([Status.VERIFIED])
    assert mails(session) == 0
    assert_exact(session, 2)


@pytest.mark.parametrize("kind", [BulkKind.HOLD, BulkKind.REMOVE])
def test_every_signatory_is_told_and_told_why(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, kind: BulkKind
) -> None:
    flood(3)
    carry_out(kind, now=clock.utc_now() - timedelta(minutes=1))
    work()
    assert len({each["To"] for each in mailbox.received}) == 3
    assert all("These look alike." in text_of(each) for each in mailbox.received)


def test_mails_of_a_bulk_decision_let_others_go_before(app: Flask, session: Session) -> None:
    app.extensions["settings"].__dict__["mail_rate"] = 10.0
    flood(20)
    now = clock.utc_now()
    carry_out(BulkKind.HOLD, now=now)
    with transaction() as writing:
        somebody = queue_message(
            writing, emails.LINK, details={"address": "a@example.org"}, now=now
        )
    due = session.scalars(select(OutboxMessage).order_by(OutboxMessage.due_at)).all()
    assert [each.id for each in due].index(somebody) <= 1
    assert due[-1].due_at - now == timedelta(seconds=0.2) * 19


def test_a_form_that_is_sent_twice_is_carried_out_once(app: Flask, session: Session) -> None:
    flood(3)
    decision_id = uuid.uuid4()
    first = carry_out(BulkKind.HOLD, decision_id=decision_id)
    again = carry_out(BulkKind.HOLD, decision_id=decision_id, counted=3)
    assert (first.id, again.id, again.count) == (decision_id, decision_id, 3)
    assert mails(session) == 3
    assert_exact(session, 0)


def test_a_form_that_is_sent_five_times_at_once_is_carried_out_once(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="10")
    flood(10)
    decision_id = uuid.uuid4()
    barrier = Barrier(5)

    def send(_: int) -> int:
        with app.app_context():
            barrier.wait()
            return carry_out(BulkKind.REMOVE, decision_id=decision_id, counted=10).count

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(5))) == [10] * 5
    assert mails(session) == 10
    assert_exact(session, 0)


def test_whoever_has_written_to_us_is_never_removed_in_bulk(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1, Status.HELD)
    flood(2, Status.HELD)
    with transaction() as writing:
        actions.appeal_decision(writing, signature_id, "It is me.", now=clock.utc_now())
    session.rollback()
    shown = preview(session, BulkKind.REMOVE, FLOOD)
    assert (shown.found, shown.count, shown.appealed) == (3, 2, 1)
    carry_out(BulkKind.REMOVE)
    session.rollback()
    kept = session.get_one(Signature, signature_id)
    assert (kept.status, kept.appeal) == (Status.HELD, "It is me.")


def test_words_against_an_old_decision_are_no_part_of_a_new_one(
    app: Flask, session: Session
) -> None:
    (signature_id,) = flood(1, Status.HELD)
    with transaction() as writing:
        actions.appeal_decision(writing, signature_id, "It is me.", now=clock.utc_now())
    carry_out(BulkKind.RELEASE)
    carry_out(BulkKind.HOLD)
    session.rollback()
    assert session.get_one(Signature, signature_id).appeal is None


@pytest.mark.parametrize("kind", [BulkKind.HOLD, BulkKind.REMOVE])
def test_signing_again_does_not_undo_a_bulk_decision(
    app: Flask, session: Session, kind: BulkKind
) -> None:
    with transaction() as writing:
        first = make_signature(writing, email="ada@flood.example.org").id
    decision = carry_out(kind)
    me = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
    now = clock.utc_now()
    with transaction() as writing:
        actions.erase_signature(writing, first, now=now)
        actions.sign_petition(writing, "ada+x@flood.example.org", me, agreed_now(), now=now)
        again = writing.scalars(select(Signature)).one()
        outcome = actions.verify_signature(writing, again.id, 1, now=now)
    assert outcome is actions.Verification.HELD
    take_back(decision)
    assert statuses(session) == {Status.HELD: 1}
    carry_out(BulkKind.RELEASE)
    assert session.scalars(select(ReviewedAddress)).all() == []
    assert_exact(session, 1)


def test_a_release_forgets_a_review_that_is_under_an_older_key(
    make_app: Callable[..., Flask],
) -> None:
    old, new = "o" * 40, "n" * 40
    with make_app(SECRET_KEYS=old).app_context():
        flood(1)
        carry_out(BulkKind.HOLD)
    with make_app(SECRET_KEYS=f"{new},{old}").app_context():
        with transaction() as session:
            signature = session.scalars(select(Signature)).one()
            me = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
            # Sending the form moves the row to the newest digest, but not the review.
            actions.sign_petition(session, signature.email, me, agreed_now(), now=clock.utc_now())
        carry_out(BulkKind.RELEASE)
        with transaction() as session:
            assert session.scalars(select(ReviewedAddress)).all() == []


def test_the_log_tells_what_was_decided_by_numbers_alone(app: Flask, session: Session) -> None:
    flood(3)
    decision = carry_out(BulkKind.REMOVE, limit=2)
    with transaction() as writing:
        confirm_proposal(
            writing, decision.id, counted=3, actor="moderator two", now=clock.utc_now()
        )
    take_back(decision)
    session.rollback()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(3)).all()
    assert [(line.actor, line.action) for line in lines[::-1]] == [
        ("moderator one", "signatures: bulk remove proposed"),
        ("moderator two", "signatures: bulk remove"),
        ("moderator one", "signatures: bulk remove undone"),
    ]
    assert {line.subject for line in lines} == {f"bulk decision {decision.id}: 3 signatures"}
    assert "flood" not in "".join(line.subject + line.reason for line in lines)
    assert verify_chain(session)


def test_a_decision_outlives_the_signatures_that_it_was_about(app: Flask, session: Session) -> None:
    ids = flood(2)
    decision = carry_out(BulkKind.HOLD)
    with transaction() as writing:
        actions.erase_signature(writing, ids[0], now=clock.utc_now())
    session.rollback()
    assert [each.signature_id for each in session.scalars(select(BulkChange))] == [ids[1]]
    assert session.get_one(BulkDecision, decision.id).count == 2
