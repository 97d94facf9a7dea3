"""Reads of the outbox, and of who is not to be written to."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.mail.address import address_digests
from coalition.mail.models import BlockedAddress, MessageState, OutboxMessage


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
