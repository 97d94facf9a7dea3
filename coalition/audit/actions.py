"""Writing to the audit log, and proving it whole."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coalition.audit.models import AuditEntry
from coalition.db import is_postgresql

CHAIN_LOCK = 0x61756469  # any fixed number: one writer appends at a time


class AuditBroken(Exception):
    """The chain does not hold; the message names the first line that is wrong."""


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str = "",
    now: datetime,
) -> AuditEntry:
    """Append one line, in the transaction of what it records."""
    if is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).first()
    entry = AuditEntry(
        id=last.id + 1 if last else 1,
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        reason=reason,
    )
    entry.digest = _digest(last.digest if last else b"", entry)
    session.add(entry)
    session.flush()
    return entry


def verify_chain(session: Session) -> int:
    """The number of lines, if each follows from the one before. Raises AuditBroken otherwise."""
    count, previous = 0, b""
    # What the database holds now, not what this session read earlier.
    lines = (
        select(AuditEntry)
        .order_by(AuditEntry.id)
        .execution_options(yield_per=1000, populate_existing=True)
    )
    with session.scalars(lines) as entries:
        for entry in entries:
            count += 1
            if entry.id != count:
                raise AuditBroken(f"line {count} is missing")
            if entry.digest != _digest(previous, entry):
                raise AuditBroken(f"line {entry.id} was changed")
            previous = entry.digest
    return count


def _digest(previous: bytes, entry: AuditEntry) -> bytes:
    fields = [
        entry.id, entry.at.astimezone(UTC).isoformat(), entry.actor, entry.action, entry.subject, entry.reason,
    ]  # fmt: skip
    return hashlib.sha256(previous + json.dumps(fields, ensure_ascii=False).encode()).digest()
