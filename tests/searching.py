"""Searching signatures at the desk, and deciding about all that was found."""

from __future__ import annotations

import uuid
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.db import transaction
from coalition.petition.models import Signature, SignatureStatus
from tests.factories import make_signature
from tests.visitor import Page, Visitor

Status = SignatureStatus


def make(size: int = 3, **values: object) -> list[uuid.UUID]:
    domain = values.pop("domain", "flood.example.org")
    with transaction() as session:
        return [
            make_signature(session, email=f"{uuid.uuid4().hex}@{domain}", **values).id  # type: ignore[arg-type]
            for _ in range(size)
        ]


def search(visitor: Visitor, **answers: str) -> Page:
    return visitor.submit(visitor.get("/desk/signatures"), "/search", **answers)


def preview(visitor: Visitor, kind: str, **answers: str) -> Page:
    found = search(visitor, **(answers or {"domain": "flood.example.org"}))
    return visitor.get(next(link for link in found.links if f"/bulk/{kind}/" in link))


def confirm(
    visitor: Visitor, page: Page, reason: str = "These look alike.", **answers: str
) -> Page:
    return visitor.submit(page, "/bulk/", reason=reason, **answers)


def statuses(session: Session) -> Counter[Status]:
    session.rollback()
    return Counter(session.scalars(select(Signature.status)))
