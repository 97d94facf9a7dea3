"""What is more than one moderator decides about alone waits for a second one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition.bulk import (
    PROPOSAL_LIFETIME,
    CountChanged,
    confirm_proposal,
    lapse_proposals,
    refuse_proposal,
)
from coalition.petition.bulk_undo import leave_as_it_is, undo
from coalition.petition.decisions import NotPossible
from coalition.petition.models import BulkDecision, BulkKind, BulkState
from tests.bulking import Status, assert_exact, carry_out, flood, mails, statuses, take_back


def test_what_is_above_the_limit_waits_for_a_second_moderator(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.REMOVE, limit=2)
    assert proposal.state is BulkState.PROPOSED
    assert statuses(session) == {Status.VERIFIED: 3}
    assert mails(session) == 0
    with transaction() as writing:
        done = confirm_proposal(
            writing, proposal.id, counted=3, actor="moderator two", now=clock.utc_now()
        )
        assert (done.state, done.search, done.second_actor) == (
            BulkState.DONE, None, "moderator two",
        )  # fmt: skip
    assert statuses(session) == {Status.REMOVED: 3}
    assert_exact(session, 0)


def test_nobody_is_their_own_second_moderator(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.REMOVE, limit=0)
    with pytest.raises(NotPossible, match="somebody else"), transaction() as writing:
        confirm_proposal(
            writing, proposal.id, counted=3, actor="moderator one", now=clock.utc_now()
        )
    assert statuses(session) == {Status.VERIFIED: 3}


def test_a_proposal_of_which_the_number_has_changed_is_confirmed_by_the_new_number(
    app: Flask, session: Session
) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    flood(1)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    with pytest.raises(CountChanged) as raised, transaction() as writing:
        confirm_proposal(writing, proposal.id, counted=3, **told)
    assert raised.value.count == 4
    assert statuses(session) == {Status.VERIFIED: 4}
    with transaction() as writing:
        assert confirm_proposal(writing, proposal.id, counted=4, **told).count == 4
    assert_exact(session, 0)


def test_a_proposal_is_confirmed_or_refused_once(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    for _ in range(2):
        with transaction() as writing:
            confirm_proposal(writing, proposal.id, counted=3, **told)
    with pytest.raises(NotPossible, match="is done"), transaction() as writing:
        refuse_proposal(writing, proposal.id, **told)
    assert mails(session) == 3


def test_a_refused_proposal_changes_nothing_and_forgets_what_was_searched(
    app: Flask, session: Session
) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    for _ in range(2):
        with transaction() as writing:
            refused = refuse_proposal(writing, proposal.id, **told)
            assert (refused.state, refused.search) == (BulkState.REFUSED, None)
    with pytest.raises(NotPossible, match="is refused"), transaction() as writing:
        confirm_proposal(writing, proposal.id, counted=3, **told)
    assert statuses(session) == {Status.VERIFIED: 3}


def test_a_proposal_that_nobody_confirms_lapses(app: Flask, session: Session) -> None:
    flood(3)
    now = clock.utc_now()
    proposal = carry_out(BulkKind.HOLD, limit=2, now=now)
    for late, count in ((PROPOSAL_LIFETIME, 0), (PROPOSAL_LIFETIME + timedelta(seconds=1), 1)):
        with transaction() as writing:
            assert lapse_proposals(writing, now=now + late) == count
    session.rollback()
    assert session.get_one(BulkDecision, proposal.id).state is BulkState.LAPSED
    assert session.get_one(BulkDecision, proposal.id).search is None


def test_a_proposal_is_not_undone(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    with pytest.raises(NotPossible, match="is proposed"):
        take_back(proposal)


def test_what_is_not_there_is_neither_confirmed_nor_undone(app: Flask) -> None:
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    acts: list[Callable[..., object]] = [partial(undo, limit=1), refuse_proposal, leave_as_it_is]
    for act in acts:
        with pytest.raises(NotPossible, match="no such decision"), transaction() as session:
            act(session, uuid.uuid4(), **told)
