"""The mails to whoever complained: that it is here and what comes next, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.mail.messages import Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.mail.queries import is_blocked
from coalition.statements.queries import current_campaign
from coalition.testimonies.complaint_clocks import clocks_of
from coalition.testimonies.complaint_models import (
    CLOSED_COMPLAINT_LIFETIME,
    Complaint,
    ComplaintState,
)

RECEIVED = "testimonies.complaint_received"
DECIDED = "testimonies.complaint_decided"

Writer = Callable[[Session, OutboxMessage, datetime], Email | None]


def _about(template: str) -> Writer:
    def write(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
        complaint = session.get(Complaint, message.reference) if message.reference else None
        if complaint is None:
            return None
        return _write(session, complaint, template, complaint.state, complaint.decision_words)

    return write


WRITERS: dict[str, Writer] = {
    RECEIVED: _about("complaint_received"),
    DECIDED: _about("complaint_decided"),
}


def preview(
    session: Session, complaint: Complaint, state: ComplaintState, words: str
) -> Email | None:
    """The mail that a decision would send; nothing is changed."""
    return _write(session, complaint, "complaint_decided", state, words)


def _write(
    session: Session,
    complaint: Complaint,
    template: str,
    state: ComplaintState,
    words: str | None,
) -> Email | None:
    """None where nobody left an address, or the address asked for no mail."""
    if not complaint.email or is_blocked(session, complaint.email):
        return None
    return write_email(
        complaint.email,
        f"testimonies/{template}",
        campaign=current_campaign(),
        number=complaint.number,
        clocks=clocks_of(complaint.ground, complaint.received_at),
        upheld=state is ComplaintState.UPHELD,
        words=words or "",
        kept_days=CLOSED_COMPLAINT_LIFETIME.days,
    )
