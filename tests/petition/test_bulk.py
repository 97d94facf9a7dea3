"""Decisions about many signatures at once: exact, done once, and undone as a whole."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.audit.proof import verify_chain
from coalition.db import transaction
from coalition.mail.actions import queue_message
from coalition.mail.models import OutboxMessage
from coalition.petition import actions, emails
from coalition.petition.bulk import (
    PROPOSAL_LIFETIME,
    CountChanged,
    confirm_proposal,
    decide_all,
    lapse_proposals,
    preview,
    refuse_proposal,
    undo,
)
from coalition.petition.decisions import DECISIONS, NotPossible, decide
from coalition.petition.models import (
    BulkChange,
    BulkDecision,
    BulkKind,
    BulkState,
    CountEvent,
    Kind,
    Region,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)
from coalition.petition.search import Search
from coalition.petition.tally import fold, verify_tally
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox, text_of

Status = SignatureStatus
Work = Callable[[], object]
FLOOD = Search(domain="flood.example.org")
ALL = Search()


def carry_out(
    kind: BulkKind, search: Search = FLOOD, decision_id: uuid.UUID | None = None, **values: Any
) -> BulkDecision:
    with transaction() as session:
        now = values.get("now") or clock.utc_now()
        given: dict[str, Any] = {
            "counted": preview(session, kind, search).count,
            "limit": 100,
            "reason": "These look alike.",
            "actor": "moderator one",
            "now": now,
            **values,
        }
        return decide_all(session, decision_id or uuid.uuid4(), kind, search, **given)


def take_back(decision: BulkDecision) -> BulkDecision:
    with transaction() as session:
        return undo(session, decision.id, actor="moderator one", now=clock.utc_now())


def flood(size: int = 3, status: Status = Status.VERIFIED, **values: Any) -> list[uuid.UUID]:
    """So many signatures from one domain."""
    with transaction() as session:
        return [
            make_signature(
                session, email=f"{uuid.uuid4().hex}@flood.example.org", status=status, **values
            ).id
            for _ in range(size)
        ]


def statuses(session: Session) -> Counter[Status]:
    session.rollback()
    return Counter(session.scalars(select(Signature.status)))


def mails(session: Session) -> int:
    session.rollback()
    return session.scalars(
        select(func.count()).select_from(OutboxMessage).where(OutboxMessage.kind == emails.DECIDED)
    ).one()


def assert_exact(session: Session, verified: int) -> None:
    session.rollback()
    assert verify_tally(session) == (verified, [])
    with transaction() as writing:
        fold(writing, now=clock.utc_now())
    session.rollback()
    assert verify_tally(session) == (verified, [])


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_whoever_decides_says_why(app: Flask, session: Session, reason: str) -> None:
    flood()
    with pytest.raises(NotPossible, match="reason"):
        carry_out(BulkKind.HOLD, reason=reason)
    assert statuses(session) == {Status.VERIFIED: 3}


def test_nothing_found_is_nothing_to_decide_about(app: Flask, session: Session) -> None:
    with pytest.raises(NotPossible, match="nothing to decide"):
        carry_out(BulkKind.HOLD)
    assert session.scalars(select(BulkDecision)).all() == []


@pytest.mark.parametrize("counted", [2, 4])
@pytest.mark.parametrize("limit", [100, 1])
def test_another_number_than_was_shown_changes_nothing(
    app: Flask, session: Session, counted: int, limit: int
) -> None:
    flood(3)
    with pytest.raises(CountChanged) as raised:
        carry_out(BulkKind.HOLD, counted=counted, limit=limit)
    assert raised.value.count == 3
    assert statuses(session) == {Status.VERIFIED: 3}
    assert mails(session) == 0
    assert session.scalars(select(BulkDecision)).all() == []


@pytest.mark.parametrize(
    ("kind", "after", "verified"),
    [
        (BulkKind.HOLD, {"verified": "held"}, 1),
        (BulkKind.RELEASE, {"held": "verified"}, 3),
        (
            BulkKind.REMOVE,
            dict.fromkeys(("awaiting_verification", "verified", "held"), "removed"),
            1,
        ),
    ],
)
def test_each_kind_changes_what_a_single_decision_would_and_nothing_else(
    app: Flask, session: Session, kind: BulkKind, after: dict[str, str], verified: int
) -> None:
    for status in Status:
        flood(1, status, region=Region.WALES, kind=Kind.ALLY)
    with transaction() as writing:
        make_signature(writing, email="somebody@else.example.org")
    decision = carry_out(kind)
    assert decision.count == len(after)
    expected = Counter(Status(after.get(status.value, status.value)) for status in Status)
    assert statuses(session) == expected + Counter([Status.VERIFIED])
    assert mails(session) == len(after)
    assert_exact(session, verified)
    take_back(decision)
    assert statuses(session) == Counter(Status) + Counter([Status.VERIFIED])
    assert mails(session) == 0
    assert_exact(session, 2)


@pytest.mark.parametrize("kind", [BulkKind.HOLD, BulkKind.REMOVE])
def test_every_signatory_is_told_and_told_why(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, kind: BulkKind
) -> None:
    flood(3)
    carry_out(kind, now=clock.utc_now() - timedelta(minutes=1))
    work()
    assert len({each["To"] for each in mailbox.received}) == 3
    assert all("These look alike." in text_of(each) for each in mailbox.received)


def test_mails_of_a_bulk_decision_let_others_go_before(app: Flask, session: Session) -> None:
    app.extensions["settings"].__dict__["mail_rate"] = 10.0
    flood(20)
    now = clock.utc_now()
    carry_out(BulkKind.HOLD, now=now)
    with transaction() as writing:
        somebody = queue_message(
            writing, emails.LINK, details={"address": "a@example.org"}, now=now
        )
    due = session.scalars(select(OutboxMessage).order_by(OutboxMessage.due_at)).all()
    assert [each.id for each in due].index(somebody) <= 1
    assert due[-1].due_at - now == timedelta(seconds=0.2) * 19


def test_what_was_undone_before_it_was_told_is_told_to_nobody(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    flood(2)
    decision = carry_out(BulkKind.REMOVE)
    take_back(decision)
    work()
    assert mailbox.received == []


def test_what_was_told_before_it_was_undone_is_put_right(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    flood(2)
    decision = carry_out(BulkKind.REMOVE, now=clock.utc_now() - timedelta(minutes=1))
    work()
    with transaction() as writing:
        undo(
            writing, decision.id, actor="moderator one", now=clock.utc_now() - timedelta(seconds=5)
        )
    work()
    told = [text_of(each) for each in mailbox.received]
    assert ["looked at your signature again" in each for each in told] == [False] * 2 + [True] * 2


def test_a_form_that_is_sent_twice_is_carried_out_once(app: Flask, session: Session) -> None:
    flood(3)
    decision_id = uuid.uuid4()
    first = carry_out(BulkKind.HOLD, decision_id=decision_id)
    again = carry_out(BulkKind.HOLD, decision_id=decision_id, counted=3)
    assert (first.id, again.id, again.count) == (decision_id, decision_id, 3)
    assert mails(session) == 3
    assert_exact(session, 0)


def test_a_form_that_is_sent_five_times_at_once_is_carried_out_once(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="10")
    flood(10)
    decision_id = uuid.uuid4()
    barrier = Barrier(5)

    def send(_: int) -> int:
        with app.app_context():
            barrier.wait()
            return carry_out(BulkKind.REMOVE, decision_id=decision_id, counted=10).count

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(5))) == [10] * 5
    assert mails(session) == 10
    assert_exact(session, 0)


def test_what_is_above_the_limit_waits_for_a_second_moderator(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.REMOVE, limit=2)
    assert proposal.state is BulkState.PROPOSED
    assert statuses(session) == {Status.VERIFIED: 3}
    assert mails(session) == 0
    with transaction() as writing:
        done = confirm_proposal(
            writing, proposal.id, counted=3, actor="moderator two", now=clock.utc_now()
        )
        assert (done.state, done.search, done.second_actor) == (
            BulkState.DONE, None, "moderator two",
        )  # fmt: skip
    assert statuses(session) == {Status.REMOVED: 3}
    assert_exact(session, 0)


def test_nobody_is_their_own_second_moderator(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.REMOVE, limit=0)
    with pytest.raises(NotPossible, match="somebody else"), transaction() as writing:
        confirm_proposal(
            writing, proposal.id, counted=3, actor="moderator one", now=clock.utc_now()
        )
    assert statuses(session) == {Status.VERIFIED: 3}


def test_a_proposal_of_which_the_number_has_changed_is_confirmed_by_the_new_number(
    app: Flask, session: Session
) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    flood(1)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    with pytest.raises(CountChanged) as raised, transaction() as writing:
        confirm_proposal(writing, proposal.id, counted=3, **told)
    assert raised.value.count == 4
    assert statuses(session) == {Status.VERIFIED: 4}
    with transaction() as writing:
        assert confirm_proposal(writing, proposal.id, counted=4, **told).count == 4
    assert_exact(session, 0)


def test_a_proposal_is_confirmed_or_refused_once(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    for _ in range(2):
        with transaction() as writing:
            confirm_proposal(writing, proposal.id, counted=3, **told)
    with pytest.raises(NotPossible, match="is done"), transaction() as writing:
        refuse_proposal(writing, proposal.id, **told)
    assert mails(session) == 3


def test_a_refused_proposal_changes_nothing_and_forgets_what_was_searched(
    app: Flask, session: Session
) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    for _ in range(2):
        with transaction() as writing:
            refused = refuse_proposal(writing, proposal.id, **told)
            assert (refused.state, refused.search) == (BulkState.REFUSED, None)
    with pytest.raises(NotPossible, match="is refused"), transaction() as writing:
        confirm_proposal(writing, proposal.id, counted=3, **told)
    assert statuses(session) == {Status.VERIFIED: 3}


def test_a_proposal_that_nobody_confirms_lapses(app: Flask, session: Session) -> None:
    flood(3)
    now = clock.utc_now()
    proposal = carry_out(BulkKind.HOLD, limit=2, now=now)
    for late, count in ((PROPOSAL_LIFETIME, 0), (PROPOSAL_LIFETIME + timedelta(seconds=1), 1)):
        with transaction() as writing:
            assert lapse_proposals(writing, now=now + late) == count
    session.rollback()
    assert session.get_one(BulkDecision, proposal.id).state is BulkState.LAPSED
    assert session.get_one(BulkDecision, proposal.id).search is None


def test_a_proposal_is_not_undone(app: Flask, session: Session) -> None:
    flood(3)
    proposal = carry_out(BulkKind.HOLD, limit=2)
    with pytest.raises(NotPossible, match="is proposed"):
        take_back(proposal)


def test_what_is_not_there_is_neither_confirmed_nor_undone(app: Flask) -> None:
    told: dict[str, Any] = {"actor": "moderator two", "now": clock.utc_now()}
    for act in (undo, refuse_proposal):
        with pytest.raises(NotPossible, match="no such decision"), transaction() as session:
            act(session, uuid.uuid4(), **told)


def test_undoing_leaves_alone_what_was_decided_about_since(app: Flask, session: Session) -> None:
    ids = flood(5)
    decision = carry_out(BulkKind.HOLD)
    now = clock.utc_now()
    told: dict[str, Any] = {"reason": "Known to us.", "actor": "moderator two", "now": now}
    with transaction() as writing:
        decide(writing, DECISIONS["release"], ids[0], **told)
        decide(writing, DECISIONS["remove"], ids[1], **told)
        actions.withdraw_signature(writing, ids[2], now=now)
        actions.erase_signature(writing, ids[3], now=now)
    undone = take_back(decision)
    assert undone.undone_count == 1
    assert statuses(session) == {Status.VERIFIED: 2, Status.REMOVED: 1, Status.WITHDRAWN: 1}
    assert_exact(session, 2)
    assert take_back(decision).undone_count == 1
    assert_exact(session, 2)


def test_undoing_counts_by_what_signatories_say_of_themselves_now(
    app: Flask, session: Session
) -> None:
    (signature_id,) = flood(1, region=Region.WALES, kind=Kind.ALLY)
    decision = carry_out(BulkKind.HOLD)
    moved = actions.Personal("A", Region.SCOTLAND, None, show_name=False, wants_updates=False)
    with transaction() as writing:
        actions.correct_signature(
            writing, signature_id, moved, agreed_now().consent_version_id, now=clock.utc_now()
        )
    take_back(decision)
    assert_exact(session, 1)


def test_undoing_brings_back_the_reason_that_stood_before(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    now = clock.utc_now()
    with transaction() as writing:
        decide(
            writing, DECISIONS["hold"], signature_id, reason="first", actor="test", now=now
        )  # fmt: skip
        assert actions.appeal_decision(writing, signature_id, "It is me.", now=now)
    take_back(carry_out(BulkKind.RELEASE))
    session.rollback()
    signature = session.get_one(Signature, signature_id)
    assert (signature.status, signature.decision_reason) == (Status.HELD, "first")
    assert signature.appeal == "It is me."


def test_whoever_has_written_to_us_is_never_removed_in_bulk(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1, Status.HELD)
    flood(2, Status.HELD)
    with transaction() as writing:
        actions.appeal_decision(writing, signature_id, "It is me.", now=clock.utc_now())
    session.rollback()
    shown = preview(session, BulkKind.REMOVE, FLOOD)
    assert (shown.found, shown.count, shown.appealed) == (3, 2, 1)
    carry_out(BulkKind.REMOVE)
    session.rollback()
    kept = session.get_one(Signature, signature_id)
    assert (kept.status, kept.appeal) == (Status.HELD, "It is me.")


def test_words_against_an_old_decision_are_no_part_of_a_new_one(
    app: Flask, session: Session
) -> None:
    (signature_id,) = flood(1, Status.HELD)
    with transaction() as writing:
        actions.appeal_decision(writing, signature_id, "It is me.", now=clock.utc_now())
    carry_out(BulkKind.RELEASE)
    carry_out(BulkKind.HOLD)
    session.rollback()
    assert session.get_one(Signature, signature_id).appeal is None


@pytest.mark.parametrize("kind", [BulkKind.HOLD, BulkKind.REMOVE])
def test_signing_again_does_not_undo_a_bulk_decision(
    app: Flask, session: Session, kind: BulkKind
) -> None:
    with transaction() as writing:
        first = make_signature(writing, email="ada@flood.example.org").id
    decision = carry_out(kind)
    me = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
    now = clock.utc_now()
    with transaction() as writing:
        actions.erase_signature(writing, first, now=now)
        actions.sign_petition(writing, "ada+x@flood.example.org", me, agreed_now(), now=now)
        again = writing.scalars(select(Signature)).one()
        outcome = actions.verify_signature(writing, again.id, 1, now=now)
    assert outcome is actions.Verification.HELD
    take_back(decision)
    assert statuses(session) == {Status.HELD: 1}
    carry_out(BulkKind.RELEASE)
    assert session.scalars(select(ReviewedAddress)).all() == []
    assert_exact(session, 1)


def test_undoing_forgets_only_what_the_decision_itself_remembered(
    app: Flask, session: Session
) -> None:
    flood(1, Status.AWAITING)
    with transaction() as writing:
        waiting = writing.scalars(select(Signature)).one()
        writing.add(
            ReviewedAddress(address_digest=waiting.address_digest, decided_at=clock.utc_now())
        )
    take_back(carry_out(BulkKind.REMOVE))
    assert len(session.scalars(select(ReviewedAddress)).all()) == 1


def test_a_release_forgets_a_review_that_is_under_an_older_key(
    make_app: Callable[..., Flask],
) -> None:
    old, new = "o" * 40, "n" * 40
    with make_app(SECRET_KEYS=old).app_context():
        flood(1)
        carry_out(BulkKind.HOLD)
    with make_app(SECRET_KEYS=f"{new},{old}").app_context():
        with transaction() as session:
            signature = session.scalars(select(Signature)).one()
            me = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
            # Sending the form moves the row to the newest digest, but not the review.
            actions.sign_petition(session, signature.email, me, agreed_now(), now=clock.utc_now())
        carry_out(BulkKind.RELEASE)
        with transaction() as session:
            assert session.scalars(select(ReviewedAddress)).all() == []


def test_what_waits_anew_keeps_nothing_of_its_network(app: Flask, session: Session) -> None:
    long_ago = clock.utc_now() - timedelta(days=6)
    flood(1, Status.AWAITING, network="203.0.113.7", now=long_ago)
    take_back(carry_out(BulkKind.REMOVE))
    session.rollback()
    waiting = session.scalars(select(Signature)).one()
    assert (waiting.status, waiting.network_digest) == (Status.AWAITING, None)
    assert waiting.signed_at > long_ago


def test_the_log_tells_what_was_decided_by_numbers_alone(app: Flask, session: Session) -> None:
    flood(3)
    decision = carry_out(BulkKind.REMOVE, limit=2)
    with transaction() as writing:
        confirm_proposal(
            writing, decision.id, counted=3, actor="moderator two", now=clock.utc_now()
        )
    take_back(decision)
    session.rollback()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(3)).all()
    assert [(line.actor, line.action) for line in lines[::-1]] == [
        ("moderator one", "signatures: bulk remove proposed"),
        ("moderator two", "signatures: bulk remove"),
        ("moderator one", "signatures: bulk remove undone"),
    ]
    assert {line.subject for line in lines} == {f"bulk decision {decision.id}: 3 signatures"}
    assert "flood" not in "".join(line.subject + line.reason for line in lines)
    assert verify_chain(session)


def test_a_decision_outlives_the_signatures_that_it_was_about(app: Flask, session: Session) -> None:
    ids = flood(2)
    decision = carry_out(BulkKind.HOLD)
    with transaction() as writing:
        actions.erase_signature(writing, ids[0], now=clock.utc_now())
    session.rollback()
    assert [each.signature_id for each in session.scalars(select(BulkChange))] == [ids[1]]
    assert session.get_one(BulkDecision, decision.id).count == 2


def test_ten_thousand_are_decided_about_in_a_few_statements(app: Flask, session: Session) -> None:
    from sqlalchemy import event

    from coalition.db import db

    size = 10_000
    (one,) = flood(1, region=Region.WALES)
    with transaction() as writing:
        columns = {name: value for name, value in vars(writing.get_one(Signature, one)).items()
                   if not name.startswith("_")}  # fmt: skip
        rows = [
            {**columns, "id": uuid.uuid4(), "address_digest": number.to_bytes(32)}
            for number in range(size - 1)
        ]
        writing.execute(Signature.__table__.insert(), rows)
        writing.execute(
            CountEvent.__table__.insert(),
            [{"day": clock.utc_now().date(), "cause": "verified", "change": size - 1,
              "region": Region.WALES, "kind": None}],
        )  # fmt: skip
    ran: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: ran.append(given[2]))
    decision = carry_out(BulkKind.REMOVE, limit=size)
    assert decision.count == size
    assert len(ran) < 25
    assert_exact(session, 0)
    assert mails(session) == size
    assert take_back(decision).undone_count == size
    assert mails(session) == 0
    assert_exact(session, size)


def test_the_tally_is_exact_while_signatures_change_at_the_same_time(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="20")
    ids = flood(40, region=Region.WALES) + flood(20, Status.AWAITING, kind=Kind.FAMILY)
    barrier = Barrier(8)

    def act(signature_id: uuid.UUID, number: int, now: datetime) -> None:
        with transaction() as writing:
            if number == 0:
                actions.verify_signature(writing, signature_id, 1, now=now)
            elif number == 1:
                actions.withdraw_signature(writing, signature_id, now=now)
            else:
                personal = actions.Personal(
                    "A", random.choice(list(Region)), None, show_name=False, wants_updates=False
                )
                version = agreed_now().consent_version_id
                actions.correct_signature(writing, signature_id, personal, version, now=now)

    def live(number: int) -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(15):
                act(random.choice(ids), number % 3, clock.utc_now())

    def moderate(number: int) -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(6):
                kind = random.choice(list(BulkKind))
                try:
                    decision = carry_out(kind, limit=1000, actor=f"moderator {number}")
                    if random.random() < 0.5:
                        take_back(decision)
                except NotPossible:
                    pass  # the number has changed, or nothing is left

    with ThreadPoolExecutor(8) as pool:
        works = [pool.submit(live if number < 5 else moderate, number) for number in range(8)]
        for each in works:
            each.result()
    session.rollback()
    total = session.scalars(
        select(func.count()).select_from(Signature).where(Signature.status == Status.VERIFIED)
    ).one()
    assert_exact(session, total)
