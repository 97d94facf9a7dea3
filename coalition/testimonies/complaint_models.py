"""Complaints about a published text, with all that a notice in law has to contain."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import EncryptedText
from coalition.db import Base, UtcDateTime, enum_column

# Limitation Act 1980, section 4A: an action for libel is brought within a year.
CLOSED_COMPLAINT_LIFETIME = timedelta(days=365)


class Ground(StrEnum):
    IDENTIFIES = "identifies"
    DEFAMATION = "defamation"
    LIVE_CASE = "live-case"
    COPYRIGHT = "copyright"
    OTHER = "other"


GROUND_NAMES = {
    Ground.IDENTIFIES: "It tells who I am, or who somebody else is",
    Ground.DEFAMATION: "It is untrue, and harms my reputation",
    Ground.LIVE_CASE: "A court or an inquest deals with it now",
    Ground.COPYRIGHT: "It copies something that is mine",
    Ground.OTHER: "Something else",
}


class ComplaintState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    NOT_UPHELD = "not-upheld"


class Complaint(Base):
    """Somebody says that something is wrong with a published text."""

    __tablename__ = "complaints"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_whole"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    slug: Mapped[str] = mapped_column(
        String(40), ForeignKey("published_testimonies.slug"), index=True
    )
    ground: Mapped[Ground] = mapped_column(enum_column(Ground, "complaint_ground"))
    # Name, address and all that was written, by the names of the form's fields.
    stored_details: Mapped[str] = mapped_column("details", EncryptedText("complaints.details"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[ComplaintState] = mapped_column(enum_column(ComplaintState, "complaint_state"))
    # When somebody looked first and decided whether the text stays on the site meanwhile.
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_words: Mapped[str | None] = mapped_column(EncryptedText("complaints.words"))
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("moderators.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def details(self) -> dict[str, str]:
        return dict(json.loads(self.stored_details))

    @property
    def email(self) -> str:
        """Empty where somebody left none."""
        return self.details.get("email", "")

    @property
    def number(self) -> str:
        """What a complainant is told, to name it by."""
        return self.id.hex[:8].upper()
