"""Documents: every text of the campaign, each version kept for good."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, Uuid, true
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from coalition.db import Base, UtcDateTime

DRAFT_LIFETIME = timedelta(days=90)  # after it was last saved
# After the petition is closed: six months; privacy notice, "how long".
KEPT_AFTER_CLOSING = timedelta(days=183)


class DocumentVersion(Base):
    """One version of one text. Never edited: a changed text is a new version."""

    __tablename__ = "document_versions"
    __table_args__ = (UniqueConstraint("slug", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]  # 1, 2, 3 ... for each slug
    text: Mapped[str] = mapped_column(Text)  # Markdown or TOML, as it was written
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    change_note: Mapped[str] = mapped_column(Text, default="")  # what changed, and why
    # The actor of its line in the log.
    published_by: Mapped[str] = mapped_column(String(200), server_default=sql("''"))
    # From a file by `campaign load`; else written at the desk.
    loaded: Mapped[bool] = mapped_column(server_default=true())


class Draft(Base):
    """What a moderator is writing for one text. Nobody else sees it; published, it is gone."""

    __tablename__ = "drafts"

    slug: Mapped[str] = mapped_column(String(60), primary_key=True)
    moderator_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderators.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)  # what changed, as far as it is written
    base_version: Mapped[int]  # the version that it was begun from
    revision: Mapped[uuid.UUID] = mapped_column(Uuid)  # another one each time that it is saved
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Closing(Base):
    """That nobody can sign any more. At most one stands: one that was a mistake is reopened, and
    stays as a note."""

    __tablename__ = "closings"

    id: Mapped[int] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(200))  # the actor of its line in the log
    # How many had signed: fixed once, when all that was confirmed before is in the tally.
    final_count: Mapped[int | None] = mapped_column(BigInteger)
    fixed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Since when what people gave is being deleted, as the privacy notice says.
    deleting_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reopened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reopened_by: Mapped[str | None] = mapped_column(String(200))
