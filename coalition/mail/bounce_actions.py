"""What is done with a bounce: believed, if it names a mail that we sent; else counted."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import is_postgresql, sweep
from coalition.mail.address import NotAnAddress, address_digests
from coalition.mail.bounces import Report
from coalition.mail.models import Bounce, MessageState, OutboxMessage, UnknownBounces

BOUNCES_KEPT = timedelta(days=90)  # privacy notice, "how long"


class Outcome(Enum):
    """What became of a bounce."""

    RECORDED = auto()
    KNOWN = auto()  # it came before
    UNKNOWN = auto()  # it names no mail that we sent
    TOO_EARLY = auto()  # it names one whose sending is not written down yet


def record_bounce(session: Session, report: Report, *, now: datetime) -> Outcome:
    """Keep what a bounce says of a mail of ours.

    Our Message-IDs are random: who names one has seen the mail. One that names none is counted
    by the day, and nothing of it is kept.
    """
    message = _named(session, report)
    if message is None:
        _count_unknown(session, now)
        return Outcome.UNKNOWN
    if message.state is MessageState.WAITING:
        return Outcome.TOO_EARLY
    insert = _insert(session, Bounce).values(
        id=uuid.uuid4(),
        message_id=message.id,
        mail_kind=message.kind,
        address_digest=message.recipient_digest,
        kind=report.kind,
        status=report.status,
        at=now,
        diagnostic=report.diagnostic,
    )
    kept = session.scalar(
        insert.on_conflict_do_nothing(index_elements=["message_id", "kind"]).returning(Bounce.id)
    )
    return Outcome.RECORDED if kept else Outcome.KNOWN


def _named(session: Session, report: Report) -> OutboxMessage | None:
    """The first mail that it names and that was sent, or is in a worker's hands."""
    rows = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.id.in_(report.message_ids))
        .execution_options(populate_existing=True)
    )
    found = {row.id: row for row in rows}
    for each in report.message_ids:
        message = found.get(each)
        if message is not None and _may_have_been_sent(message):
            return message
    return None


def _may_have_been_sent(message: OutboxMessage) -> bool:
    if message.state is MessageState.SENT:
        return message.recipient_digest is not None
    # A bounce can be back before the worker has written down that it sent the mail.
    return message.state is MessageState.WAITING and message.leased_until is not None


def _count_unknown(session: Session, now: datetime) -> None:
    insert = _insert(session, UnknownBounces).values(day=now.date(), number=1)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["day"], set_={"number": UnknownBounces.number + 1}
        )
    )


def _insert(session: Session, table: type[Any]) -> Any:
    return (postgresql if is_postgresql(session) else sqlite).insert(table)


def forget_bounces(session: Session, email: str) -> None:
    """Delete what came back from an address whose owner has themselves erased."""
    try:
        digests = address_digests(email)
    except NotAnAddress:
        return
    session.execute(
        delete(Bounce)
        .where(Bounce.address_digest.in_(digests))
        .execution_options(synchronize_session=False)
    )


def move_bounces(session: Session, email: str) -> None:
    """After a change of secrets: let bounces from this address be found by the newest digest."""
    newest, *older = address_digests(email)
    session.execute(
        update(Bounce)
        .where(Bounce.address_digest.in_(older))
        .values(address_digest=newest)
        .execution_options(synchronize_session=False)
    )


def delete_old_bounces(session: Session, *, now: datetime) -> int:
    """Delete what came back long enough ago. Returns how many."""
    return sweep(session, Bounce, Bounce.at < now - BOUNCES_KEPT)


def delete_old_counts(session: Session, *, now: datetime) -> int:
    """Delete how many came back long enough ago that named no mail of ours. Returns of how many
    days."""
    return sweep(session, UnknownBounces, UnknownBounces.day < (now - BOUNCES_KEPT).date())
