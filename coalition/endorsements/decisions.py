"""What a moderator can decide about an endorsement. Each decision is told to its contact."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.endorsements import emails
from coalition.endorsements.actions import locked, set_status
from coalition.endorsements.models import (
    DeclineCode,
    Endorsement,
    EndorsementStatus,
    Entry,
    EntryState,
)
from coalition.endorsements.queries import find_entry_in, free_slug
from coalition.mail.actions import queue_message

Status = EndorsementStatus
LONGEST_WORDS = 2_000  # characters
TRIES = 5  # to find an address that nobody takes meanwhile


class NotPossible(Exception):
    """The endorsement is not in a state that allows this decision; the message says why."""


def possible(endorsement: Endorsement, *, is_proposed: bool) -> list[str]:
    """Which decisions about an endorsement its state allows, by name: approve, ask, decline,
    remove. `is_proposed`: whether words of it wait."""
    return {
        Status.IN_REVIEW: ["approve", "ask", "decline"],
        Status.MORE_ASKED: ["decline"],
        Status.PUBLISHED: [*(["approve", "decline"] if is_proposed else []), "remove"],
        Status.DECLINED: ["approve", *(["decline"] if endorsement.appeal else [])],
        Status.REMOVED: ["approve"],
    }.get(endorsement.status, [])


def is_for_somebody_else(endorsement: Endorsement, actor: str) -> bool:
    """Whether this moderator refused it, so that another one decides what comes after."""
    refused = endorsement.status in (Status.DECLINED, Status.REMOVED)
    return refused and endorsement.decided_by == actor and actor.startswith("moderator ")


def approve(
    session: Session,
    endorsement_id: uuid.UUID,
    *,
    entry_id: uuid.UUID,
    actor: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Publish what waits; where nothing waits, publish again what was removed.

    `entry_id` is that of the words which the moderator read. Raises NotPossible.
    """
    endorsement = _found(
        session,
        endorsement_id,
        "approve",
        (Status.IN_REVIEW, Status.PUBLISHED, Status.DECLINED, Status.REMOVED),
    )
    _refuse_own_appeal(endorsement, actor)
    proposed = find_entry_in(session, endorsement_id, EntryState.PROPOSED)
    public = find_entry_in(session, endorsement_id, EntryState.PUBLIC)
    if proposed is None and (public is None or endorsement.status is Status.PUBLISHED):
        raise NotPossible("nothing waits for a decision")
    _refuse_unread(proposed or public, entry_id)
    if proposed is not None:
        if public is not None:
            session.delete(public)
            session.flush()
        proposed.state = EntryState.PUBLIC
        if endorsement.slug is None:
            _give_address(session, endorsement, proposed.name)
    set_status(endorsement, Status.PUBLISHED, now=now)
    endorsement.published_at = endorsement.published_at or now
    endorsement.decision_code = endorsement.decision_words = endorsement.appeal = None
    _tell_and_record(
        session,
        endorsement,
        mail=emails.APPROVED,
        action="approve",
        actor=actor,
        reason=reason,
        now=now,
    )


def _give_address(session: Session, endorsement: Endorsement, name: str) -> None:
    """Somebody else may publish an organisation of the same name at the same moment."""
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                endorsement.slug = free_slug(session, name)
            return
        except IntegrityError:
            continue
    raise NotPossible("organisations of this name are being published just now; try again")


def ask_for_more(
    session: Session, endorsement_id: uuid.UUID, *, words: str, actor: str, now: datetime
) -> None:
    """Ask the contact for something before deciding. Raises NotPossible."""
    endorsement = _found(session, endorsement_id, "ask for more about", (Status.IN_REVIEW,))
    _set_words(endorsement, words)
    set_status(endorsement, Status.MORE_ASKED, now=now)
    _tell_and_record(
        session,
        endorsement,
        mail=emails.MORE_ASKED,
        action="ask for more",
        actor=actor,
        reason=words,
        now=now,
    )


def decline(
    session: Session,
    endorsement_id: uuid.UUID,
    *,
    entry_id: uuid.UUID,
    code: DeclineCode,
    words: str,
    actor: str,
    now: datetime,
) -> None:
    """Do not publish what waits, and say why. An entry that is public stays as it is.

    `entry_id` is that of the words which the moderator read. Raises NotPossible.
    """
    endorsement = _found(
        session,
        endorsement_id,
        "decline",
        (Status.IN_REVIEW, Status.MORE_ASKED, Status.PUBLISHED, Status.DECLINED),
    )
    if endorsement.status is Status.DECLINED and endorsement.appeal is None:
        raise NotPossible("it is declined already, and its contact has not answered")
    _refuse_own_appeal(endorsement, actor)
    proposed = find_entry_in(session, endorsement_id, EntryState.PROPOSED)
    if proposed is None:
        raise NotPossible("nothing waits for a decision; to take it off the list, remove it")
    _refuse_unread(proposed, entry_id)
    if endorsement.status is Status.PUBLISHED:
        session.delete(proposed)
    else:
        set_status(endorsement, Status.DECLINED, now=now)
    endorsement.appeal = None
    endorsement.decision_code = code
    _set_words(endorsement, words)
    reason = f"{code.value}: {words}"
    _tell_and_record(
        session,
        endorsement,
        mail=emails.DECLINED,
        action="decline",
        actor=actor,
        reason=reason,
        now=now,
    )


def remove(
    session: Session, endorsement_id: uuid.UUID, *, words: str, actor: str, now: datetime
) -> None:
    """Take a published organisation off the list, without a trace there. Raises NotPossible."""
    endorsement = _found(session, endorsement_id, "remove", (Status.PUBLISHED,))
    endorsement.decision_code = None
    _set_words(endorsement, words)
    # An edit that waits is not what would be published again.
    session.execute(
        delete(Entry).where(
            Entry.endorsement_id == endorsement_id, Entry.state == EntryState.PROPOSED
        )
    )
    set_status(endorsement, Status.REMOVED, now=now)
    _tell_and_record(
        session,
        endorsement,
        mail=emails.REMOVED,
        action="remove",
        actor=actor,
        reason=words,
        now=now,
    )


def _found(
    session: Session, endorsement_id: uuid.UUID, verb: str, allowed: tuple[Status, ...]
) -> Endorsement:
    endorsement = locked(session, endorsement_id)
    if endorsement is None:
        raise NotPossible("there is no such endorsement")
    if endorsement.status not in allowed:
        state = endorsement.status.value.replace("_", " ")
        raise NotPossible(f"cannot {verb} an endorsement in the state “{state}”")
    return endorsement


def _refuse_own_appeal(endorsement: Endorsement, actor: str) -> None:
    """An answer to a refusal is read by somebody else than who refused."""
    if is_for_somebody_else(endorsement, actor):
        raise NotPossible("you decided this before; somebody else has to look at the answer")


def _refuse_unread(entry: Entry | None, entry_id: uuid.UUID) -> None:
    if entry is None or entry.id != entry_id:
        raise NotPossible("it was changed since you read it; read it again, then decide")


def _set_words(endorsement: Endorsement, words: str) -> None:
    if not words.strip():
        raise NotPossible("say why, in words that its contact will read")
    if len(words) > LONGEST_WORDS:
        raise NotPossible(f"the words must have {LONGEST_WORDS} characters or fewer")
    endorsement.decision_words = words.strip()


def _tell_and_record(
    session: Session,
    endorsement: Endorsement,
    *,
    mail: str,
    action: str,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    endorsement.decided_by = actor
    session.flush()
    queue_message(session, mail, reference=endorsement.id, now=now)
    record(
        session,
        actor=actor,
        action=f"endorsement: {action}",
        subject=f"endorsement {endorsement.id}",
        reason=reason,
        now=now,
    )
