"""Counting: events are folded into the daily tally; the tally is what the public reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql import FromClause

from coalition.audit.actions import record
from coalition.clock import CLOCKS_DIFFER
from coalition.db import changed_rows, enum_column, is_postgresql
from coalition.petition.models import (
    ASIDE_OF,
    HINDERED,
    NOT_SAID,
    Aside,
    Cause,
    CountEvent,
    DailyTally,
    Dimension,
    Kind,
    Region,
    Signature,
    SignatureStatus,
    TallyState,
)
from coalition.statements.closing import find_closing, standing_id, stands

FOLD_AT_ONCE = 100_000  # events in one statement: a fraction of a second
LARGEST_ID = 2**63 - 1
_KIND_OF_EVENT = ("day", "cause", "region", "kind", "left", "entered", "source")
_SUMS = ("change", "moved")
FOLD_LOCK = 0x666F6C64  # any fixed number
TOLD_EVERY = timedelta(seconds=10)  # how often "as at" moves while nothing changes
# After a moment, until every change that was begun before it is in the tally.
SETTLED = timedelta(minutes=10)


def append_count_event(
    session: Session,
    cause: Cause,
    change: int,
    *,
    region: Region | None,
    kind: Kind | None,
    left: Aside | None = None,
    entered: Aside | None = None,
    source: str | None = None,
    now: datetime,
) -> None:
    """Record that the count changes by `change`, in the transaction of what changes it; that a
    signature `left` or `entered` what stands aside of it; and from which `source` it came."""
    session.execute(
        insert(CountEvent).values(
            day=now.date(),
            cause=cause,
            change=change,
            region=region,
            kind=kind,
            left=left,
            entered=entered,
            source=source,
            # Whoever confirmed found the petition open: that is decided, and counts.
            closing_id=None if cause is Cause.VERIFIED else standing_id(),
        )
    )


def _counts() -> ColumnElement[bool]:
    """Whether an event is to be folded: not what happened since the petition was closed."""
    return ~stands(CountEvent.closing_id)


def fold(session: Session, *, now: datetime) -> int:
    """Move up to FOLD_AT_ONCE events into the tally. Returns how many were moved.

    Any number of workers may call this at once. What is taken and what is added are one
    transaction; on PostgreSQL they are one statement, for two would see different rows. A
    worker that finds another one folding leaves it to that one, or else "as at" could be told
    before the other's part is in. What happens after the petition is closed is left where it is.
    """
    if not _may_fold(session):
        return 0
    closing = find_closing(session)
    if closing and closing.fixed_at:
        return 0
    moved = _fold_some(session)
    if moved < FOLD_AT_ONCE:
        _tell_time(session, moved, min(now, closing.closed_at) if closing else now)
    return moved


def _may_fold(session: Session) -> bool:
    if not is_postgresql(session):
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(FOLD_LOCK))))


def _fold_some(session: Session) -> int:
    if is_postgresql(session):
        last = select(_last_to_fold().label("id")).cte("last")
        taken = and_(_counts(), CountEvent.id <= select(last.c.id).scalar_subquery())
        # Both parts of the statement see the same events, of which none ever changes, and which
        # nobody else folds meanwhile. To hand them on as they are deleted takes as long again.
        gone = delete(CountEvent).where(taken).cte("gone")
        summed = _summed(select(CountEvent.__table__).where(taken).subquery()).cte("summed")
        added = _add_to_tally(postgresql.insert(DailyTally), summed).cte("added")
        moved = session.scalar(select(func.sum(summed.c.number)).add_cte(gone, added)) or 0
    else:
        events = select(CountEvent.__table__).where(_counts()).subquery()
        summed = _summed(events).cte("summed")
        session.execute(_add_to_tally(sqlite.insert(DailyTally), summed))
        moved = changed_rows(
            session.execute(
                delete(CountEvent).where(_counts()).execution_options(synchronize_session=False)
            )
        )
    return int(moved)


def _last_to_fold() -> Any:
    """The id of the last event of FOLD_AT_ONCE; the largest that there can be, where there are
    fewer. To name each event instead takes as long again as to fold it."""
    ids = select(CountEvent.id).where(_counts()).order_by(CountEvent.id)
    last = ids.offset(FOLD_AT_ONCE - 1).limit(1).scalar_subquery()
    return func.coalesce(last, LARGEST_ID)


def fix_final_number(session: Session, *, now: datetime) -> int | None:
    """Once the petition is closed and all that was confirmed before is in the tally: note how many
    signed. Returns the number, or None where there is nothing to fix, or not yet.

    From then on nothing is folded, and the tally stays as it is. Any number of workers may call
    this at once.
    """
    closing = find_closing(session)
    if closing is None or closing.fixed_at or now < closing.closed_at + SETTLED:
        return None
    if not _may_fold(session):
        return None
    session.refresh(closing, with_for_update=True)
    if closing.fixed_at or closing.reopened_at:  # another one was quicker
        return None
    if fold(session, now=now) >= FOLD_AT_ONCE:
        return None  # there may be more: the next time
    total = tallied_signatures(session)
    closing.final_count, closing.fixed_at = total, now
    state = session.get(TallyState, 1)
    if state:
        state.folded_at = closing.closed_at
    session.flush()
    record(
        session,
        actor="worker",
        action="final number fixed",
        subject=f"{total} signatures",
        now=now,
    )
    return total


def tallied_signatures(session: Session) -> int:
    """How many signatures count, by the tally alone."""
    total = session.scalar(
        select(func.sum(DailyTally.change)).where(DailyTally.dimension == Dimension.ALL)
    )
    return int(total or 0)


def _add_to_tally(upsert: Any, events: FromClause) -> Any:
    """The statement that adds `events` to the tally, one row for each of its categories."""
    columns = ("day", "dimension", "category", "cause", "change")
    # In order of the key, so that two workers lock rows in the same order.
    ordered = select(_by_category(events).subquery()).order_by(*columns[:4])
    # "WHERE true" tells SQLite where the SELECT ends (its documentation, "Parsing Ambiguity").
    statement = upsert.from_select(columns, ordered.where(literal(True)))
    return statement.on_conflict_do_update(
        index_elements=columns[:4],
        set_={"change": DailyTally.change + statement.excluded.change},
    ).returning(literal(1))


def _summed(events: FromClause) -> Select[Any]:
    """The events that are alike as one: a few rows, to be looked at once for each dimension."""
    kinds = [events.c[name] for name in _KIND_OF_EVENT]
    sums = [func.sum(events.c[name]).label(name) for name in _SUMS]
    return select(*kinds, *sums, func.count().label("number")).group_by(*kinds)


def _by_category(events: FromClause) -> CompoundSelect[Any]:
    changes = events.c.change != 0
    aside = union_all(
        *(
            select(
                events.c.day,
                cast(column, String).label("aside"),
                events.c.cause,
                (events.c.moved * sign).label("change"),
            ).where(column.is_not(None))
            for column, sign in ((events.c.left, -1), (events.c.entered, 1))
        )
    ).subquery()
    return union_all(
        _grouped(events, Dimension.ALL, literal("")).where(changes),
        _grouped(events, Dimension.REGION, _said(events.c.region)).where(changes),
        _grouped(events, Dimension.KIND, _said(events.c.kind)).where(changes),
        _grouped(aside, Dimension.ASIDE, aside.c.aside),
        _grouped(events, Dimension.SOURCE, events.c.source).where(events.c.source.is_not(None)),
    )


def _said(column: Any) -> Any:
    return func.coalesce(cast(column, String), NOT_SAID)


def _grouped(events: FromClause, dimension: Dimension, category: Any) -> Select[Any]:
    return select(
        events.c.day,
        literal(dimension, enum_column(Dimension, "dimension")).label("dimension"),
        category.label("category"),
        events.c.cause,
        func.sum(events.c.change).label("change"),
    ).group_by(events.c.day, category, events.c.cause)


def last_fold(session: Session) -> datetime | None:
    """When the tally was last brought up to date; while nothing changes, up to TOLD_EVERY before
    that. None before the first time."""
    return session.scalar(select(TallyState.folded_at))


def fold_lag(session: Session, *, now: datetime) -> timedelta:
    """How long at most a change has waited to be folded; zero when none waits.

    Events carry no time of day. All that are older than the last fold are in it.
    """
    waiting = session.scalar(select(CountEvent.day).order_by(CountEvent.id).limit(1))
    if waiting is None:
        return timedelta()
    since = last_fold(session) or datetime.combine(waiting, time(), UTC)
    return max(timedelta(), now - since)


def _tell_time(session: Session, moved: int, now: datetime) -> None:
    """Move "as at" forward, where something changed or it has stood for a while; and back, where
    the clock was set back since."""
    state = session.get(TallyState, 1)
    if state is None:
        session.add(TallyState(id=1, folded_at=now))
        session.flush()
        return
    since = now - state.folded_at
    if since >= TOLD_EVERY or (moved and since > timedelta()) or since < -CLOCKS_DIFFER:
        state.folded_at = now
    session.flush()


@dataclass(frozen=True)
class Difference:
    """A category where the tally and the signatures do not agree."""

    dimension: Dimension
    category: str
    signatures: int
    tally: int


def verify_tally(session: Session) -> tuple[int, list[Difference]]:
    """Count the signatures themselves and hold the tally, with what is not yet folded,
    against them. Returns the number of verified signatures and every difference.

    Those that were withdrawn are not held against anything: whoever signs again or erases their
    signature takes the row away, and the number of how many ever withdrew stays.

    Must be given a transaction that sees one moment: see `snapshot`.
    """
    differences = []
    total = 0
    for dimension, column in (
        (Dimension.ALL, literal("")),
        (Dimension.REGION, _said(Signature.region)),
        (Dimension.KIND, _said(Signature.kind)),
    ):
        truth = _counted_signatures(session, column)
        claimed = _tallied(session, dimension)
        if dimension is Dimension.ALL:
            total = truth.get("", 0)
        for category in sorted(truth.keys() | claimed.keys()):
            pair = truth.get(category, 0), claimed.get(category, 0)
            if pair[0] != pair[1]:
                differences.append(Difference(dimension, category, *pair))
    return total, differences + _differences_aside(session)


def _differences_aside(session: Session) -> list[Difference]:
    claimed = _tallied(session, Dimension.ASIDE)
    found = []
    for status in HINDERED:
        truth = session.scalar(
            select(func.count())
            .select_from(Signature)
            .where(Signature.status == status, Signature.verified_at.is_not(None))
        )
        pair = truth or 0, claimed.get(ASIDE_OF[status], 0)
        if pair[0] != pair[1]:
            found.append(Difference(Dimension.ASIDE, ASIDE_OF[status], *pair))
    return found


def _counted_signatures(session: Session, category: Any) -> Mapping[str, int]:
    rows = session.execute(
        select(category.label("category"), func.count())
        .select_from(Signature)
        .where(Signature.status == SignatureStatus.VERIFIED)
        .group_by(category)
    )
    return {str(name): int(count) for name, count in rows}


def _tallied(session: Session, dimension: Dimension) -> Mapping[str, int]:
    events = _by_category(CountEvent.__table__).subquery()
    parts = union_all(
        select(DailyTally.category, DailyTally.change).where(DailyTally.dimension == dimension),
        select(events.c.category, events.c.change).where(events.c.dimension == dimension),
    ).subquery()
    rows = session.execute(
        select(parts.c.category, func.sum(parts.c.change)).group_by(parts.c.category)
    )
    return {name: int(change) for name, change in rows}


def snapshot(session: Session) -> None:
    """Make the session's next reads all see one moment, while others write."""
    session.rollback()
    if is_postgresql(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
