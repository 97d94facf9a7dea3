"""Reads for the desk's first page and its queues."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.desk.claims import claims_now, passed_by
from coalition.desk.models import Claim, ItemKind, PassedOn
from coalition.endorsements import queries as endorsements
from coalition.endorsements.decisions import is_for_somebody_else
from coalition.endorsements.models import Endorsement
from coalition.mail.address import LARGE_PROVIDERS, address_digests, canonical_address, domain_of
from coalition.petition.deciders import last_deciders
from coalition.petition.models import AWAITS_ANSWER, Signature, SignatureStatus

MOST_LISTED = 50  # signatures of the queue that one page shows
MOST_COUNTED = 500  # signatures with words to read
WAITS = (Signature.status == SignatureStatus.HELD) | AWAITS_ANSWER  # for a person


@dataclass(frozen=True)
class QueueLine:
    """An organisation that waits, as the queue shows it: no words, nothing about its contact."""

    endorsement_id: uuid.UUID
    name: str
    what: str  # new, edit or answer
    since: datetime
    length: int  # characters of its own words
    is_mine: bool
    is_taken: bool
    is_for_another: bool  # this moderator decided what its contact answered


def organisations_waiting(
    session: Session, moderator: Moderator, *, now: datetime
) -> list[QueueLine]:
    """What waits for a decision and is this moderator's to take, the longest waiting first."""
    claims = claims_now(session, ItemKind.ENDORSEMENT, now=now)
    passed = passed_by(session, ItemKind.ENDORSEMENT, moderator)
    lines = []
    for each in endorsements.queue(session):
        number = each.endorsement.id
        if number in passed or is_own(moderator, each.endorsement):
            continue
        claim = claims.get(number)
        lines.append(
            QueueLine(
                endorsement_id=number,
                name=each.entry.name,
                what="answer" if each.endorsement.appeal else "edit" if each.is_edit else "new",
                since=each.entry.proposed_at,
                length=len(each.entry.words),
                is_mine=claim is not None and claim.moderator_id == moderator.id,
                is_taken=claim is not None and claim.moderator_id != moderator.id,
                is_for_another=is_for_somebody_else(each.endorsement, moderator.actor),
            )
        )
    return lines


@dataclass(frozen=True)
class HeldLine:
    """A signature that waits, as the queue shows it: nothing of whose it is or what they wrote."""

    signature_id: uuid.UUID
    status: SignatureStatus
    is_answered: bool  # its owner wrote against what was decided
    since: datetime
    is_mine: bool
    is_taken: bool
    is_for_another: bool  # this moderator decided what its owner wrote against


def answers_waiting(session: Session, moderator: Moderator, *, now: datetime) -> list[datetime]:
    """Since when each signature waits whose owner wrote to us, and that this moderator can take:
    at most MOST_COUNTED."""
    taken = exists().where(
        Claim.kind == ItemKind.SIGNATURE,
        Claim.item_id == Signature.id,
        Claim.moderator_id != moderator.id,
        Claim.until > now,
    )
    rows = session.execute(
        select(Signature.id, Signature.appealed_at)
        .where(*_waits_for(moderator, AWAITS_ANSWER), ~taken)
        .order_by(Signature.appealed_at)
        .limit(MOST_COUNTED)
    ).all()
    deciders = last_deciders(session, [row.id for row in rows])
    return [row.appealed_at for row in rows if moderator.actor not in deciders.get(row.id, ())]


@dataclass(frozen=True)
class HeldCount:
    """How many signatures wait for a person."""

    number: int
    answered: int  # of them, those whose owners wrote to us


def count_held(session: Session, moderator: Moderator) -> HeldCount:
    """How many signatures wait that this moderator may look at."""
    number, answered = session.execute(
        select(func.count(), func.count(Signature.appealed_at))
        .select_from(Signature)
        .where(*_waits_for(moderator, WAITS))
    ).one()
    return HeldCount(number, answered)


def signatures_waiting(session: Session, moderator: Moderator, *, now: datetime) -> list[HeldLine]:
    """The first MOST_LISTED signatures that wait: those with words to read come first, then the
    longest waiting. None is the moderator's own, or was passed on by them."""
    since = func.coalesce(Signature.appealed_at, Signature.status_changed_at)
    rows = session.execute(
        select(Signature.id, Signature.status, Signature.appealed_at, Signature.status_changed_at)
        .where(*_waits_for(moderator, WAITS))
        .order_by(Signature.appealed_at.is_(None), since, Signature.id)
        .limit(MOST_LISTED)
    ).all()
    claims = claims_now(session, ItemKind.SIGNATURE, now=now)
    deciders = last_deciders(session, [row.id for row in rows if row.appealed_at])
    lines = []
    for row in rows:
        claim = claims.get(row.id)
        lines.append(
            HeldLine(
                signature_id=row.id,
                status=row.status,
                is_answered=row.appealed_at is not None,
                since=row.appealed_at or row.status_changed_at,
                is_mine=claim is not None and claim.moderator_id == moderator.id,
                is_taken=claim is not None and claim.moderator_id != moderator.id,
                is_for_another=moderator.actor in deciders.get(row.id, ()),
            )
        )
    return lines


def _waits_for(moderator: Moderator, waits: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    passed = exists().where(
        PassedOn.kind == ItemKind.SIGNATURE,
        PassedOn.item_id == Signature.id,
        PassedOn.moderator_id == moderator.id,
    )
    theirs = Signature.address_digest.in_(address_digests(moderator.email))
    return [waits, ~passed, ~theirs]


@dataclass(frozen=True)
class Mine:
    """Something that a moderator has taken."""

    words: str
    path: str
    until: datetime


_PLACES = {
    ItemKind.ENDORSEMENT: ("An organisation", "/desk/organisations"),
    ItemKind.SIGNATURE: ("A signature", "/desk/signatures"),
    ItemKind.TESTIMONY: ("A testimony", "/desk/testimonies"),
    ItemKind.COMPLAINT: ("A complaint", "/desk/complaints"),
}


def taken_by(session: Session, moderator: Moderator, *, now: datetime) -> list[Mine]:
    """What a moderator has taken, as long as the lease holds; organisations by their names."""
    rows = session.scalars(
        select(Claim)
        .where(Claim.moderator_id == moderator.id, Claim.until > now)
        .order_by(Claim.until, Claim.item_id)
    ).all()
    ids = [claim.item_id for claim in rows if claim.kind is ItemKind.ENDORSEMENT]
    names = endorsements.names_of(session, ids)
    found = []
    for claim in rows:
        words, path = _PLACES[claim.kind]
        name = names.get(claim.item_id, words)
        found.append(Mine(name, f"{path}/{claim.item_id}", claim.until))
    return found


def is_own_signature(moderator: Moderator, signature: Signature) -> bool:
    """Whether a signature was given with the moderator's own address."""
    return signature.address_digest in address_digests(moderator.email)


def is_own(moderator: Moderator, endorsement: Endorsement) -> bool:
    """Whether a moderator may have a part in an organisation: its contact's address is theirs,
    or is at the same domain, other than a large provider's."""
    if endorsement.contact_email is None:
        return False
    if moderator.address_digest in address_digests(endorsement.contact_email):
        return True
    domains = {
        domain_of(canonical_address(address))
        for address in (moderator.email, endorsement.contact_email)
    }
    return len(domains) == 1 and domains.isdisjoint(LARGE_PROVIDERS)
