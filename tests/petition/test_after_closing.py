"""Six months after the closing everything personal is deleted, and the number stands."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import after_closing, clock, retention
from coalition.accounts.models import Moderator, Role
from coalition.crypto import EncryptedBytes, EncryptedText
from coalition.db import Base, is_postgresql, transaction
from coalition.endorsements.actions import Contact, ask_contact_change
from coalition.endorsements.models import EndorsementStatus, Entry, EntryState
from coalition.mail.actions import block_address, queue_message
from coalition.mail.models import Bounce, BounceKind, OutboxMessage
from coalition.petition import queries
from coalition.petition.actions import withdraw_signature
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.hand_in_models import HandIn, HandInState
from coalition.petition.models import (
    BulkDecision,
    BulkKind,
    BulkState,
    DailyTally,
    Signature,
)
from coalition.petition.tally import SETTLED, fix_final_number, fold
from coalition.retention import AFTER_CLOSING, clean_all
from coalition.statements.closing import CannotClose, close_campaign, reopen_campaign
from coalition.statements.models import KEPT_AFTER_CLOSING, DocumentVersion, Draft
from coalition.testimonies.complaint_models import Complaint, ComplaintState, Ground
from coalition.testimonies.models import Testimony
from coalition.testimonies.safeguarding_models import SafeguardingFlag
from coalition.testimonies.states import State
from tests.commands import run_coalition
from tests.conftest import environment
from tests.desking import make_moderator
from tests.factories import make_endorsement, make_signature
from tests.telling import come_back, make_testimony, press, publish, told
from tests.visitor import Visitor

NOW = clock.utc_now()
TERM = NOW + KEPT_AFTER_CLOSING  # what is closed NOW is kept until then
SHOWN = "They came with two police officers."
TAKEN_OUT = "Officer Fictional"

# Encrypted, and stays: of those who work at the desk, of what is public, and how it is encrypted.
STAYS = {
    "moderators", "passkeys", "desk_sessions", "reading_preferences", "readings",
    "network_rules", "published_testimonies", "testimony_lookup_key",
}  # fmt: skip


def fill(app: Flask) -> str:
    """Something of each sort. Returns the address of a published testimony."""
    who_id = make_moderator(app, Role.ADMINISTRATOR)
    _, slug = publish(app, told(contact="ada@example.org"))
    with transaction() as session:
        who = session.get_one(Moderator, who_id)
        rows = [make_signature(session, appeal="It was me.") for _ in range(3)]
        decide(session, DECISIONS["hold"], rows[0].id, reason="why", actor="test", now=NOW)
        make_endorsement(session, status=EndorsementStatus.IN_REVIEW)
        listed = make_endorsement(session, name="Able Group")
        ask_contact_change(session, listed.id, Contact("g@example.org", "Grace", "Chair"), now=NOW)
        entry = session.scalars(select(Entry).where(Entry.endorsement_id == listed.id)).one()
        fields = ("endorsement_id", "name", "website", "kind", "nation", "words", "logo_alt")
        proposed = {name: getattr(entry, name) for name in fields}
        session.add(Entry(**proposed, state=EntryState.PROPOSED, proposed_at=NOW))
        block_address(session, "blocked@example.org", now=NOW)
        queue_message(session, "petition.link", details={"address": "a@example.org"}, now=NOW)
        testimony = make_testimony(session)
        make_testimony(session, sends=False)
        session.add_all(things(who, slug, testimony.testimony_id))
    with transaction() as session:
        fold(session, now=NOW)
    close()
    with transaction() as session:
        withdraw_signature(session, rows[1].id, now=NOW)
        fix_final_number(session, now=NOW + SETTLED)
    return slug


def things(who: Moderator, slug: str, testimony_id: uuid.UUID) -> list[Any]:
    rules = select(DocumentVersion.id).where(DocumentVersion.slug == "testimonies").limit(1)
    return [
        HandIn(asked_by=who.actor, asked_at=NOW, state=HandInState.DONE, due_at=NOW),
        BulkDecision(
            id=uuid.uuid4(), kind=BulkKind.HOLD, state=BulkState.PROPOSED, actor=who.actor,
            reason="why", count=1, at=NOW, search="{}",
        ),
        Bounce(
            id=uuid.uuid4(), message_id=uuid.uuid4(), mail_kind="x", address_digest=b"x" * 32,
            kind=BounceKind.PERMANENT, status="5.1.1", at=NOW, diagnostic="x",
        ),
        Complaint(
            id=uuid.uuid4(), slug=slug, ground=Ground.OTHER, stored_details="{}",
            received_at=NOW, state=ComplaintState.OPEN,
        ),
        SafeguardingFlag(
            id=uuid.uuid4(), rules_version_id=rules.scalar_subquery(), raised_by=who.id,
            raised_at=NOW, words="I am worried.", testimony_id=testimony_id,
        ),
        Draft(
            slug="statement", moderator_id=who.id, text="x", note="", base_version=1,
            revision=uuid.uuid4(), updated_at=NOW,
        ),
    ]  # fmt: skip


def close() -> None:
    with transaction() as session:
        close_campaign(session, actor="test", now=NOW)


def found(now: Any = TERM) -> dict[str, int]:
    return {each.name: each.look(now=now) for each in AFTER_CLOSING}


def delete_all(now: Any = TERM) -> None:
    for done in clean_all(now=now):
        assert isinstance(done.found, int), (done.clean_up.name, done.found)


def test_every_sort_goes_when_the_term_is_over_and_not_before(app: Flask) -> None:
    fill(app)
    early = TERM - timedelta(seconds=1)
    assert not any(found(early).values())
    assert not any(each.run(now=early) for each in AFTER_CLOSING)
    assert {name for name, number in found().items() if not number} == set()
    for each in AFTER_CLOSING:
        each.run(now=TERM)
    assert not any(found().values())


def test_nothing_goes_while_the_petition_is_open_however_old(app: Flask, session: Session) -> None:
    fill(app)
    with transaction() as writing:
        reopen_campaign(writing, actor="test", now=NOW)
    assert not any(found(TERM + timedelta(days=1000)).values())


def test_no_encrypted_word_is_left_but_what_is_public_and_of_the_desk(
    app: Flask, session: Session
) -> None:
    fill(app)
    delete_all()
    session.rollback()
    kept = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, EncryptedText | EncryptedBytes)
        and session.scalar(select(func.count()).select_from(table).where(column.is_not(None)))
        and table.name not in STAYS
    }
    # Of one testimony: what is public of it, and what its writer chose.
    assert kept == {
        "testimonies.text", "testimonies.choices", "testimony_editions.spans",
        "testimony_editions.front", "testimony_editions.text",
    }  # fmt: skip
    assert session.scalars(select(Testimony.state).where(Testimony.text.is_not(None))).all() == [
        State.PUBLISHED
    ]


def test_no_fingerprint_of_an_address_or_a_network_is_left(app: Flask, session: Session) -> None:
    fill(app)
    delete_all()
    session.rollback()
    kept = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name in ("address_digest", "domain_digest", "network_digest")
        and session.scalar(select(func.count()).select_from(table).where(column.is_not(None)))
    }
    assert kept == {"moderators"}


def test_of_a_published_testimony_only_what_is_public_is_left_and_its_code_still_works(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    ticket, slug = publish(app, told(contact="ada@example.org"))
    close()
    with transaction() as writing:
        fix_final_number(writing, now=NOW + SETTLED)
    delete_all()
    assert SHOWN in visitor.get(f"/testimonies/{slug}").text
    session.rollback()
    left = session.get_one(Testimony, ticket.testimony_id, populate_existing=True)
    assert left.text is not None
    assert SHOWN in left.text
    assert TAKEN_OUT not in left.text
    assert left.contact is None
    session.rollback()
    page = press(visitor, come_back(visitor, ticket.code), "withdraw")
    assert "You have withdrawn it" in page.text
    assert visitor.get(f"/testimonies/{slug}").status == 410


def test_the_public_list_and_what_it_says_stay(app: Flask, visitor: Visitor) -> None:
    fill(app)
    delete_all()
    page = visitor.get("/supporters")
    assert "Able Group" in page.text
    assert visitor.get("/supporters/able-group").status == 200


def test_the_number_stands_and_verify_says_so_in_words(
    app: Flask, session: Session, database_url: str, visitor: Visitor
) -> None:
    fill(app)
    tally = select(DailyTally.dimension, DailyTally.category, DailyTally.change)
    before = session.execute(tally).all()
    session.rollback()
    delete_all()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Signature)) == 0
    assert session.execute(tally).all() == before
    assert queries.read_count(session, now=TERM).signatures == 2
    values = {**os.environ, **environment(database_url, "smtp://127.0.0.1")}
    done = run_coalition(("tally", "verify"), values)
    assert done.returncode == 0
    assert b"The signatures are deleted" in done.stdout
    assert b"with 2 signatures: the final number stands" in done.stdout
    with transaction() as writing:
        writing.query(DailyTally).delete()
    assert run_coalition(("tally", "verify"), values).returncode == 1


def test_once_it_began_the_closing_cannot_be_undone(app: Flask, session: Session) -> None:
    fill(app)
    delete_all()
    with pytest.raises(CannotClose, match="deleted"), transaction() as writing:
        reopen_campaign(writing, actor="test", now=TERM)


def test_what_comes_after_the_term_has_a_term_of_its_own(app: Flask, session: Session) -> None:
    slug = fill(app)
    delete_all()
    later = TERM + timedelta(days=1)
    with transaction() as writing:
        writing.add(
            Complaint(
                id=uuid.uuid4(), slug=slug, ground=Ground.OTHER, stored_details="{}",
                received_at=later, state=ComplaintState.OPEN,
            )
        )  # fmt: skip
        queue_message(writing, "accounts.x", details={}, now=later)
    delete_all(later + timedelta(days=1))
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Complaint)) == 1
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_it_goes_in_batches_a_transaction_each(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (after_closing, retention):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "MOST_AT_A_TIME", 2)
    with transaction() as writing:
        for _ in range(7):
            make_signature(writing)
    close()
    with transaction() as writing:
        fix_final_number(writing, now=NOW + SETTLED)
    signatures = next(each for each in AFTER_CLOSING if each.sort.table is Signature)
    assert [signatures.run(now=TERM) for _ in range(3)] == [4, 3, 0]


def test_what_somebody_holds_is_not_waited_for(app: Flask, session: Session) -> None:
    """On SQLite there is one writer at a time: there, nobody can hold a row."""
    fill(app)
    if not is_postgresql(session):
        delete_all()
        assert not any(found().values())
        return

    def delete_beside() -> None:
        with app.app_context():
            delete_all()

    with ThreadPoolExecutor(1) as pool, transaction() as holder:
        for each in AFTER_CLOSING:
            key = each.sort.table.__mapper__.primary_key
            holder.execute(select(*key).where(*each.sort.which(TERM)).limit(1).with_for_update())
        pool.submit(delete_beside).result(60)
    assert any(found().values())
    delete_all()
    assert not any(found().values())


def test_the_notice_says_the_term_before_anybody_signs(app: Flask, visitor: Visitor) -> None:
    notice = visitor.get("/privacy").text
    assert f"<strong>{KEPT_AFTER_CLOSING.days} days</strong> (six months) after" in notice
