"""Reads of the outbox."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.mail.models import MessageState, OutboxMessage


def oldest_due(session: Session, *, now: datetime) -> timedelta:
    """How long the mail that waits longest has been due; zero when none is."""
    due_at = session.scalar(
        select(OutboxMessage.due_at)
        .where(OutboxMessage.state == MessageState.WAITING, OutboxMessage.due_at <= now)
        .order_by(OutboxMessage.due_at)
        .limit(1)
    )
    return now - due_at if due_at else timedelta()
