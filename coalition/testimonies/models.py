"""Testimonies, their edited versions, and what of them is public.

Everything that a writer wrote or chose is encrypted. No moment is kept, only days.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import (
    text as sql_text,
)
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES, EncryptedBytes, EncryptedText
from coalition.db import Base, enum_column
from coalition.testimonies.choices import Choices, Front
from coalition.testimonies.redaction import Span
from coalition.testimonies.states import State

# All told before anybody writes, and on the privacy page.
DRAFT_LIFETIME = timedelta(days=30)  # after it was last saved
ANSWER_LIFETIME = timedelta(
    days=90
)  # for which a question, or an edited text, waits for its writer
DECLINED_LIFETIME = timedelta(days=90)
WITHDRAWN_LIFETIME = timedelta(days=30)  # for which its writer, and nobody else, can still open it


class DeclineCode(StrEnum):
    NAMES_SOMEBODY = "names-somebody"
    LIVE_CASE = "live-case"
    THREAT = "threat"
    METHOD = "method"
    NOT_ABOUT_THIS = "not-about-this"
    NOT_AN_ACCOUNT = "not-an-account"
    NO_ANSWER = "no-answer"
    OTHER = "other"


DECLINE_NAMES = {
    DeclineCode.NAMES_SOMEBODY: "It would tell who somebody is, and taking that out leaves nothing",
    DeclineCode.LIVE_CASE: "A court or an inquest deals with it now",
    DeclineCode.THREAT: "It threatens somebody",
    DeclineCode.METHOD: "It describes a way of self-harm, and taking that out leaves nothing",
    DeclineCode.NOT_ABOUT_THIS: "It is about something that this campaign does not deal with",
    DeclineCode.NOT_AN_ACCOUNT: "It does not tell what happened to somebody",
    DeclineCode.NO_ANSWER: "We had asked you something, and 90 days passed",
    DeclineCode.OTHER: "Another reason",
}


class PausedBy(StrEnum):
    WRITER = "writer"
    DESK = "desk"


class Testimony(Base):
    """What somebody told, where it stands, and the way for its writer to come back to it."""

    __tablename__ = "testimonies"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    # None once it is erased: its code leads nowhere.
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    code_hash: Mapped[str | None] = mapped_column(String(255))  # Argon2id
    state: Mapped[State] = mapped_column(enum_column(State, "testimony_state"))
    # Of text and choices; another one each time that its writer changes them.
    revision: Mapped[int]
    # Another one at each passage: a form of the desk is about what it was made from.
    turn: Mapped[int]
    text: Mapped[str | None] = mapped_column(EncryptedText("testimonies.text"))
    stored_choices: Mapped[str | None] = mapped_column(
        "choices", EncryptedText("testimonies.choices")
    )
    contact: Mapped[str | None] = mapped_column(EncryptedText("testimonies.contact"))
    length: Mapped[int]  # characters of the text: all that the queue shows of it
    # What the desk asked or decided, for its writer; what its writer answered, for the desk.
    decision_code: Mapped[DeclineCode | None] = mapped_column(
        enum_column(DeclineCode, "testimony_decline_code")
    )
    decision_words: Mapped[str | None] = mapped_column(EncryptedText("testimonies.words"))
    answer: Mapped[str | None] = mapped_column(EncryptedText("testimonies.words"))
    # Who asked, declined or took it down last: somebody else restores it.
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("moderators.id"))
    # Who declined it as it is written now: somebody else looks at it, whatever is asked between.
    declined_by: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    paused_by: Mapped[PausedBy | None] = mapped_column(enum_column(PausedBy, "testimony_pause"))
    paused_from: Mapped[str | None] = mapped_column(String(40))  # where its writer paused it
    rules_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    received_on: Mapped[date | None]  # None while it is a draft
    state_on: Mapped[date]
    # For readers: taking it and giving it back makes it no younger.
    waits_since: Mapped[date | None]

    @property
    def choices(self) -> Choices | None:
        """None once it is erased."""
        return Choices.from_json(self.stored_choices) if self.stored_choices else None

    @choices.setter
    def choices(self, choices: Choices | None) -> None:
        self.stored_choices = choices.as_json() if choices else None

    @property
    def was_appealed(self) -> bool:
        """Whether somebody else than who declined it has to look at it."""
        return self.decision_code is not None and self.state in (State.SUBMITTED, State.CLAIMED)


Index("ix_testimonies_state", Testimony.state, Testimony.state_on)


class Edition(Base):
    """An edited version of a testimony: at most one of each revision. What was taken out is kept
    as places in the original, which stays as it was written."""

    __tablename__ = "testimony_editions"
    __table_args__ = (
        # Two different people, whatever the application does.
        CheckConstraint("second_by IS NULL OR second_by <> first_by", name="two_people"),
        CheckConstraint(
            "second_by IS NULL OR "
            "replace(editors, replace(CAST(second_by AS VARCHAR(36)), '-', ''), '') = editors",
            name="no_editor_is_second",
        ),
        UniqueConstraint("testimony_id", "revision"),
        UniqueConstraint("id", "first_by", "second_by"),  # for PublishedTestimony to point at
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    testimony_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("testimonies.id"))
    revision: Mapped[int]  # of the testimony that it was made from
    stored_spans: Mapped[str] = mapped_column("spans", EncryptedText("testimonies.edition"))
    stored_front: Mapped[str | None] = mapped_column("front", EncryptedText("testimonies.edition"))
    # As it is to be public; None until its first reader has finished.
    text: Mapped[str | None] = mapped_column(EncryptedText("testimonies.edition"))
    # What a second reader wrote to the first one.
    colleague_words: Mapped[str | None] = mapped_column(EncryptedText("testimonies.edition"))
    first_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("moderators.id"))
    second_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("moderators.id"))
    # Everybody who ever edited it, `first_by` the last of them, in one row, so that a constraint
    # can look at them: their ids without dashes.
    editors: Mapped[str] = mapped_column(Text, server_default=sql_text("''"))

    @property
    def edited_by(self) -> frozenset[uuid.UUID]:
        """Everybody who edited it: none of them can be its second reader."""
        return frozenset(uuid.UUID(hex=each) for each in self.editors.split())

    def edit_as(self, reader_id: uuid.UUID) -> None:
        """From now on this person is its first reader, besides who was before."""
        known = self.edited_by if self.editors else frozenset()
        self.editors = " ".join(sorted(each.hex for each in known | {reader_id}))
        self.first_by, self.second_by = reader_id, None

    @property
    def spans(self) -> list[Span]:
        return [Span(*each) for each in json.loads(self.stored_spans)]

    @spans.setter
    def spans(self, spans: Sequence[Span]) -> None:
        self.stored_spans = json.dumps([[each.start, each.end, each.kind] for each in spans])

    @property
    def front(self) -> Front | None:
        return Front.from_json(self.stored_front) if self.stored_front else None

    @front.setter
    def front(self, front: Front | None) -> None:
        self.stored_front = front.as_json() if front else None


class PublishedTestimony(Base):
    """What the public reads, apart from the original. Once it is taken down for good, only its
    address is left, to say so."""

    __tablename__ = "published_testimonies"
    __table_args__ = (
        # Nothing is public that two different people have not approved, as one edition says.
        CheckConstraint(
            "is_public = false OR (text IS NOT NULL AND first_by IS NOT NULL "
            "AND second_by IS NOT NULL AND first_by <> second_by AND edition_id IS NOT NULL)",
            name="two_people",
        ),
        ForeignKeyConstraint(
            ["edition_id", "first_by", "second_by"],
            [
                "testimony_editions.id",
                "testimony_editions.first_by",
                "testimony_editions.second_by",
            ],
            name="fk_published_testimonies_edition",
        ),
    )

    slug: Mapped[str] = mapped_column(String(40), primary_key=True)  # its address, for good
    testimony_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("testimonies.id"), unique=True)
    is_public: Mapped[bool]
    edition_id: Mapped[uuid.UUID | None]
    first_by: Mapped[uuid.UUID | None]
    second_by: Mapped[uuid.UUID | None]
    # Encrypted, so that nothing of it stays readable in the files of the database afterwards.
    stored_front: Mapped[str | None] = mapped_column(
        "front", EncryptedText("testimonies.published")
    )
    text: Mapped[str | None] = mapped_column(EncryptedText("testimonies.published"))
    may_press: Mapped[bool]
    published_on: Mapped[date]  # for the first time
    changed_on: Mapped[date]

    @property
    def front(self) -> Front | None:
        return Front.from_json(self.stored_front) if self.stored_front else None

    @front.setter
    def front(self, front: Front | None) -> None:
        self.stored_front = front.as_json() if front else None


class PublishedTag(Base):
    """A label or theme of a testimony that is public, to filter by."""

    __tablename__ = "published_tags"

    slug: Mapped[str] = mapped_column(
        ForeignKey("published_testimonies.slug", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(60), primary_key=True, index=True)


class LookupKey(Base):
    """The key of the digests that receipt codes are found by. One row."""

    __tablename__ = "testimony_lookup_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[bytes] = mapped_column(EncryptedBytes("testimonies.lookup"))
