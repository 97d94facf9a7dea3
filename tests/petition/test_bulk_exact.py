"""The count is exact, of however many, and whatever else happens at the same time."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition import actions
from coalition.petition.decisions import NotPossible
from coalition.petition.models import BulkKind, CountEvent, Kind, Region, Signature
from tests.asking import asked
from tests.bulking import Status, assert_exact, carry_out, flood, mails, take_back
from tests.factories import agreed_now


def test_ten_thousand_are_decided_about_in_a_few_statements(app: Flask, session: Session) -> None:
    size = 10_000
    (one,) = flood(1, region=Region.WALES)
    with transaction() as writing:
        columns = {name: value for name, value in vars(writing.get_one(Signature, one)).items()
                   if not name.startswith("_")}  # fmt: skip
        rows = [
            {**columns, "id": uuid.uuid4(), "address_digest": number.to_bytes(32)}
            for number in range(size - 1)
        ]
        writing.execute(Signature.__table__.insert(), rows)
        writing.execute(
            CountEvent.__table__.insert(),
            [{"day": clock.utc_now().date(), "cause": "verified", "change": size - 1,
              "region": Region.WALES, "kind": None}],
        )  # fmt: skip
    with asked() as ran:
        decision = carry_out(BulkKind.REMOVE, limit=size)
    assert decision.count == size
    assert len(ran) < 25
    assert_exact(session, 0)
    assert mails(session) == size
    assert take_back(decision).undone_count == size
    assert mails(session) == 0
    assert_exact(session, size)


def test_the_tally_is_exact_while_signatures_change_at_the_same_time(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="20")
    ids = flood(40, region=Region.WALES) + flood(20, Status.AWAITING, kind=Kind.FAMILY)
    barrier = Barrier(8)

    def act(signature_id: uuid.UUID, number: int, now: datetime) -> None:
        with transaction() as writing:
            if number == 0:
                actions.verify_signature(writing, signature_id, 1, now=now)
            elif number == 1:
                actions.withdraw_signature(writing, signature_id, now=now)
            else:
                personal = actions.Personal(
                    "A", random.choice(list(Region)), None, show_name=False, wants_updates=False
                )
                version = agreed_now().consent_version_id
                actions.correct_signature(writing, signature_id, personal, version, now=now)

    def live(number: int) -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(15):
                act(random.choice(ids), number % 3, clock.utc_now())

    def moderate(number: int) -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(6):
                kind = random.choice(list(BulkKind))
                try:
                    decision = carry_out(kind, limit=1000, actor=f"moderator {number}")
                    if random.random() < 0.5:
                        take_back(decision)
                except NotPossible:
                    pass  # the number has changed, or nothing is left

    with ThreadPoolExecutor(8) as pool:
        works = [pool.submit(live if number < 5 else moderate, number) for number in range(8)]
        for each in works:
            each.result()
    session.rollback()
    total = session.scalars(
        select(func.count()).select_from(Signature).where(Signature.status == Status.VERIFIED)
    ).one()
    assert_exact(session, total)
