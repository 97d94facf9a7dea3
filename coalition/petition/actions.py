"""What a signatory can do: sign, verify, correct, withdraw, erase, disown, appeal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.crypto import keyring
from coalition.db import changed_rows, in_order, is_postgresql, sweep
from coalition.mail.actions import queue_message
from coalition.mail.address import address_digests, parse_address
from coalition.mail.bounce_actions import forget_bounces
from coalition.petition import emails
from coalition.petition.fingerprints import domain_digest, network_digest
from coalition.petition.models import (
    HINDERED,
    NETWORK_LIFETIME,
    UNVERIFIED_LIFETIME,
    Cause,
    Kind,
    Region,
    Signature,
    SignatureStatus,
)
from coalition.petition.queries import is_reviewed
from coalition.petition.signing_statements import count_waiting, put_down
from coalition.petition.tally import append_count_event
from coalition.statements.closing import find_closing

LONGEST_APPEAL = 5_000  # characters

Status = SignatureStatus


@dataclass(frozen=True)
class Personal:
    """What a signatory says of themselves and may correct at any time."""

    name: str
    region: Region | None
    kind: Kind | None
    show_name: bool
    wants_updates: bool


@dataclass(frozen=True)
class Agreed:
    """The versions of the texts that were on the page when somebody signed."""

    petition_version_id: int
    consent_version_id: int


class Verification(Enum):
    """What came of confirming."""

    COUNTED = auto()
    ALREADY_COUNTED = auto()
    DETAILS_CHANGED = auto()  # the form was sent again since the page was shown
    WITHDRAWN = auto()
    HELD = auto()
    REMOVED = auto()
    TOO_LATE = auto()  # the petition is closed; what was typed is deleted
    GONE = auto()


def sign_petition(
    asked: Session | Connection,
    email: str,
    personal: Personal,
    agreed: Agreed,
    *,
    network: str | None = None,
    source: str | None = None,
    now: datetime,
) -> None:
    """Record a signature that awaits verification, and the mail that asks for it.

    `network` is that of the visitor, as text; only a digest of it is kept. `source` is the tag of
    the site by way of which they came. One path for every address, new, waiting, counted or
    blocked: one row is written or touched and one mail queued, so that neither the answer nor its
    time tells which it was. While a signature waits, or was withdrawn, signing again replaces what
    was said before; one that is counted stays as it is, and the mail says so. Raises NotAnAddress.
    """
    digest, *older = address_digests(email)
    if older:
        _adopt_newest_digest(asked, digest, older)
    values = {
        "id": uuid.uuid4(),
        "address_digest": digest,
        "domain_digest": domain_digest(email),
        "network_digest": network_digest(network) if network else None,
        "email": parse_address(email),
        **vars(personal),
        **vars(agreed),
        "source": source,
    }
    put_down(asked, values, now=now)


def _adopt_newest_digest(asked: Session | Connection, newest: bytes, older: list[bytes]) -> None:
    """After a key was added: let the row of this address be found by the newest key."""
    already = select(Signature.id).where(Signature.address_digest == newest).exists()
    asked.execute(
        update(Signature)
        .where(Signature.address_digest.in_(older), ~already)
        .values(address_digest=newest)
        .execution_options(synchronize_session=False)
    )


def locked(session: Session, signature_id: uuid.UUID) -> Signature | None:
    """The signature, held against any other change until the transaction ends."""
    return session.get(Signature, signature_id, with_for_update=True, populate_existing=True)


def set_status(
    session: Session,
    signature: Signature,
    status: Status,
    cause: Cause,
    *,
    now: datetime,
) -> None:
    """Change a locked signature's status, and append the count event if that changes the
    count or what stands aside of it."""
    change = (status is Status.VERIFIED) - (signature.status is Status.VERIFIED)
    left = signature.aside
    signature.status = status
    signature.status_changed_at = now
    if change or left is not signature.aside:
        append_count_event(
            session,
            cause,
            change,
            region=signature.region,
            kind=signature.kind,
            left=left,
            entered=signature.aside,
            source=signature.source if cause is Cause.VERIFIED else None,
            now=now,
        )
    signature.source = None
    session.flush()


_ALREADY = {
    Status.VERIFIED: Verification.ALREADY_COUNTED,
    Status.WITHDRAWN: Verification.WITHDRAWN,
    Status.HELD: Verification.HELD,
    Status.REMOVED: Verification.REMOVED,
}


def count_at_once(
    asked: Session | Connection, signature_id: uuid.UUID, revision: int, *, now: datetime
) -> bool:
    """Do what `verify_signature` does where one statement is enough, as it nearly always is.

    Returns whether the signature was counted; if not, nothing was changed.
    """
    # Under more keys than one, what is under review is found by the address alone.
    one_will_do = is_postgresql(asked) and not keyring().has_older
    return one_will_do and count_waiting(asked, signature_id, revision, now=now)


def verify_signature(
    session: Session, signature_id: uuid.UUID, revision: int, *, now: datetime
) -> Verification:
    """Count a signature whose mail address has been proved.

    `revision` is that of the details which the signatory was shown; if others came since,
    nothing is counted. However often and however simultaneously this is called, a signature
    counts once. One whose address a moderator has under review is held instead. Once the petition
    is closed, it is deleted: it would wait for nothing.
    """
    if count_at_once(session, signature_id, revision, now=now):
        return Verification.COUNTED
    return _verify_step_by_step(session, signature_id, revision, now=now)


def _verify_step_by_step(
    session: Session, signature_id: uuid.UUID, revision: int, *, now: datetime
) -> Verification:
    signature = locked(session, signature_id)
    if signature is None:
        return Verification.GONE
    if signature.status is not Status.AWAITING:
        return _ALREADY[signature.status]
    if find_closing(session):
        _delete_waiting(session, signature)
        return Verification.TOO_LATE
    if signature.revision != revision:
        return Verification.DETAILS_CHANGED
    signature.verified_at = now  # first: only what was confirmed can stand aside
    if is_reviewed(session, signature.email):
        set_status(session, signature, Status.HELD, Cause.HELD, now=now)
        return Verification.HELD
    set_status(session, signature, Status.VERIFIED, Cause.VERIFIED, now=now)
    return Verification.COUNTED


def correct_signature(
    session: Session,
    signature_id: uuid.UUID,
    personal: Personal,
    consent_version_id: int,
    *,
    now: datetime,
) -> None:
    """Replace what a signatory said of themselves, and note the version of the consent that
    was on the page. Does nothing once the signature is gone.
    """
    signature = locked(session, signature_id)
    if signature is None:
        return
    signature.choices_version_id = consent_version_id
    moved = (signature.region, signature.kind) != (personal.region, personal.kind)
    for sign in (-1, 1):
        if sign == 1:
            for name, value in vars(personal).items():
                setattr(signature, name, value)
        if moved and signature.status is Status.VERIFIED:
            append_count_event(
                session,
                Cause.CORRECTED,
                sign,
                region=signature.region,
                kind=signature.kind,
                now=now,
            )
    session.flush()


def withdraw_signature(session: Session, signature_id: uuid.UUID, *, now: datetime) -> bool:
    """Take a signature back: it no longer counts, and a mail says so.

    Returns whether this changed anything; a removed signature stays removed.
    """
    signature = locked(session, signature_id)
    if signature is None or signature.status in (Status.WITHDRAWN, Status.REMOVED):
        return False
    set_status(session, signature, Status.WITHDRAWN, Cause.WITHDRAWN, now=now)
    queue_message(session, emails.WITHDRAWN, reference=signature.id, now=now)
    return True


def erase_signature(session: Session, signature_id: uuid.UUID, *, now: datetime) -> bool:
    """Delete a signature and everything held with it; a last mail says so.

    Returns whether there was anything to erase.
    """
    signature = locked(session, signature_id)
    if signature is None:
        return False
    queue_message(session, emails.ERASED, details={"address": signature.email}, now=now)
    if signature.status is Status.REMOVED:
        leave_aside(session, signature, now=now)
    else:
        set_status(session, signature, Status.WITHDRAWN, Cause.ERASED, now=now)
    forget_bounces(session, signature.email)
    session.delete(signature)
    session.flush()
    return True


def leave_aside(session: Session, signature: Signature, *, now: datetime) -> None:
    """Note that a held or removed signature is about to be deleted, which its owner did not
    withdraw."""
    if signature.aside and signature.status in HINDERED:
        append_count_event(
            session,
            Cause.ERASED,
            0,
            region=signature.region,
            kind=signature.kind,
            left=signature.aside,
            now=now,
        )


def disown_signature(session: Session, signature_id: uuid.UUID) -> bool:
    """Delete a signature that waits, because the owner of the address did not make it.

    Returns whether it is gone; one that was verified stays, for its owner to withdraw.
    """
    signature = locked(session, signature_id)
    if signature is None:
        return True
    if signature.status is not Status.AWAITING:
        return False
    _delete_waiting(session, signature)
    return True


def _delete_waiting(session: Session, signature: Signature) -> None:
    forget_bounces(session, signature.email)
    session.delete(signature)
    session.flush()


def request_link(session: Session, email: str, *, now: datetime) -> None:
    """Mail whoever owns this address what fits: a link to verify, the private link to their
    signature, or that there is none. The same writes for every address, and none that
    prolongs how long a signature waits. Raises NotAnAddress.
    """
    queue_message(session, emails.LINK, details={"address": parse_address(email)}, now=now)


def renew_link(session: Session, signature_id: uuid.UUID, *, now: datetime) -> None:
    """Mail a fresh link for a signature whose old link ran out."""
    queue_message(session, emails.SIGNING, reference=signature_id, now=now)


def appeal_decision(
    session: Session, signature_id: uuid.UUID, words: str, *, now: datetime
) -> bool:
    """Keep a signatory's words against a hold or a removal, for a moderator to read.

    Returns whether there is a decision to appeal.
    """
    signature = locked(session, signature_id)
    if signature is None or signature.status not in (Status.HELD, Status.REMOVED):
        return False
    signature.appeal, signature.appealed_at = words[:LONGEST_APPEAL], now
    record(
        session,
        actor="signatory",
        action="appeal received",
        subject=f"signature {signature.id}",
        now=now,
    )
    return True


def delete_unverified(session: Session, *, now: datetime) -> int:
    """Delete signatures that nobody verified in time. Returns how many."""
    return sweep(
        session,
        Signature,
        Signature.status == Status.AWAITING,
        Signature.signed_at < now - UNVERIFIED_LIFETIME,
    )


def delete_old_networks(session: Session, *, now: datetime) -> int:
    """Delete what was kept of networks, once it is NETWORK_LIFETIME old. Returns of how many
    signatures.
    """
    result = session.execute(
        update(Signature)
        .where(
            in_order(
                Signature,
                Signature.network_digest.is_not(None),
                Signature.signed_at < now - NETWORK_LIFETIME,
                wait=False,
            )
        )
        .values(network_digest=None)
        .execution_options(synchronize_session=False)
    )
    return changed_rows(result)
