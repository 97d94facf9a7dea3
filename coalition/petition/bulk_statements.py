"""The statements of a bulk decision: each changes all of its signatures at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from coalition.db import is_postgresql
from coalition.petition.models import (
    ASIDE_OF,
    KNOWN_TO_ITS_OWNER,
    Aside,
    BulkChange,
    BulkDecision,
    Cause,
    CountEvent,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)
from coalition.statements.closing import standing_id

Status = SignatureStatus
Chosen = Select[uuid.UUID]  # the ids of signatures


def choose(session: Session, decision: BulkDecision, conditions: list[ColumnElement[bool]]) -> int:
    """Hold the signatures that this is about against any other change, and note what they
    were. Returns how many.
    """
    reviewed = exists().where(ReviewedAddress.address_digest == Signature.address_digest)
    rows = (
        select(
            literal(decision.id, BulkChange.__table__.c.decision_id.type),
            Signature.id,
            Signature.status,
            Signature.decision_reason,
            reviewed,
            false(),
        )
        .where(*conditions)
        .order_by(Signature.id)  # two decisions at once lock in the same order
        .with_for_update(of=Signature)
    )
    columns = [
        "decision_id", "signature_id", "before", "reason_before", "reviewed_before", "undone",
    ]  # fmt: skip
    session.execute(insert(BulkChange).from_select(columns, rows))
    return _count(session, BulkChange.decision_id == decision.id)


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalars(select(func.count()).select_from(BulkChange).where(*conditions)).one()


def change(
    session: Session,
    chosen: Chosen,
    *,
    becomes: ColumnElement[Status],
    reason: ColumnElement[str] | None,
    cause: Cause,
    new_matter: bool,
    now: datetime,
) -> None:
    """Give locked signatures another status, and append the count events of that.

    `becomes` and `reason` are worked out for each. Of a `new_matter`, what was written against
    an earlier decision is no part.
    """
    after, before = (
        case((each == Status.VERIFIED, 1), else_=0) for each in (becomes, Signature.status)
    )
    # Worked out first: PostgreSQL groups by a column, and not by an expression with a parameter.
    each = (
        select(
            (after - before).label("difference"),
            Signature.region,
            Signature.kind,
            _aside(Signature.status).label("left"),
            _aside(becomes).label("entered"),
        )
        .where(Signature.id.in_(chosen))
        .subquery()
    )
    columns = (each.c.region, each.c.kind, each.c.left, each.c.entered)
    events = (
        select(
            literal(now.date(), CountEvent.__table__.c.day.type),
            literal(cause, CountEvent.__table__.c.cause.type),
            func.sum(each.c.difference),
            func.count(),
            standing_id(),
            *columns,
        )
        .where((each.c.difference != 0) | each.c.left.is_distinct_from(each.c.entered))
        .group_by(each.c.difference, *columns)
    )
    names = ["day", "cause", "change", "moved", "closing_id", "region", "kind", "left", "entered"]
    session.execute(insert(CountEvent).from_select(names, events))
    waits_anew = becomes == Status.AWAITING
    values: dict[str, Any] = {
        "status": becomes,
        "status_changed_at": now,
        "decision_reason": reason,
        "source": null(),
        # It waits for as long as any other; what is kept of its network must not stay longer.
        "signed_at": case((waits_anew, now), else_=Signature.signed_at),
        "network_digest": case((waits_anew, null()), else_=Signature.network_digest),
    }
    if new_matter:
        values.update(appeal=None, appealed_at=None)
    session.execute(
        update(Signature)
        .where(Signature.id.in_(chosen))
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _aside(status: Any) -> ColumnElement[Aside | None]:
    """Where a signature with this status stands, if it was confirmed and does not count."""
    kept_as = CountEvent.__table__.c.left.type
    return case(
        *(
            ((status == each) & Signature.verified_at.is_not(None), literal(aside, kept_as))
            for each, aside in ASIDE_OF.items()
        ),
        else_=null(),
    )


def remember_reviews(session: Session, chosen: Chosen, *, now: datetime) -> None:
    """Keep that these addresses are under review, whatever becomes of the rows."""
    upsert = (postgresql if is_postgresql(session) else sqlite).insert(ReviewedAddress)
    rows = select(
        Signature.address_digest,
        literal(now, ReviewedAddress.__table__.c.decided_at.type),
    ).where(Signature.id.in_(chosen))
    session.execute(
        upsert.from_select(["address_digest", "decided_at"], rows).on_conflict_do_nothing()
    )


def choose_again(session: Session, decision: BulkDecision, wanted: ColumnElement[bool]) -> int:
    """Hold those `wanted` signatures that stand as the decision left them, and mark them. Returns
    how many.
    """
    unchanged = (
        select(Signature.id)
        .join(BulkChange, BulkChange.signature_id == Signature.id)
        .where(
            BulkChange.decision_id == decision.id,
            Signature.status_changed_at == decision.done_at,
            Signature.status != BulkChange.before,
            wanted,
        )
        .order_by(Signature.id)
        .with_for_update(of=Signature)
        .cte("unchanged")
    )
    session.execute(
        update(BulkChange)
        .where(
            BulkChange.decision_id == decision.id,
            BulkChange.signature_id.in_(select(unchanged.c.id)),
        )
        .values(undone=True)
        .execution_options(synchronize_session=False)
    )
    return _count(session, BulkChange.decision_id == decision.id, BulkChange.undone.is_(True))


def those_to_tell(session: Session, chosen: Chosen) -> Sequence[uuid.UUID]:
    """Those of them whose owners are told what was decided."""
    told = select(Signature.id).where(Signature.id.in_(chosen), KNOWN_TO_ITS_OWNER)
    return session.scalars(told.order_by(Signature.signed_at, Signature.id)).all()


def noted(decision: BulkDecision, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """What was noted of each signature before the decision."""
    return (
        select(column)
        .where(BulkChange.decision_id == decision.id, BulkChange.signature_id == Signature.id)
        .correlate(Signature)
        .scalar_subquery()
    )
