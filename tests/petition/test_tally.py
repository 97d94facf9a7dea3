"""The count is exact: whatever happens at once, the tally equals the signatures."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition import actions, queries
from coalition.petition.actions import Personal, Verification
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import (
    CountEvent,
    DailyTally,
    Kind,
    Region,
    Signature,
    SignatureStatus,
)
from coalition.petition.tally import Difference, Dimension, fold, verify_tally
from tests.conftest import environment, run_command
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox

Status = SignatureStatus
THREADS = 50


def fold_all() -> int:
    with transaction() as session:
        return fold(session, now=clock.utc_now())


def test_an_unfolded_event_is_not_yet_public_and_folds_once(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, region=Region.WALES)
    assert queries.read_count(session, now=clock.utc_now()).signatures == 0
    assert fold_all() == 1
    assert fold_all() == 0
    session.rollback()
    assert queries.read_count(session, now=clock.utc_now()).signatures == 1
    assert session.scalar(select(func.count()).select_from(CountEvent)) == 0


def test_the_tally_never_crosses_the_kind_with_the_region(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, region=Region.WALES, kind=Kind.SURVIVOR)
        make_signature(writing, region=Region.WALES)
    fold_all()
    rows = {
        (row.dimension, row.category): row.change for row in session.scalars(select(DailyTally))
    }
    assert rows == {
        (Dimension.ALL, ""): 2,
        (Dimension.REGION, "wales"): 2,
        (Dimension.KIND, "survivor"): 1,
        (Dimension.KIND, "not-said"): 1,
    }


def test_events_of_several_days_and_causes_are_kept_apart(app: Flask, session: Session) -> None:
    today = clock.utc_now()
    with transaction() as writing:
        signature = make_signature(writing, now=today - timedelta(days=1))
        actions.withdraw_signature(writing, signature.id, now=today)
    fold_all()
    rows = session.execute(
        select(DailyTally.day, DailyTally.cause, DailyTally.change)
        .where(DailyTally.dimension == Dimension.ALL)
        .order_by(DailyTally.day)
    )
    assert [tuple(row) for row in rows] == [
        ((today - timedelta(days=1)).date(), "verified", 1),
        (today.date(), "withdrawn", -1),
    ]


def test_as_at_moves_while_nothing_changes(app: Flask, session: Session) -> None:
    start = clock.utc_now().replace(microsecond=0)
    for seconds in (0, 3, 60):
        with transaction() as writing:
            fold(writing, now=start + timedelta(seconds=seconds))
    session.rollback()
    assert queries.read_count(session, now=start).as_at == start + timedelta(seconds=60)


def aside(session: Session) -> dict[str, int]:
    """What stands aside of the count, by the tally."""
    fold_all()
    session.rollback()
    assert verify_tally(session)[1] == []
    rows = session.execute(
        select(DailyTally.category, func.sum(DailyTally.change))
        .where(DailyTally.dimension == Dimension.ASIDE)
        .group_by(DailyTally.category)
    )
    return {category: int(number) for category, number in rows if number}


def decide_about(signature: Signature, *names: str) -> None:
    for name in names:
        with transaction() as writing:
            decide(
                writing, DECISIONS[name], signature.id, reason="why", actor="test",
                now=clock.utc_now(),
            )  # fmt: skip


def test_what_is_held_removed_and_withdrawn_is_told_apart(app: Flask, session: Session) -> None:
    with transaction() as writing:
        signatures = [make_signature(writing) for _ in range(6)]
        unconfirmed = make_signature(writing, status=Status.AWAITING)
    decide_about(signatures[0], "hold")
    decide_about(signatures[1], "hold", "remove")
    decide_about(signatures[2], "hold", "release")
    decide_about(signatures[3], "remove", "restore")
    decide_about(signatures[4], "hold")
    decide_about(unconfirmed, "remove")
    with transaction() as writing:
        for each in signatures[4:]:
            actions.withdraw_signature(writing, each.id, now=clock.utc_now())
    assert aside(session) == {"held": 1, "removed": 1, "withdrawn": 2}


def test_what_is_erased_stands_aside_no_more_but_was_withdrawn(
    app: Flask, session: Session
) -> None:
    with transaction() as writing:
        signatures = [make_signature(writing) for _ in range(4)]
        withdrawn = make_signature(writing, status=Status.WITHDRAWN)
    decide_about(signatures[0], "hold")
    decide_about(signatures[1], "remove")
    with transaction() as writing:
        for each in (*signatures[:3], withdrawn):
            actions.erase_signature(writing, each.id, now=clock.utc_now())
    # The one that was removed its owner did not withdraw; the one that was withdrawn counts once.
    assert aside(session) == {"withdrawn": 3}


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE daily_tally SET change = change + 1 WHERE dimension = 'all'",
         Difference(Dimension.ALL, "", 2, 3)),
        ("DELETE FROM daily_tally WHERE category = 'wales'",
         Difference(Dimension.REGION, "wales", 2, 0)),
        ("UPDATE signatures SET kind = 'ally'", Difference(Dimension.KIND, "ally", 2, 0)),
        ("UPDATE signatures SET status = 'held'", Difference(Dimension.ASIDE, "held", 2, 0)),
    ],
)  # fmt: skip
def test_verify_names_every_difference(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox, damage: str,
    found: Difference,
) -> None:  # fmt: skip
    with transaction() as writing:
        for _ in range(2):
            make_signature(writing, region=Region.WALES)
    fold_all()
    assert verify_tally(session) == (2, [])
    with transaction() as writing:
        writing.execute(text(damage))
    assert found in verify_tally(session)[1]
    session.rollback()
    told = run_command(environment(database_url, mailbox.url), "tally", "verify")
    assert told.returncode == 1
    assert f"{found.signatures} signatures, but {found.tally} in the tally" in told.stdout


@contextmanager
def at_once(app: Flask, works: list[Callable[[], object]]) -> Iterator[list[object]]:
    """Run all of `works` at the same instant, each in a thread of its own."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        with app.app_context():
            barrier.wait()
            return work()

    with ThreadPoolExecutor(len(works)) as pool:
        yield list(pool.map(run, works))


def verify_once(signature_id: uuid.UUID) -> Verification:
    with transaction() as session:
        return actions.verify_signature(session, signature_id, 1, now=clock.utc_now())


def test_a_confirmation_pressed_twice_at_the_same_instant_counts_once(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="20")
    with transaction() as writing:
        signature = make_signature(writing, status=Status.AWAITING)
    with at_once(app, [lambda: verify_once(signature.id)] * 20) as outcomes:
        assert outcomes.count(Verification.COUNTED) == 1
        assert outcomes.count(Verification.ALREADY_COUNTED) == 19
    assert verify_tally(session) == (1, [])


def test_the_same_address_signed_from_fifty_threads_at_once_is_one_signature(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="20")
    agreed = agreed_now()
    spellings = ["ada@gmail.com", "A.da@googlemail.com", "ADA+x@gmail.com"]

    def sign(number: int) -> None:
        personal = Personal(f"Ada {number}", None, None, show_name=False, wants_updates=False)
        with transaction() as writing:
            actions.sign_petition(
                writing, spellings[number % 3], personal, agreed, now=clock.utc_now()
            )

    works = [lambda number=number: sign(number) for number in range(THREADS)]
    with at_once(app, works):  # type: ignore[arg-type]
        session.rollback()
        signature = session.scalars(select(Signature)).one()
        assert signature.revision == THREADS


def test_the_tally_equals_the_truth_after_fifty_threads_and_two_folding_workers(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="20")
    with transaction() as writing:
        ids = [
            make_signature(
                writing,
                status=Status.AWAITING,
                region=random.choice([None, *Region]),
                kind=random.choice([None, *Kind]),
            ).id
            for _ in range(30)
        ]
    done = threading.Event()
    agreed = agreed_now()

    def live() -> None:
        chance = random.Random()
        for _ in range(12):
            signature_id = chance.choice(ids)
            with transaction() as writing:
                now = clock.utc_now()
                match chance.randrange(5):
                    case 0 | 1:
                        actions.verify_signature(writing, signature_id, 1, now=now)
                    case 2:
                        actions.withdraw_signature(writing, signature_id, now=now)
                    case 3:
                        # As if the withdrawn had signed again and waited for their mail.
                        writing.execute(
                            update(Signature)
                            .where(Signature.id == signature_id,
                                   Signature.status == Status.WITHDRAWN)
                            .values(status=Status.AWAITING)
                        )  # fmt: skip
                    case 4:
                        personal = Personal(
                            "A", chance.choice(list(Region)), None,
                            show_name=False, wants_updates=False,
                        )  # fmt: skip
                        actions.correct_signature(
                            writing, signature_id, personal, agreed.consent_version_id, now=now
                        )

    def keep_folding() -> None:
        with app.app_context():
            while not done.is_set():
                fold_all()

    workers = [threading.Thread(target=keep_folding) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        with at_once(app, [live] * THREADS):
            pass
    finally:
        done.set()
        for worker in workers:
            worker.join()
    session.rollback()
    total, differences = verify_tally(session)
    assert differences == []
    fold_all()
    session.rollback()
    assert verify_tally(session) == (total, [])
    truth = session.scalar(
        select(func.count()).select_from(Signature).where(Signature.status == Status.VERIFIED)
    )
    assert queries.read_count(session, now=clock.utc_now()).signatures == truth == total
