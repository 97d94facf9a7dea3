"""Who has read what of a testimony, as the log says."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.audit.models import AuditEntry

READ: Final = "read"  # as it was written, to be its first reader
READ_EDITED: Final = "read the edited version"


def has_read(session: Session, testimony_id: uuid.UUID, moderator: Moderator) -> bool:
    """Whether this person has ever opened it, edited or not."""
    return _is_in_log(session, testimony_id, moderator, READ, READ_EDITED)


def knows_original(session: Session, testimony_id: uuid.UUID, moderator: Moderator) -> bool:
    """Whether this person has opened it as it was written, before anybody had edited it for them
    to read first."""
    return _is_in_log(session, testimony_id, moderator, READ)


def _is_in_log(
    session: Session, testimony_id: uuid.UUID, moderator: Moderator, *readings: str
) -> bool:
    found = session.scalars(
        select(AuditEntry.id)
        .where(
            AuditEntry.action.in_(f"testimony: {each}" for each in readings),
            AuditEntry.actor == moderator.actor,
            AuditEntry.subject == f"testimony {testimony_id}",
        )
        .limit(1)
    )
    return found.first() is not None
