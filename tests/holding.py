"""Taking one signature at the desk, reading it, deciding about it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import select

from coalition import clock
from coalition.db import transaction
from coalition.desk.models import LEASE, Claim
from coalition.petition import actions
from tests.searching import Status, make
from tests.visitor import Page, Visitor

QUEUE = "/desk/signatures/held"
WORDS, REASON = "It <b>is</b> me.", "We could not tell."


def held(status: Status = Status.HELD, **values: object) -> uuid.UUID:
    return make(1, status=status, **values)[0]


def path(signature_id: uuid.UUID, rest: str = "") -> str:
    return f"/desk/signatures/{signature_id}{rest}"


def take(visitor: Visitor, signature_id: uuid.UUID) -> Page:
    return visitor.submit(visitor.get(path(signature_id)), "/take")


def check(visitor: Visitor, page: Page, decision: str, reason: str = REASON) -> Page:
    form = page.form("/preview")
    values = {**form.values, "decision": decision, "reason": reason}
    values.pop("", None)
    return visitor.post(form.action, values)


def decide(visitor: Visitor, signature_id: uuid.UUID, decision: str, reason: str = REASON) -> Page:
    page = check(visitor, take(visitor, signature_id), decision, reason)
    return visitor.submit(page, "/decide")


def write_to_us(signature_id: uuid.UUID, words: str = WORDS) -> None:
    with transaction() as session:
        assert actions.appeal_decision(session, signature_id, words, now=clock.utc_now())


def let_leases_end() -> None:
    with transaction() as session:
        for claim in session.scalars(select(Claim)):
            claim.until -= LEASE + timedelta(seconds=1)
