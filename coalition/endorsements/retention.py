"""What is deleted of endorsements, and when; the privacy notice says the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

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


def delete_past_endorsements(session: Session, *, now: datetime) -> None:
    """Delete what nobody confirmed, what was decided long ago, and logos that belong to nothing.

    Of an organisation that withdrew, the note stays, and its contact goes.
    """
    session.execute(
        delete(Endorsement).where(
            Endorsement.status == Status.AWAITING,
            Endorsement.registered_at < now - UNCONFIRMED_LIFETIME,
        )
    )
    session.execute(
        delete(ContactChange).where(ContactChange.asked_at < now - UNCONFIRMED_LIFETIME)
    )
    session.execute(
        delete(Endorsement).where(
            Endorsement.status.in_((Status.MORE_ASKED, Status.DECLINED, Status.REMOVED)),
            Endorsement.appeal.is_(None),  # an answer waits for a moderator, however long
            Endorsement.status_changed_at < now - DECIDED_LIFETIME,
        )
    )
    _forget_contacts_of_the_withdrawn(session, now)
    _delete_loose_logos(session, now)


def _forget_contacts_of_the_withdrawn(session: Session, now: datetime) -> None:
    withdrawn = session.scalars(
        select(Endorsement)
        .where(
            Endorsement.status == Status.WITHDRAWN,
            Endorsement.contact_email.is_not(None),
            Endorsement.status_changed_at < now - DECIDED_LIFETIME,
        )
        .with_for_update()
    )
    for endorsement in withdrawn:
        set_contact(endorsement, None)
        endorsement.appeal = endorsement.decision_words = endorsement.decision_code = None
    session.flush()


def _delete_loose_logos(session: Session, now: datetime) -> None:
    used = select(Entry.logo_id).where(Entry.logo_id.is_not(None))
    newest = (
        select(Logo.id)
        .where(Logo.id.not_in(used))
        .order_by(Logo.uploaded_at.desc())
        .limit(MOST_LOOSE_LOGOS)
    )
    session.execute(
        delete(Logo).where(
            Logo.id.not_in(used),
            (Logo.uploaded_at < now - LOOSE_LOGO_LIFETIME) | Logo.id.not_in(newest),
        )
    )
