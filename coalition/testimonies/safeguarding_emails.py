"""The mails to the desk about flags: that one waits, and nothing of what it is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import find_moderator
from coalition.mail.messages import Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.statements.queries import current_campaign
from coalition.web.links import page_url

FLAGGED = "testimonies.flagged"
NO_LEAD = "testimonies.no_lead"

Writer = Callable[[Session, OutboxMessage, datetime], Email | None]


def _to(role: Role, template: str, page: str) -> Writer:
    def write(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
        found: Moderator | None = (
            find_moderator(session, message.reference) if message.reference else None
        )
        if found is None or not found.active or not found.may(role):
            return None
        return write_email(
            found.email,
            f"testimonies/{template}",
            moderator=found,
            campaign=current_campaign(),
            desk_link=page_url(page),
        )

    return write


WRITERS: dict[str, Writer] = {
    FLAGGED: _to(Role.SAFEGUARDING, "flagged", "safeguarding.listing"),
    NO_LEAD: _to(Role.ADMINISTRATOR, "no_lead", "people.people"),
}
