"""The outbox, what came back, the worker's signs of life, and whom nobody writes to."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES, EncryptedText
from coalition.db import Base, UtcDateTime, enum_column


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    NOT_NEEDED = "not_needed"  # when its turn came there was nobody to write to
    FAILED = "failed"  # for good: see `failure`


class OutboxMessage(Base):
    """A mail that is to be sent: what kind, about what, to whom; its text is made when sent.

    Written in the transaction of what it reports, so that neither exists without the other.
    """

    __tablename__ = "outbox_messages"

    # The Message-ID is made of it: a second copy of the same mail can be told by that.
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    reference: Mapped[uuid.UUID | None] = mapped_column(Uuid)  # the row that it is about
    payload: Mapped[str | None] = mapped_column(EncryptedText("outbox"))  # deleted once sent
    state: Mapped[MessageState] = mapped_column(enum_column(MessageState, "message_state"))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When it may next be tried. A worker that claims it moves this to the end of its lease.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the server answered: a code, never its text, which would name the address.
    failure: Mapped[str | None] = mapped_column(String(80))
    # Set while a worker has it: who sends it again must not send it twice.
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Whom it went to, as a keyed digest of the address, so that a bounce can be told from whom.
    recipient_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES))

    @property
    def details(self) -> dict[str, Any]:
        """The payload as it was queued, empty once the mail was sent."""
        loaded: dict[str, Any] = json.loads(self.payload) if self.payload else {}
        return loaded


_waiting = OutboxMessage.state == MessageState.WAITING.value
Index(
    "ix_outbox_messages_waiting",
    OutboxMessage.due_at,
    postgresql_where=_waiting,
    sqlite_where=_waiting,
)
Index("ix_outbox_messages_finished_at", OutboxMessage.finished_at)


class BounceKind(StrEnum):
    PERMANENT = "permanent"
    TEMPORARY = "temporary"  # delayed, or given up without a word against the mailbox


class Bounce(Base):
    """A mail of ours that came back: which, from whom, and why."""

    __tablename__ = "bounces"
    __table_args__ = (UniqueConstraint("message_id", "kind"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(Uuid)  # of a row of the outbox, gone before this
    mail_kind: Mapped[str] = mapped_column(String(60))
    address_digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), index=True)
    kind: Mapped[BounceKind] = mapped_column(enum_column(BounceKind, "bounce_kind"))
    status: Mapped[str] = mapped_column(String(11))  # RFC 3463, such as 5.1.1
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # Whom the other server named, and its own words.
    diagnostic: Mapped[str] = mapped_column(EncryptedText("bounces.diagnostic"))


class UnknownBounces(Base):
    """How many mails of one day said that they were bounces, and named none of ours."""

    __tablename__ = "unknown_bounces"

    day: Mapped[date] = mapped_column(primary_key=True)  # in UTC
    number: Mapped[int]


class MailPulse(Base):
    """One row: when a worker last looked at the outbox, and what the mail server refuses."""

    __tablename__ = "mail_pulse"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trouble: Mapped[str | None] = mapped_column(String(80))  # as `failure` of a mail
    trouble_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BlockedAddress(Base):
    """An address whose owner asked never to be written to again."""

    __tablename__ = "blocked_addresses"

    address_digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), primary_key=True)
    email: Mapped[str] = mapped_column(EncryptedText("signatures.email"))  # for a change of keys
    blocked_at: Mapped[datetime] = mapped_column(UtcDateTime)
