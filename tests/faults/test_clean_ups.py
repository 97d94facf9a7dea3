"""Clean-ups: each by itself, waiting for nobody, beside everything else that goes on."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import DeskSession, Moderator, Role, SecondFactorReset
from coalition.db import is_postgresql, transaction
from coalition.desk.models import Claim, ItemKind, PassedOn
from coalition.desk.reading_models import Reading
from coalition.endorsements.models import ContactChange, Endorsement, EndorsementStatus, Logo
from coalition.mail.models import Bounce, BounceKind, MessageState, OutboxMessage, UnknownBounces
from coalition.petition.bulk import decide_all, preview
from coalition.petition.decisions import NotPossible
from coalition.petition.hand_in_models import HandIn, HandInState
from coalition.petition.models import (
    BulkDecision,
    BulkKind,
    BulkState,
    Signature,
    SignatureStatus,
)
from coalition.petition.search import Search
from coalition.petition.tally import verify_tally
from coalition.retention import CLEAN_UPS
from coalition.statements.models import Draft
from coalition.statements.queries import current_campaign
from coalition.testimonies.complaint_models import Complaint, ComplaintState, Ground
from coalition.testimonies.models import PublishedTestimony, Testimony
from coalition.testimonies.safeguarding_models import Outcome, SafeguardingFlag
from coalition.testimonies.states import State
from coalition.worker import delete_expired
from tests.desking import make_moderator
from tests.factories import make_endorsement, make_signature

LONG_AGO = timedelta(days=400)
EACH = 3  # rows of each sort that are past their time

Make = Callable[[Session, datetime, Moderator], Any]


def organisation(status: EndorsementStatus) -> Make:
    return lambda session, then, who: make_endorsement(session, status=status, now=then)


def contact_change(session: Session, then: datetime, who: Moderator) -> ContactChange:
    endorsement = make_endorsement(session)
    return ContactChange(
        endorsement_id=endorsement.id, id=uuid.uuid4(), email="a@example.org", name="A", role="B",
        asked_at=then,
    )  # fmt: skip


def testimony(state: State) -> Make:
    return lambda session, then, who: Testimony(
        id=uuid.uuid4(), state=state, revision=1, turn=1, length=0, state_on=then.date(),
        rules_version_id=current_campaign().telling.version_id,
    )  # fmt: skip


def complaint(session: Session, then: datetime, who: Moderator) -> Complaint:
    about = testimony(State.PUBLISHED)(session, then, who)
    session.add(about)
    session.flush()
    slug = uuid.uuid4().hex
    session.add(
        PublishedTestimony(
            slug=slug, testimony_id=about.id, is_public=False, may_press=False,
            published_on=then.date(), changed_on=then.date(),
        )
    )  # fmt: skip
    session.flush()
    return Complaint(
        id=uuid.uuid4(), slug=slug, ground=Ground.OTHER, stored_details="{}", received_at=then,
        state=ComplaintState.UPHELD, closed_at=then,
    )  # fmt: skip


def reset(session: Session, then: datetime, who: Moderator) -> SecondFactorReset:
    lost = Moderator(
        id=uuid.uuid4(), address_digest=uuid.uuid4().bytes, email="lost@example.org", name="Lost",
        active=True, invited_at=then, fs_uniquifier=uuid.uuid4().hex,
    )  # fmt: skip
    session.add(lost)
    session.flush()
    return SecondFactorReset(moderator_id=lost.id, asked_by=who.id, asked_at=then)


# For each clean-up, by its name: how a row comes to be past its time, and what is left of such.
PAST: dict[str, tuple[Make, Select[Any]]] = {
    "delete_unverified": (
        lambda session, then, who: make_signature(
            session, status=SignatureStatus.AWAITING, now=then
        ),
        select(Signature.id).where(Signature.status == SignatureStatus.AWAITING),
    ),
    "delete_old_networks": (
        lambda session, then, who: make_signature(session, network="203.0.113.7", now=then),
        select(Signature.id).where(Signature.network_digest.is_not(None)),
    ),
    "lapse_proposals": (
        lambda session, then, who: BulkDecision(
            id=uuid.uuid4(), kind=BulkKind.HOLD, state=BulkState.PROPOSED, actor=who.actor,
            reason="why", count=1, at=then,
        ),
        select(BulkDecision.id).where(BulkDecision.state == BulkState.PROPOSED),
    ),
    "delete_unconfirmed": (
        organisation(EndorsementStatus.AWAITING),
        select(Endorsement.id).where(Endorsement.status == EndorsementStatus.AWAITING),
    ),
    "delete_old_changes": (contact_change, select(ContactChange.endorsement_id)),
    "delete_decided": (
        organisation(EndorsementStatus.DECLINED),
        select(Endorsement.id).where(Endorsement.status == EndorsementStatus.DECLINED),
    ),
    "forget_contacts_of_the_withdrawn": (
        organisation(EndorsementStatus.WITHDRAWN),
        select(Endorsement.id).where(
            Endorsement.status == EndorsementStatus.WITHDRAWN, Endorsement.contact_name.is_not(None)
        ),
    ),
    "delete_loose_logos": (
        lambda session, then, who: Logo(
            id=uuid.uuid4(), data=b"x", width=1, height=1, uploaded_at=then
        ),
        select(Logo.id),
    ),
    "delete_past_sessions": (
        lambda session, then, who: DeskSession(
            id=uuid.uuid4(), moderator_id=who.id, browser="x", started_at=then, seen_at=then
        ),
        select(DeskSession.id),
    ),
    "delete_past_resets": (reset, select(SecondFactorReset.moderator_id)),
    "delete_past_claims": (
        lambda session, then, who: Claim(
            kind=ItemKind.SIGNATURE, item_id=uuid.uuid4(), moderator_id=who.id, until=then
        ),
        select(Claim.item_id),
    ),
    "delete_past_passes": (
        lambda session, then, who: PassedOn(
            kind=ItemKind.SIGNATURE, item_id=uuid.uuid4(), moderator_id=who.id, passed_at=then
        ),
        select(PassedOn.item_id),
    ),
    "delete_past_hand_ins": (
        lambda session, then, who: HandIn(
            asked_by=who.actor, asked_at=then, state=HandInState.DONE, due_at=then
        ),
        select(HandIn.id),
    ),
    "delete_finished": (
        lambda session, then, who: OutboxMessage(
            id=uuid.uuid4(), kind="x", state=MessageState.SENT, attempts=1, created_at=then,
            due_at=then, finished_at=then,
        ),
        select(OutboxMessage.id).where(OutboxMessage.state == MessageState.SENT),
    ),
    "delete_old_drafts": (
        lambda session, then, who: Draft(
            slug=uuid.uuid4().hex, moderator_id=who.id, text="x", note="", base_version=1,
            revision=uuid.uuid4(), updated_at=then,
        ),
        select(Draft.slug),
    ),
    "delete_old_bounces": (
        lambda session, then, who: Bounce(
            id=uuid.uuid4(), message_id=uuid.uuid4(), mail_kind="x", address_digest=b"x" * 32,
            kind=BounceKind.PERMANENT, status="5.1.1", at=then, diagnostic="x",
        ),
        select(Bounce.id),
    ),
    "delete_old_counts": (
        lambda session, then, who: UnknownBounces(day=then.date(), number=1),
        select(UnknownBounces.day),
    ),
    "erase_past_drafts": (
        testimony(State.DRAFT),
        select(Testimony.id).where(Testimony.state == State.DRAFT),
    ),
    "close_unanswered": (
        testimony(State.NEEDS_WRITER),
        select(Testimony.id).where(Testimony.state == State.NEEDS_WRITER),
    ),
    "erase_declined": (
        testimony(State.DECLINED),
        select(Testimony.id).where(
            Testimony.state == State.DECLINED, Testimony.decision_code.is_(None)
        ),
    ),
    "erase_withdrawn": (
        testimony(State.WITHDRAWN),
        select(Testimony.id).where(Testimony.state == State.WITHDRAWN),
    ),
    "delete_erased": (
        testimony(State.ERASED),
        select(Testimony.id).where(
            Testimony.state == State.ERASED,
            Testimony.state_on < (clock.utc_now() - timedelta(days=60)).date(),
        ),
    ),
    "delete_past_complaints": (complaint, select(Complaint.id)),
    "delete_past_flags": (
        lambda session, then, who: SafeguardingFlag(
            id=uuid.uuid4(), rules_version_id=current_campaign().telling.version_id,
            raised_by=who.id, raised_at=then, outcome=Outcome.NONE, closed_at=then,
        ),
        select(SafeguardingFlag.id),
    ),
    "delete_past_readings": (
        lambda session, then, who: Reading(reader=b"x" * 32, weight="3", at=then),
        select(Reading.id),
    ),
}  # fmt: skip


def fill(app: Flask) -> None:
    """EACH rows for each clean-up, past their time."""
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    for make, _ in PAST.values():
        for number in range(EACH):
            with transaction() as session:
                who = session.get_one(Moderator, moderator_id)
                then = clock.utc_now() - LONG_AGO - timedelta(days=number)
                session.merge(make(session, then, who))


def left(session: Session) -> dict[str, int]:
    session.rollback()
    return {
        name: session.scalar(select(func.count()).select_from(rows.subquery())) or 0
        for name, (_, rows) in PAST.items()
    }


def hold_one_of_each(session: Session) -> None:
    for _, rows in PAST.values():
        session.execute(rows.limit(1).with_for_update())


def test_every_clean_up_is_tried_here() -> None:
    assert [each.name for each in CLEAN_UPS] == list(PAST)


def test_what_is_past_its_time_goes(app: Flask, session: Session) -> None:
    fill(app)
    assert left(session) == dict.fromkeys(PAST, EACH)
    delete_expired()
    assert left(session) == dict.fromkeys(PAST, 0)


def test_what_somebody_holds_is_not_waited_for_and_goes_the_next_time(
    app: Flask, session: Session
) -> None:
    fill(app)
    done = Event()

    def clean() -> None:
        with app.app_context():
            delete_expired()
            done.set()

    with ThreadPoolExecutor(1) as pool:
        with transaction() as holder:
            hold_one_of_each(holder)
            work = pool.submit(clean)
            # On SQLite there is one writer at a time: there it waits, and then finds all.
            assert done.wait(20 if is_postgresql(holder) else 0.5) is is_postgresql(holder)
        work.result(60)
    assert left(session) == dict.fromkeys(PAST, 1 if is_postgresql(session) else 0)
    delete_expired()
    assert left(session) == dict.fromkeys(PAST, 0)


@pytest.mark.parametrize("table", ["drafts", "hand_ins", "bulk_decisions"])
def test_one_that_fails_holds_nothing_else_back_and_tells_its_kind_alone(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    fill(app)
    with transaction() as writing:
        writing.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    delete_expired()
    with transaction() as writing:
        writing.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))
    kept = {name: number for name, number in left(session).items() if number}
    assert list(kept.values()) == [EACH]
    (line,) = caplog.messages
    assert line.startswith(f"{next(iter(kept))} failed, and others go on: ")
    assert line.endswith("Error")
    assert "SELECT" not in caplog.text


def test_a_clean_up_and_a_decision_about_the_same_rows_never_wait_for_one_another(
    make_app: Callable[..., Flask], session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Both come to a row in the middle that a third holds: then each would have a half."""
    app = make_app(DATABASE_POOL="10")
    middle = wait_long()

    def at_once(act: Callable[[], object]) -> None:
        with app.app_context():
            act()

    with ThreadPoolExecutor(2) as pool:
        with transaction() as holder:
            holder.execute(select(Signature).where(Signature.id == middle).with_for_update())
            works = [pool.submit(at_once, act) for act in (remove_all, delete_expired)]
            time.sleep(1)
        for each in works:
            each.result(60)
    assert caplog.messages == []
    session.rollback()
    assert verify_tally(session) == (0, [])


def wait_long(size: int = 100) -> uuid.UUID:
    """Signatures that nobody confirmed in time, put down against the order of their keys.
    Returns the one in the middle."""
    ids = [uuid.UUID(int=(size - number << 64) + 1) for number in range(size)]
    with transaction() as session:
        for each in ids:
            make_signature(
                session, id=each, status=SignatureStatus.AWAITING, now=clock.utc_now() - LONG_AGO
            )
    return ids[size // 2]


def remove_all() -> None:
    # What is to be removed may be deleted between the counting and the doing.
    with suppress(NotPossible), transaction() as session:
        counted = preview(session, BulkKind.REMOVE, Search()).count
        decide_all(
            session, uuid.uuid4(), BulkKind.REMOVE, Search(), counted=counted, limit=10_000,
            reason="why", actor="moderator one", now=clock.utc_now(),
        )  # fmt: skip
