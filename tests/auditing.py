"""A log to break."""

from __future__ import annotations

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from coalition.audit import seals
from coalition.audit.models import AuditEntry, AuditHead
from coalition.audit.seals import Sealer
from coalition.crypto import keyring


def begin_anew(session: Session) -> None:
    """An empty log, as the migration leaves it."""
    session.execute(delete(AuditEntry))
    session.execute(delete(AuditHead))
    sealer = Sealer(keyring())
    session.execute(
        insert(AuditHead).values(
            id=1, number=0, digest=b"", key=sealer.newest, seal=sealer.seal(seals.of_head(0, b""))
        )
    )
