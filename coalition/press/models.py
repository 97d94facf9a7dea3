"""What was published for the press, once a week, and never changes again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES
from coalition.db import Base, UtcDateTime, enum_column
from coalition.petition.models import Dimension


class PressRelease(Base):
    """The copies of one week."""

    __tablename__ = "press_releases"

    day: Mapped[date] = mapped_column(primary_key=True)  # a Monday: all days before it are in it
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PressFile(Base):
    """One file of a week, byte by byte as it is served."""

    __tablename__ = "press_files"

    day: Mapped[date] = mapped_column(ForeignKey("press_releases.day"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES))


class PressTable(Base):
    """What was shown by region or by kind: only of a week in which it was made anew."""

    __tablename__ = "press_tables"

    dimension: Mapped[Dimension] = mapped_column(
        enum_column(Dimension, "dimension"), primary_key=True
    )
    day: Mapped[date] = mapped_column(ForeignKey("press_releases.day"), primary_key=True)
    shown: Mapped[dict[str, int | None]] = mapped_column(JSON)
    joined: Mapped[int] = mapped_column(BigInteger)  # in all, before `day`
    # Those who left before this day are taken out; None before that was done once.
    left_until: Mapped[date | None]
