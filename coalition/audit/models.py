"""The audit log's one table."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES
from coalition.db import Base, UtcDateTime


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
