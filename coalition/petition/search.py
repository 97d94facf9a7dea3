"""Finding signatures for a moderator: without names, by what floods have in common."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from coalition.mail.address import address_digests
from coalition.petition.fingerprints import domain_digests
from coalition.petition.models import Kind, Region, Signature, SignatureStatus

PAGE = 100  # signatures at most that one page shows


@dataclass(frozen=True)
class Search:
    """What to look for; every criterion that is given must hold. An empty one finds all."""

    address: str | None = None  # any spelling of a mail address
    domain: str | None = None  # a mail domain
    network_of: uuid.UUID | None = None  # a signature: what came from the same network
    signed_from: datetime | None = None
    signed_until: datetime | None = None  # this moment included
    statuses: tuple[SignatureStatus, ...] = ()  # any of these; all, if empty

    @property
    def kind(self) -> str:
        """By what is searched, for the audit log: never what for."""
        given = {
            "address": self.address,
            "domain": self.domain,
            "network": self.network_of,
            "time": self.signed_from or self.signed_until,
            "status": self.statuses,
        }
        return ", ".join(name for name, value in given.items() if value) or "everything"

    def as_text(self) -> str:
        """The search as JSON. It may hold an address: to be kept encrypted alone."""
        return json.dumps(
            {
                "address": self.address,
                "domain": self.domain,
                "network_of": self.network_of.hex if self.network_of else None,
                "signed_from": self.signed_from.isoformat() if self.signed_from else None,
                "signed_until": self.signed_until.isoformat() if self.signed_until else None,
                "statuses": [each.value for each in self.statuses],
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Search:
        """What `as_text` gave."""
        values = json.loads(text)
        network_of, statuses = values.pop("network_of"), values.pop("statuses")
        for name in ("signed_from", "signed_until"):
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        return cls(
            **values,
            network_of=uuid.UUID(hex=network_of) if network_of else None,
            statuses=tuple(SignatureStatus(each) for each in statuses),
        )


@dataclass(frozen=True)
class Found:
    """What a list shows of a signature: nothing that says whose it is."""

    id: uuid.UUID
    status: SignatureStatus
    signed_at: datetime
    region: Region | None
    kind: Kind | None


def conditions(session: Session, search: Search) -> list[ColumnElement[bool]]:
    """The search as conditions on signatures. Raises NotAnAddress."""
    found: list[ColumnElement[bool]] = []
    if search.address:
        found.append(Signature.address_digest.in_(address_digests(search.address)))
    if search.domain:
        found.append(Signature.domain_digest.in_(domain_digests(search.domain)))
    if search.network_of:
        network = session.scalar(
            select(Signature.network_digest).where(Signature.id == search.network_of)
        )
        found.append(Signature.network_digest == network if network else false())
    if search.signed_from:
        found.append(Signature.signed_at >= search.signed_from)
    if search.signed_until:
        found.append(Signature.signed_at <= search.signed_until)
    # All of them by name, where none is: so that the index of status and time serves.
    found.append(Signature.status.in_(search.statuses or tuple(SignatureStatus)))
    return found


def count_found(session: Session, search: Search) -> dict[SignatureStatus, int]:
    """How many signatures a search finds in each status. Raises NotAnAddress."""
    rows = session.execute(
        select(Signature.status, func.count().label("signatures"))
        .where(*conditions(session, search))
        .group_by(Signature.status)
    )
    counted = {row.status: row.signatures for row in rows}
    return {status: counted[status] for status in SignatureStatus if status in counted}


def finds(session: Session, search: Search, signature_id: uuid.UUID) -> bool:
    """Whether a signature is among those that a search finds. Raises NotAnAddress."""
    found = select(Signature.id).where(Signature.id == signature_id, *conditions(session, search))
    return session.scalar(found) is not None


def find_page(session: Session, search: Search, number: int) -> Sequence[Found]:
    """Page `number`, from 1, of what a search finds: PAGE signatures, the newest first.

    Raises NotAnAddress.
    """
    rows: Any = session.execute(
        select(
            Signature.id,
            Signature.status,
            Signature.signed_at,
            Signature.region,
            Signature.kind,
        )
        .where(*conditions(session, search))
        .order_by(Signature.signed_at.desc(), Signature.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    return [Found(*row) for row in rows]
