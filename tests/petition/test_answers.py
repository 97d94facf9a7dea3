"""What a signatory writes against a decision: who may decide about it, and what comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.proof import verify_chain
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.petition import actions
from coalition.petition.bulk import confirm_proposal
from coalition.petition.deciders import last_deciders
from coalition.petition.decisions import (
    DECISIONS,
    NotPossible,
    decide,
    mark_of,
    preview_mail,
)
from coalition.petition.models import BulkKind, Signature, SignatureStatus
from coalition.petition.queries import held_signatures
from tests.bulking import assert_exact, carry_out, flood, take_back
from tests.conftest import environment, run_command
from tests.mailbox import Mailbox, text_of

Status = SignatureStatus
Work = Callable[[], object]
ADA, GRACE, MO = (f"moderator {uuid.UUID(int=number)}" for number in range(1, 4))


def decided(name: str, signature_id: uuid.UUID, actor: str = ADA, **values: object) -> bool:
    with transaction() as session:
        return decide(
            session, DECISIONS[name], signature_id, reason="We could not tell.", actor=actor,
            now=clock.utc_now(), **values,  # type: ignore[arg-type]
        )  # fmt: skip


def write_to_us(signature_id: uuid.UUID) -> None:
    with transaction() as session:
        assert actions.appeal_decision(session, signature_id, "It is me.", now=clock.utc_now())


def deciders(*signature_ids: uuid.UUID) -> list[set[str]]:
    with transaction() as session:
        found = last_deciders(session, signature_ids)
        return [set(found.get(each, ())) for each in signature_ids]


def test_nobody_decided_where_nobody_did(app: Flask) -> None:
    assert deciders(*flood(1)) == [set()]
    assert deciders() == []


def test_who_decided_last_against_it_is_known_of_many_at_once(app: Flask) -> None:
    held, removed, kept, released = flood(4)
    for signature_id in (held, removed, kept, released):
        decided("hold", signature_id)
    decided("remove", removed, GRACE)
    write_to_us(kept)
    decided("keep", kept, MO)
    decided("release", released, GRACE)
    assert deciders(held, removed, kept, released) == [{ADA}, {GRACE}, {MO}, {ADA}]


def test_both_who_decided_about_many_are_known(app: Flask) -> None:
    ids = flood(2)
    decided("hold", ids[0], MO)
    decided("release", ids[0], MO)
    proposal = carry_out(BulkKind.REMOVE, limit=1, actor=ADA)
    with transaction() as session:
        confirm_proposal(session, proposal.id, counted=2, actor=GRACE, now=clock.utc_now())
    assert deciders(*ids) == [{ADA, GRACE}] * 2
    write_to_us(ids[0])
    for actor in (ADA, GRACE):
        with pytest.raises(NotPossible, match="somebody else"):
            decided("restore", ids[0], actor)
    assert decided("restore", ids[0], MO)


def test_a_decision_about_many_that_was_undone_is_no_longer_anybodys(app: Flask) -> None:
    (signature_id,) = flood(1)
    take_back(carry_out(BulkKind.HOLD, actor=GRACE), actor=GRACE)
    assert deciders(signature_id) == [set()]
    decided("hold", signature_id, ADA)
    take_back(carry_out(BulkKind.RELEASE, actor=GRACE), actor=GRACE)
    assert deciders(signature_id) == [{ADA}]


@pytest.mark.parametrize("name", ["release", "keep", "remove"])
def test_an_answer_is_decided_about_by_somebody_else(
    app: Flask, session: Session, name: str
) -> None:
    (signature_id,) = flood(1)
    decided("hold", signature_id)
    write_to_us(signature_id)
    with pytest.raises(NotPossible, match="somebody else has to look at the answer"):
        decided(name, signature_id)
    session.rollback()
    assert session.get_one(Signature, signature_id).appeal == "It is me."
    assert decided(name, signature_id, GRACE)


def test_whoever_decided_may_change_their_mind_while_nobody_wrote(app: Flask) -> None:
    (signature_id,) = flood(1)
    decided("hold", signature_id)
    assert decided("release", signature_id)


def test_a_decision_is_kept_only_as_an_answer(app: Flask, session: Session) -> None:
    for status in Status:
        (signature_id,) = flood(1, status)
        with pytest.raises(NotPossible, match="cannot keep a signature that is"):
            decided("keep", signature_id)


@pytest.mark.parametrize("status", [Status.HELD, Status.REMOVED])
def test_a_decision_that_is_kept_changes_no_count_and_is_told_with_its_reason(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, status: Status
) -> None:
    (signature_id,) = flood(1, status)
    write_to_us(signature_id)
    decided("keep", signature_id)
    work()
    (mail,) = mailbox.received
    assert "has read what you wrote to us" in text_of(mail)
    assert "We could not tell." in text_of(mail)
    session.rollback()
    signature = session.get_one(Signature, signature_id)
    assert (signature.status, signature.appeal) == (status, None)
    assert verify_chain(session)
    assert_exact(session, 0)
    write_to_us(signature_id)


def test_a_mail_that_it_is_kept_is_not_sent_once_it_counts_again(
    app: Flask, work: Work, mailbox: Mailbox
) -> None:
    (signature_id,) = flood(1, Status.HELD)
    write_to_us(signature_id)
    decided("keep", signature_id)
    decided("release", signature_id, GRACE)
    work()
    assert all("counts" in text_of(each) for each in mailbox.received)


def test_undoing_leaves_alone_what_was_kept(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    decision = carry_out(BulkKind.HOLD)
    write_to_us(signature_id)
    decided("keep", signature_id)
    assert take_back(decision).undone_count == 0


def test_what_is_decided_is_what_was_read(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    mark = mark_of(session.get_one(Signature, signature_id))
    with pytest.raises(NotPossible, match="changed since you read it"):
        decided("hold", signature_id, read="x")
    assert decided("hold", signature_id, read=mark)
    with pytest.raises(NotPossible, match="changed since you read it"):
        decided("release", signature_id, read=mark)


def test_a_preview_changes_nothing(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    signature = session.get_one(Signature, signature_id)
    told = {"reason": "Because.", "now": clock.utc_now()}
    mail = preview_mail(session, signature, DECISIONS["hold"], **told)  # type: ignore[arg-type]
    assert mail is not None
    assert "Because." in mail.text
    session.commit()
    found = session.get_one(Signature, signature_id, populate_existing=True)
    assert (found.status, found.decision_reason) == (Status.VERIFIED, None)


def test_whoever_asked_for_no_mail_is_shown_none(app: Flask, session: Session) -> None:
    (signature_id,) = flood(1)
    with transaction() as writing:
        block_address(writing, writing.get_one(Signature, signature_id).email, now=clock.utc_now())
    session.rollback()
    signature = session.get_one(Signature, signature_id)
    told = {"reason": "Because.", "now": clock.utc_now()}
    assert preview_mail(session, signature, DECISIONS["hold"], **told) is None  # type: ignore[arg-type]


def test_what_was_removed_waits_once_its_owner_wrote(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    (removed,) = flood(1, Status.REMOVED, now=now - timedelta(days=1))
    (held,) = flood(1, Status.HELD, now=now)
    assert [each.id for each in held_signatures(session)] == [held]
    write_to_us(removed)
    session.rollback()
    assert [each.id for each in held_signatures(session)] == [removed, held]


def test_a_shell_can_keep_a_decision(app: Flask, database_url: str, mailbox: Mailbox) -> None:
    (signature_id,) = flood(1, Status.HELD)
    settings = environment(database_url, mailbox.url)
    words = ("signatures", "keep", str(signature_id), "--reason", "We could not tell.")
    refused = run_command(settings, *words)
    assert "cannot keep a signature that is held: nobody wrote to us" in refused.stderr
    write_to_us(signature_id)
    assert run_command(settings, *words).stdout == "done\n"
