"""What waits to be read, and is this person's to read: by its labels, never by its text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.desk.claims import claims_now, passed_by
from coalition.desk.models import ItemKind
from coalition.mail.address import NotAnAddress, address_digests
from coalition.testimonies.queries import Waiting, waiting

KIND = ItemKind.TESTIMONY


def offered(session: Session, moderator: Moderator, *, now: datetime) -> list[Waiting]:
    """What this person may take, or has taken, the longest waiting first."""
    claims = claims_now(session, KIND, now=now)
    passed = passed_by(session, KIND, moderator)
    return [
        each
        for each in waiting(session)
        if each.id not in passed
        and moderator.id not in (each.first_by, each.decided_by)
        and not is_own(moderator, each.contact)
        and (each.id not in claims or claims[each.id].moderator_id == moderator.id)
    ]


def is_own(moderator: Moderator, contact: str | None) -> bool:
    """Whether the address that its writer left is this person's."""
    if not contact:
        return False
    try:
        return moderator.address_digest in address_digests(contact)
    except NotAnAddress:
        return False
