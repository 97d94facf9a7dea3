"""Signatures, the events that change their count, and the tally."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from coalition.crypto import DIGEST_BYTES, EncryptedText
from coalition.db import Base, UtcDateTime, enum_column

LONGEST_SOURCE = 80  # characters, as of the slug of an organisation
UNVERIFIED_LIFETIME = timedelta(days=7)  # privacy notice, "how long"; said in the mail
NETWORK_LIFETIME = timedelta(days=30)  # privacy notice, "how long"

_BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys


class SignatureStatus(StrEnum):
    AWAITING = "awaiting_verification"
    VERIFIED = "verified"  # the only one that counts
    HELD = "held"  # verified, but a moderator is looking at it
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


HINDERED = (SignatureStatus.HELD, SignatureStatus.REMOVED)  # by a moderator


class Region(StrEnum):
    """The nations of the United Kingdom, England by its regions (ONS, ITL 1)."""

    NORTH_EAST = "north-east"
    NORTH_WEST = "north-west"
    YORKSHIRE = "yorkshire-and-the-humber"
    EAST_MIDLANDS = "east-midlands"
    WEST_MIDLANDS = "west-midlands"
    EAST = "east-of-england"
    LONDON = "london"
    SOUTH_EAST = "south-east"
    SOUTH_WEST = "south-west"
    SCOTLAND = "scotland"
    WALES = "wales"
    NORTHERN_IRELAND = "northern-ireland"
    OUTSIDE = "outside-the-uk"


class Kind(StrEnum):
    """In what part somebody signs. May hint at their health: kept only with a consent."""

    SURVIVOR = "survivor"
    FAMILY = "family"
    WORKER = "worker"
    ALLY = "ally"


REGION_NAMES = {
    Region.NORTH_EAST: "England: North East",
    Region.NORTH_WEST: "England: North West",
    Region.YORKSHIRE: "England: Yorkshire and the Humber",
    Region.EAST_MIDLANDS: "England: East Midlands",
    Region.WEST_MIDLANDS: "England: West Midlands",
    Region.EAST: "England: East of England",
    Region.LONDON: "England: London",
    Region.SOUTH_EAST: "England: South East",
    Region.SOUTH_WEST: "England: South West",
    Region.SCOTLAND: "Scotland",
    Region.WALES: "Wales",
    Region.NORTHERN_IRELAND: "Northern Ireland",
    Region.OUTSIDE: "Outside the UK",
}
KIND_NAMES = {
    Kind.SURVIVOR: "I use services, or I am a survivor",
    Kind.FAMILY: "I am family, or a carer",
    Kind.WORKER: "I work in health or care",
    Kind.ALLY: "I am an ally",
}


class Signature(Base):
    """One person's signature: who, what they agreed to, and where it stands."""

    __tablename__ = "signatures"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    # Tells duplicates. The address itself is encrypted.
    address_digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    # Tells what came from one mail domain, to find floods. None if it was signed before there
    # was such a digest, until `coalition keys rotate`.
    domain_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES))
    # Tells what came from one network, to find floods; deleted after NETWORK_LIFETIME.
    network_digest: Mapped[bytes | None] = mapped_column(LargeBinary(DIGEST_BYTES))
    email: Mapped[str] = mapped_column(EncryptedText("signatures.email"))
    name: Mapped[str] = mapped_column(EncryptedText("signatures.name"))
    region: Mapped[Region | None] = mapped_column(enum_column(Region, "region"))
    kind: Mapped[Kind | None] = mapped_column(enum_column(Kind, "kind"))
    # By way of whose site somebody came, until they confirm: then it is counted, and forgotten.
    source: Mapped[str | None] = mapped_column(String(LONGEST_SOURCE))
    show_name: Mapped[bool]
    wants_updates: Mapped[bool]
    petition_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    consent_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    # The consent's version under which the kind, the showing of the name and the updates were
    # last chosen.
    choices_version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    status: Mapped[SignatureStatus] = mapped_column(
        enum_column(SignatureStatus, "signature_status")
    )
    # Grows whenever the form is sent again before verification: what is confirmed is what
    # was shown.
    revision: Mapped[int] = mapped_column(default=1)
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Told to the signatory: why the signature is held or was removed.
    decision_reason: Mapped[str | None] = mapped_column(String(500))
    appeal: Mapped[str | None] = mapped_column(EncryptedText("signatures.appeal"))
    appealed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def aside(self) -> Aside | None:
        """Where it stands, if it was confirmed and does not count."""
        return ASIDE_OF.get(self.status) if self.verified_at else None

    @property
    def is_known_to_its_owner(self) -> bool:
        """Whether whoever has its address confirmed it, or wrote to us about it. Nobody else is
        told what is decided: somebody may have typed the address of another."""
        return self.verified_at is not None or self.appealed_at is not None

    @property
    def awaits_answer(self) -> bool:
        """Whether its owner wrote against the decision that stands."""
        return self.status in HINDERED and self.appealed_at is not None


# The same two, as conditions.
KNOWN_TO_ITS_OWNER = Signature.verified_at.is_not(None) | Signature.appealed_at.is_not(None)
AWAITS_ANSWER = Signature.status.in_(HINDERED) & Signature.appealed_at.is_not(None)

# For deleting what was never verified, and for counting the signatures themselves.
Index("ix_signatures_status_signed_at", Signature.status, Signature.signed_at)
Index("ix_signatures_domain", Signature.domain_digest, Signature.signed_at)
# Holds no more than the signatures of the last NETWORK_LIFETIME, and so finds as well those
# whose time is over.
_network_is_kept = Signature.network_digest.is_not(None)
Index(
    "ix_signatures_network",
    Signature.network_digest,
    Signature.signed_at,
    postgresql_where=_network_is_kept,
    sqlite_where=_network_is_kept,
)


class ReviewedAddress(Base):
    """An address whose signature a moderator holds or has removed.

    Stays when that signature is withdrawn or erased, so that signing again does not undo the
    decision. Only the digest: nothing that names anybody.
    """

    __tablename__ = "reviewed_addresses"

    address_digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), primary_key=True)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BulkKind(StrEnum):
    """What can be decided about all signatures that a search finds."""

    HOLD = "hold"
    RELEASE = "release"
    REMOVE = "remove"


class BulkState(StrEnum):
    PROPOSED = "proposed"  # waits for a second moderator; nothing is changed yet
    REFUSED = "refused"
    LAPSED = "lapsed"  # nobody confirmed or refused it in time
    DONE = "done"
    UNDONE = "undone"


class BulkDecision(Base):
    """One decision about all signatures that a search found, or the proposal of one."""

    __tablename__ = "bulk_decisions"

    # Made with the form: a form that is sent twice is carried out once.
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[BulkKind] = mapped_column(enum_column(BulkKind, "bulk_kind"))
    state: Mapped[BulkState] = mapped_column(enum_column(BulkState, "bulk_state"))
    actor: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))  # told to the signatories
    count: Mapped[int]  # signatures that it changed or, while it is proposed, would change
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The search, which may hold an address: only while it waits for a second moderator.
    search: Mapped[str | None] = mapped_column(EncryptedText("bulk_decisions.search"))
    second_actor: Mapped[str | None] = mapped_column(String(200))  # confirmed or refused it
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # While it is DONE: who wants to undo it, since when, and waits for a second moderator.
    # Once it is UNDONE: who did, both of them where it took two, and when.
    undone_by: Mapped[str | None] = mapped_column(String(200))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_count: Mapped[int | None]

    @property
    def undo_waits(self) -> bool:
        """Whether somebody wants to undo it, and a second moderator must agree."""
        return self.state is BulkState.DONE and self.undone_by is not None

    @property
    def undoers(self) -> list[str]:
        """The actors who undid it, or the one who wants to."""
        return self.undone_by.split(", ") if self.undone_by else []


# Whether `undo_waits`, as a condition.
UNDO_WAITS = (BulkDecision.state == BulkState.DONE) & BulkDecision.undone_by.is_not(None)


class BulkChange(Base):
    """One signature that a bulk decision changed, and what it was before. Goes with it."""

    __tablename__ = "bulk_changes"

    decision_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("bulk_decisions.id", ondelete="CASCADE"), primary_key=True
    )
    signature_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    before: Mapped[SignatureStatus] = mapped_column(
        enum_column(SignatureStatus, "signature_status")
    )
    reason_before: Mapped[str | None] = mapped_column(String(500))
    reviewed_before: Mapped[bool]  # whether its address was under review
    undone: Mapped[bool]


class Cause(StrEnum):
    """Why the count changed."""

    VERIFIED = "verified"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    HELD = "held"
    RELEASED = "released"
    REMOVED = "removed"
    RESTORED = "restored"
    CORRECTED = "corrected"  # the region or kind, not the number


class Aside(StrEnum):
    """Where a signature stands that was confirmed and does not count."""

    HELD = "held"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"  # or erased


ASIDE_OF = {
    SignatureStatus.HELD: Aside.HELD,
    SignatureStatus.REMOVED: Aside.REMOVED,
    SignatureStatus.WITHDRAWN: Aside.WITHDRAWN,
}


class CountEvent(Base):
    """One change of the count, or of what stands aside of it, appended with the change itself and
    folded into the tally.

    Signers append and never wait for one another; folding takes the row away.
    """

    __tablename__ = "count_events"

    id: Mapped[int] = mapped_column(_BigId, primary_key=True)
    day: Mapped[date]  # in UTC
    cause: Mapped[Cause] = mapped_column(enum_column(Cause, "cause"))
    change: Mapped[int]  # 1 or -1; of a bulk decision, all of one region and kind at once
    region: Mapped[Region | None] = mapped_column(enum_column(Region, "region"))
    kind: Mapped[Kind | None] = mapped_column(enum_column(Kind, "kind"))
    moved: Mapped[int] = mapped_column(default=1)  # signatures that this is about
    left: Mapped[Aside | None] = mapped_column(enum_column(Aside, "left_aside"))
    entered: Mapped[Aside | None] = mapped_column(enum_column(Aside, "entered_aside"))
    source: Mapped[str | None] = mapped_column(String(LONGEST_SOURCE))
    # What happens after the petition is closed changes no public number: it waits here, so that
    # the tally can still be held against the signatures, and is folded if the petition reopens.
    closing_id: Mapped[int | None] = mapped_column(ForeignKey("closings.id"))


class Dimension(StrEnum):
    """By what the tally is divided; never by two at once, so that nobody can be picked out."""

    ALL = "all"
    REGION = "region"
    KIND = "kind"
    ASIDE = "aside"  # not of the count, but of what stands aside of it
    SOURCE = "source"  # of those alone who confirmed: by way of whose site they had come


NOT_SAID = "not-said"  # the category of those who left the region or the kind out


class DailyTally(Base):
    """How the count changed on one day, for one cause, in one category of one dimension."""

    __tablename__ = "daily_tally"

    day: Mapped[date] = mapped_column(primary_key=True)
    dimension: Mapped[Dimension] = mapped_column(
        enum_column(Dimension, "dimension"), primary_key=True
    )
    category: Mapped[str] = mapped_column(String(LONGEST_SOURCE), primary_key=True)
    cause: Mapped[Cause] = mapped_column(enum_column(Cause, "cause"), primary_key=True)
    change: Mapped[int] = mapped_column(BigInteger)


class TallyState(Base):
    """One row: until when every change of the count is in the tally."""

    __tablename__ = "tally_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    folded_at: Mapped[datetime] = mapped_column(UtcDateTime)
