"""Sending mails again: one that failed, or all that were refused."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.mail.failures import explain_status
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.queries import final_bounce


class NotPossible(Exception):
    """This mail cannot be sent again; the message says why, and what to do."""


def send_again(
    session: Session, message_id: uuid.UUID, *, attempts: int, actor: str, now: datetime
) -> bool:
    """Let a mail that failed, or that waits for its next try, be sent at once.

    `attempts` is how often it had been tried when its sender looked: one press sends it once.
    Returns False where it is due already, as after a press before. Raises NotPossible.
    """
    message = session.get(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise NotPossible("this mail is no longer there")
    if message.state in (MessageState.SENT, MessageState.NOT_NEEDED):
        raise NotPossible("it has been sent since, or nobody was left to write to")
    if message.attempts != attempts:
        raise NotPossible("it was tried again since you looked: read what it says now")
    if message.state is MessageState.WAITING:
        if message.leased_until and message.leased_until > now:
            raise NotPossible("it is being sent just now: look again in a few minutes")
        if message.due_at <= now:
            return False
    _refuse_hopeless(session, message)
    if message.state is MessageState.FAILED:
        message.state, message.finished_at = MessageState.WAITING, None
        message.created_at = now  # it has as many days as any other
    message.due_at, message.leased_until = now, None
    session.flush()
    record(
        session,
        actor=actor,
        action="mail sent again",
        subject=f"mail {message.id}",
        reason=message.failure or "",
        now=now,
    )
    return True


def send_all_again(session: Session, *, gap: timedelta, actor: str, now: datetime) -> int:
    """Let every mail that was refused and waits for its next try be sent soon, as when another
    provider takes them: the oldest at once, each next one `gap` later, so that mails which somebody
    waits for go between them. Returns how many.

    Mails that were never tried keep their pace, and those in a worker's hands are left to it.
    """
    refused = session.scalars(
        select(OutboxMessage.id)
        .where(
            OutboxMessage.state == MessageState.WAITING,
            OutboxMessage.failure.is_not(None),
            OutboxMessage.due_at > now,
            OutboxMessage.leased_until.is_(None) | (OutboxMessage.leased_until <= now),
        )
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
        .with_for_update(skip_locked=True)
    ).all()
    if refused:
        session.execute(
            update(OutboxMessage),
            [
                {"id": each, "due_at": now + gap * number, "leased_until": None}
                for number, each in enumerate(refused)
            ],
        )
        subject = f"mails that were refused: {len(refused)}"
        record(session, actor=actor, action="mail sent again", subject=subject, reason="", now=now)
    return len(refused)


def _refuse_hopeless(session: Session, message: OutboxMessage) -> None:
    if message.reference is None and message.payload is None:
        raise NotPossible(
            "its content was deleted when it failed: whoever asked for it must ask again"
        )
    bounce = final_bounce(session, message.recipient_digest)
    if bounce is not None:
        raise NotPossible(
            f"mail to this address came back for good on {bounce.at:%d %B %Y} ({bounce.status}: "
            f"{explain_status(bounce.status).why}). Another address is needed"
        )
