"""What moderators look at is written to the audit log, too: never what they looked for."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.petition.deciders import subject_of
from coalition.petition.search import Search

CLUSTER_LOOK = "signatures: cluster looked at, up to the newest"


def record_search(
    session: Session, search: Search, found: int, *, actor: str, now: datetime
) -> None:
    """Note that somebody searched, by what kind of thing, and how many were found."""
    record(
        session,
        actor=actor,
        action="signatures: searched",
        subject=f"by {search.kind}: {found} found",
        now=now,
    )


def record_cluster_look(
    session: Session, newest_id: uuid.UUID, *, actor: str, now: datetime
) -> None:
    """Note that somebody looked at a cluster, as it was when this signature was its newest."""
    record(session, actor=actor, action=CLUSTER_LOOK, subject=subject_of(newest_id), now=now)


def record_look(session: Session, signature_id: uuid.UUID, *, actor: str, now: datetime) -> None:
    """Note that somebody opened one signature, and so read whose it is."""
    record(
        session,
        actor=actor,
        action="signature: looked at",
        subject=subject_of(signature_id),
        now=now,
    )
