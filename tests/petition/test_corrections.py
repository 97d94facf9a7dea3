"""Two workers that fold at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition import queries
from coalition.petition.actions import Personal, correct_signature
from coalition.petition.models import Kind, Region, SignatureStatus
from coalition.petition.tally import fold, verify_tally
from tests.engines import on_postgresql
from tests.factories import agreed_now, make_signature


@on_postgresql
def test_a_worker_that_finds_another_folding_leaves_it_to_that_one(
    app: Flask, session: Session
) -> None:
    """Or else "as at" could be told before what the other has taken is in the number."""
    with transaction() as writing:
        make_signature(writing)

    def fold_beside() -> int:
        with app.app_context(), transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '3s'"))
            return fold(other, now=clock.utc_now())

    with transaction() as folding, ThreadPoolExecutor(1) as threads:
        assert fold(folding, now=clock.utc_now()) == 1
        assert threads.submit(fold_beside).result(20) == 0
    session.rollback()
    assert queries.read_count(session, now=clock.utc_now()).signatures == 1


@pytest.mark.parametrize("status", list(SignatureStatus))
@pytest.mark.parametrize(
    ("region", "kind"),
    [(Region.WALES, Kind.ALLY), (Region.LONDON, None), (None, None), (Region.LONDON, Kind.WORKER)],
)
def test_whatever_is_corrected_the_tally_stays_exact(
    app: Flask,
    session: Session,
    status: SignatureStatus,
    region: Region | None,
    kind: Kind | None,
) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=status, region=Region.WALES)
    corrected = Personal("Ada", region, kind, show_name=False, wants_updates=False)
    consent = agreed_now().consent_version_id
    with transaction() as writing:
        correct_signature(writing, signature.id, corrected, consent, now=clock.utc_now())
    session.rollback()
    assert verify_tally(session) == (int(status is SignatureStatus.VERIFIED), [])
