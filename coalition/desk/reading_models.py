"""What somebody who reads has set for themselves, and how much they have read lately.

Private to that person: rows are found by a keyed digest, and hold nothing that is not encrypted
but the moment.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES, EncryptedText
from coalition.db import Base, UtcDateTime
from coalition.desk.reading_rules import USUAL_CEILING

READINGS_KEPT = timedelta(days=7)


class ReadingPreference(Base):
    """Which labels somebody skips, and how many points they read in a day."""

    __tablename__ = "reading_preferences"

    reader: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), primary_key=True)
    stored: Mapped[str] = mapped_column(EncryptedText("reading.preferences"))

    @property
    def skipped(self) -> tuple[str, ...]:
        return tuple(json.loads(self.stored)["skipped"])

    @property
    def ceiling(self) -> int:
        return int(json.loads(self.stored).get("ceiling", USUAL_CEILING))


class Reading(Base):
    """Somebody read one, of this weight. Which one is not kept."""

    __tablename__ = "readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    reader: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))
    weight: Mapped[str] = mapped_column(EncryptedText("reading.weight"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


Index("ix_readings_reader_at", Reading.reader, Reading.at)
