"""Clusters: networks and mail domains from which many signatures came in a short time.

A cluster proves nothing, and nothing follows from it by itself: a ward signs from one network,
and so does whoever invents people. It says where a moderator might look.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, extract, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from coalition.audit.queries import newest_lines
from coalition.db import is_postgresql
from coalition.mail.address import LARGE_PROVIDERS, canonical_address, domain_of
from coalition.petition.deciders import subject_of
from coalition.petition.fingerprints import domain_digests
from coalition.petition.looks import CLUSTER_LOOK
from coalition.petition.models import Signature, SignatureStatus
from coalition.petition.search import Search

SHORT_TIME = timedelta(hours=1)
# A full ward, or a meeting at a day centre, signs within one; more than that is worth a look.
MANY_OF_A_NETWORK = 20
# Colleagues or members who are asked by their organisation's mail come in dozens.
MANY_OF_A_DOMAIN = 30
LOOKED_BACK = timedelta(days=3)  # from Friday's evening to Monday's morning
MOST_SHOWN = 20  # clusters of each sort

# What no moderator has decided about.
UNDECIDED = (SignatureStatus.AWAITING, SignatureStatus.VERIFIED)


@dataclass(frozen=True)
class Cluster:
    """Signatures of the last days that share a network or a domain, dense at least once."""

    count: int
    first: datetime
    last: datetime
    newest_id: uuid.UUID
    domain: str | None  # None for a network, of which nobody knows which it is

    @property
    def search(self) -> Search:
        """Finds the signatures of this cluster."""
        return Search(
            domain=self.domain,
            network_of=None if self.domain else self.newest_id,
            signed_from=self.first,
            signed_until=self.last,
            statuses=UNDECIDED,
        )


def network_clusters(session: Session, *, now: datetime) -> list[Cluster]:
    """Networks with MANY_OF_A_NETWORK signatures within SHORT_TIME, the largest first."""
    found = _dense(session, Signature.network_digest, MANY_OF_A_NETWORK, (), now)
    newest = _newest(session, Signature.network_digest, found)
    return [
        Cluster(row.count, row.first, row.last, newest[row.digest].id, None)
        for row in found
        if row.digest in newest
    ]


def domain_clusters(session: Session, *, now: datetime) -> list[Cluster]:
    """Mail domains, other than those of large providers, with MANY_OF_A_DOMAIN signatures
    within SHORT_TIME, the largest first.
    """
    large = [digest for domain in LARGE_PROVIDERS for digest in domain_digests(domain)]
    found = _dense(session, Signature.domain_digest, MANY_OF_A_DOMAIN, large, now)
    newest = _newest(session, Signature.domain_digest, found)
    return [
        Cluster(
            row.count,
            row.first,
            row.last,
            newest[row.digest].id,
            domain_of(canonical_address(newest[row.digest].email)),
        )
        for row in found
        if row.digest in newest
    ]


def unseen(session: Session, clusters: Sequence[Cluster]) -> list[Cluster]:
    """Those at which nobody has looked since their newest signature came."""
    subjects = [subject_of(each.newest_id) for each in clusters]
    seen = {line.subject for line in newest_lines(session, subjects, [CLUSTER_LOOK])}
    return [each for each in clusters if subject_of(each.newest_id) not in seen]


def _dense(
    session: Session,
    digest: InstrumentedAttribute[bytes | None],
    many: int,
    left_out: Sequence[bytes],
    now: datetime,
) -> Sequence[Any]:
    """Each digest with its number of signatures, its first and its last moment.

    Looks back from each signature to the one that came `many` - 1 before it: an hour that
    begins at any moment is seen, not only those of the clock.
    """
    lately = [digest.is_not(None), Signature.signed_at >= now - LOOKED_BACK]
    if left_out:
        lately.append(digest.not_in(left_out))
    # Counted in the index alone; only what is enough of is looked at more closely.
    enough = select(digest).where(*lately).group_by(digest).having(func.count() >= many)
    conditions = [*lately, digest.in_(enough), Signature.status.in_(UNDECIDED)]
    before = func.lag(Signature.signed_at, many - 1).over(
        partition_by=digest, order_by=Signature.signed_at
    )
    each = select(
        digest.label("digest"), Signature.signed_at.label("signed_at"), before.label("before")
    ).where(*conditions)
    rows = each.subquery()
    took = _seconds(session, rows.c.before, rows.c.signed_at)
    count = func.count().label("count")
    return session.execute(
        select(
            rows.c.digest,
            count,
            func.min(rows.c.signed_at).label("first"),
            func.max(rows.c.signed_at).label("last"),
        )
        .group_by(rows.c.digest)
        .having(func.min(took) <= SHORT_TIME.total_seconds())
        .order_by(count.desc(), func.max(rows.c.signed_at).desc())
        .limit(MOST_SHOWN)
    ).all()


def _seconds(session: Session, start: ColumnElement[Any], end: ColumnElement[Any]) -> Any:
    if is_postgresql(session):
        return extract("epoch", end - start)
    return (func.julianday(end) - func.julianday(start)) * timedelta(days=1).total_seconds()


def _newest(
    session: Session, digest: InstrumentedAttribute[bytes | None], found: Sequence[Any]
) -> dict[bytes, Any]:
    """Id and address of the last signature of each cluster, but for those that were decided
    about just now."""
    lasts = [(row.digest, row.last) for row in found]
    if not lasts:
        return {}
    rows = session.execute(
        select(digest.label("digest"), Signature.id, Signature.email)
        .where(tuple_(digest, Signature.signed_at).in_(lasts), Signature.status.in_(UNDECIDED))
        .order_by(Signature.id.desc())
    )
    return {row.digest: row for row in rows}  # of several at one moment, the one that comes first
