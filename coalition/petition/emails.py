"""The petition's mails. Each is written when it is sent, from how things stand then.

So one kind of queued mail serves an address that is new, waiting, counted or blocked: what
differs is only what its owner reads.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from coalition.crypto import keyring
from coalition.mail import codes
from coalition.mail.messages import HIDDEN, Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.mail.private_links import LINK_LIFETIME, Purpose, make_token
from coalition.mail.queries import is_blocked
from coalition.petition import queries
from coalition.petition.models import (
    HINDERED,
    UNVERIFIED_LIFETIME,
    Signature,
    SignatureStatus,
)
from coalition.petition.queries import Standing
from coalition.statements.queries import current_campaign
from coalition.web.links import page_url

SIGNING = "petition.signing"
DECIDED = "petition.decided"
KEPT = "petition.kept"
LINK = "petition.link"
WITHDRAWN = "petition.withdrawn"
ERASED = "petition.erased"

_TEMPLATES = {
    SignatureStatus.AWAITING: "petition/verify",
    SignatureStatus.VERIFIED: "petition/already_signed",
    SignatureStatus.HELD: "petition/held",
    SignatureStatus.REMOVED: "petition/removed",
    SignatureStatus.WITHDRAWN: "petition/withdrawn",
}


def signing_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """What the owner of a signature is told, by where the signature stands."""
    standing = _standing(session, message)
    if standing and _is_no_longer_awaited(standing.signature, message):
        return None
    return _about(standing, now)


def _standing(session: Session, message: OutboxMessage) -> Standing | None:
    return queries.find_standing(session, message.reference) if message.reference else None


def _is_no_longer_awaited(signature: Signature, message: OutboxMessage) -> bool:
    """Whether a moderator removed it before this mail, which asks to confirm it, could be sent:
    of a flood, no owner of an address need ever know."""
    return (
        signature.status is SignatureStatus.REMOVED
        and not signature.is_known_to_its_owner
        and message.created_at <= signature.status_changed_at
    )


def decided_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """What a moderator decided about a signature."""
    standing = _standing(session, message)
    if standing and standing.signature.status is SignatureStatus.VERIFIED:
        return _about(standing, now, "petition/counts_again")
    return _about(standing, now)


def kept_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """That a moderator read what its owner wrote, and left the decision as it was."""
    standing = _standing(session, message)
    if standing is None or standing.signature.status not in HINDERED:
        return decided_email(session, message, now)
    return _about(standing, now, "petition/kept")


def preview(session: Session, signature: Signature, kind: str, now: datetime) -> Email | None:
    """The mail of this kind about a signature as it stands, without what gives its reader access.
    None where its owner asked for no mail."""
    template = None
    if kind == KEPT:
        template = "petition/kept"
    elif signature.status is SignatureStatus.VERIFIED:
        template = "petition/counts_again"
    return _about(queries.find_standing(session, signature.id), now, template, is_shown=True)


def link_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """The link that somebody asked for by address, or that there is no signature."""
    address = str(message.details["address"])
    signature = queries.find_by_address(session, address)
    if signature:
        return _about(queries.find_standing(session, signature.id), now)
    if is_blocked(session, address):
        return None
    return write_email(address, "petition/no_signature", **_common())


def erased_email(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
    """The last mail: everything is deleted."""
    return write_email(str(message.details["address"]), "petition/erased", **_common())


WRITERS = {
    SIGNING: signing_email,
    DECIDED: decided_email,
    KEPT: kept_email,
    LINK: link_email,
    WITHDRAWN: signing_email,
    ERASED: erased_email,
}


def _about(
    standing: Standing | None,
    now: datetime,
    template: str | None = None,
    *,
    is_shown: bool = False,
) -> Email | None:
    """What stands about a signature. `is_shown` to somebody else than its owner: no secret of
    theirs is in it."""
    if standing is None or standing.is_blocked:
        return None
    signature = standing.signature
    secrets = {
        "code": codes.grouped(codes.codes_for(keyring(), signature.id)[0]),
        "confirm_link": _link(Purpose.CONFIRM, "petition.confirm", signature, now),
        "disown_link": _link(Purpose.DISOWN, "petition.disown", signature, now),
        "manage_link": _link(Purpose.MANAGE, "your_signature.show", signature, now),
    }
    if template is None and signature.status is SignatureStatus.AWAITING and standing.is_closed:
        template = "petition/too_late"
    return write_email(
        signature.email,
        template or _TEMPLATES[signature.status],
        signature=signature,
        code_link=page_url("petition.code"),
        waits_until=signature.signed_at + UNVERIFIED_LIFETIME,
        link_days=LINK_LIFETIME.days,
        **(dict.fromkeys(secrets, HIDDEN) if is_shown else secrets),
        **_common(),
    )


def _link(purpose: Purpose, endpoint: str, signature: Signature, now: datetime) -> str:
    return page_url(endpoint, token=make_token(purpose, signature.id, now))


def _common() -> dict[str, object]:
    return {"campaign": current_campaign(), "home_link": page_url("pages.home")}
