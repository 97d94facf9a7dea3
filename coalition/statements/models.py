"""Documents: every text of the campaign, each version kept for good."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from coalition.db import Base, UtcDateTime


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
