"""What is deleted once the petition has been closed for KEPT_AFTER_CLOSING, sort by sort.

What stays is what names nobody: the tally and the final number, frozen figures, the campaign's
texts, the public list of organisations, published testimonies as their writers agreed to them, the
log. docs/adr/0011-closing.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.db import Base, sweep
from coalition.endorsements.actions import set_contact
from coalition.endorsements.models import (
    ContactChange,
    Endorsement,
    EndorsementStatus,
    Entry,
    EntryState,
)
from coalition.mail.models import BlockedAddress, Bounce, OutboxMessage
from coalition.petition.hand_in_models import HandIn
from coalition.petition.models import BulkDecision, CountEvent, ReviewedAddress, Signature
from coalition.statements.closing import find_closing
from coalition.statements.models import KEPT_AFTER_CLOSING, Draft
from coalition.testimonies.actions import erase
from coalition.testimonies.complaint_models import Complaint
from coalition.testimonies.models import Edition, Testimony
from coalition.testimonies.moving import published_of
from coalition.testimonies.safeguarding_models import SafeguardingFlag
from coalition.testimonies.states import State

AT_ONCE = 5_000  # rows in one transaction: locked for a fraction of a second

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True)
class Sort:
    """One sort of what is deleted.

    `which` gives the conditions of its rows, from the moment at which the term ended: what somebody
    sends after that, such as a complaint about a text that is still public, has its own term.
    `forget` does to a row, given `now`, what has to be done; without it rows are just deleted.
    """

    name: str
    what: str
    table: type[Base]
    which: Callable[[datetime], Conditions]
    forget: Callable[[Session, Any, datetime], None] | None = None

    def delete(self, session: Session, *, now: datetime) -> int:
        """Delete up to AT_ONCE of what is past its time. Returns how many."""
        ended = term_ended(session, now)
        if ended is None:
            return 0
        rows = self.which(ended)
        if self.forget is None:
            found = sweep(session, self.table, *rows, limit=AT_ONCE)
        else:
            found = self._forget_some(session, rows, now)
        if found:
            _note_that_it_began(session, now)
        return found

    def _forget_some(self, session: Session, rows: Conditions, now: datetime) -> int:
        assert self.forget is not None  # noqa: S101 (delete() asked)
        key = self.table.__mapper__.primary_key
        found = session.scalars(
            select(self.table)
            .where(*rows)
            .order_by(*key)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for each in found:
            self.forget(session, each, now)
        session.flush()
        return len(found)

    def count(self, session: Session, *, now: datetime) -> int:
        """How many are past their time. Changes nothing."""
        ended = term_ended(session, now)
        if ended is None:
            return 0
        rows = select(func.count()).select_from(self.table).where(*self.which(ended))
        return session.scalar(rows) or 0


def term_ended(session: Session, now: datetime) -> datetime | None:
    """When the term ended, if it has; None while the petition is open, closed for less than that,
    or its final number is not fixed."""
    closing = find_closing(session)
    if closing is None or closing.fixed_at is None:
        return None
    ended = closing.closed_at + KEPT_AFTER_CLOSING
    return ended if now >= ended else None


def _note_that_it_began(session: Session, now: datetime) -> None:
    """From now on the closing cannot be undone, and the tally not be held against signatures."""
    closing = find_closing(session)
    if closing and closing.deleting_since is None:
        closing.deleting_since = now
        session.flush()


def _is_never_public(ended: datetime) -> Conditions:
    public = exists().where(
        Entry.endorsement_id == Endorsement.id, Entry.state == EntryState.PUBLIC
    )
    shown = Endorsement.status.in_((EndorsementStatus.PUBLISHED, EndorsementStatus.WITHDRAWN))
    return [~(shown & public), Endorsement.registered_at < ended]


def _has_contact(ended: datetime) -> Conditions:
    held = (Endorsement.contact_email, Endorsement.contact_name, Endorsement.contact_role,
            Endorsement.appeal, Endorsement.decision_words)  # fmt: skip
    return [or_(*(each.is_not(None) for each in held)), Endorsement.registered_at < ended]


def _forget_contact(session: Session, endorsement: Endorsement, now: datetime) -> None:
    set_contact(endorsement, None)
    endorsement.appeal = endorsement.decision_words = endorsement.decision_code = None


def _is_unpublished(ended: datetime) -> Conditions:
    kept = Testimony.state.not_in((State.PUBLISHED, State.ERASED))
    return [kept, Testimony.state_on < day_in_uk(ended)]


def _erase(session: Session, testimony: Testimony, now: datetime) -> None:
    erase(session, testimony.id, now=now)


def _has_original(ended: datetime) -> Conditions:
    """The day on which it came goes last, and so tells what was done already."""
    return [
        Testimony.state == State.PUBLISHED,
        Testimony.received_on.is_not(None),
        Testimony.state_on < day_in_uk(ended),
    ]


def _forget_original(session: Session, testimony: Testimony, now: datetime) -> None:
    """Of what was written, leave what is public. Its code still works: as long as a text is on the
    site, its writer can take it off (UK GDPR, article 7(3))."""
    published = published_of(session, testimony)
    if published is None or published.text is None:
        return
    testimony.text, testimony.length = published.text, len(published.text)
    testimony.contact = testimony.answer = testimony.decision_words = None
    editions = session.scalars(select(Edition).where(Edition.testimony_id == testimony.id))
    for edition in editions:
        if edition.id == published.edition_id:
            edition.spans, edition.colleague_words = [], None
        else:
            session.delete(edition)
    testimony.received_on = None


# In this order: what points at others goes before them.
SORTS = (
    Sort(
        "delete_closed_hand_ins",
        "lists to hand in",
        HandIn,
        lambda ended: [HandIn.asked_at < ended],
    ),
    Sort(
        "delete_closed_signatures",
        "signatures",
        Signature,
        lambda ended: [Signature.signed_at < ended],
    ),
    Sort(
        "delete_closed_bulk_decisions",
        "decisions about many signatures",
        BulkDecision,
        lambda ended: [BulkDecision.at < ended],
    ),
    Sort(
        "delete_closed_reviews",
        "fingerprints of addresses under review",
        ReviewedAddress,
        lambda ended: [ReviewedAddress.decided_at < ended],
    ),
    Sort(
        "delete_closed_events",
        "changes since the closing, which are in no number",
        CountEvent,
        lambda ended: [CountEvent.closing_id.is_not(None), CountEvent.day <= ended.date()],
    ),
    Sort(
        "delete_closed_mails",
        "mails",
        OutboxMessage,
        lambda ended: [OutboxMessage.created_at < ended],
    ),
    Sort(
        "delete_closed_bounces", "mails that came back", Bounce, lambda ended: [Bounce.at < ended]
    ),
    Sort(
        "delete_closed_blocks",
        "addresses not to write to",
        BlockedAddress,
        lambda ended: [BlockedAddress.blocked_at < ended],
    ),
    Sort(
        "delete_closed_changes",
        "contacts that were to come",
        ContactChange,
        lambda ended: [ContactChange.asked_at < ended],
    ),
    Sort(
        "delete_closed_endorsements", "organisations not on the list", Endorsement, _is_never_public
    ),
    Sort(
        "delete_closed_proposals",
        "changes of entries that nobody approved",
        Entry,
        lambda ended: [Entry.state == EntryState.PROPOSED, Entry.proposed_at < ended],
    ),
    Sort(
        "forget_closed_contacts",
        "contacts of organisations on the list",
        Endorsement,
        _has_contact,
        _forget_contact,
    ),
    Sort(
        "delete_closed_complaints",
        "complaints",
        Complaint,
        lambda ended: [Complaint.received_at < ended],
    ),
    Sort(
        "delete_closed_flags",
        "worries of readers",
        SafeguardingFlag,
        lambda ended: [SafeguardingFlag.raised_at < ended],
    ),
    Sort(
        "erase_closed_testimonies",
        "testimonies that are not published",
        Testimony,
        _is_unpublished,
        _erase,
    ),
    Sort(
        "forget_closed_originals",
        "originals of published testimonies",
        Testimony,
        _has_original,
        _forget_original,
    ),
    Sort(
        "delete_closed_drafts", "drafts of texts", Draft, lambda ended: [Draft.updated_at < ended]
    ),
)
