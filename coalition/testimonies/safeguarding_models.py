"""Flags that readers raise for the safeguarding lead, apart from publishing."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import EncryptedText
from coalition.db import Base, UtcDateTime, enum_column

CLOSED_FLAG_LIFETIME = timedelta(days=90)  # privacy notice


class Outcome(StrEnum):
    NONE = "none"  # no exception of the closed list applies
    EXCEPTION = "exception"


class WriterTold(StrEnum):
    """Whether its writer was told before anything was done."""

    NOTHING_DONE = "nothing-done"
    YES = "yes"
    NO_WAY = "no-way"
    DANGER = "danger"


TOLD_NAMES = {
    WriterTold.NOTHING_DONE: "Nothing was done that they would have to be told of",
    WriterTold.YES: "Yes, they were told before",
    WriterTold.NO_WAY: "No: they left no way to reach them",
    WriterTold.DANGER: "No: it would have put somebody in danger",
}


class SafeguardingFlag(Base):
    """A reader is worried. The lead looks at it, under the rule that the writer saw."""

    __tablename__ = "safeguarding_flags"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed_whole"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    # None once nothing is left of the testimony.
    testimony_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("testimonies.id", ondelete="SET NULL"), index=True
    )
    revision: Mapped[int | None]  # of what the reader read; None where that was not kept
    rules_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    raised_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("moderators.id"))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None once its writer has taken the testimony back.
    words: Mapped[str | None] = mapped_column(EncryptedText("safeguarding.words"))
    outcome: Mapped[Outcome | None] = mapped_column(enum_column(Outcome, "safeguarding_outcome"))
    exception: Mapped[int | None]  # its number in the closed list, from 1
    done: Mapped[str | None] = mapped_column(EncryptedText("safeguarding.done"))
    writer_told: Mapped[WriterTold | None] = mapped_column(
        enum_column(WriterTold, "safeguarding_told")
    )
    closed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("moderators.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
