"""Empties the outbox: claims a batch on a lease, writes each mail, sends it, records it.

Every mail is sent at least once. What was sent is recorded at least once a second, so that
a worker that is killed repeats at most what it sent in its last second, never more than its
batch, and each copy carries the same Message-ID.
"""

from __future__ import annotations

import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from time import monotonic

from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.mail import actions
from coalition.mail.address import address_digests
from coalition.mail.messages import Email, build
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.transports import (
    PermanentFailure,
    ServerUnavailable,
    TemporaryFailure,
    Transport,
)

BATCH = 100  # mails claimed at once
RECORD_EVERY = 1.0  # seconds
LEASE_MARGIN = timedelta(minutes=2)  # no mail is begun this close to the end of the lease

# Writes the mail for a row of the outbox, or None when nobody is to be written to any more.
Writer = Callable[[Session, OutboxMessage, datetime], Email | None]

log = logging.getLogger(__name__)


class Pace:
    """Spaces mails evenly: `rate` a second, and not faster after a pause."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._next = float("-inf")

    def wait(self, stop: Event) -> None:
        """Wait for the next mail's turn, or until `stop` is set."""
        # Not by the time of day: were that set back, mail would stand still for as long.
        now = monotonic()
        if self._next > now:
            stop.wait(self._next - now)
            now = max(now, self._next)
        self._next = now + self._gap


@dataclass
class Batch:
    """What became of one batch."""

    sent: int = 0
    put_back: int = 0
    failed: int = 0
    trouble: str | None = None  # why the server takes no mail at all
    _done: dict[MessageState, list[OutboxMessage]] = field(default_factory=dict)
    _recipients: dict[uuid.UUID, bytes] = field(default_factory=dict)

    @property
    def server_unavailable(self) -> bool:
        return self.trouble is not None

    def note_sent(self, message: OutboxMessage, recipient: bytes) -> None:
        self._done.setdefault(MessageState.SENT, []).append(message)
        self._recipients[message.id] = recipient
        self.sent += 1

    def note_not_needed(self, message: OutboxMessage) -> None:
        self._done.setdefault(MessageState.NOT_NEEDED, []).append(message)

    def record(self) -> None:
        """Write down what was done since the last time."""
        if not self._done:
            return
        now = clock.utc_now()
        with transaction() as session:
            for state, messages in self._done.items():
                actions.finish(session, messages, state, now=now, recipients=self._recipients)
            actions.beat(session, now=now)
            if self._recipients:
                actions.note_server(session, None, now=now)
        self._done.clear()
        self._recipients.clear()


def deliver_batch(
    transport: Transport,
    writers: Mapping[str, Writer],
    *,
    pace: Pace,
    stop: Event,
    limit: int = BATCH,
) -> Batch:
    """Claim and send one batch; when `stop` is set, finish the mail in hand and give the
    rest back.

    Returns what became of the batch; nothing at all happens to an empty outbox.
    """
    claimed_at = clock.utc_now()
    with transaction() as session:
        actions.beat(session, now=claimed_at)
        waiting = deque(actions.claim_batch(session, limit, now=claimed_at))
    # From here on the rows are only read: no transaction stays open while a server answers.
    session.expunge_all()
    time_for_it = actions.LEASE - LEASE_MARGIN
    batch = Batch()
    began = last_record = monotonic()

    def is_out_of_time() -> bool:
        # By the time of day, which goes on while a machine is suspended; and without it, for it
        # may be set back.
        by_day = clock.utc_now() - claimed_at > time_for_it
        return by_day or monotonic() - began > time_for_it.total_seconds()

    try:
        while waiting and not batch.server_unavailable:
            pace.wait(stop)
            if stop.is_set() or is_out_of_time():
                break
            _deliver(waiting.popleft(), transport, writers, batch)
            if monotonic() - last_record > RECORD_EVERY:
                batch.record()
                last_record = monotonic()
    finally:
        batch.record()
        if waiting:
            batch.put_back += len(waiting)
            with transaction() as session:
                actions.give_back(session, waiting, now=clock.utc_now())
    return batch


def _deliver(
    message: OutboxMessage,
    transport: Transport,
    writers: Mapping[str, Writer],
    batch: Batch,
) -> None:
    now = clock.utc_now()
    recipient: bytes | None = None
    try:
        email = writers[message.kind](db.session(), message, now)
        db.session.rollback()
        if email is None:
            batch.note_not_needed(message)
            return
        recipient = address_digests(email.to)[0]
        transport.send(build(email, message.id, message.created_at))
        batch.note_sent(message, recipient)
    except PermanentFailure as error:
        batch.failed += 1
        with transaction() as session:
            actions.fail_for_good(session, message, error.code, now=now, recipient=recipient)
    except (TemporaryFailure, ServerUnavailable) as error:
        batch.put_back += 1
        batch.trouble = error.code if isinstance(error, ServerUnavailable) else None
        with transaction() as session:
            actions.try_later(session, message, error.code, now=now, recipient=recipient)
            if batch.trouble:
                actions.note_server(session, batch.trouble, now=now)
    except Exception as error:
        # A mail that cannot be written must not stop the others.
        db.session.rollback()
        log.error(
            "a mail of kind %s could not be written: %s",
            message.kind,
            type(error).__name__,
        )
        batch.put_back += 1
        with transaction() as session:
            actions.try_later(session, message, type(error).__name__, now=now)
