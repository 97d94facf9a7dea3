"""Every kind of mail: who writes it, and what the desk calls it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from coalition.accounts import emails as accounts
from coalition.endorsements import emails as endorsements
from coalition.mail.messages import Email
from coalition.mail.models import OutboxMessage
from coalition.petition import emails as petition
from coalition.testimonies import complaint_emails as complaints
from coalition.testimonies import emails as testimonies
from coalition.testimonies import safeguarding_emails as safeguarding

WRITERS = {
    **petition.WRITERS,
    **endorsements.WRITERS,
    **testimonies.WRITERS,
    **safeguarding.WRITERS,
    **complaints.WRITERS,
    **accounts.WRITERS,
}
KIND_NAMES = {
    petition.SIGNING: "Confirm your signature",
    petition.DECIDED: "Decision about a signature",
    petition.KEPT: "Answer about a signature",
    petition.LINK: "Link to a signature",
    petition.WITHDRAWN: "Signature withdrawn",
    petition.ERASED: "Signature erased",
    endorsements.CONFIRMING: "Confirm your organisation",
    endorsements.STANDING: "Where an organisation stands",
    endorsements.APPROVED: "Organisation on the list",
    endorsements.MORE_ASKED: "Question to an organisation",
    endorsements.DECLINED: "Organisation declined",
    endorsements.REMOVED: "Organisation removed",
    endorsements.WITHDRAWN: "Organisation withdrawn",
    endorsements.ERASED: "Contact erased",
    endorsements.CHANGE_OLD: "New contact, to the old one",
    endorsements.CHANGE_NEW: "New contact, to the new one",
    endorsements.CHANGED: "Contact changed",
    endorsements.LINKS: "Links to organisations",
    testimonies.WAITING: "Something waits for a writer",
    complaints.RECEIVED: "A complaint is here",
    complaints.DECIDED: "Answer to a complaint",
    safeguarding.FLAGGED: "A flag waits for the lead",
    safeguarding.NO_LEAD: "Nobody is safeguarding lead",
    accounts.INVITATION: "Invitation to the desk",
    accounts.STARTED_OVER: "A new start for everybody at the desk",
    accounts.PASSWORD_LINK: "New password for the desk",
    accounts.PASSWORD_CHANGED: "Password changed",
    accounts.PROOF_CHANGED: "Way to sign in changed",
    accounts.RESET_ASKED: "New second proof asked for",
    accounts.RESET_DONE: "New second proof",
    accounts.ROLE_GIVEN: "Somebody was given a role",
}
# Whom these go to is known to nobody but whoever reads the testimony or the complaint itself.
ADDRESS_NEVER_SHOWN = frozenset({*testimonies.WRITERS, *complaints.WRITERS})


def as_it_would_go(session: Session, message: OutboxMessage, *, now: datetime) -> Email | None:
    """The mail of a row of the outbox, as it would be written now.

    None where its content is deleted, nobody is to be written to any more, or it cannot be
    written, as the worker found before; and for every kind whose address is never shown.
    """
    if message.kind in ADDRESS_NEVER_SHOWN:
        return None
    if message.reference is None and message.payload is None:
        return None
    try:
        return WRITERS[message.kind](session, message, now)
    except Exception:
        session.rollback()
        return None


def in_words(length: timedelta) -> str:
    """How long, in one number: "3 hours"."""
    minutes = max(int(length.total_seconds() // 60), 0)
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {name}{'s' if number != 1 else ''}"
    return "less than a minute"
