"""Reads of endorsements."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, load_only

from coalition.endorsements.flags import Known, flags_for, name_key
from coalition.endorsements.models import (
    CONFIRMABLE,
    UNCONFIRMED_LIFETIME,
    ContactChange,
    Endorsement,
    EndorsementStatus,
    Entry,
    EntryState,
    Logo,
    Nation,
    OrganisationKind,
    Origin,
)
from coalition.mail.address import address_digests
from coalition.statements.models import DocumentVersion

Status = EndorsementStatus
SHOWN = (Status.PUBLISHED, Status.WITHDRAWN)
MOST_WORDS = 8  # of a search
MOST_CODES = 5  # that are good for one address at a time: each can be guessed
LONGEST_SLUG = 60  # characters


@dataclass(frozen=True)
class Supporter:
    """An organisation as the public reads it; one that withdrew is a name and two dates."""

    endorsement: Endorsement
    entry: Entry
    statement_version: int

    @property
    def is_withdrawn(self) -> bool:
        return self.endorsement.status is Status.WITHDRAWN

    @property
    def is_recorded(self) -> bool:
        """Recorded by the coalition, and not confirmed by its contact."""
        return self.endorsement.origin is Origin.RECORDED

    @property
    def initial(self) -> str:
        """The letter under which it stands; # for whatever does not begin with one of A to Z."""
        letter = name_key(self.entry.name)[:1].upper()
        return letter if letter.isascii() and letter.isalpha() else "#"


def supporters(session: Session) -> list[Supporter]:
    """All organisations that the public may read, by name, those that withdrew among them."""
    found = [Supporter(*row) for row in session.execute(_shown())]
    return sorted(found, key=lambda each: (each.initial == "#", name_key(each.entry.name)))


def _shown() -> Select[Endorsement, Entry, int]:
    return (
        select(Endorsement, Entry, DocumentVersion.version)
        .join(Entry, Entry.endorsement_id == Endorsement.id)
        .join(DocumentVersion, DocumentVersion.id == Endorsement.statement_version_id)
        .where(Endorsement.status.in_(SHOWN), Entry.state == EntryState.PUBLIC)
        # Who the contacts are is not even decrypted for a public page.
        .options(
            load_only(
                Endorsement.slug,
                Endorsement.status,
                Endorsement.origin,
                Endorsement.endorsed_on,
                Endorsement.status_changed_at,
                raiseload=True,
            )
        )
    )


def matching(
    everybody: Sequence[Supporter],
    *,
    kind: OrganisationKind | None = None,
    nation: Nation | None = None,
    words: str = "",
) -> list[Supporter]:
    """Those of this kind and nation whose name or statement holds each of the words.

    Accents and case do not matter.
    """
    wanted = sorted(set(_plain(words).split()))[:MOST_WORDS]
    return [
        each
        for each in everybody
        if (kind is None or each.entry.kind is kind)
        and (nation is None or each.entry.nation is nation)
        and all(word in _plain(f"{each.entry.name} {each.entry.words}") for word in wanted)
    ]


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def find_supporter(session: Session, slug: str) -> Supporter | None:
    """The organisation at this public address, if the public may read it."""
    if not re.fullmatch(r"[a-z0-9-]+", slug):
        return None  # PostgreSQL refuses to look for some of what is no slug
    row = session.execute(_shown().where(Endorsement.slug == slug)).one_or_none()
    return Supporter(*row) if row else None


def find_endorsement(session: Session, endorsement_id: uuid.UUID) -> Endorsement | None:
    return session.get(Endorsement, endorsement_id)


def find_by_contact(session: Session, contact_id: uuid.UUID) -> Endorsement | None:
    """The endorsement that the links of this contact are about."""
    return session.scalars(
        select(Endorsement).where(Endorsement.contact_id == contact_id)
    ).one_or_none()


def find_entry(session: Session, endorsement_id: uuid.UUID) -> Entry | None:
    """What the contact last sent: what waits, or else what is public."""
    entries = session.scalars(select(Entry).where(Entry.endorsement_id == endorsement_id)).all()
    newest_first = sorted(entries, key=lambda entry: entry.state is EntryState.PUBLIC)
    return newest_first[0] if newest_first else None


def find_entry_in(session: Session, endorsement_id: uuid.UUID, state: EntryState) -> Entry | None:
    return session.scalars(
        select(Entry).where(Entry.endorsement_id == endorsement_id, Entry.state == state)
    ).one_or_none()


def find_change(session: Session, change_id: uuid.UUID) -> ContactChange | None:
    return session.scalars(select(ContactChange).where(ContactChange.id == change_id)).one_or_none()


def find_change_of(session: Session, endorsement_id: uuid.UUID) -> ContactChange | None:
    """The change of contact that waits for its mailboxes, if there is one."""
    return session.get(ContactChange, endorsement_id)


def with_contact(session: Session, address: str) -> list[Endorsement]:
    """The endorsements that stand under this address, newest first. Raises NotAnAddress."""
    return list(
        session.scalars(
            select(Endorsement)
            .where(Endorsement.address_digest.in_(address_digests(address)))
            .order_by(Endorsement.registered_at.desc())
        )
    )


def waiting_ids(session: Session, address: str, *, now: datetime) -> list[uuid.UUID]:
    """The contact ids of the endorsements that a code for this address may confirm.

    Raises NotAnAddress.
    """
    return list(
        session.scalars(
            select(Endorsement.contact_id)
            .where(
                Endorsement.address_digest.in_(address_digests(address)),
                Endorsement.verified_at.is_(None),
                Endorsement.status.in_(CONFIRMABLE),
                # One that the coalition recorded waits for as long as it takes.
                (Endorsement.origin == Origin.RECORDED)
                | (Endorsement.registered_at >= now - UNCONFIRMED_LIFETIME),
            )
            .order_by(Endorsement.registered_at.desc())
            .limit(MOST_CODES)
        )
    )


@dataclass(frozen=True)
class Waiting:
    """An entry that a moderator is to decide about."""

    endorsement: Endorsement
    entry: Entry
    is_edit: bool


def queue(session: Session) -> list[Waiting]:
    """What waits for a moderator, the longest waiting first."""
    public = aliased(Entry)
    rows = session.execute(
        select(Endorsement, Entry, public.id)
        .join(Entry, Entry.endorsement_id == Endorsement.id)
        .outerjoin(
            public,
            and_(public.endorsement_id == Endorsement.id, public.state == EntryState.PUBLIC),
        )
        .where(
            or_(
                and_(
                    Entry.state == EntryState.PROPOSED,
                    Endorsement.status.in_((Status.IN_REVIEW, Status.PUBLISHED)),
                ),
                # Declined or removed, and its contact has answered.
                and_(
                    Endorsement.appeal.is_not(None),
                    or_(
                        and_(
                            Endorsement.status == Status.DECLINED,
                            Entry.state == EntryState.PROPOSED,
                        ),
                        and_(
                            Endorsement.status == Status.REMOVED,
                            Entry.state == EntryState.PUBLIC,
                        ),
                    ),
                ),
            ),
        )
        .order_by(Entry.proposed_at)
    )
    return [
        Waiting(endorsement, entry, published is not None) for endorsement, entry, published in rows
    ]


def names_of(session: Session, endorsement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of these organisations: as they are to be, or else as they are public."""
    if not endorsement_ids:
        return {}
    rows = session.execute(
        select(Entry.endorsement_id, Entry.name)
        .where(Entry.endorsement_id.in_(endorsement_ids))
        .order_by(Entry.state == EntryState.PROPOSED)
    )
    return {row.endorsement_id: row.name for row in rows}


@dataclass(frozen=True)
class Listed:
    """An organisation that is on the list, or that a moderator took off it."""

    endorsement_id: uuid.UUID
    name: str
    status: EndorsementStatus
    since: datetime


def listed(session: Session, words: str = "") -> list[Listed]:
    """What is on the list or was taken off it, by name, where the name holds each of the words."""
    wanted = sorted(set(_plain(words).split()))[:MOST_WORDS]
    rows = session.execute(
        select(Endorsement.id, Entry.name, Endorsement.status, Endorsement.status_changed_at)
        .join(Entry, Entry.endorsement_id == Endorsement.id)
        .where(
            Entry.state == EntryState.PUBLIC,
            Endorsement.status.in_((Status.PUBLISHED, Status.REMOVED)),
        )
    )
    found = [Listed(*row) for row in rows]
    named = [each for each in found if all(word in _plain(each.name) for word in wanted)]
    return sorted(named, key=lambda each: (name_key(each.name), each.endorsement_id))


def flags_of(session: Session, endorsement: Endorsement, entry: Entry) -> list[str]:
    """What a moderator should look at before deciding about this entry."""
    others = session.execute(
        select(Entry.name, Entry.website)
        .join(Endorsement, Endorsement.id == Entry.endorsement_id)
        .where(
            Endorsement.id != endorsement.id,
            Endorsement.status.in_((Status.IN_REVIEW, Status.MORE_ASKED, Status.PUBLISHED)),
        )
        .distinct()
    )
    same_contact = 0
    if endorsement.contact_email is not None:
        same_contact = int(
            session.scalar(
                select(func.count())
                .select_from(Endorsement)
                .where(
                    Endorsement.address_digest.in_(address_digests(endorsement.contact_email)),
                    Endorsement.id != endorsement.id,
                )
            )
            or 0
        )
    known = [Known(name, website) for name, website in others]
    return flags_for(entry.name, entry.website, endorsement.contact_email, known, same_contact)


def free_slug(session: Session, name: str) -> str:
    """An address for an organisation of this name that no other has."""
    like_it = Endorsement.slug.startswith(_slug_of(name), autoescape=True)
    return choose_slug(name, set(session.scalars(select(Endorsement.slug).where(like_it))))


def _slug_of(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", _plain(name)).strip("-")[:LONGEST_SLUG].strip("-")
    return plain or "organisation"


def choose_slug(name: str, taken: Collection[str | None]) -> str:
    """An address for an organisation of this name that is none of `taken`."""
    slug = _slug_of(name)
    number = 2
    candidate = slug
    while candidate in taken or candidate in RESERVED_SLUGS:
        candidate = f"{slug}-{number}"
        number += 1
    return candidate


# Words that stand in addresses below /supporters/ and cannot name an organisation.
RESERVED_SLUGS = frozenset({"endorse", "code", "your-entry", "resend", "logo", "entry", "erased"})


def find_logo(session: Session, logo_id: uuid.UUID) -> Logo | None:
    return session.get(Logo, logo_id)


def is_public_logo(session: Session, logo_id: uuid.UUID) -> bool:
    """Whether a published entry shows this logo."""
    return (
        session.scalar(
            select(Entry.id)
            .join(Endorsement, Endorsement.id == Entry.endorsement_id)
            .where(
                Entry.logo_id == logo_id,
                Entry.state == EntryState.PUBLIC,
                Endorsement.status == Status.PUBLISHED,
            )
            .limit(1)
        )
        is not None
    )
