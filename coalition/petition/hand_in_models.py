"""Files that are made of the list to hand in: what was asked for, and the encrypted pieces."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import EncryptedBytes
from coalition.db import Base, UtcDateTime, enum_column

HAND_IN_LIFETIME = timedelta(days=7)  # privacy notice, "how long"; from when it was asked for
CSV_FILE = "names.csv"


class HandInState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class HandIn(Base):
    """One request for the list: the files are made by the worker, all from one moment."""

    __tablename__ = "hand_ins"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    asked_by: Mapped[str] = mapped_column(String(200))  # the actor, as in the log
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Of which version of the petition; None for all of them.
    petition_version_id: Mapped[int | None] = mapped_column(ForeignKey("document_versions.id"))
    state: Mapped[HandInState] = mapped_column(enum_column(HandInState, "hand_in_state"))
    # A worker may take it from then on; while one has it, the end of its lease.
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    as_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the moment of the list
    total: Mapped[int] = mapped_column(default=0)  # names
    done_count: Mapped[int] = mapped_column(default=0)  # names that are in the files so far
    spelled_count: Mapped[int] = mapped_column(default=0)  # names with letters no font has
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HandInChunk(Base):
    """A piece of a finished or growing file, encrypted at rest."""

    __tablename__ = "hand_in_chunks"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    hand_in_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hand_ins.id", ondelete="CASCADE"))
    file: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]  # 1, 2, 3 ... of the file
    size: Mapped[int]  # bytes, before encryption
    data: Mapped[bytes] = mapped_column(EncryptedBytes("hand_in.file"))


Index("uq_hand_in_chunks_number", HandInChunk.hand_in_id, HandInChunk.file, HandInChunk.number,
      unique=True)  # fmt: skip
