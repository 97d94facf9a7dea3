"""Reads of the list to hand in: who agreed to be named, and the count beside it.

On the list stand a name, the day, and the version of the text: what its consent speaks of. The
kind and the region do not, for they were given for figures that show no single person (privacy
notice; campaign/consent.toml). The address never does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, select, true
from sqlalchemy.orm import Session

from coalition.db import is_postgresql
from coalition.petition.models import (
    CountEvent,
    Region,
    Signature,
    SignatureStatus,
)
from coalition.petition.queries import Count, read_count
from coalition.statements.models import DocumentVersion
from coalition.statements.records import parse_consent

ROWS_AT_ONCE = 500  # read from the database
ENGLAND = "England"
NOT_SAID = "Not said"
_OWN_NATIONS = {
    Region.SCOTLAND: "Scotland",
    Region.WALES: "Wales",
    Region.NORTHERN_IRELAND: "Northern Ireland",
    Region.OUTSIDE: "Outside the UK",
}
NATIONS = (ENGLAND, *_OWN_NATIONS.values(), NOT_SAID)


def nation_of(region: Region | None) -> str:
    """The nation that a region belongs to; NOT_SAID without one."""
    return NOT_SAID if region is None else _OWN_NATIONS.get(region, ENGLAND)


@dataclass(frozen=True)
class Numbers:
    """Verified signatures, and how many of them agreed to be named."""

    verified: int
    named: int


@dataclass(frozen=True)
class VersionCount:
    """The count of one version of the petition's text, by nation; every nation is there."""

    version_id: int
    version: int
    published_at: datetime
    nations: dict[str, Numbers]

    @property
    def verified(self) -> int:
        return sum(each.verified for each in self.nations.values())

    @property
    def named(self) -> int:
        return sum(each.named for each in self.nations.values())


@dataclass(frozen=True)
class HandInCount:
    """The count at one moment, and the public one to hold against it.

    `coming` is by how much the public count changes once the worker has folded what is there.
    """

    as_at: datetime
    versions: tuple[VersionCount, ...]
    public: Count
    coming: int

    @property
    def verified(self) -> int:
        return sum(each.verified for each in self.versions)

    @property
    def named(self) -> int:
        return sum(each.named for each in self.versions)

    @property
    def nations(self) -> dict[str, Numbers]:
        """All versions together."""
        return {
            nation: Numbers(
                sum(each.nations[nation].verified for each in self.versions),
                sum(each.nations[nation].named for each in self.versions),
            )
            for nation in NATIONS
        }

    @property
    def unexplained(self) -> int:
        """How far the signatures and the tally are apart, other than by what is coming: 0,
        unless something is wrong with the tally."""
        return self.verified - self.public.signatures - self.coming


@dataclass(frozen=True, slots=True)
class NamedSignature:
    """A line of the list. `signed_on` is a day in UTC, as in the tally."""

    name: str
    signed_on: date
    version: int


def read_hand_in_count(session: Session, *, now: datetime) -> HandInCount:
    """The count by version and nation, from the signatures themselves.

    To be exact it needs a session that sees one moment: see `one_moment`.
    """
    named = func.sum(cast(Signature.show_name, CountEvent.change.type))
    rows = session.execute(
        select(DocumentVersion, Signature.region, func.count(), named)
        .join(DocumentVersion, DocumentVersion.id == Signature.petition_version_id)
        .where(Signature.status == SignatureStatus.VERIFIED)
        .group_by(DocumentVersion.id, Signature.region)
        .order_by(DocumentVersion.id)
    )
    found: dict[DocumentVersion, tuple[Counter[str], Counter[str]]] = {}
    for document, region, verified_here, named_here in rows:
        verified, agreed = found.setdefault(document, (Counter(), Counter()))
        verified[nation_of(region)] += verified_here
        agreed[nation_of(region)] += int(named_here)
    coming = session.scalar(select(func.sum(CountEvent.change)))
    return HandInCount(
        as_at=now,
        versions=tuple(
            VersionCount(
                document.id,
                document.version,
                document.published_at,
                {each: Numbers(verified[each], agreed[each]) for each in NATIONS},
            )
            for document, (verified, agreed) in found.items()
        ),
        public=read_count(session, now=now),
        coming=int(coming or 0),
    )


def named_signatures(
    session: Session, petition_version_id: int | None = None
) -> Generator[NamedSignature]:
    """Everybody who is counted and agreed to be named, of one version of the text or of all.

    Streamed, so that a long list needs little memory; ordered by version, day and id. An id is
    random: within a day nobody can be told by who signed next to them.
    """
    day = _day(session)
    rows = session.execute(
        select(Signature.name, day, DocumentVersion.version)
        .join(DocumentVersion, DocumentVersion.id == Signature.petition_version_id)
        .where(_is_named(petition_version_id))
        .order_by(Signature.petition_version_id, day, Signature.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    with rows:  # a cursor of the server is closed even if a name cannot be read
        for name, signed_on, version in rows:
            yield NamedSignature(name, signed_on, version)


def _is_named(petition_version_id: int | None) -> ColumnElement[bool]:
    wanted = (
        true()
        if petition_version_id is None
        else Signature.petition_version_id == petition_version_id
    )
    return (Signature.status == SignatureStatus.VERIFIED) & Signature.show_name & wanted


def _day(session: Session) -> ColumnElement[Any]:
    if is_postgresql(session):
        return cast(func.timezone("UTC", Signature.signed_at), Date)
    return func.date(Signature.signed_at, type_=Date)


def agreed_sentences(session: Session) -> dict[str, int]:
    """The sentences that those on the list agreed to, each with how many: it may have changed
    from one version of the consent to the next."""
    rows = session.execute(
        select(DocumentVersion.text, func.count())
        .select_from(Signature)
        .join(DocumentVersion, DocumentVersion.id == Signature.choices_version_id)
        .where(_is_named(None))
        .group_by(DocumentVersion.id)
        .order_by(DocumentVersion.id)
    )
    found: Counter[str] = Counter()
    for text, number in rows:
        found[parse_consent(text).show_name] += number
    return dict(found)
