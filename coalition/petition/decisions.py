"""What a moderator can decide about a signature. Each decision is told to the signatory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.crypto import keyring
from coalition.mail.actions import queue_message
from coalition.mail.address import address_digests
from coalition.petition import emails
from coalition.petition.actions import locked, set_status
from coalition.petition.models import Cause, ReviewedAddress, Signature, SignatureStatus

Status = SignatureStatus
LONGEST_REASON = 500  # characters
ADDRESSES_AT_ONCE = 1_000


class NotPossible(Exception):
    """The signature is not in a state that allows this decision; the message says why."""


@dataclass(frozen=True)
class Decision:
    """One kind of decision: from which states, and what follows."""

    name: str
    allowed_from: frozenset[Status]
    cause: Cause
    becomes: Callable[[Signature], Status]


def _as_before(signature: Signature) -> Status:
    return Status.VERIFIED if signature.verified_at else Status.AWAITING


HOLD = Decision("hold", frozenset({Status.VERIFIED}), Cause.HELD, lambda _: Status.HELD)
RELEASE = Decision("release", frozenset({Status.HELD}), Cause.RELEASED, _as_before)
REMOVE = Decision(
    "remove",
    frozenset({Status.AWAITING, Status.VERIFIED, Status.HELD}),
    Cause.REMOVED,
    lambda _: Status.REMOVED,
)
RESTORE = Decision("restore", frozenset({Status.REMOVED}), Cause.RESTORED, _as_before)
HINDERED = frozenset({Status.HELD, Status.REMOVED})
DECISIONS = {each.name: each for each in (HOLD, RELEASE, REMOVE, RESTORE)}


def decide(
    session: Session,
    decision: Decision,
    signature_id: uuid.UUID,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> bool:
    """Carry out a moderation decision, write it to the audit log, and tell the signatory.

    `reason` is shown to the signatory. Returns whether a mail goes: none does to an address
    that nobody confirmed. Raises NotPossible.
    """
    signature = locked(session, signature_id)
    if signature is None:
        raise NotPossible("there is no such signature")
    if signature.status not in decision.allowed_from:
        raise NotPossible(f"cannot {decision.name} a signature that is {signature.status.value}")
    if len(reason) > LONGEST_REASON:
        raise NotPossible(f"the reason must have {LONGEST_REASON} characters or fewer")
    tells = signature.is_known_to_its_owner
    set_status(session, signature, decision.becomes(signature), decision.cause, now=now)
    signature.appeal = signature.appealed_at = None
    _remember(session, signature, now=now)
    if signature.status is Status.AWAITING:
        # It waits anew, for as long as any other; what is kept of its network must not stay longer.
        signature.signed_at, signature.network_digest = now, None
    signature.decision_reason = reason if signature.status in HINDERED else None
    if tells:
        queue_message(session, emails.DECIDED, reference=signature.id, now=now)
    record(
        session,
        actor=actor,
        action=f"signature: {decision.name}",
        subject=f"signature {signature.id}",
        reason=reason,
        now=now,
    )
    return tells


def forget_reviews(session: Session, chosen: Select[uuid.UUID]) -> None:
    """Forget that the addresses of these signatures are under review."""
    digests = select(Signature.address_digest).where(Signature.id.in_(chosen))
    session.execute(
        delete(ReviewedAddress)
        .where(ReviewedAddress.address_digest.in_(digests))
        .execution_options(synchronize_session=False)
    )
    if not keyring().has_older:
        return
    # While an older secret is in use, it may be under review by a digest of that one.
    emails_of = select(Signature.email).where(Signature.id.in_(chosen))
    for some in session.scalars(emails_of).partitions(ADDRESSES_AT_ONCE):
        older = [digest for email in some for digest in address_digests(email)[1:]]
        session.execute(
            delete(ReviewedAddress)
            .where(ReviewedAddress.address_digest.in_(older))
            .execution_options(synchronize_session=False)
        )


def _remember(session: Session, signature: Signature, *, now: datetime) -> None:
    """Keep, or forget, that this address is under review, whatever becomes of the row."""
    session.execute(
        delete(ReviewedAddress).where(
            ReviewedAddress.address_digest.in_(address_digests(signature.email))
        )
    )
    if signature.status in HINDERED:
        session.add(ReviewedAddress(address_digest=signature.address_digest, decided_at=now))
    session.flush()
