"""An item of a queue in somebody's hand: taken, kept while they decide, given back or passed on.

Organisations, signatures, testimonies and complaints are looked at alike. Whoever is signed in
takes one; a lease that ran out is theirs again where nobody else has taken it meanwhile; where
somebody has, nothing is done, and nothing that was typed is lost.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.guard import current_moderator
from coalition.accounts.models import Moderator
from coalition.audit.actions import record
from coalition.db import db, transaction
from coalition.desk import claims
from coalition.desk.claims import Taken
from coalition.desk.models import Claim, ItemKind


class NotYours(Exception):
    """Somebody else has to look at it."""


class TakenMeanwhile(NotYours):
    """Somebody else looks at it just now; the message says who."""

    def __init__(self, taken: Taken) -> None:
        super().__init__(f"{taken.name} has taken it meanwhile")
        self.name = taken.name


@dataclass(frozen=True)
class Hand:
    """An item that is claimed, in a transaction that is open."""

    session: Session
    moderator: Moderator
    kind: ItemKind
    item_id: uuid.UUID
    now: datetime
    had_it: bool  # it was theirs last, though the lease may have run out since

    def record(self, what: str) -> None:
        """Write to the log what they do with it, such as "read"."""
        record(
            self.session,
            actor=self.moderator.actor,
            action=f"{self.kind}: {what}",
            subject=f"{self.kind} {self.item_id}",
            now=self.now,
        )


@contextmanager
def held(kind: ItemKind, item_id: uuid.UUID, *, ends: bool = False) -> Iterator[Hand]:
    """One transaction in which whoever is signed in has the item, taken or prolonged; given back
    at its end where that `ends` the work on it.

    Raises TakenMeanwhile. Where the block raises, nothing is changed, the claim neither.
    """
    now = clock.utc_now()
    with transaction() as session:
        moderator = current_moderator()
        last = session.get(Claim, (kind, item_id), populate_existing=True)
        had_it = last is not None and last.moderator_id == moderator.id
        taken = claims.take(session, kind, item_id, moderator, now=now)
        if taken is not None:
            raise TakenMeanwhile(taken)
        yield Hand(session, moderator, kind, item_id, now, had_it)
        if ends:
            claims.release(session, kind, item_id, moderator)


def nothing_decided(why: Exception) -> str:
    """What a page says, above what was typed, where a decision was not carried out."""
    if isinstance(why, TakenMeanwhile):
        return (
            f"{why.name} has taken this meanwhile, so nothing was decided. Your words are below: "
            "you can come back to them when it is free again."
        )
    return f"Nothing was decided: {why}."


def own_claim(kind: ItemKind, item_id: uuid.UUID) -> Claim | None:
    """The claim of whoever is signed in, while it holds."""
    claim = claims.claims_now(db.session(), kind, now=clock.utc_now()).get(item_id)
    return claim if claim and claim.moderator_id == current_moderator().id else None


def taken_by_another(kind: ItemKind, item_id: uuid.UUID) -> Taken | None:
    """Who else looks at it now."""
    session, moderator = db.session(), current_moderator()
    return claims.taken_by_another(session, kind, item_id, moderator, now=clock.utc_now())


def leave(
    kind: ItemKind,
    item_id: uuid.UUID,
    *,
    passes_on: bool = False,
    first: Callable[[Session, Moderator, datetime], object] | None = None,
) -> None:
    """Give it back; or pass it on for good, which is written to the log, without a reason.

    `first` is done before, where it is still in the hand of whoever is signed in.
    """
    now = clock.utc_now()
    with transaction() as session:
        moderator = current_moderator()
        if first is not None and own_claim(kind, item_id) is not None:
            first(session, moderator, now)
        if passes_on:
            claims.pass_on(session, kind, item_id, moderator, now=now)
        else:
            claims.release(session, kind, item_id, moderator)
