"""Claiming an item of a queue, giving it back, passing it on.

A claim is a lease: it ends by itself, so that nothing is stuck with somebody who had to stop.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.audit.actions import record
from coalition.db import is_postgresql, sweep
from coalition.desk.models import LEASE, PASSED_LIFETIME, Claim, ItemKind, PassedOn


@dataclass(frozen=True)
class Taken:
    """Somebody else is looking at the item, until then."""

    name: str
    until: datetime


def take(
    session: Session, kind: ItemKind, item_id: uuid.UUID, moderator: Moderator, *, now: datetime
) -> Taken | None:
    """Claim an item, or prolong one's own claim. Returns who else has it, if somebody does."""
    insert = (postgresql if is_postgresql(session) else sqlite).insert(Claim)
    values = {"moderator_id": moderator.id, "until": now + LEASE}
    session.execute(
        insert.values(kind=kind, item_id=item_id, **values).on_conflict_do_update(
            index_elements=[Claim.kind, Claim.item_id],
            set_=values,
            where=(Claim.moderator_id == moderator.id) | (Claim.until <= now),
        )
    )
    return taken_by_another(session, kind, item_id, moderator, now=now)


def taken_by_another(
    session: Session, kind: ItemKind, item_id: uuid.UUID, moderator: Moderator, *, now: datetime
) -> Taken | None:
    """Who else is looking at an item now."""
    row = session.execute(
        select(Moderator, Claim.until)
        .join(Claim, Claim.moderator_id == Moderator.id)
        .where(Claim.kind == kind, Claim.item_id == item_id, Claim.until > now)
    ).one_or_none()
    if row is None or row[0].id == moderator.id:
        return None
    return Taken(row[0].name, row[1])


def release(session: Session, kind: ItemKind, item_id: uuid.UUID, moderator: Moderator) -> None:
    """Give one's own claim back."""
    session.execute(
        delete(Claim).where(
            Claim.kind == kind, Claim.item_id == item_id, Claim.moderator_id == moderator.id
        )
    )


def pass_on(
    session: Session, kind: ItemKind, item_id: uuid.UUID, moderator: Moderator, *, now: datetime
) -> None:
    """Leave an item to others, for good and without a reason."""
    release(session, kind, item_id, moderator)
    insert = (postgresql if is_postgresql(session) else sqlite).insert(PassedOn)
    session.execute(
        insert.values(
            kind=kind, item_id=item_id, moderator_id=moderator.id, passed_at=now
        ).on_conflict_do_nothing()
    )
    record(
        session,
        actor=moderator.actor,
        action=f"{kind}: pass on",
        subject=f"{kind} {item_id}",
        now=now,
    )


def claims_now(session: Session, kind: ItemKind, *, now: datetime) -> dict[uuid.UUID, Claim]:
    """The claims that hold now, by their items."""
    found = session.scalars(select(Claim).where(Claim.kind == kind, Claim.until > now))
    return {claim.item_id: claim for claim in found}


def passed_by(session: Session, kind: ItemKind, moderator: Moderator) -> set[uuid.UUID]:
    """What this moderator passed on."""
    return set(
        session.scalars(
            select(PassedOn.item_id).where(
                PassedOn.kind == kind, PassedOn.moderator_id == moderator.id
            )
        )
    )


def delete_past_claims(session: Session, *, now: datetime) -> int:
    """Delete claims that ended. Returns how many."""
    return sweep(session, Claim, Claim.until < now - LEASE)


def delete_past_passes(session: Session, *, now: datetime) -> int:
    """Forget what was passed on so long ago that it is decided. Returns how many."""
    return sweep(session, PassedOn, PassedOn.passed_at < now - PASSED_LIFETIME)
