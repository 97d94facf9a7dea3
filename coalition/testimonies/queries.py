"""Reads of testimonies: by code, for the queue, for the public."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from coalition.testimonies.codes import code_digest, is_code, normal_code
from coalition.testimonies.models import (
    Edition,
    PausedBy,
    PublishedTag,
    PublishedTestimony,
    Testimony,
)
from coalition.testimonies.states import State

FOR_FIRST = (State.SUBMITTED, State.CLAIMED)
FOR_SECOND = (State.REDACTED, State.SECOND_READING)


def find_testimony(session: Session, testimony_id: uuid.UUID) -> Testimony | None:
    """The testimony as the database has it now."""
    return session.get(Testimony, testimony_id, populate_existing=True)


def find_by_code(session: Session, typed: str) -> Testimony | None:
    """Whose receipt code this is, whatever stands between its digits."""
    code = normal_code(typed)
    digest = code_digest(session, code) if code else None
    if digest is None:
        return None
    found = session.scalars(select(Testimony).where(Testimony.code_digest == digest)).one_or_none()
    if found is None or found.code_hash is None or not is_code(found.code_hash, code):
        return None
    return found


@dataclass(frozen=True)
class Waiting:
    """A testimony that waits for readers, as the queue shows it: not a word of its text."""

    id: uuid.UUID
    state: State
    labels: tuple[str, ...]  # slugs, as far as its writer or a reader has given any
    length: int  # characters
    since: date  # the day on which it came to where it stands
    is_appeal: bool
    declined_by: uuid.UUID | None  # who may not look at it again
    edited_by: frozenset[uuid.UUID]  # who may not be its second reader
    # Its writer's address, where they left one: whoever has it too does not read this.
    contact: str | None = field(default=None, repr=False)


def waiting(session: Session) -> list[Waiting]:
    """What waits for a first or a second reader, the longest waiting first."""
    rows = session.execute(
        select(Testimony, Edition)
        .outerjoin(
            Edition,
            (Edition.testimony_id == Testimony.id) & (Edition.revision == Testimony.revision),
        )
        .where(Testimony.state.in_(FOR_FIRST + FOR_SECOND))
        .order_by(Testimony.waits_since, Testimony.id)
    )
    return [_waiting(testimony, edition) for testimony, edition in rows]


def labels_of(testimony: Testimony, edition: Edition | None) -> tuple[str, ...]:
    """What it is about, as its writer says, and whoever edited it: a reader who skips something
    is spared what either has named."""
    choices, front = testimony.choices, edition.front if edition else None
    edited = (front.label, *front.labels) if front else ()
    return tuple(dict.fromkeys((*edited, *(choices.labels if choices else ()))))


def _waiting(testimony: Testimony, edition: Edition | None) -> Waiting:
    for_second = testimony.state in FOR_SECOND
    return Waiting(
        id=testimony.id,
        state=testimony.state,
        labels=labels_of(testimony, edition),
        length=testimony.length,
        since=testimony.waits_since or testimony.state_on,
        is_appeal=testimony.was_appealed,
        declined_by=testimony.declined_by,
        edited_by=edition.edited_by if edition and for_second else frozenset(),
        contact=testimony.contact,
    )


@dataclass(frozen=True)
class Page:
    """Published testimonies, some at a time."""

    items: Sequence[PublishedTestimony]
    number: int  # from 1
    pages: int
    total: int


def published_page(
    session: Session, *, tags: Sequence[str] = (), number: int = 1, size: int = 10
) -> Page:
    """A page of what is public and has each of these labels and themes, the newest first.

    A page beyond the last is empty.
    """
    chosen: list[ColumnElement[bool]] = [PublishedTestimony.is_public.is_(True)]
    chosen += [
        PublishedTestimony.slug.in_(select(PublishedTag.slug).where(PublishedTag.tag == tag))
        for tag in tags
    ]
    total = session.scalar(select(func.count()).select_from(PublishedTestimony).where(*chosen)) or 0
    items = session.scalars(
        select(PublishedTestimony)
        .where(*chosen)
        .order_by(PublishedTestimony.published_on.desc(), PublishedTestimony.slug)
        .offset((number - 1) * size)
        .limit(size)
    ).all()
    return Page(items, number, max(1, -(-total // size)), total)


def public_or_taken_down(session: Session) -> list[tuple[PublishedTestimony, Testimony]]:
    """What is on the site, or was taken off it by the desk, the newest first."""
    rows = session.execute(
        select(PublishedTestimony, Testimony)
        .join(Testimony, Testimony.id == PublishedTestimony.testimony_id)
        .where(
            (Testimony.state == State.PUBLISHED)
            | ((Testimony.state == State.PAUSED) & (Testimony.paused_by == PausedBy.DESK))
        )
        .order_by(PublishedTestimony.changed_on.desc(), PublishedTestimony.slug)
    )
    return [(published, testimony) for published, testimony in rows]


def tag_counts(session: Session) -> dict[str, int]:
    """How many public testimonies have each label and theme."""
    counted = select(PublishedTag.tag, func.count().label("public")).group_by(PublishedTag.tag)
    rows = session.execute(counted)
    return {row.tag: row.public for row in rows}


def published_slugs(session: Session) -> Sequence[str]:
    """The addresses of all that is public, in an order that tells nothing."""
    return session.scalars(
        select(PublishedTestimony.slug)
        .where(PublishedTestimony.is_public.is_(True))
        .order_by(PublishedTestimony.slug)
    ).all()


def find_published(session: Session, slug: str) -> PublishedTestimony | None:
    """What is, or once was, at this address."""
    return session.get(PublishedTestimony, slug, populate_existing=True)
