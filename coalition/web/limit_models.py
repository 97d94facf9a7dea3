"""Limits that were set at the desk, in place of or beside those of the settings."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import EncryptedText
from coalition.db import Base, UtcDateTime


class NetworkRule(Base):
    """A network with limits of its own, such as a ward's or a day centre's."""

    __tablename__ = "network_rules"
    __table_args__ = (CheckConstraint("(factor IS NULL) <> (limits IS NULL)", name="one_of_both"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    network: Mapped[str] = mapped_column(EncryptedText("network_rules.network"))  # as a CIDR
    factor: Mapped[int | None]  # times the general limits
    limits: Mapped[str | None] = mapped_column(String(200))  # or: "200 per hour"
    note: Mapped[str] = mapped_column(EncryptedText("network_rules.note"))  # whose it is
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LimitOverride(Base):
    """A general limit in place of the setting's."""

    __tablename__ = "limit_overrides"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)  # such as LIMIT_NETWORK
    limits: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
