"""The one mail about a testimony: that something waits, and nothing of what it is about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from coalition.mail.actions import queue_message
from coalition.mail.messages import Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.mail.queries import is_blocked
from coalition.statements.queries import current_campaign
from coalition.testimonies.models import Testimony
from coalition.web.links import page_url

WAITING = "testimonies.waiting"


def tell_writer(session: Session, testimony: Testimony, *, now: datetime) -> None:
    """Queue the mail, if the writer left an address to be told at."""
    session.flush()
    if testimony.contact:
        queue_message(session, WAITING, reference=testimony.id, now=now)


def waiting_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """Something waits for whoever holds a code. Neither code nor address leads to a testimony."""
    testimony = session.get(Testimony, message.reference) if message.reference else None
    if testimony is None or not testimony.contact or is_blocked(session, testimony.contact):
        return None
    return write_email(
        testimony.contact,
        "testimonies/waiting",
        campaign=current_campaign(),
        home_link=page_url("pages.home"),
    )


WRITERS = {WAITING: waiting_email}
