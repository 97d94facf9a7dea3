"""What is deleted of endorsements, and when; the privacy notice says the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.db import sweep
from coalition.endorsements.actions import set_contact
from coalition.endorsements.models import (
    DECIDED_LIFETIME,
    LOOSE_LOGO_LIFETIME,
    MOST_LOOSE_LOGOS,
    UNCONFIRMED_LIFETIME,
    ContactChange,
    Endorsement,
    EndorsementStatus,
    Entry,
    Logo,
)

Status = EndorsementStatus


def delete_unconfirmed(session: Session, *, now: datetime) -> int:
    """Delete endorsements that nobody confirmed in time. Returns how many."""
    return sweep(
        session,
        Endorsement,
        Endorsement.status == Status.AWAITING,
        Endorsement.registered_at < now - UNCONFIRMED_LIFETIME,
    )


def delete_old_changes(session: Session, *, now: datetime) -> int:
    """Delete changes of contact that the two mailboxes did not confirm in time. Returns how many."""
    return sweep(session, ContactChange, ContactChange.asked_at < now - UNCONFIRMED_LIFETIME)


def delete_decided(session: Session, *, now: datetime) -> int:
    """Delete what was decided against long ago. An answer waits for a moderator, however long.
    Returns how many."""
    return sweep(
        session,
        Endorsement,
        Endorsement.status.in_((Status.MORE_ASKED, Status.DECLINED, Status.REMOVED)),
        Endorsement.appeal.is_(None),
        Endorsement.status_changed_at < now - DECIDED_LIFETIME,
    )


def forget_contacts_of_the_withdrawn(session: Session, *, now: datetime) -> int:
    """Of an organisation that withdrew long ago the note stays, and its contact goes. Returns how
    many."""
    withdrawn = session.scalars(
        select(Endorsement)
        .where(
            Endorsement.status == Status.WITHDRAWN,
            Endorsement.contact_email.is_not(None),
            Endorsement.status_changed_at < now - DECIDED_LIFETIME,
        )
        .order_by(Endorsement.id)
        .with_for_update(skip_locked=True)
    ).all()
    for endorsement in withdrawn:
        set_contact(endorsement, None)
        endorsement.appeal = endorsement.decision_words = endorsement.decision_code = None
    session.flush()
    return len(withdrawn)


def delete_loose_logos(session: Session, *, now: datetime) -> int:
    """Delete logos that belong to nothing: those that are old, and the oldest of too many. Returns
    how many."""
    used = select(Entry.logo_id).where(Entry.logo_id.is_not(None))
    newest = (
        select(Logo.id)
        .where(Logo.id.not_in(used))
        .order_by(Logo.uploaded_at.desc())
        .limit(MOST_LOOSE_LOGOS)
    )
    return sweep(
        session,
        Logo,
        Logo.id.not_in(used),
        (Logo.uploaded_at < now - LOOSE_LOGO_LIFETIME) | Logo.id.not_in(newest),
    )
