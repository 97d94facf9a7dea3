"""What an organisation's contact can do: register, confirm, edit, change contact, withdraw."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.db import is_postgresql
from coalition.endorsements import emails
from coalition.endorsements.logos import Drawn
from coalition.endorsements.models import (
    CONFIRMABLE,
    ContactChange,
    Endorsement,
    EndorsementStatus,
    Entry,
    EntryState,
    Logo,
    Nation,
    OrganisationKind,
    Origin,
)
from coalition.endorsements.queries import find_change, find_entry
from coalition.mail.actions import queue_message
from coalition.mail.address import address_digests, parse_address
from coalition.mail.bounce_actions import forget_bounces

Status = EndorsementStatus


@dataclass(frozen=True)
class PublicDetails:
    """What the public is to read."""

    name: str
    website: str
    kind: OrganisationKind
    nation: Nation
    words: str
    logo_id: uuid.UUID | None
    logo_alt: str


@dataclass(frozen=True)
class Contact:
    """Who speaks for the organisation. Never public."""

    email: str
    name: str
    role: str


@dataclass(frozen=True)
class Agreed:
    """The versions of the texts that were on the page when an organisation registered."""

    statement_version_id: int
    consent_version_id: int


class Confirmation(Enum):
    """What came of confirming."""

    CONFIRMED = auto()
    ALREADY = auto()
    GONE = auto()


def locked(session: Session, endorsement_id: uuid.UUID) -> Endorsement | None:
    """The endorsement, held against any other change until the transaction ends."""
    return session.get(Endorsement, endorsement_id, with_for_update=True, populate_existing=True)


def register_endorsement(
    session: Session,
    endorsement_id: uuid.UUID,
    details: PublicDetails,
    contact: Contact,
    agreed: Agreed,
    *,
    now: datetime,
) -> None:
    """Record an endorsement that awaits verification, and the mail that asks for it.

    `endorsement_id` was given out with the page: the same form sent twice, even at once, is one
    endorsement and one mail. Raises NotAnAddress.
    """
    upsert: Any = (postgresql if is_postgresql(session) else sqlite).insert(Endorsement)
    is_new = session.scalar(
        upsert.values(
            id=endorsement_id,
            status=Status.AWAITING,
            origin=Origin.REGISTERED,
            contact_id=uuid.uuid4(),
            statement_version_id=agreed.statement_version_id,
            consent_version_id=agreed.consent_version_id,
            endorsed_on=day_in_uk(now),
            registered_at=now,
            status_changed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Endorsement.id)
    )
    if is_new is None:
        return
    endorsement = session.get_one(Endorsement, endorsement_id)
    set_contact(endorsement, contact)
    session.flush()
    propose_entry(session, endorsement, details, now=now)
    queue_message(session, emails.CONFIRMING, reference=endorsement_id, now=now)


def set_contact(endorsement: Endorsement, contact: Contact | None) -> None:
    """Make somebody, or nobody, the contact; links of an earlier one lead nowhere from now on.

    Raises NotAnAddress.
    """
    endorsement.contact_id = uuid.uuid4()
    endorsement.address_digest = address_digests(contact.email)[0] if contact else None
    endorsement.contact_email = parse_address(contact.email) if contact else None
    endorsement.contact_name = contact.name if contact else None
    endorsement.contact_role = contact.role if contact else None


def propose_entry(
    session: Session, endorsement: Endorsement, details: PublicDetails, *, now: datetime
) -> None:
    """Put what the public is to read before the moderators, in place of what waits."""
    session.execute(
        delete(Entry).where(
            Entry.endorsement_id == endorsement.id, Entry.state == EntryState.PROPOSED
        )
    )
    session.add(
        Entry(
            endorsement_id=endorsement.id,
            state=EntryState.PROPOSED,
            proposed_at=now,
            **vars(details),
        )
    )
    session.flush()


def confirm_endorsement(
    session: Session, endorsement_id: uuid.UUID, *, agreed: Agreed | None = None, now: datetime
) -> Confirmation:
    """Pass an endorsement whose mailbox has been proved to the moderators.

    One that the coalition recorded becomes the organisation's own, and stays public; what its
    contact `agreed` to stood on the page. GONE where there is nothing to confirm any more.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None:
        return Confirmation.GONE
    if endorsement.verified_at is not None:
        return Confirmation.ALREADY
    if endorsement.status not in CONFIRMABLE:
        return Confirmation.GONE
    endorsement.verified_at = now
    if endorsement.origin is Origin.RECORDED:
        endorsement.origin = Origin.REGISTERED
        endorsement.consent_version_id = agreed.consent_version_id if agreed else None
    if endorsement.status is Status.AWAITING:
        set_status(endorsement, Status.IN_REVIEW, now=now)
    session.flush()
    return Confirmation.CONFIRMED


def set_status(endorsement: Endorsement, status: Status, *, now: datetime) -> None:
    endorsement.status = status
    endorsement.status_changed_at = now


def edit_endorsement(
    session: Session, endorsement_id: uuid.UUID, details: PublicDetails, *, now: datetime
) -> bool:
    """Propose other words for the public entry, which stays as it is until a moderator decides.

    Returns whether anything was proposed: not once it is withdrawn or removed, nor where
    nothing differs.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None or endorsement.status in (Status.WITHDRAWN, Status.REMOVED):
        return False
    shown = find_entry(session, endorsement_id)
    if shown and all(getattr(shown, name) == value for name, value in vars(details).items()):
        return False
    propose_entry(session, endorsement, details, now=now)
    if endorsement.status in (Status.MORE_ASKED, Status.DECLINED):
        set_status(endorsement, Status.IN_REVIEW, now=now)
    return True


def appeal_decision(
    session: Session, endorsement_id: uuid.UUID, words: str, *, now: datetime
) -> bool:
    """Keep what a contact answers to a decision, for a moderator to read.

    Returns whether there is a decision to answer.
    """
    endorsement = locked(session, endorsement_id)
    answerable = (Status.MORE_ASKED, Status.DECLINED, Status.REMOVED)
    if endorsement is None or endorsement.status not in answerable:
        return False
    endorsement.appeal = words
    if endorsement.status is Status.MORE_ASKED:
        set_status(endorsement, Status.IN_REVIEW, now=now)
    session.flush()
    return True


def withdraw_endorsement(session: Session, endorsement_id: uuid.UUID, *, now: datetime) -> bool:
    """Take the organisation's name back, at once; a mail says so.

    What was public becomes a note with the name and the two dates; what never was is deleted
    whole. Returns whether this changed anything: not where it was withdrawn or removed before.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None or endorsement.status in (Status.WITHDRAWN, Status.REMOVED):
        return False
    if endorsement.published_at is None:
        return erase_endorsement(session, endorsement_id, now=now)
    set_status(endorsement, Status.WITHDRAWN, now=now)
    queue_message(session, emails.WITHDRAWN, reference=endorsement_id, now=now)
    _keep_only_the_note(session, endorsement)
    return True


def _keep_only_the_note(session: Session, endorsement: Endorsement) -> None:
    entries = session.scalars(select(Entry).where(Entry.endorsement_id == endorsement.id)).all()
    for entry in entries:
        if entry.state is EntryState.PUBLIC:
            entry.words = entry.logo_alt = entry.website = ""
            entry.logo_id = None
        else:
            session.delete(entry)
    session.flush()


def erase_endorsement(session: Session, endorsement_id: uuid.UUID, *, now: datetime) -> bool:
    """Withdraw, and delete who the contact is; a last mail says so.

    Where the organisation was public once, the note with its name and dates stays: it names
    no person. Returns whether there was anything to erase.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None or endorsement.contact_email is None:
        return False
    details = {"address": endorsement.contact_email}
    queue_message(session, emails.ERASED, details=details, now=now)
    forget_bounces(session, endorsement.contact_email)
    if endorsement.published_at is None or endorsement.status is Status.REMOVED:
        session.delete(endorsement)
    else:
        if endorsement.status is not Status.WITHDRAWN:
            set_status(endorsement, Status.WITHDRAWN, now=now)
        _keep_only_the_note(session, endorsement)
        set_contact(endorsement, None)
        endorsement.appeal = endorsement.decision_words = endorsement.decision_code = None
        session.execute(delete(ContactChange).where(ContactChange.endorsement_id == endorsement_id))
    session.flush()
    return True


def disown_endorsement(session: Session, endorsement_id: uuid.UUID) -> bool:
    """Delete an endorsement that waits, because the owner of the address did not send it.

    Returns whether it is gone; one that was confirmed stays, for its contact to withdraw.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None:
        return True
    if endorsement.status is not Status.AWAITING:
        return False
    if endorsement.contact_email is not None:
        forget_bounces(session, endorsement.contact_email)
    session.delete(endorsement)
    session.flush()
    return True


def ask_contact_change(
    session: Session, endorsement_id: uuid.UUID, contact: Contact, *, now: datetime
) -> bool:
    """Ask both mailboxes whether somebody else shall speak for the organisation.

    Replaces a change that was asked for before. Returns whether there is an endorsement to
    change. Raises NotAnAddress.
    """
    endorsement = locked(session, endorsement_id)
    if endorsement is None or endorsement.contact_email is None:
        return False
    session.execute(delete(ContactChange).where(ContactChange.endorsement_id == endorsement_id))
    change = ContactChange(
        id=uuid.uuid4(),
        endorsement_id=endorsement_id,
        email=parse_address(contact.email),
        name=contact.name,
        role=contact.role,
        asked_at=now,
    )
    session.add(change)
    session.flush()
    for kind in (emails.CHANGE_OLD, emails.CHANGE_NEW):
        queue_message(session, kind, reference=change.id, now=now)
    return True


def confirm_contact_change(
    session: Session,
    change_id: uuid.UUID,
    *,
    is_new: bool,
    agreed: Agreed | None = None,
    now: datetime,
) -> Confirmation:
    """Confirm a change at one of the two mailboxes; the second of them carries it out.

    `agreed` is what the new contact agreed to. CONFIRMED once it is carried out, ALREADY while the other mailbox is awaited.
    """
    found = find_change(session, change_id)
    # First the endorsement, as whoever else changes it does: two that wait for one another never end.
    endorsement = locked(session, found.endorsement_id) if found else None
    change = session.scalars(
        select(ContactChange)
        .where(ContactChange.id == change_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if endorsement is None or change is None:
        return Confirmation.GONE
    if is_new:
        change.new_confirmed_at = now
        change.consent_version_id = agreed.consent_version_id if agreed else None
    else:
        change.old_confirmed_at = now
    session.flush()
    if change.old_confirmed_at is None or change.new_confirmed_at is None:
        return Confirmation.ALREADY
    set_contact(endorsement, Contact(change.email, change.name, change.role))
    endorsement.consent_version_id = change.consent_version_id
    session.delete(change)
    session.flush()
    queue_message(session, emails.CHANGED, reference=endorsement.id, now=now)
    return Confirmation.CONFIRMED


def request_links(session: Session, email: str, *, now: datetime) -> None:
    """Queue a mail with the private links of whatever stands under this address, or that
    nothing does. Raises NotAnAddress."""
    queue_message(session, emails.LINKS, details={"address": parse_address(email)}, now=now)


def renew_link(session: Session, endorsement_id: uuid.UUID, *, now: datetime) -> None:
    """Queue a mail with a new private link, to the address that is on record."""
    queue_message(session, emails.STANDING, reference=endorsement_id, now=now)


def keep_logo(session: Session, drawn: Drawn, *, now: datetime) -> uuid.UUID:
    """Store a logo for a form that is being filled in. Returns its id."""
    logo = Logo(id=uuid.uuid4(), uploaded_at=now, **vars(drawn))
    session.add(logo)
    session.flush()
    return logo.id
