"""What is deleted of endorsements, and when; the privacy notice says the same.

Each in a transaction of its own: what goes with an endorsement is locked with it, and two that
each hold what the other needs would wait for one another.
"""

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


def delete_unconfirmed(session: Session, *, now: datetime) -> None:
    """Delete endorsements that nobody confirmed in time."""
    sweep(
        session,
        Endorsement,
        Endorsement.status == Status.AWAITING,
        Endorsement.registered_at < now - UNCONFIRMED_LIFETIME,
    )


def delete_old_changes(session: Session, *, now: datetime) -> None:
    """Delete changes of contact that the two mailboxes did not confirm in time."""
    sweep(session, ContactChange, ContactChange.asked_at < now - UNCONFIRMED_LIFETIME)


def delete_decided(session: Session, *, now: datetime) -> None:
    """Delete what was decided against long ago. An answer waits for a moderator, however long."""
    sweep(
        session,
        Endorsement,
        Endorsement.status.in_((Status.MORE_ASKED, Status.DECLINED, Status.REMOVED)),
        Endorsement.appeal.is_(None),
        Endorsement.status_changed_at < now - DECIDED_LIFETIME,
    )


def forget_contacts_of_the_withdrawn(session: Session, *, now: datetime) -> None:
    """Of an organisation that withdrew long ago the note stays, and its contact goes."""
    withdrawn = session.scalars(
        select(Endorsement)
        .where(
            Endorsement.status == Status.WITHDRAWN,
            Endorsement.contact_email.is_not(None),
            Endorsement.status_changed_at < now - DECIDED_LIFETIME,
        )
        .order_by(Endorsement.id)
        .with_for_update(skip_locked=True)
    )
    for endorsement in withdrawn:
        set_contact(endorsement, None)
        endorsement.appeal = endorsement.decision_words = endorsement.decision_code = None
    session.flush()


def delete_loose_logos(session: Session, *, now: datetime) -> None:
    """Delete logos that belong to nothing: those that are old, and the oldest of too many."""
    used = select(Entry.logo_id).where(Entry.logo_id.is_not(None))
    newest = (
        select(Logo.id)
        .where(Logo.id.not_in(used))
        .order_by(Logo.uploaded_at.desc())
        .limit(MOST_LOOSE_LOGOS)
    )
    sweep(
        session,
        Logo,
        Logo.id.not_in(used),
        (Logo.uploaded_at < now - LOOSE_LOGO_LIFETIME) | Logo.id.not_in(newest),
    )


CLEAN_UPS = (
    delete_unconfirmed,
    delete_old_changes,
    delete_decided,
    forget_contacts_of_the_withdrawn,
    delete_loose_logos,
)
