"""Writing to the audit log, and sealing it anew when the secrets change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from coalition.audit import seals
from coalition.audit.models import SEALED, AuditEntry, AuditHead
from coalition.audit.proof import AuditBroken, Head, digest_of, read_head
from coalition.audit.seals import KeyMissing, Sealer
from coalition.crypto import keyring
from coalition.db import is_postgresql

CHAIN_LOCK = 0x61756469  # any fixed number: one writer appends at a time
HEAD_ID = 1
LINES_AT_ONCE = 1000


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str = "",
    now: datetime,
) -> AuditEntry:
    """Append one line, in the transaction of what it records.

    A head that is not the true end of the log is left as it is: writing on must not mend what
    somebody damaged.
    """
    _lock(session)
    sealer = Sealer(keyring())
    last = session.execute(
        select(AuditEntry.id, AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1)
    ).first()
    head = read_head(session)
    trusted = head is not None and head.number >= (last.id if last else 0) and _holds(head, sealer)
    if head is not None and trusted:
        number, previous = head.number, head.digest
    else:
        number, previous = (last.id, bytes(last.digest)) if last else (0, b"")
    entry = AuditEntry(
        id=number + 1, at=now, actor=actor, action=action, subject=subject, reason=reason,
        version=SEALED,
    )  # fmt: skip
    entry.digest = digest_of(previous, entry)
    entry.key = sealer.newest
    entry.seal = sealer.seal(seals.of_line(SEALED, entry.id, entry.digest))
    session.add(entry)
    session.flush()
    if trusted:
        _move_head(session, entry.id, entry.digest, sealer)
    return entry


def _lock(session: Session) -> None:
    if is_postgresql(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})


def _holds(head: Head, sealer: Sealer) -> bool:
    try:
        return head.is_genuine(sealer)
    except KeyMissing:
        return False


def _move_head(session: Session, number: int, digest: bytes, sealer: Sealer) -> None:
    session.execute(
        update(AuditHead)
        .where(AuditHead.id == HEAD_ID)
        .values(
            number=number,
            digest=digest,
            key=sealer.newest,
            seal=sealer.seal(seals.of_head(number, digest)),
        )
        .execution_options(synchronize_session=False)
    )


def reseal_some(session: Session, *, after: int) -> list[int]:
    """Seal some lines that come after the line `after`, and the head, under the newest secret.

    Returns the numbers of the lines, none when none is left.

    Digests stay: what was written down elsewhere is still the proof. Only what is genuine under
    its old seal gets a new one. Raises AuditBroken, which names the first that is not.
    """
    _lock(session)
    sealer = Sealer(keyring())
    _reseal_head(session, sealer)
    lines = session.execute(
        select(
            AuditEntry.id, AuditEntry.version, AuditEntry.digest, AuditEntry.key, AuditEntry.seal
        )
        .where(AuditEntry.id > after, AuditEntry.key != sealer.newest)
        .order_by(AuditEntry.id)
        .limit(LINES_AT_ONCE)
    ).all()
    changes = []
    for line in lines:
        sealed = seals.of_line(line.version, line.id, bytes(line.digest))
        try:
            genuine = sealer.is_genuine(line.key, sealed, line.seal)
        except KeyMissing:
            raise AuditBroken.key_missing(f"line {line.id}", line.key) from None
        if not genuine:
            raise AuditBroken(f"line {line.id} was changed")
        changes.append({"line": line.id, "to_key": sealer.newest, "to_seal": sealer.seal(sealed)})
    if changes:
        table: Any = AuditEntry.__table__
        session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("line"))
            .values(key=bindparam("to_key"), seal=bindparam("to_seal")),
            changes,
        )
    return [line.id for line in lines]


def _reseal_head(session: Session, sealer: Sealer) -> None:
    head = read_head(session)
    if head is None:
        raise AuditBroken("the head is missing")
    try:
        genuine = head.is_genuine(sealer)
    except KeyMissing:
        raise AuditBroken.key_missing("the head", head.key) from None
    if not genuine:
        raise AuditBroken("the head was changed")
    if head.key != sealer.newest:
        _move_head(session, head.number, head.digest, sealer)
