"""The mails about endorsements. Each is written when it is sent, from how things stand then."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.crypto import keyring
from coalition.endorsements import queries
from coalition.endorsements.models import (
    DECIDED_LIFETIME,
    DECLINE_NAMES,
    UNCONFIRMED_LIFETIME,
    ContactChange,
    Endorsement,
    EndorsementStatus,
)
from coalition.mail import codes
from coalition.mail.messages import HIDDEN, Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.mail.private_links import LINK_LIFETIME, Purpose, make_token
from coalition.mail.queries import is_blocked
from coalition.statements.queries import current_campaign
from coalition.web.links import page_url

CONFIRMING = "endorsements.confirming"
STANDING = "endorsements.standing"
APPROVED = "endorsements.approved"
MORE_ASKED = "endorsements.more_asked"
DECLINED = "endorsements.declined"
REMOVED = "endorsements.removed"
WITHDRAWN = "endorsements.withdrawn"
ERASED = "endorsements.erased"
CHANGE_OLD = "endorsements.change_old"
CHANGE_NEW = "endorsements.change_new"
CHANGED = "endorsements.changed"
LINKS = "endorsements.links"

Status = EndorsementStatus
Writer = Callable[[Session, OutboxMessage, datetime], Email | None]


def _about_endorsement(template: str, *states: EndorsementStatus) -> Writer:
    """A mail that is true in these states alone: what changed since is told by a mail of its own."""

    def write(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
        endorsement = _find(session, message.reference)
        if endorsement is None or endorsement.status not in (states or EndorsementStatus):
            return None
        return _write(session, endorsement, template, now)

    return write


def confirming_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """The link and the code that confirm; once they are used, where things stand."""
    endorsement = _find(session, message.reference)
    if endorsement is None:
        return None
    template = "confirm" if endorsement.awaits_confirmation else "standing"
    return _write(session, endorsement, template, now)


def links_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """The private links of all that stands under an address, or that nothing does."""
    address = str(message.details["address"])
    if is_blocked(session, address):
        return None
    found = [
        {
            "name": entry.name,
            "link": _manage_link(endorsement, now),
            "confirm_link": _confirm_link(endorsement, now),
            "waits": endorsement.awaits_confirmation,
        }
        for endorsement in queries.with_contact(session, address)
        if (entry := queries.find_entry(session, endorsement.id))
    ]
    return write_email(address, "endorsements/links", found=found, **_common())


def declined_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """What was not published and why: of an organisation, or of an edit of one that is public."""
    endorsement = _find(session, message.reference)
    declinable = (Status.DECLINED, Status.PUBLISHED)
    if endorsement is None or endorsement.status not in declinable or not endorsement.decision_code:
        return None
    return _write(session, endorsement, "declined", now)


def erased_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """The last mail: who the contact is, is deleted."""
    return write_email(str(message.details["address"]), "endorsements/erased", **_common())


def _change_email(*, is_new: bool) -> Writer:
    def write(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
        change = queries.find_change(session, message.reference) if message.reference else None
        endorsement = _find(session, change.endorsement_id) if change else None
        if change is None or endorsement is None:
            return None
        return _write_change(session, endorsement, change, is_new, now)

    return write


def _write_change(
    session: Session, endorsement: Endorsement, change: ContactChange, is_new: bool, now: datetime
) -> Email | None:
    purpose = Purpose.CHANGE_NEW if is_new else Purpose.CHANGE_OLD
    link = page_url("endorsement_links.change", token=make_token(purpose, change.id, now))
    return _write(
        session,
        endorsement,
        "change_new" if is_new else "change_old",
        now,
        to=change.email if is_new else None,
        change=change,
        change_link=link,
    )


WRITERS: dict[str, Writer] = {
    CONFIRMING: confirming_email,
    STANDING: confirming_email,
    APPROVED: _about_endorsement("approved", Status.PUBLISHED),
    MORE_ASKED: _about_endorsement("more_asked", Status.MORE_ASKED),
    DECLINED: declined_email,
    REMOVED: _about_endorsement("removed", Status.REMOVED),
    WITHDRAWN: _about_endorsement("withdrawn", Status.WITHDRAWN),
    ERASED: erased_email,
    CHANGE_OLD: _change_email(is_new=False),
    CHANGE_NEW: _change_email(is_new=True),
    CHANGED: _about_endorsement("changed"),
    LINKS: links_email,
}


def preview(
    session: Session,
    endorsement_id: uuid.UUID,
    template: str,
    change: dict[str, object],
    now: datetime,
) -> Email | None:
    """The mail that a decision would send, with `change` in place of what stands, and without
    what gives its reader access. Nothing is changed."""
    endorsement = queries.find_endorsement(session, endorsement_id)
    if endorsement is None:
        return None
    with session.no_autoflush:
        for name, value in change.items():
            setattr(endorsement, name, value)
        hidden = dict.fromkeys(("code", "confirm_link", "disown_link", "manage_link"), HIDDEN)
        mail = _write(session, endorsement, template, now, **hidden)
        session.rollback()
    return mail


def _find(session: Session, endorsement_id: uuid.UUID | None) -> Endorsement | None:
    return queries.find_endorsement(session, endorsement_id) if endorsement_id else None


def _write(
    session: Session,
    endorsement: Endorsement,
    template: str,
    now: datetime,
    to: str | None = None,
    **values: object,
) -> Email | None:
    """None where nobody is the contact any more, or the address asked for no mail."""
    address = to or endorsement.contact_email
    entry = queries.find_entry(session, endorsement.id)
    if address is None or entry is None or is_blocked(session, address):
        return None
    known: dict[str, object] = {
        "endorsement": endorsement,
        "entry": entry,
        "decline_names": DECLINE_NAMES,
        "code": codes.grouped(codes.codes_for(keyring(), endorsement.contact_id)[0]),
        "code_link": page_url("endorsement_links.code"),
        "confirm_link": _confirm_link(endorsement, now),
        "disown_link": page_url(
            "endorsement_links.disown",
            token=make_token(Purpose.ENDORSE_DISOWN, endorsement.contact_id, now),
        ),
        "manage_link": _manage_link(endorsement, now),
        "public_link": (
            page_url("supporters.supporter", slug=endorsement.slug) if endorsement.slug else None
        ),
        "waits_until": endorsement.registered_at + UNCONFIRMED_LIFETIME,
        "decided_until": endorsement.status_changed_at + DECIDED_LIFETIME,
        **_common(),
    }
    return write_email(address, f"endorsements/{template}", **{**known, **values})


def _confirm_link(endorsement: Endorsement, now: datetime) -> str:
    token = make_token(Purpose.ENDORSE_CONFIRM, endorsement.contact_id, now)
    return page_url("endorsement_links.confirm", token=token)


def _manage_link(endorsement: Endorsement, now: datetime) -> str:
    token = make_token(Purpose.ENDORSE_MANAGE, endorsement.contact_id, now)
    return page_url("your_entry.show", token=token)


def _common() -> dict[str, object]:
    return {
        "campaign": current_campaign(),
        "home_link": page_url("pages.home"),
        "link_days": LINK_LIFETIME.days,
    }
