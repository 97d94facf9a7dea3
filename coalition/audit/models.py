"""The audit log's lines, and its head."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES
from coalition.db import Base, UtcDateTime

FINGERPRINT = 8  # characters that tell one key from another, and nothing else

CHAINED = 1  # written before lines were sealed; its seal is as old as the upgrade
SEALED = 2  # sealed when it was written


class AuditEntry(Base):
    """One line of the log. Never changed, never deleted; holds no name and no address."""

    __tablename__ = "audit_entries"

    # Given by the chain itself, without a gap: a missing number is a deleted line.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))
    version: Mapped[int]
    # The seal is keyed, so that who can write the database but has no secret cannot make it.
    key: Mapped[str] = mapped_column(String(FINGERPRINT))
    seal: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))


class AuditHead(Base):
    """One row: how many lines there are, and the digest of the last one. Shows a cut-off tail."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))
    key: Mapped[str] = mapped_column(String(FINGERPRINT))
    seal: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))
