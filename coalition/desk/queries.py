"""Reads for the desk's first page and its queues."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.desk.claims import claims_now, passed_by
from coalition.desk.models import ItemKind
from coalition.endorsements import queries as endorsements
from coalition.endorsements.models import Endorsement
from coalition.mail.address import LARGE_PROVIDERS, address_digests, canonical_address, domain_of


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
            )
        )
    return lines


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
