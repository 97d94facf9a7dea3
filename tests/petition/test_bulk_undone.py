"""A decision about many is undone as a whole, but for what happened since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition import actions
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import BulkKind, Kind, Region, ReviewedAddress, Signature
from tests.bulking import Status, assert_exact, carry_out, flood, statuses, take_back
from tests.factories import agreed_now
from tests.mailbox import Mailbox, text_of

Work = Callable[[], object]


def test_what_was_undone_before_it_was_told_is_told_to_nobody(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    flood(2)
    decision = carry_out(BulkKind.REMOVE)
    take_back(decision)
    work()
    assert mailbox.received == []


def test_what_was_told_before_it_was_undone_is_put_right(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    flood(2)
    decision = carry_out(BulkKind.REMOVE, now=clock.utc_now() - timedelta(minutes=1))
    work()
    take_back(decision, now=clock.utc_now() - timedelta(seconds=5))
    work()
    told = [text_of(each) for each in mailbox.received]
    assert ["looked at your signature again" in each for each in told] == [False] * 2 + [True] * 2


def test_undoing_leaves_alone_what_was_decided_about_since(app: Flask, session: Session) -> None:
    ids = flood(5)
    decision = carry_out(BulkKind.HOLD)
    now = clock.utc_now()
    told: dict[str, Any] = {"reason": "Known to us.", "actor": "moderator two", "now": now}
    with transaction() as writing:
        decide(writing, DECISIONS["release"], ids[0], **told)
        decide(writing, DECISIONS["remove"], ids[1], **told)
        actions.withdraw_signature(writing, ids[2], now=now)
        actions.erase_signature(writing, ids[3], now=now)
    undone = take_back(decision)
    assert undone.undone_count == 1
    assert statuses(session) == {Status.VERIFIED: 2, Status.REMOVED: 1, Status.WITHDRAWN: 1}
    assert_exact(session, 2)
    assert take_back(decision).undone_count == 1
    assert_exact(session, 2)


def test_undoing_counts_by_what_signatories_say_of_themselves_now(
    app: Flask, session: Session
) -> None:
    (signature_id,) = flood(1, region=Region.WALES, kind=Kind.ALLY)
    decision = carry_out(BulkKind.HOLD)
    moved = actions.Personal("A", Region.SCOTLAND, None, show_name=False, wants_updates=False)
    with transaction() as writing:
        actions.correct_signature(
            writing, signature_id, moved, agreed_now().consent_version_id, now=clock.utc_now()
        )
    take_back(decision)
    assert_exact(session, 1)


def test_undoing_brings_back_the_reason_that_stood_before(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    now = clock.utc_now()
    with transaction() as writing:
        decide(
            writing, DECISIONS["hold"], signature_id, reason="first", actor="test", now=now
        )  # fmt: skip
        assert actions.appeal_decision(writing, signature_id, "It is me.", now=now)
    take_back(carry_out(BulkKind.RELEASE))
    session.rollback()
    signature = session.get_one(Signature, signature_id)
    assert (signature.status, signature.decision_reason) == (Status.HELD, "first")
    assert signature.appeal == "It is me."


def test_undoing_forgets_only_what_the_decision_itself_remembered(
    app: Flask, session: Session
) -> None:
    flood(1, Status.AWAITING)
    with transaction() as writing:
        waiting = writing.scalars(select(Signature)).one()
        writing.add(
            ReviewedAddress(address_digest=waiting.address_digest, decided_at=clock.utc_now())
        )
    take_back(carry_out(BulkKind.REMOVE))
    assert len(session.scalars(select(ReviewedAddress)).all()) == 1


def test_what_waits_anew_keeps_nothing_of_its_network(app: Flask, session: Session) -> None:
    long_ago = clock.utc_now() - timedelta(days=6)
    flood(1, Status.AWAITING, network="203.0.113.7", now=long_ago)
    take_back(carry_out(BulkKind.REMOVE))
    session.rollback()
    waiting = session.scalars(select(Signature)).one()
    assert (waiting.status, waiting.network_digest) == (Status.AWAITING, None)
    assert waiting.signed_at > long_ago
