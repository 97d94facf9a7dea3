"""What a moderator can decide about a signature. Each decision is told to the signatory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.crypto import keyring
from coalition.mail.actions import queue_message
from coalition.mail.address import address_digests
from coalition.mail.messages import Email
from coalition.petition import emails
from coalition.petition.actions import locked, set_status
from coalition.petition.deciders import action_of, last_deciders, subject_of
from coalition.petition.models import (
    HINDERED,
    Cause,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)

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
    cause: Cause  # of the change of the count, where there is one
    becomes: Callable[[Signature], Status]
    mail: str = emails.DECIDED
    is_an_answer: bool = False  # possible only where its owner wrote to us

    def fits(self, signature: Signature) -> bool:
        """Whether a signature is in a state that allows it."""
        return signature.status in self.allowed_from and (
            signature.awaits_answer or not self.is_an_answer
        )


def _as_before(signature: Signature) -> Status:
    return Status.VERIFIED if signature.verified_at else Status.AWAITING


HOLD = Decision("hold", frozenset({Status.VERIFIED}), Cause.HELD, lambda _: Status.HELD)
RELEASE = Decision("release", frozenset({Status.HELD}), Cause.RELEASED, _as_before)
RESTORE = Decision("restore", frozenset({Status.REMOVED}), Cause.RESTORED, _as_before)
KEEP = Decision(
    "keep",
    frozenset(HINDERED),
    Cause.HELD,
    lambda signature: signature.status,
    mail=emails.KEPT,
    is_an_answer=True,
)
REMOVE = Decision(
    "remove",
    frozenset({Status.AWAITING, Status.VERIFIED, Status.HELD}),
    Cause.REMOVED,
    lambda _: Status.REMOVED,
)
DECISIONS = {each.name: each for each in (HOLD, RELEASE, RESTORE, KEEP, REMOVE)}


def decide(
    session: Session,
    decision: Decision,
    signature_id: uuid.UUID,
    *,
    reason: str,
    read: str | None = None,
    actor: str,
    now: datetime,
) -> bool:
    """Carry out a moderation decision, write it to the audit log, and tell the signatory.

    `reason` is shown to the signatory; `read` is the mark of what the moderator read, if they
    read it on a page. Returns whether a mail goes: none does to an address that nobody
    confirmed. Raises NotPossible.
    """
    signature = locked(session, signature_id)
    if signature is None:
        raise NotPossible("there is no such signature")
    refuse_impossible(session, signature, decision, reason=reason, read=read, actor=actor)
    tells = signature.is_known_to_its_owner
    set_status(session, signature, decision.becomes(signature), decision.cause, now=now)
    signature.appeal = signature.appealed_at = None
    _remember(session, signature, now=now)
    if signature.status is Status.AWAITING:
        # It waits anew, for as long as any other; what is kept of its network must not stay longer.
        signature.signed_at, signature.network_digest = now, None
    signature.decision_reason = reason if signature.status in HINDERED else None
    if tells:
        queue_message(session, decision.mail, reference=signature.id, now=now)
    record(
        session,
        actor=actor,
        action=action_of(decision.name),
        subject=subject_of(signature.id),
        reason=reason,
        now=now,
    )
    return tells


def refuse_impossible(
    session: Session,
    signature: Signature,
    decision: Decision,
    *,
    reason: str,
    read: str | None,
    actor: str,
) -> None:
    """Raises NotPossible where this decision about this signature cannot be made, or not by
    this actor."""
    if read is not None and read != mark_of(signature):
        raise NotPossible("it was changed since you read it; read it again, then decide")
    if not decision.fits(signature):
        state = signature.status.value.replace("_", " ")
        why = "" if signature.status not in decision.allowed_from else ": nobody wrote to us"
        raise NotPossible(f"cannot {decision.name} a signature that is {state}{why}")
    if len(reason) > LONGEST_REASON:
        raise NotPossible(f"the reason must have {LONGEST_REASON} characters or fewer")
    if is_for_somebody_else(session, signature, actor):
        raise NotPossible("you decided this before; somebody else has to look at the answer")


def is_for_somebody_else(session: Session, signature: Signature, actor: str) -> bool:
    """Whether its owner wrote against what this moderator decided."""
    if not signature.awaits_answer or not actor.startswith("moderator "):
        return False
    return actor in last_deciders(session, [signature.id]).get(signature.id, ())


def mark_of(signature: Signature) -> str:
    """Stands for what a moderator reads of a signature: another one, once any of it changed."""
    parts = (
        signature.status_changed_at,
        signature.appealed_at,
        signature.name,
        signature.region,
        signature.kind,
    )
    return sha256(repr([str(each) for each in parts]).encode()).hexdigest()


def preview_mail(
    session: Session, signature: Signature, decision: Decision, *, reason: str, now: datetime
) -> Email | None:
    """The mail that a decision would send, without what gives its reader access; None where
    nobody is told. Nothing is changed."""
    if not signature.is_known_to_its_owner:
        return None
    with session.no_autoflush:
        signature.status = decision.becomes(signature)
        signature.decision_reason = reason
        if signature.status is Status.AWAITING:
            signature.signed_at = now
        mail = emails.preview(session, signature, decision.mail, now)
        session.rollback()
    return mail


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
