"""What one moderator decides about alone is added up over a day; the rest takes two."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.petition.bulk import PROPOSAL_LIFETIME, confirm_proposal, lapse_proposals
from coalition.petition.bulk_limit import BULK_WINDOW, decided_alone
from coalition.petition.bulk_undo import leave_as_it_is
from coalition.petition.decisions import NotPossible
from coalition.petition.models import BulkDecision, BulkKind, BulkState, SignatureStatus
from coalition.petition.queries import bulk_proposals, last_bulk_decisions
from coalition.petition.search import Search
from tests.bulking import assert_exact, carry_out, flood, statuses, take_back

Status = SignatureStatus
ONE, TWO, THREE = (f"moderator {name}" for name in ("one", "two", "three"))
LIMIT = 5


def hold(size: int, *, actor: str = ONE, limit: int = LIMIT, **values: Any) -> BulkDecision:
    """Decide about so many that are found by nothing else."""
    domain = f"d{uuid.uuid4().hex}.example.org"
    flood(size, domain=domain)
    return carry_out(BulkKind.HOLD, Search(domain=domain), actor=actor, limit=limit, **values)


def confirm(proposal: BulkDecision, actor: str = TWO) -> BulkDecision:
    with transaction() as session:
        return confirm_proposal(
            session, proposal.id, counted=proposal.count, actor=actor, now=clock.utc_now()
        )


def spent(actor: str = ONE, now: datetime | None = None) -> int:
    with transaction() as session:
        return decided_alone(session, actor, now=now or clock.utc_now())


def test_decisions_are_added_up(app: Flask) -> None:
    assert hold(3).state is BulkState.DONE
    assert hold(3).state is BulkState.PROPOSED
    assert hold(2).state is BulkState.DONE
    assert hold(1).state is BulkState.PROPOSED
    assert spent() == LIMIT


def test_what_another_decided_is_theirs(app: Flask) -> None:
    hold(LIMIT)
    assert hold(LIMIT, actor=TWO).state is BulkState.DONE


def test_after_a_day_it_begins_anew(app: Flask) -> None:
    now = clock.utc_now()
    hold(LIMIT, now=now)
    assert hold(1, now=now + BULK_WINDOW - timedelta(seconds=1)).state is BulkState.PROPOSED
    assert hold(1, now=now + BULK_WINDOW + timedelta(seconds=1)).state is BulkState.DONE


def test_what_a_second_one_confirmed_counts_for_neither(app: Flask) -> None:
    confirm(hold(LIMIT + 1))
    assert (spent(ONE), spent(TWO)) == (0, 0)
    assert hold(LIMIT).state is BulkState.DONE


def test_undoing_ones_own_gives_nothing_back(app: Flask, session: Session) -> None:
    assert take_back(hold(LIMIT), limit=LIMIT).state is BulkState.UNDONE
    assert spent() == LIMIT
    assert hold(1).state is BulkState.PROPOSED


def test_two_forms_sent_at_once_are_added_up(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="10")
    barrier = Barrier(4)
    domains = [f"d{number}.example.org" for number in range(4)]
    for domain in domains:
        flood(3, domain=domain)

    def send(domain: str) -> BulkState:
        with app.app_context():
            barrier.wait()
            decision = carry_out(BulkKind.HOLD, Search(domain=domain), limit=LIMIT, counted=3)
            return decision.state

    with ThreadPoolExecutor(4) as pool:
        states = sorted(pool.map(send, domains))
    assert states == [BulkState.DONE] + [BulkState.PROPOSED] * 3
    assert statuses(session) == {Status.HELD: 3, Status.VERIFIED: 9}
    assert_exact(session, 9)


def test_undoing_what_took_two_takes_two(app: Flask, session: Session) -> None:
    decision = confirm(hold(LIMIT + 1))
    for _ in range(2):  # pressed twice
        asked = take_back(decision, limit=LIMIT)
        assert (asked.state, asked.undo_waits, asked.undoers) == (BulkState.DONE, True, [ONE])
    assert statuses(session) == {Status.HELD: LIMIT + 1}
    for _ in range(2):
        undone = take_back(decision, actor=THREE, limit=LIMIT)
        assert (undone.state, undone.undoers) == (BulkState.UNDONE, [ONE, THREE])
    assert statuses(session) == {Status.VERIFIED: LIMIT + 1}
    assert (spent(ONE), spent(THREE)) == (0, 0)
    assert_exact(session, LIMIT + 1)


def test_a_large_decision_of_ones_own_from_before_the_limit_fell_takes_two(app: Flask) -> None:
    decision = hold(LIMIT, limit=LIMIT)
    assert take_back(decision, limit=LIMIT - 1).undo_waits


def test_what_one_undoes_of_others_is_added_up(app: Flask) -> None:
    first, second = hold(3, actor=TWO), hold(3, actor=THREE)
    assert take_back(first, limit=LIMIT).state is BulkState.UNDONE
    assert spent() == 3
    assert take_back(second, limit=LIMIT).undo_waits
    assert hold(3).state is BulkState.PROPOSED


def test_a_wish_to_undo_waits_where_proposals_do(app: Flask, session: Session) -> None:
    decision = confirm(hold(LIMIT + 1))
    session.rollback()
    assert bulk_proposals(session) == []
    take_back(decision, limit=LIMIT)
    session.rollback()
    assert [each.id for each in bulk_proposals(session)] == [decision.id]
    assert last_bulk_decisions(session, 10) == []


@pytest.mark.parametrize("actor", [ONE, TWO])
def test_a_wish_to_undo_is_taken_back_or_refused(app: Flask, session: Session, actor: str) -> None:
    decision = confirm(hold(LIMIT + 1))
    take_back(decision, limit=LIMIT)
    for _ in range(2):
        with transaction() as writing:
            left = leave_as_it_is(writing, decision.id, actor=actor, now=clock.utc_now())
            assert (left.state, left.undo_waits, left.undone_at) == (BulkState.DONE, False, None)
    assert statuses(session) == {Status.HELD: LIMIT + 1}


def test_what_is_undone_stays_undone(app: Flask) -> None:
    decision = hold(1)
    take_back(decision)
    with pytest.raises(NotPossible, match="undone already"), transaction() as writing:
        leave_as_it_is(writing, decision.id, actor=TWO, now=clock.utc_now())


def test_a_wish_to_undo_that_nobody_shares_lapses(app: Flask, session: Session) -> None:
    decision, now = confirm(hold(LIMIT + 1)), clock.utc_now()
    take_back(decision, limit=LIMIT, now=now)
    for late, count in ((PROPOSAL_LIFETIME, 0), (PROPOSAL_LIFETIME + timedelta(seconds=1), 1)):
        with transaction() as writing:
            assert lapse_proposals(writing, now=now + late) == count
    session.rollback()
    found = session.get_one(BulkDecision, decision.id, populate_existing=True)
    assert (found.state, found.undo_waits, found.undone_at) == (BulkState.DONE, False, None)
    assert found.done_at is not None


def test_the_log_names_each_who_wanted_it_undone(app: Flask, session: Session) -> None:
    decision = confirm(hold(LIMIT + 1))
    take_back(decision, limit=LIMIT)
    take_back(decision, actor=THREE, limit=LIMIT)
    session.rollback()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(2)).all()
    assert [(line.actor, line.action) for line in lines[::-1]] == [
        (ONE, "signatures: bulk hold undo proposed"),
        (THREE, "signatures: bulk hold undone"),
    ]
