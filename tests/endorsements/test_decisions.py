"""Moderation decisions about organisations: each with its state, its mail and its line in the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.audit.proof import verify_chain
from coalition.db import transaction
from coalition.endorsements import decisions
from coalition.endorsements.actions import appeal_decision, edit_endorsement, withdraw_endorsement
from coalition.endorsements.decisions import LONGEST_WORDS, NotPossible
from coalition.endorsements.models import (
    DECLINE_NAMES,
    DeclineCode,
    Endorsement,
    EndorsementStatus,
    EntryState,
)
from coalition.endorsements.queries import find_entry, find_entry_in, queue, supporters
from tests.factories import make_endorsement, public_details
from tests.mailbox import Mailbox, html_of, link_in, text_of
from tests.visitor import Visitor

Status = EndorsementStatus
Work = Callable[[], object]


def decide(name: str, endorsement_id: uuid.UUID, **values: Any) -> None:
    given: dict[str, Any] = {
        "approve": {},
        "ask_for_more": {"words": "Who decided it?"},
        "decline": {"words": "It is there.", "code": DeclineCode.DUPLICATE},
        "remove": {"words": "It closed."},
    }[name]
    with transaction() as session:
        decision: Callable[..., None] = getattr(decisions, name)
        if name in ("approve", "decline"):
            entry = find_entry(session, endorsement_id)
            given["entry_id"] = entry.id if entry else uuid.uuid4()
        all_values = {**given, "actor": "a moderator", "now": clock.utc_now(), **values}
        decision(session, endorsement_id, **all_values)


def status_of(session: Session, endorsement_id: uuid.UUID) -> Status:
    session.rollback()
    return session.get_one(Endorsement, endorsement_id).status


def made(status: Status = Status.IN_REVIEW, **values: Any) -> uuid.UUID:
    with transaction() as session:
        return make_endorsement(session, status=status, **values).id


ALLOWED = {
    "approve": {
        Status.IN_REVIEW: Status.PUBLISHED,
        Status.DECLINED: Status.PUBLISHED,
        Status.REMOVED: Status.PUBLISHED,
    },
    "ask_for_more": {Status.IN_REVIEW: Status.MORE_ASKED},
    "decline": {Status.IN_REVIEW: Status.DECLINED, Status.MORE_ASKED: Status.DECLINED},
    "remove": {Status.PUBLISHED: Status.REMOVED},
}


@pytest.mark.parametrize("before", list(Status))
@pytest.mark.parametrize("name", ALLOWED)
def test_a_decision_is_possible_from_its_states_alone(
    app: Flask, session: Session, name: str, before: Status
) -> None:
    endorsement_id = made(before)
    if before in ALLOWED[name]:
        decide(name, endorsement_id)
        assert status_of(session, endorsement_id) is ALLOWED[name][before]
    else:
        with pytest.raises(NotPossible):
            decide(name, endorsement_id)
        assert status_of(session, endorsement_id) is before


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_not_there_cannot_be_decided(app: Flask, name: str) -> None:
    with pytest.raises(NotPossible, match="no such endorsement"):
        decide(name, uuid.uuid4())


@pytest.mark.parametrize("name", ["ask_for_more", "decline", "remove"])
@pytest.mark.parametrize("words", ["", "  ", "x" * (LONGEST_WORDS + 1)])
def test_whoever_refuses_says_why(app: Flask, session: Session, name: str, words: str) -> None:
    before = next(iter(ALLOWED[name]))
    endorsement_id = made(before)
    with pytest.raises(NotPossible):
        decide(name, endorsement_id, words=words)
    assert status_of(session, endorsement_id) is before


@pytest.mark.parametrize(
    ("name", "before", "told"),
    [
        ("approve", Status.IN_REVIEW, "is on the list"),
        ("ask_for_more", Status.IN_REVIEW, "Who decided it?"),
        ("decline", Status.IN_REVIEW, "It is there."),
        ("remove", Status.PUBLISHED, "It closed."),
    ],
)
def test_each_decision_is_told_to_the_contact_and_written_to_the_log(
    app: Flask,
    session: Session,
    visitor: Visitor,
    work: Work,
    mailbox: Mailbox,
    name: str,
    before: Status,
    told: str,
) -> None:
    endorsement_id = made(before, email="officer@example.org")
    work()
    mailbox.received.clear()
    decide(name, endorsement_id)
    work()
    (mail,) = mailbox.received
    assert mail["To"] == "officer@example.org"
    for part in (text_of(mail), html_of(mail)):
        assert told in part
    assert visitor.get(link_in(mail, "supporters/entry")).status == 200
    session.rollback()
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert line.actor == "a moderator"
    assert line.action == f"endorsement: {name.replace('_', ' ')}"
    assert line.subject == f"endorsement {endorsement_id}"
    verify_chain(session)


@pytest.mark.parametrize("code", list(DeclineCode))
def test_a_refusal_names_its_kind(
    app: Flask, work: Work, mailbox: Mailbox, code: DeclineCode
) -> None:
    endorsement_id = made()
    work()
    decide("decline", endorsement_id, code=code)
    work()
    assert DECLINE_NAMES[code] in text_of(mailbox.received[-1])


def test_an_edit_is_public_only_once_it_is_approved(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement_id = made(Status.PUBLISHED, name="Old Name", words="Old words.")
    edit(endorsement_id, name="New Name", words="New words.")
    page = visitor.get("/supporters/old-name")
    assert "Old words." in page.text
    assert "New Name" not in page.text
    assert "New words." not in page.text
    (waiting,) = queue(session)
    assert (waiting.is_edit, waiting.entry.name) == (True, "New Name")
    decide("approve", endorsement_id)
    page = visitor.get("/supporters/old-name")
    assert "New words." in page.text
    assert "Old words." not in page.text


def test_a_later_edit_leaves_the_day_on_which_it_was_first_public(
    app: Flask, session: Session
) -> None:
    endorsement_id = made(Status.PUBLISHED)
    first = session.get_one(Endorsement, endorsement_id).published_at
    edit(endorsement_id, name="New Name")
    decide("approve", endorsement_id, now=clock.utc_now() + timedelta(days=9))
    session.rollback()
    assert session.get_one(Endorsement, endorsement_id).published_at == first


@pytest.mark.parametrize("name", ["approve", "decline"])
def test_words_that_came_after_the_moderator_read_are_not_decided_about(
    app: Flask, session: Session, name: str
) -> None:
    endorsement_id = made()
    read = find_entry(session, endorsement_id)
    assert read is not None
    edit(endorsement_id, words="Quite other words.")
    with pytest.raises(NotPossible, match="changed since you read it"):
        decide(name, endorsement_id, entry_id=read.id)
    assert status_of(session, endorsement_id) is Status.IN_REVIEW


def test_an_edit_that_waited_is_not_published_with_what_was_removed(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement_id = made(Status.PUBLISHED, name="Old Name")
    edit(endorsement_id, name="New Name")
    decide("remove", endorsement_id)
    decide("approve", endorsement_id)
    text = visitor.get("/supporters/old-name").text
    assert "Old Name" in text
    assert "New Name" not in text


def test_an_answer_to_a_refusal_reaches_the_moderators(app: Flask, session: Session) -> None:
    endorsement_id = made(Status.DECLINED)
    assert queue(session) == []
    with transaction() as writing:
        assert appeal_decision(writing, endorsement_id, "Look again.", now=clock.utc_now())
    assert [each.endorsement.id for each in queue(session)] == [endorsement_id]


def test_an_answer_to_a_removal_reaches_the_moderators_and_can_bring_it_back(
    app: Flask, session: Session
) -> None:
    endorsement_id = made(Status.REMOVED)
    assert queue(session) == []
    with transaction() as writing:
        assert appeal_decision(writing, endorsement_id, "Look again.", now=clock.utc_now())
    (waiting,) = queue(session)
    assert waiting.endorsement.id == endorsement_id
    decide("approve", endorsement_id)
    assert status_of(session, endorsement_id) is Status.PUBLISHED


def test_a_mail_that_waited_tells_nothing_that_is_no_longer_so(
    app: Flask, work: Work, mailbox: Mailbox
) -> None:
    withdrawn, asked, removed = made(), made(), made(Status.PUBLISHED)
    work()
    mailbox.received.clear()
    decide("approve", withdrawn)
    decide("ask_for_more", asked)
    decide("remove", removed)
    with transaction() as writing:
        withdraw_endorsement(writing, withdrawn, now=clock.utc_now())
        appeal_decision(writing, asked, "We all did.", now=clock.utc_now())
        appeal_decision(writing, removed, "We are still here.", now=clock.utc_now())
    decide("approve", removed)
    work()
    told = sorted(" ".join(text_of(mail).split()) for mail in mailbox.received)
    assert len(told) == 2, told
    assert any("has been read, and is on the list" in text for text in told)
    assert any("no longer stands under" in text for text in told)


def test_two_of_one_name_that_are_published_at_once_have_two_addresses(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(Status.PUBLISHED, name="Same Name")
    second = made(Status.IN_REVIEW, name="Same Name")
    # What the other moderator's transaction has not yet shown.
    seen = iter(["same-name", "same-name-2"])
    monkeypatch.setattr(decisions, "free_slug", lambda *_: next(seen))
    decide("approve", second)
    session.rollback()
    assert session.get_one(Endorsement, second).slug == "same-name-2"
    assert status_of(session, second) is Status.PUBLISHED


def test_an_edit_that_is_declined_leaves_what_is_public(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement_id = made(Status.PUBLISHED, name="Old Name")
    edit(endorsement_id, name="New Name")
    decide("decline", endorsement_id, code=DeclineCode.WORDS)
    work()
    assert status_of(session, endorsement_id) is Status.PUBLISHED
    assert "Old Name" in visitor.get("/supporters/old-name").text
    assert any("stays as it is" in text_of(mail) for mail in mailbox.received)
    assert queue(session) == []
    with pytest.raises(NotPossible, match="nothing waits"):
        decide("approve", endorsement_id)


def edit(endorsement_id: uuid.UUID, **values: Any) -> None:
    with transaction() as session:
        changed = edit_endorsement(
            session, endorsement_id, public_details(**values), now=clock.utc_now()
        )
        assert changed


@pytest.mark.parametrize("status", [Status.MORE_ASKED, Status.DECLINED])
def test_whoever_mends_what_was_asked_for_is_in_the_queue_again(
    app: Flask, session: Session, status: Status
) -> None:
    endorsement_id = made(status)
    assert queue(session) == []
    edit(endorsement_id, words="We decided it in May.")
    session.rollback()
    assert [each.endorsement.id for each in queue(session)] == [endorsement_id]


def test_the_longest_waiting_is_first_in_the_queue(app: Flask, session: Session) -> None:
    moments = [clock.utc_now().replace(hour=hour) for hour in (3, 1, 2)]
    ids: dict[datetime, uuid.UUID] = {now: made(now=now) for now in moments}
    made(Status.AWAITING)
    assert [each.endorsement.id for each in queue(session)] == [ids[now] for now in sorted(ids)]


def test_two_organisations_of_one_name_have_two_addresses(app: Flask, session: Session) -> None:
    for _ in range(3):
        made(Status.PUBLISHED, name="Fictional Friends")
    made(Status.PUBLISHED, name="Endorse")
    slugs = {each.endorsement.slug for each in supporters(session)}
    assert slugs == {"fictional-friends", "fictional-friends-2", "fictional-friends-3", "endorse-2"}


@pytest.mark.parametrize(
    ("name", "slug"), [("漢字", "organisation"), ("Élan & Cie", "elan-cie"), ("x" * 200, "x" * 60)]
)
def test_every_name_has_an_address(
    app: Flask, session: Session, visitor: Visitor, name: str, slug: str
) -> None:
    made(Status.PUBLISHED, name=name)
    assert name.replace("&", "&amp;") in visitor.get(f"/supporters/{slug}").text


def test_a_removed_organisation_leaves_no_trace_on_the_site(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement_id = made(Status.REMOVED, name="Fictional Friends")
    assert visitor.get("/supporters/fictional-friends").status == 404
    for path in ("/supporters", "/supporters.csv", "/supporters.json"):
        assert "Fictional Friends" not in visitor.get(path).text
    decide("approve", endorsement_id)
    assert visitor.get("/supporters/fictional-friends").status == 200
    session.rollback()
    assert find_entry_in(session, endorsement_id, EntryState.PUBLIC)
