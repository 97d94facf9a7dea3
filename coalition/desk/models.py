"""Who looks at what: claims that end by themselves, and what somebody passed on."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.db import Base, UtcDateTime, enum_column

LEASE = timedelta(minutes=30)  # long enough to read and write; short enough for the next one
PASSED_LIFETIME = timedelta(days=180)


class ItemKind(StrEnum):
    """What a moderator takes from a queue."""

    ENDORSEMENT = "endorsement"
    SIGNATURE = "signature"
    TESTIMONY = "testimony"
    COMPLAINT = "complaint"


class Claim(Base):
    """Somebody is looking at an item; nobody else decides about it until then."""

    __tablename__ = "claims"

    kind: Mapped[ItemKind] = mapped_column(enum_column(ItemKind, "claim_kind"), primary_key=True)
    item_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    moderator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("moderators.id", ondelete="CASCADE"))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class PassedOn(Base):
    """Somebody passed an item on, without having to say why: it is not offered to them again."""

    __tablename__ = "passed_on"

    kind: Mapped[ItemKind] = mapped_column(enum_column(ItemKind, "passed_kind"), primary_key=True)
    item_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    moderator_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderators.id", ondelete="CASCADE"), primary_key=True
    )
    passed_at: Mapped[datetime] = mapped_column(UtcDateTime)
