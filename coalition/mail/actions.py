"""Verbs of the outbox: queue, claim, give back, finish, clean up; and of addresses that are blocked."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import changed_rows, in_order, is_postgresql, once, sweep
from coalition.mail.address import address_digests, parse_address
from coalition.mail.models import BlockedAddress, MailPulse, MessageState, OutboxMessage
from coalition.mail.queries import is_blocked

LEASE = timedelta(minutes=5)  # a batch must be done by then, or another worker takes it
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=2)
GIVE_UP_AFTER = timedelta(days=4)  # RFC 5321, 4.5.4.1: four to five days
BEAT_EVERY = timedelta(seconds=15)
STRAGGLE = timedelta(minutes=1)  # no form takes longer
PULSE_ID = 1
KEPT_AFTER_SENDING = timedelta(days=7)  # privacy notice: the fact of sending, no content
ROWS_AT_ONCE = 5_000  # mails written in one statement


def queue_message(
    session: Session,
    kind: str,
    *,
    now: datetime,
    reference: uuid.UUID | None = None,
    details: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Put a mail in the outbox, to be sent as soon as a worker is free. Returns its id.

    `kind` names the function that will write it; `details` is encrypted at rest and deleted
    once the mail is sent.
    """
    message = OutboxMessage(
        id=uuid.uuid4(),
        kind=kind,
        reference=reference,
        payload=json.dumps(details) if details is not None else None,
        state=MessageState.WAITING,
        attempts=0,
        created_at=now,
        due_at=now,
    )
    session.add(message)
    session.flush()
    return message.id


def queue_many(
    session: Session,
    kind: str,
    references: Sequence[uuid.UUID],
    *,
    now: datetime,
    details: dict[str, Any] | None = None,
    gap: timedelta = timedelta(),
) -> None:
    """Put a mail about each of `references` in the outbox, each due `gap` after the one before.

    A gap is for mails that nobody waits for: those that somebody does wait for go between them.
    """
    payload = json.dumps(details) if details is not None else None
    for start in range(0, len(references), ROWS_AT_ONCE):
        session.execute(
            insert(OutboxMessage),
            [
                {
                    "id": uuid.uuid4(),
                    "kind": kind,
                    "reference": reference,
                    "payload": payload,
                    "state": MessageState.WAITING,
                    "attempts": 0,
                    "created_at": now,
                    "due_at": now + gap * number,
                }
                for number, reference in enumerate(references[start : start + ROWS_AT_ONCE], start)
            ],
        )


def slow_gap(mail_rate: float) -> timedelta:
    """The time between two mails that nobody waits for, where a worker sends `mail_rate` a second:
    half of that, so that whoever signs meanwhile does not wait for theirs."""
    return timedelta(seconds=2 / mail_rate)


def take_back(
    session: Session, kind: str, references: Select[uuid.UUID], *, queued_at: datetime
) -> Sequence[uuid.UUID]:
    """Delete mails that were queued at this moment about `references`, and that no worker has
    tried yet. Returns what they were about.
    """
    return session.scalars(
        delete(OutboxMessage)
        .where(
            in_order(
                OutboxMessage,
                OutboxMessage.kind == kind,
                OutboxMessage.state == MessageState.WAITING,
                OutboxMessage.attempts == 0,
                OutboxMessage.created_at == queued_at,
                OutboxMessage.reference.in_(references),
            )
        )
        .returning(OutboxMessage.reference)
        .execution_options(synchronize_session=False)
    ).all()  # type: ignore[return-value]  # those of this kind have a reference


def claim_batch(session: Session, limit: int, *, now: datetime) -> Sequence[OutboxMessage]:
    """Take up to `limit` mails that are due, oldest first, on a lease that ends by itself.

    Workers never wait for one another: each skips the rows that another is taking.
    """
    due = once(
        select(OutboxMessage.id)
        .where(OutboxMessage.state == MessageState.WAITING, OutboxMessage.due_at <= now)
        .order_by(OutboxMessage.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True),
        "due",
    )
    return session.scalars(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(select(due.c.id)))
        .values(due_at=now + LEASE, leased_until=now + LEASE, attempts=OutboxMessage.attempts + 1)
        .returning(OutboxMessage)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()


def finish(
    session: Session,
    messages: Iterable[OutboxMessage],
    state: MessageState,
    *,
    now: datetime,
    recipients: Mapping[uuid.UUID, bytes] | None = None,
) -> None:
    """Record that these mails are done with; delete their content, and whom they were about.

    `recipients`: keyed digests of the addresses that they went to, by the mail's id. That alone
    is kept, so that a bounce can be told from whom.
    """
    to = case(recipients, value=OutboxMessage.id, else_=None) if recipients else None
    session.execute(
        update(OutboxMessage)
        .where(_still_ours(messages))
        .values(
            state=state,
            finished_at=now,
            payload=None,
            reference=None,
            failure=None,
            leased_until=None,
            recipient_digest=to,
        )
        .execution_options(synchronize_session=False)
    )


def fail_for_good(
    session: Session,
    message: OutboxMessage,
    failure: str,
    *,
    now: datetime,
    recipient: bytes | None = None,
) -> None:
    """Record that this mail can never be delivered, and why; delete its content."""
    session.execute(
        update(OutboxMessage)
        .where(_still_ours([message]))
        .values(
            state=MessageState.FAILED,
            finished_at=now,
            payload=None,
            failure=failure,
            leased_until=None,
            recipient_digest=recipient,
        )
        .execution_options(synchronize_session=False)
    )


def try_later(
    session: Session,
    message: OutboxMessage,
    failure: str,
    *,
    now: datetime,
    recipient: bytes | None = None,
) -> None:
    """Put a mail that met a passing fault back, or give it up when it is too old."""
    if now - message.created_at > GIVE_UP_AFTER:
        fail_for_good(session, message, failure, now=now, recipient=recipient)
        return
    session.execute(
        update(OutboxMessage)
        .where(_still_ours([message]))
        .values(
            due_at=now + retry_delay(message.attempts),
            failure=failure,
            leased_until=None,
            recipient_digest=recipient,
        )
        .execution_options(synchronize_session=False)
    )


def give_back(session: Session, messages: Iterable[OutboxMessage], *, now: datetime) -> None:
    """Return claimed mails that were not tried, so that they are due at once."""
    session.execute(
        update(OutboxMessage)
        .where(_still_ours(messages))
        .values(due_at=now, leased_until=None, attempts=OutboxMessage.attempts - 1)
        .execution_options(synchronize_session=False)
    )


def _still_ours(messages: Iterable[OutboxMessage]) -> ColumnElement[bool]:
    """These mails, as long as no other worker has claimed them since we did.

    Each claim counts one more try: a worker whose lease ended while it was sending must not
    touch what the next one has taken.
    """
    return tuple_(OutboxMessage.id, OutboxMessage.attempts).in_(
        [(each.id, each.attempts) for each in messages]
    ) & (OutboxMessage.state == MessageState.WAITING)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after `attempts` tries: doubling, with jitter of a half either way."""
    delay: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 20), LONGEST_RETRY)
    jitter: float = random.uniform(0.5, 1.5)  # noqa: S311 (it guards nothing)
    return delay * jitter


def beat(session: Session, *, now: datetime) -> None:
    """Note that a worker looks after the outbox, at most once in BEAT_EVERY.

    Where the last one is still to come, the clock was set back since: mails that were queued
    before are let go now, and for STRAGGLE more, for some are still being written.
    """
    last = session.scalar(select(MailPulse.beat_at))
    if last is None:
        upsert: Any = (postgresql if is_postgresql(session) else sqlite).insert(MailPulse)
        session.execute(upsert.values(id=PULSE_ID, beat_at=now).on_conflict_do_nothing())
        return
    if last > now + clock.CLOCKS_DIFFER:
        _let_go(session, now)
    if last < now - BEAT_EVERY or last > now + STRAGGLE:
        session.execute(
            update(MailPulse)
            .where(MailPulse.beat_at == last)
            .values(beat_at=now if last < now else now + STRAGGLE)
            .execution_options(synchronize_session=False)
        )


def _let_go(session: Session, now: datetime) -> None:
    """Let mails be due that were queued to be sent at once, at a moment that is still to come."""
    session.execute(
        update(OutboxMessage)
        .where(
            in_order(
                OutboxMessage,
                OutboxMessage.state == MessageState.WAITING,
                OutboxMessage.due_at > now,
                OutboxMessage.due_at == OutboxMessage.created_at,
                OutboxMessage.attempts == 0,
                wait=False,
            )
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def note_server(session: Session, trouble: str | None, *, now: datetime) -> None:
    """Note that the mail server takes no mail at all, and why, or that it takes mail again."""
    changed = (
        MailPulse.trouble.is_not(None)
        if trouble is None
        else func.coalesce(MailPulse.trouble, "") != trouble
    )
    since = func.coalesce(MailPulse.trouble_since, now) if trouble else None
    session.execute(
        update(MailPulse)
        .where(changed)
        .values(trouble=trouble, trouble_since=since)
        .execution_options(synchronize_session=False)
    )


def delete_finished(session: Session, *, now: datetime) -> int:
    """Delete what is left of mails that were finished long enough ago. Returns how many."""
    return sweep(session, OutboxMessage, OutboxMessage.finished_at < now - KEPT_AFTER_SENDING)


def block_address(session: Session, email: str, *, now: datetime) -> None:
    """Never write to this address again. Raises NotAnAddress."""
    if is_blocked(session, email):
        return
    upsert: Any = (postgresql if is_postgresql(session) else sqlite).insert(BlockedAddress)
    session.execute(
        upsert.values(
            address_digest=address_digests(email)[0],
            email=parse_address(email),
            blocked_at=now,
        ).on_conflict_do_nothing()
    )


def unblock_address(session: Session, email: str) -> bool:
    """Allow mail to this address again. Returns whether it was blocked. Raises NotAnAddress."""
    result = session.execute(
        delete(BlockedAddress).where(BlockedAddress.address_digest.in_(address_digests(email)))
    )
    return changed_rows(result) > 0
