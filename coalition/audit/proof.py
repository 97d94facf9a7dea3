"""Proving the audit log whole."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from coalition.audit import seals
from coalition.audit.models import CHAINED, SEALED, AuditEntry, AuditHead
from coalition.audit.queries import Wanted, all_lines
from coalition.audit.seals import KeyMissing, Sealer
from coalition.crypto import DIGEST_BYTES, keyring

_EXPECTATION = re.compile(rf"([1-9][0-9]{{0,11}}):([0-9a-f]{{{2 * DIGEST_BYTES}}})")


class AuditBroken(Exception):
    """The log does not hold; the message names the first line that is wrong."""

    @classmethod
    def key_missing(cls, what: str, key: str) -> AuditBroken:
        return cls(
            f"{what} is sealed under a secret (fingerprint {key}) that COALITION_SECRET_KEYS "
            "does not hold"
        )


@dataclass(frozen=True)
class Mark:
    """How far the log went once, as `coalition audit verify` told it."""

    number: int
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read NUMBER:DIGEST. Raises ValueError."""
        found = _EXPECTATION.fullmatch(text.strip())
        if not found:
            raise ValueError("must be NUMBER:DIGEST, as an earlier proof printed it")
        return cls(int(found[1]), bytes.fromhex(found[2]))

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"


@dataclass(frozen=True)
class Proof:
    """A log that holds: its last line, and how many lines are older than their seals."""

    end: Mark
    sealed_later: int

    @property
    def number(self) -> int:
        return self.end.number


@dataclass(frozen=True)
class Head:
    """The head as the database holds it now."""

    number: int
    digest: bytes
    key: str
    seal: bytes

    def is_genuine(self, sealer: Sealer) -> bool:
        """Raises KeyMissing."""
        return sealer.is_genuine(self.key, seals.of_head(self.number, self.digest), self.seal)


def read_head(session: Session) -> Head | None:
    """The head, if it is there."""
    columns = AuditHead.number, AuditHead.digest, AuditHead.key, AuditHead.seal
    row = session.execute(select(*columns)).first()
    return Head(row.number, bytes(row.digest), row.key, bytes(row.seal)) if row else None


def digest_of(previous: bytes, line: AuditEntry | Row[Any]) -> bytes:
    """The digest of a line: of all that it says, and of the digest of the line before."""
    fields = [
        line.id, line.at.astimezone(UTC).isoformat(), line.actor, line.action, line.subject,
        line.reason,
    ]  # fmt: skip
    return hashlib.sha256(previous + json.dumps(fields, ensure_ascii=False).encode()).digest()


def verify_chain(session: Session, *, expected: Mark | None = None) -> Proof:
    """Prove that no line was changed, taken out or added by anybody without the secrets.

    With `expected`, also that the log has only grown since then. Reads the log in pieces; lines
    may be appended meanwhile. Raises AuditBroken, which names the first line that is wrong.
    """
    sealer = Sealer(keyring())
    head = _genuine_head(session, sealer)
    end = Mark(0, b"")
    sealed_later = 0
    for line in all_lines(session, Wanted()):
        end = _check(line, end, sealer)
        sealed_later += line.version == CHAINED
        for known, whose in ((head, "the head knows"), (expected, "you wrote down")):
            if known and known.number == end.number and known.digest != end.digest:
                raise AuditBroken(f"line {end.number} is not the one that {whose}")
    if end.number < head.number:
        raise AuditBroken(f"line {end.number + 1} is missing")
    if end.number > head.number and _genuine_head(session, sealer).number < end.number:
        raise AuditBroken(f"line {head.number + 1} is not known to the head")
    if expected and end.number < expected.number:
        raise AuditBroken(
            f"line {end.number + 1} is missing: you wrote down that there were {expected.number}"
        )
    return Proof(end, sealed_later)


def _check(line: Row[Any], before: Mark, sealer: Sealer) -> Mark:
    """The log's end with this line, if it is the next one."""
    number = before.number + 1
    if line.id != number:
        raise AuditBroken(f"line {number} is missing")
    digest = digest_of(before.digest, line)
    changed = AuditBroken(f"line {number} was changed")
    if line.version not in (CHAINED, SEALED) or bytes(line.digest) != digest:
        raise changed
    try:
        if not sealer.is_genuine(line.key, seals.of_line(line.version, number, digest), line.seal):
            raise changed
    except KeyMissing:
        raise AuditBroken.key_missing(f"line {number}", line.key) from None
    return Mark(number, digest)


def _genuine_head(session: Session, sealer: Sealer) -> Head:
    head = read_head(session)
    if head is None:
        raise AuditBroken("the head is missing")
    try:
        if not head.is_genuine(sealer):
            raise AuditBroken("the head was changed")
    except KeyMissing:
        raise AuditBroken.key_missing("the head", head.key) from None
    return head
