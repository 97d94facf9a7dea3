"""Raising a flag, reading it as the lead, and closing it. What a testimony becomes stays as it is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import with_role
from coalition.audit.actions import record
from coalition.db import changed_rows, is_postgresql, sweep
from coalition.mail.actions import queue_message
from coalition.statements.models import DocumentVersion
from coalition.statements.telling import Telling, parse_telling
from coalition.testimonies import safeguarding_emails
from coalition.testimonies.choices import Use
from coalition.testimonies.models import PausedBy, Testimony
from coalition.testimonies.moving import locked
from coalition.testimonies.readings import has_read
from coalition.testimonies.safeguarding_models import (
    CLOSED_FLAG_LIFETIME,
    Outcome,
    SafeguardingFlag,
    WriterTold,
)
from coalition.testimonies.states import CLOSED_TO_DESK, WHERE_IT_STANDS, NotPossible

LONGEST_WORDS = 4_000  # characters


@dataclass(frozen=True)
class Closing:
    """How the lead closes a flag. `exception` counts from 1 in the closed list; None: none."""

    exception: int | None
    done: str
    writer_told: WriterTold


def raise_flag(
    session: Session,
    flag_id: uuid.UUID,
    testimony_id: uuid.UUID,
    reader: Moderator,
    words: str,
    *,
    now: datetime,
) -> None:
    """Tell the lead of a testimony. The same form sent twice makes one flag.

    Raises NotPossible for whoever has not read it, and once its writer has taken it back.
    """
    testimony = locked(session, testimony_id)
    if _is_closed(testimony):
        raise NotPossible(WHERE_IT_STANDS[testimony.state])
    if not has_read(session, testimony_id, reader):
        raise NotPossible("you have not opened it; whoever reads it can flag it")
    insert = (postgresql if is_postgresql(session) else sqlite).insert(SafeguardingFlag)
    inserted = session.execute(
        insert.values(
            id=flag_id,
            testimony_id=testimony_id,
            revision=testimony.revision,
            rules_version_id=testimony.rules_version_id,
            raised_by=reader.id,
            raised_at=now,
            words=words,
        ).on_conflict_do_nothing()
    )
    if not changed_rows(inserted):
        return
    _tell_lead(session, now)
    _record(session, "raise", flag_id, reader, now=now)


def _tell_lead(session: Session, now: datetime) -> None:
    """A mail to each lead; where there is none, the administrators are told that there is none."""
    leads = with_role(session, Role.SAFEGUARDING)
    kind = safeguarding_emails.FLAGGED if leads else safeguarding_emails.NO_LEAD
    for each in leads or with_role(session, Role.ADMINISTRATOR):
        queue_message(session, kind, reference=each.id, now=now)


def open_flags(session: Session) -> Sequence[SafeguardingFlag]:
    """What waits for the lead, the longest waiting first."""
    return session.scalars(
        select(SafeguardingFlag)
        .where(SafeguardingFlag.closed_at.is_(None))
        .order_by(SafeguardingFlag.raised_at, SafeguardingFlag.id)
    ).all()


def closed_flags(session: Session) -> Sequence[SafeguardingFlag]:
    """What the lead has closed, the latest first."""
    return session.scalars(
        select(SafeguardingFlag)
        .where(SafeguardingFlag.closed_at.is_not(None))
        .order_by(SafeguardingFlag.closed_at.desc(), SafeguardingFlag.id)
    ).all()


def raised_by(
    session: Session, testimony_id: uuid.UUID, moderator: Moderator
) -> Sequence[SafeguardingFlag]:
    """The flags that this person raised about a testimony."""
    return session.scalars(
        select(SafeguardingFlag)
        .where(
            SafeguardingFlag.testimony_id == testimony_id,
            SafeguardingFlag.raised_by == moderator.id,
        )
        .order_by(SafeguardingFlag.raised_at)
    ).all()


def find_flag(session: Session, flag_id: uuid.UUID) -> SafeguardingFlag | None:
    """The flag as the database has it now."""
    return session.get(SafeguardingFlag, flag_id, populate_existing=True)


def rule_of(session: Session, flag: SafeguardingFlag) -> Telling:
    """The rule, with its closed list, that the writer of what was flagged saw."""
    version = session.get_one(DocumentVersion, flag.rules_version_id)
    return parse_telling(version.text, version.id, version.version)


def text_of(session: Session, flag: SafeguardingFlag) -> str | None:
    """The text that was flagged; None once its writer has closed it to the desk."""
    testimony = session.get(Testimony, flag.testimony_id) if flag.testimony_id else None
    return testimony.text if testimony and not _is_closed(testimony) else None


def is_changed(session: Session, flag: SafeguardingFlag) -> bool:
    """Whether its writer has changed anything since it was flagged."""
    testimony = session.get(Testimony, flag.testimony_id) if flag.testimony_id else None
    return testimony is not None and flag.revision not in (None, testimony.revision)


def _is_closed(testimony: Testimony) -> bool:
    """Whether its writer has taken it back, paused it, or lets it be counted alone."""
    only_counts = testimony.choices is not None and testimony.choices.use is Use.COUNT
    is_paused = testimony.paused_by is PausedBy.WRITER
    return testimony.state in CLOSED_TO_DESK or only_counts or is_paused


def read_flag(session: Session, flag_id: uuid.UUID, lead: Moderator, *, now: datetime) -> None:
    """The lead opens a flag: that is written to the log."""
    _record(session, "read", flag_id, lead, now=now)


def close_flag(
    session: Session, flag_id: uuid.UUID, lead: Moderator, closing: Closing, *, now: datetime
) -> None:
    """Close a flag. Raises NotPossible where that is done, and for an exception that is none."""
    flag = session.get(SafeguardingFlag, flag_id, with_for_update=True, populate_existing=True)
    if flag is None or flag.closed_at is not None:
        raise NotPossible("it is closed already")
    number = closing.exception
    if number is not None and not 1 <= number <= len(rule_of(session, flag).exceptions):
        raise NotPossible("the closed list has no such exception")
    flag.outcome = Outcome.NONE if number is None else Outcome.EXCEPTION
    flag.exception, flag.done, flag.writer_told = number, closing.done or None, closing.writer_told
    flag.closed_by, flag.closed_at = lead.id, now
    reason = "no exception applies" if number is None else f"exception {number} applies"
    _record(session, "close", flag_id, lead, reason=reason, now=now)


def forget_words(session: Session, testimony_id: uuid.UUID) -> None:
    """Its writer takes it back: what readers wrote of it goes, that it was flagged stays."""
    for flag in session.scalars(
        select(SafeguardingFlag).where(SafeguardingFlag.testimony_id == testimony_id)
    ):
        flag.words = None
    session.flush()


def delete_past_flags(session: Session, *, now: datetime) -> int:
    """Delete flags that were closed longer ago than CLOSED_FLAG_LIFETIME. Returns how many."""
    past = SafeguardingFlag.closed_at < now - CLOSED_FLAG_LIFETIME
    return sweep(session, SafeguardingFlag, past)


def _record(
    session: Session,
    action: str,
    flag_id: uuid.UUID,
    moderator: Moderator,
    *,
    reason: str = "",
    now: datetime,
) -> None:
    session.flush()
    record(
        session,
        actor=moderator.actor,
        action=f"safeguarding: {action}",
        subject=f"flag {flag_id}",
        reason=reason,
        now=now,
    )
