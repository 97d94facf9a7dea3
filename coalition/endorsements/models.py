"""Endorsements by organisations, what the public reads of them, their logos and contacts."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES, EncryptedText
from coalition.db import Base, UtcDateTime, enum_column

UNCONFIRMED_LIFETIME = timedelta(days=7)  # privacy notice, "how long"; said in the mail
LOOSE_LOGO_LIFETIME = timedelta(days=7)  # of a logo whose form was never sent
MOST_LOOSE_LOGOS = 2_000  # some 100 MB; beyond that the oldest go first
DECIDED_LIFETIME = timedelta(days=90)  # of who the contact is, once nothing is left to do


class EndorsementStatus(StrEnum):
    AWAITING = "awaiting_verification"
    IN_REVIEW = "in_review"  # confirmed by its contact; a moderator is to look at it
    MORE_ASKED = "more_asked"  # a moderator asked its contact for something
    PUBLISHED = "published"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by its contact
    REMOVED = "removed"  # by a moderator, after it was published


# Waits for its contact to confirm it, or is public as recorded by the coalition.
CONFIRMABLE = (EndorsementStatus.AWAITING, EndorsementStatus.PUBLISHED)


class Origin(StrEnum):
    REGISTERED = "registered"  # by its contact, who proved a mailbox
    RECORDED = "recorded"  # by the coalition, until its contact confirms it


class OrganisationKind(StrEnum):
    USER_LED = "user-led"
    CHARITY = "charity"
    COMMUNITY = "community-group"
    UNION = "union"
    PROFESSIONAL = "professional-body"
    CAMPAIGN = "campaign"
    RESEARCH = "research"
    PROVIDER = "service-provider"
    FAITH = "faith-group"
    OTHER = "other"


class Nation(StrEnum):
    UK = "uk"
    ENGLAND = "england"
    SCOTLAND = "scotland"
    WALES = "wales"
    NORTHERN_IRELAND = "northern-ireland"
    ELSEWHERE = "elsewhere"


KIND_NAMES = {
    OrganisationKind.USER_LED: "User-led or survivor-led group",
    OrganisationKind.CHARITY: "Charity",
    OrganisationKind.COMMUNITY: "Community group",
    OrganisationKind.UNION: "Trade union",
    OrganisationKind.PROFESSIONAL: "Professional body",
    OrganisationKind.CAMPAIGN: "Campaign",
    OrganisationKind.RESEARCH: "Research or teaching",
    OrganisationKind.PROVIDER: "Provider of services",
    OrganisationKind.FAITH: "Faith group",
    OrganisationKind.OTHER: "Other",
}
NATION_NAMES = {
    Nation.UK: "All of the UK",
    Nation.ENGLAND: "England",
    Nation.SCOTLAND: "Scotland",
    Nation.WALES: "Wales",
    Nation.NORTHERN_IRELAND: "Northern Ireland",
    Nation.ELSEWHERE: "Outside the UK",
}


class DeclineCode(StrEnum):
    NOT_CONFIRMED = "not-confirmed"
    NOT_AN_ORGANISATION = "not-an-organisation"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    WORDS = "words"
    OTHER = "other"


DECLINE_NAMES = {
    DeclineCode.NOT_CONFIRMED: "We could not find out that the organisation decided this",
    DeclineCode.NOT_AN_ORGANISATION: "This seems to come from a person; the petition is for that",
    DeclineCode.DUPLICATE: "The organisation is on the list already",
    DeclineCode.CONFLICT: "What the organisation does stands against what the statement asks for",
    DeclineCode.WORDS: "Its words cannot be published as they are",
    DeclineCode.OTHER: "Another reason",
}


class Endorsement(Base):
    """An organisation's name under a version of the statement, and who gave it."""

    __tablename__ = "endorsements"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    slug: Mapped[str | None] = mapped_column(String(80), unique=True)  # once it is published
    status: Mapped[EndorsementStatus] = mapped_column(
        enum_column(EndorsementStatus, "endorsement_status")
    )
    origin: Mapped[Origin] = mapped_column(enum_column(Origin, "origin"))
    # What private links and codes are about: another contact has another one, so that the
    # links of whoever was it before lead nowhere.
    contact_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    # None where the coalition recorded it without a contact, and once a contact is erased.
    address_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES), index=True)
    contact_email: Mapped[str | None] = mapped_column(EncryptedText("endorsements.email"))
    contact_name: Mapped[str | None] = mapped_column(EncryptedText("endorsements.contact"))
    contact_role: Mapped[str | None] = mapped_column(EncryptedText("endorsements.contact"))
    statement_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    # The version of the consent and of the statement of authority; None where recorded.
    consent_version_id: Mapped[int | None] = mapped_column(ForeignKey("document_versions.id"))
    endorsed_on: Mapped[date]
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Told to the contact: what is asked for, or why it was declined or removed.
    decision_code: Mapped[DeclineCode | None] = mapped_column(
        enum_column(DeclineCode, "decline_code")
    )
    decision_words: Mapped[str | None] = mapped_column(Text)
    # Who decided last, as the log names them: somebody else looks at an answer.
    decided_by: Mapped[str | None] = mapped_column(String(200))
    appeal: Mapped[str | None] = mapped_column(EncryptedText("endorsements.appeal"))

    @property
    def awaits_confirmation(self) -> bool:
        """Whether its contact can confirm it."""
        return self.verified_at is None and self.status in CONFIRMABLE


Index("ix_endorsements_status", Endorsement.status, Endorsement.registered_at)


class EntryState(StrEnum):
    PROPOSED = "proposed"  # waits for a moderator
    PUBLIC = "public"


class Entry(Base):
    """What the public reads, or is to read, about an organisation: one of each state at most."""

    __tablename__ = "endorsement_entries"

    # Another one for each proposal: a decision is about the words that were read.
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    endorsement_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("endorsements.id", ondelete="CASCADE")
    )
    state: Mapped[EntryState] = mapped_column(enum_column(EntryState, "entry_state"))
    name: Mapped[str] = mapped_column(String(200))
    website: Mapped[str] = mapped_column(String(500))  # its host in the form that DNS knows
    kind: Mapped[OrganisationKind] = mapped_column(enum_column(OrganisationKind, "organisation"))
    nation: Mapped[Nation] = mapped_column(enum_column(Nation, "nation"))
    words: Mapped[str] = mapped_column(Text)
    logo_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("logos.id"))
    logo_alt: Mapped[str] = mapped_column(String(200))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index("uq_endorsement_entries_state", Entry.endorsement_id, Entry.state, unique=True)


class Logo(Base):
    """A picture as it is served: small, drawn anew, without anything hidden in it."""

    __tablename__ = "logos"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int]  # pixels
    height: Mapped[int]
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContactChange(Base):
    """Another contact, once both mailboxes have confirmed it."""

    __tablename__ = "contact_changes"

    endorsement_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("endorsements.id", ondelete="CASCADE"), primary_key=True
    )
    # Another one for each change that is asked for: a link for an earlier one confirms nothing.
    id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    email: Mapped[str] = mapped_column(EncryptedText("endorsements.email"))
    name: Mapped[str] = mapped_column(EncryptedText("endorsements.contact"))
    role: Mapped[str] = mapped_column(EncryptedText("endorsements.contact"))
    consent_version_id: Mapped[int | None] = mapped_column(ForeignKey("document_versions.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    old_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
