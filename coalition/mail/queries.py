"""Reads of the outbox and of what came back, and of who is not to be written to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition.mail.address import address_digests
from coalition.mail.failures import is_about_mailbox
from coalition.mail.models import (
    BlockedAddress,
    Bounce,
    BounceKind,
    MailPulse,
    MessageState,
    OutboxMessage,
    UnknownBounces,
)

SILENT_AFTER = timedelta(minutes=2)  # a server may take 30 seconds over each step of one mail
RATE_WINDOW = timedelta(minutes=5)
LATE_AFTER = timedelta(minutes=15)  # whoever signed still sits there, and waits for the mail
STUCK_AFTER = timedelta(hours=1)  # a server that asks to come back later is satisfied by then
LATELY = timedelta(minutes=10)
MOST_LISTED = 100


def oldest_due(session: Session, *, now: datetime) -> timedelta:
    """How long the mail that waits longest has been due; zero when none is."""
    due_at = session.scalar(
        select(OutboxMessage.due_at)
        .where(OutboxMessage.state == MessageState.WAITING, OutboxMessage.due_at <= now)
        .order_by(OutboxMessage.due_at)
        .limit(1)
    )
    return now - due_at if due_at else timedelta()


def is_blocked(session: Session, text: str) -> bool:
    """Whether the owner of this address asked never to be written to."""
    return (
        session.scalar(
            select(BlockedAddress.blocked_at).where(
                BlockedAddress.address_digest.in_(address_digests(text))
            )
        )
        is not None
    )


@dataclass(frozen=True)
class Waiting:
    """What waits of one kind of mail."""

    kind: str
    number: int
    refused: int  # of them, tried and put back
    oldest: datetime


def waiting_by_kind(session: Session) -> list[Waiting]:
    """What waits to be sent, the oldest first."""
    oldest = func.min(OutboxMessage.created_at)
    rows = session.execute(
        select(
            OutboxMessage.kind,
            func.count(),
            func.count(OutboxMessage.failure),
            oldest,
        )
        .where(OutboxMessage.state == MessageState.WAITING)
        .group_by(OutboxMessage.kind)
        .order_by(oldest)
    )
    return [Waiting(*row) for row in rows]


def waiting_for_try(session: Session) -> tuple[int, int]:
    """How many mails wait for their first try, and how many for another one."""
    waiting, refused = session.execute(
        select(func.count(), func.count(OutboxMessage.failure)).where(
            OutboxMessage.state == MessageState.WAITING
        )
    ).one()
    return waiting - refused, refused


def finished_lately(session: Session, *, now: datetime) -> dict[str, int]:
    """How many mails were finished within LATELY, by state; those of older ones would take a look
    at every mail of the last days."""
    rows = session.execute(
        select(OutboxMessage.state, func.count())
        .where(OutboxMessage.finished_at > now - LATELY)
        .group_by(OutboxMessage.state)
    )
    finished = (each for each in MessageState if each is not MessageState.WAITING)
    return {**dict.fromkeys(map(str, finished), 0), **{str(row[0]): row[1] for row in rows}}


def failed_messages(session: Session, *, limit: int = MOST_LISTED) -> Sequence[OutboxMessage]:
    """Mails that failed for good, the newest first."""
    return session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.state == MessageState.FAILED)
        .order_by(OutboxMessage.finished_at.desc())
        .limit(limit)
    ).all()


def stuck_messages(session: Session, *, limit: int = MOST_LISTED) -> Sequence[OutboxMessage]:
    """Mails that were tried, refused, and wait for their next try, the oldest first."""
    return session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.state == MessageState.WAITING, OutboxMessage.failure.is_not(None))
        .order_by(OutboxMessage.created_at)
        .limit(limit)
    ).all()


def number_of(session: Session, state: MessageState) -> int:
    """How many mails of the last days are in this state."""
    return int(
        session.scalar(
            select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == state)
        )
        or 0
    )


def count_failed(session: Session) -> tuple[int, datetime | None]:
    """How many mails failed for good in the last days, and when the first of them did."""
    row = session.execute(
        select(func.count(), func.min(OutboxMessage.finished_at)).where(
            OutboxMessage.state == MessageState.FAILED
        )
    ).one()
    return row[0], row[1]


def count_slow(session: Session, *, now: datetime) -> tuple[int, datetime | None]:
    """How many mails are late, or were refused again and again, and since when the first waits.
    Those that go out slowly on purpose are neither."""
    late = OutboxMessage.due_at < now - LATE_AFTER
    refused = OutboxMessage.failure.is_not(None) & (OutboxMessage.created_at < now - STUCK_AFTER)
    row = session.execute(
        select(func.count(), func.min(OutboxMessage.created_at)).where(
            OutboxMessage.state == MessageState.WAITING, late | refused
        )
    ).one()
    return row[0], row[1]


def find_message(session: Session, message_id: uuid.UUID) -> OutboxMessage | None:
    """The mail with this id, as long as it is kept."""
    return session.get(OutboxMessage, message_id)


def recent_bounces(session: Session, *, limit: int = MOST_LISTED) -> Sequence[Bounce]:
    """What came back, the newest first."""
    return session.scalars(select(Bounce).order_by(Bounce.at.desc()).limit(limit)).all()


def find_bounce(session: Session, bounce_id: uuid.UUID) -> Bounce | None:
    """The bounce with this id, as long as it is kept."""
    return session.get(Bounce, bounce_id)


def final_bounce(session: Session, recipient: bytes | None) -> Bounce | None:
    """The newest bounce that says that the mailbox of this digest takes no mail, for good."""
    if recipient is None:
        return None
    bounces = session.scalars(
        select(Bounce)
        .where(Bounce.address_digest == recipient, Bounce.kind == BounceKind.PERMANENT)
        .order_by(Bounce.at.desc())
    )
    return next((each for each in bounces if is_about_mailbox(each.status)), None)


@dataclass(frozen=True)
class Pulse:
    """Whether anybody sends mail, and anybody takes it."""

    beat_at: datetime | None  # when a worker last looked, if one ever did
    is_alive: bool
    trouble: str | None  # why the mail server takes no mail at all
    trouble_since: datetime | None


def pulse(session: Session, *, now: datetime) -> Pulse:
    """Whether a worker is alive, and whether the server takes mail."""
    found = session.scalars(
        select(MailPulse).execution_options(populate_existing=True).limit(1)
    ).first()
    if found is None:
        return Pulse(None, is_alive=False, trouble=None, trouble_since=None)
    alive = found.beat_at > now - SILENT_AFTER
    return Pulse(found.beat_at, alive, found.trouble, found.trouble_since)


@dataclass(frozen=True)
class Health(Pulse):
    """Whether mail flows, and how much."""

    per_minute: float  # sent, over RATE_WINDOW
    unknown_bounces: int  # that named no mail of ours, in the last days


def health(session: Session, *, now: datetime) -> Health:
    """Whether a worker is alive, whether the server takes mail, and how much goes out."""
    sent = session.scalar(
        select(func.count())
        .select_from(OutboxMessage)
        .where(
            OutboxMessage.state == MessageState.SENT, OutboxMessage.finished_at > now - RATE_WINDOW
        )
    )
    unknown = session.scalar(select(func.sum(UnknownBounces.number)))
    return Health(
        **vars(pulse(session, now=now)),
        per_minute=int(sent or 0) * timedelta(minutes=1) / RATE_WINDOW,
        unknown_bounces=int(unknown or 0),
    )
