"""Reads of signatures and of their count."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, case, exists, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from coalition.crypto import keyring
from coalition.db import db
from coalition.mail.address import address_digests
from coalition.mail.models import BlockedAddress, Bounce, BounceKind
from coalition.mail.queries import is_blocked
from coalition.petition.models import (
    ASIDE_OF,
    AWAITS_ANSWER,
    UNDO_WAITS,
    UNVERIFIED_LIFETIME,
    BulkChange,
    BulkDecision,
    BulkState,
    DailyTally,
    Dimension,
    ReviewedAddress,
    Signature,
    SignatureStatus,
    TallyState,
)
from coalition.petition.tally import tallied_signatures
from coalition.statements.closing import standing_id

REMEMBERED = 1.0  # seconds for which a process does not ask the database for the count again


@dataclass(frozen=True)
class Count:
    """Verified signatures, and the moment up to which all of them are in the number."""

    signatures: int
    as_at: datetime


def find_by_address(session: Session, text: str) -> Signature | None:
    """The signature given with any spelling of this address. Raises NotAnAddress."""
    return session.scalars(
        select(Signature).where(Signature.address_digest.in_(address_digests(text)))
    ).first()


def find_signature(session: Session, signature_id: uuid.UUID) -> Signature | None:
    """The signature with this id, if it is still there."""
    return session.get(Signature, signature_id)


@dataclass(frozen=True)
class Standing:
    """What decides about the mails on a signature."""

    signature: Signature
    is_blocked: bool  # its owner asked for no mail
    is_closed: bool  # nobody can sign any more


def find_standing(session: Session, signature_id: uuid.UUID) -> Standing | None:
    """The signature with this id and what decides about its mails, in one statement."""
    row = session.execute(_standing(), {"which": signature_id}).one_or_none()
    if row is None:
        return None
    signature, blocked, closing = row
    # Under more keys than one, what is blocked is found by the address alone.
    blocked = blocked or (keyring().has_older and is_blocked(session, signature.email))
    return Standing(signature, blocked, closing is not None)


@cache
def _standing() -> Any:
    blocked = exists().where(BlockedAddress.address_digest == Signature.address_digest)
    which = bindparam("which", type_=Signature.id.type)
    return select(Signature, blocked, standing_id()).where(Signature.id == which)


def is_reviewed(session: Session, text: str) -> bool:
    """Whether a moderator holds, or has removed, a signature under this address."""
    return (
        session.scalar(
            select(ReviewedAddress.decided_at).where(
                ReviewedAddress.address_digest.in_(address_digests(text))
            )
        )
        is not None
    )


def waiting_id(session: Session, text: str, *, now: datetime) -> uuid.UUID | None:
    """The id of the signature that waits for verification under this address.

    Reads nothing that is encrypted, so that it takes as long for an address as for another.
    Raises NotAnAddress.
    """
    # By the address alone: PostgreSQL may think that few wait, and look for it among all who do.
    rows = session.execute(
        select(Signature.id, Signature.status, Signature.signed_at).where(
            Signature.address_digest.in_(address_digests(text))
        )
    )
    begun = now - UNVERIFIED_LIFETIME
    waits = SignatureStatus.AWAITING
    return next((row.id for row in rows if row.status is waits and row.signed_at >= begun), None)


def waiting_but_bounced(session: Session) -> list[tuple[uuid.UUID, Bounce]]:
    """Signatures that wait for verification while mail to their address came back for good.

    Each with the newest such bounce since it was signed, the newest first.
    """
    rows = session.execute(
        select(Signature.id, Bounce)
        .join(Bounce, Bounce.address_digest == Signature.address_digest)
        .where(
            Signature.status == SignatureStatus.AWAITING,
            Bounce.kind == BounceKind.PERMANENT,
            Bounce.at >= Signature.signed_at,
        )
        .order_by(Bounce.at.desc())
    )
    newest: dict[uuid.UUID, Bounce] = {}
    for signature_id, bounce in rows:
        newest.setdefault(signature_id, bounce)
    return list(newest.items())


def held_signatures(session: Session) -> list[Signature]:
    """Signatures that wait for a moderator, the longest waiting first: those that are held, and
    those that were removed and whose owners wrote to us."""
    return list(
        session.scalars(
            select(Signature)
            .where((Signature.status == SignatureStatus.HELD) | AWAITS_ANSWER)
            .order_by(Signature.status_changed_at)
        )
    )


def read_count(session: Session, *, now: datetime) -> Count:
    """The public count, from the tally alone; zero as at `now` before the first fold."""
    as_at = session.scalar(select(TallyState.folded_at))
    return Count(tallied_signatures(session), (as_at or now).replace(microsecond=0))


def count_with_status(session: Session, status: SignatureStatus) -> int:
    """How many signatures have this status."""
    found = select(func.count()).select_from(Signature).where(Signature.status == status)
    return session.scalar(found) or 0


def signatures_by_state(session: Session) -> dict[str, int]:
    """How many signatures are in each state, from the tally; those that wait for verification are
    counted in their index, which a week of signing fills at most. The tally counts whoever ever
    withdrew."""
    rows = session.execute(
        select(DailyTally.dimension, DailyTally.category, func.sum(DailyTally.change))
        .where(DailyTally.dimension.in_((Dimension.ALL, Dimension.ASIDE)))
        .group_by(DailyTally.dimension, DailyTally.category)
    )
    tallied = {(dimension, category): int(number) for dimension, category, number in rows}
    awaiting = session.scalar(
        select(func.count())
        .select_from(Signature)
        .where(Signature.status == SignatureStatus.AWAITING)
    )
    found = {
        str(SignatureStatus.AWAITING): int(awaiting or 0),
        str(SignatureStatus.VERIFIED): tallied.get((Dimension.ALL, ""), 0),
    }
    for status, aside in ASIDE_OF.items():
        found[str(status)] = tallied.get((Dimension.ASIDE, aside), 0)
    return found


@dataclass
class _Memory:
    count: Count | None = None
    asked_at: float = float("-inf")


def current_count(now: datetime) -> Count | None:
    """The public count, at most REMEMBERED seconds old; None if it cannot be had.

    While the database is away the last count stays good: it says as at when it was true.
    """
    memory: _Memory = current_app.extensions.setdefault("count", _Memory())
    if monotonic() - memory.asked_at > REMEMBERED:
        try:
            memory.count = read_count(db.session(), now=now)
        except SQLAlchemyError:
            db.session.rollback()
        memory.asked_at = monotonic()
    return memory.count


def bulk_proposals(session: Session) -> list[BulkDecision]:
    """What waits for a second moderator, to decide about many or to undo it, the oldest first."""
    return list(
        session.scalars(
            select(BulkDecision)
            .where((BulkDecision.state == BulkState.PROPOSED) | UNDO_WAITS)
            .order_by(BulkDecision.at)
        )
    )


def proposals_for(session: Session, actor: str) -> tuple[int, datetime | None]:
    """How many of what waits for a second moderator this one can confirm, and since when the
    oldest waits."""
    proposed = BulkDecision.state == BulkState.PROPOSED
    since = case((proposed, BulkDecision.at), else_=BulkDecision.undone_at)
    row = session.execute(
        select(func.count(), func.min(since)).where(
            (proposed & (BulkDecision.actor != actor))
            | (UNDO_WAITS & (BulkDecision.undone_by != actor))
        )
    ).one()
    return row[0], row[1]


def last_bulk_decisions(session: Session, limit: int) -> list[BulkDecision]:
    """Decisions about many signatures that wait for nobody any more, the newest first."""
    return list(
        session.scalars(
            select(BulkDecision)
            .where(BulkDecision.state != BulkState.PROPOSED, ~UNDO_WAITS)
            .order_by(BulkDecision.at.desc())
            .limit(limit)
        )
    )


def bulk_decisions_about(session: Session, signature_id: uuid.UUID) -> list[BulkDecision]:
    """Decisions about many that changed this signature, the newest first."""
    return list(
        session.scalars(
            select(BulkDecision)
            .join(BulkChange, BulkChange.decision_id == BulkDecision.id)
            .where(BulkChange.signature_id == signature_id)
            .order_by(BulkDecision.at.desc())
        )
    )


def verified_by_source(session: Session) -> dict[str, int]:
    """How many ever confirmed a signature that began on the site of each tag; those that were taken
    back since are among them."""
    rows = session.execute(
        select(DailyTally.category, func.sum(DailyTally.change))
        .where(DailyTally.dimension == Dimension.SOURCE)
        .group_by(DailyTally.category)
    )
    return {tag: int(number) for tag, number in rows}
