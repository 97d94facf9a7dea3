"""Organisations at the desk: taken, read, decided once, by somebody who may."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.desk.models import LEASE, Claim
from coalition.endorsements.actions import appeal_decision, edit_endorsement
from coalition.endorsements.models import EndorsementStatus
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.endorsing import look, made
from tests.engines import on_both
from tests.factories import public_details
from tests.judging import WORDS, check, decide, moderator, path, read_of, take
from tests.mailbox import Mailbox, text_of

Status = EndorsementStatus
Work = Callable[[], object]


def test_the_queue_shows_labels_and_no_words(app: Flask) -> None:
    made(Status.IN_REVIEW, name="Able Group", words="Something hard to read.")
    page = moderator(app).get("/desk/organisations")
    assert "Able Group" in page.text
    assert "23 letters" in page.text
    assert "hard to read" not in page.text


def test_nothing_is_read_before_it_is_taken(app: Flask, session: Session) -> None:
    endorsement = made(Status.IN_REVIEW, words="Words to read.", email="ada@friends.example.org")
    visitor = moderator(app)
    page = visitor.get(path(endorsement))
    assert "Words to read." not in page.text
    assert "ada@friends.example.org" not in page.text
    page = take(visitor, endorsement)
    assert "Words to read." in page.text
    assert "ada@friends.example.org" in page.text
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert line.action == "endorsement: read"
    assert line.actor.startswith("moderator ")


@pytest.mark.parametrize(
    ("decision", "answers", "status", "told"),
    [
        ("approve", {}, Status.PUBLISHED, "is on the list"),
        ("ask", {"words": WORDS}, Status.MORE_ASKED, WORDS),
        (
            "decline",
            {"words": "It is there.", "code": "duplicate"},
            Status.DECLINED,
            "It is there.",
        ),
    ],
)
def test_each_decision_shows_its_mail_first_and_sends_just_that(
    app: Flask, session: Session, work: Work, mailbox: Mailbox,
    decision: str, answers: dict[str, str], status: Status, told: str,
) -> None:  # fmt: skip
    endorsement = made(Status.IN_REVIEW)
    work()
    mailbox.received.clear()
    visitor = moderator(app)
    page = check(visitor, take(visitor, endorsement), decision, **answers)
    assert told in page.text
    assert look(session, endorsement).status is Status.IN_REVIEW
    done = visitor.submit(page, path(endorsement, "/decide"))
    assert done.url.startswith("/desk/organisations")
    assert look(session, endorsement).status is status
    work()
    (mail,) = mailbox.received
    assert told in " ".join(text_of(mail).split())


@pytest.mark.parametrize("decision", ["approve", "ask", "decline"])
def test_a_mail_that_is_shown_before_it_goes_lets_nobody_act_as_its_reader(
    app: Flask, decision: str
) -> None:
    endorsement = made(Status.IN_REVIEW)
    visitor = moderator(app)
    page = check(visitor, take(visitor, endorsement), decision, words=WORDS, code="other")
    assert "[the reader’s private link or code]" in page.text
    assert "/supporters/entry/" not in page.text


@pytest.mark.parametrize(
    ("decision", "answers", "says"),
    [
        ("ask", {"words": " "}, "Say why, in kind words"),
        ("decline", {"words": "No."}, "Choose the reason"),
        ("decline", {"code": "duplicate"}, "Say why, in kind words"),
        ("ask", {"words": "x" * 2_001}, "Use 2000 characters or fewer"),
    ],
)
def test_a_decision_without_its_reason_is_told_at_the_field(
    app: Flask, session: Session, decision: str, answers: dict[str, str], says: str
) -> None:
    endorsement = made(Status.IN_REVIEW)
    visitor = moderator(app)
    page = check(visitor, take(visitor, endorsement), decision, **answers)
    assert page.status == 422
    assert says in page.text
    assert answers.get("words", "").strip() in page.text
    assert look(session, endorsement).status is Status.IN_REVIEW


@pytest.mark.parametrize("decision", ["", "burn", "APPROVE"])
def test_a_decision_that_is_none_is_refused(app: Flask, decision: str) -> None:
    endorsement = made(Status.IN_REVIEW)
    visitor = moderator(app)
    assert check(visitor, take(visitor, endorsement), decision).status == 400


def test_two_cannot_have_the_same(app: Flask, session: Session) -> None:
    endorsement = made(Status.IN_REVIEW, words="Words to read.")
    first, second = moderator(app, "Ada"), moderator(app, "Grace")
    queue_of_second = second.get("/desk/organisations")
    page = take(first, endorsement)
    late = second.submit(queue_of_second, path(endorsement, "/take"))
    assert "Ada" in late.text
    assert "Words to read." not in late.text
    assert "somebody has it" in second.get("/desk/organisations").text
    assert check(first, page, "approve").status == 200


def test_what_was_written_is_kept_when_the_lease_ran_out_and_somebody_else_took_it(
    app: Flask, session: Session
) -> None:
    endorsement = made(Status.IN_REVIEW)
    first, second = moderator(app, "Ada"), moderator(app, "Grace")
    page = take(first, endorsement)
    with transaction() as writing:
        writing.scalars(select(Claim)).one().until -= LEASE + timedelta(seconds=1)
    take(second, endorsement)
    late = check(first, page, "ask", words=WORDS)
    assert late.status == 409
    assert "Grace has taken this meanwhile" in late.text
    assert WORDS in late.text
    assert look(session, endorsement).status is Status.IN_REVIEW


def test_a_lease_that_ran_out_is_renewed_where_nobody_else_took_it(app: Flask) -> None:
    endorsement = made(Status.IN_REVIEW)
    visitor = moderator(app)
    page = take(visitor, endorsement)
    with transaction() as writing:
        writing.scalars(select(Claim)).one().until -= LEASE + timedelta(seconds=1)
    assert check(visitor, page, "approve").status == 200


@on_both
def test_a_decision_posted_twice_is_carried_out_once(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(Status.IN_REVIEW)
    work()
    mailbox.received.clear()
    visitor = moderator(app)
    page = check(visitor, take(visitor, endorsement), "approve")
    visitor.submit(page, path(endorsement, "/decide"))
    again = visitor.submit(page, path(endorsement, "/decide"))
    assert again.status == 409
    assert "Nothing was decided" in again.text
    work()
    assert len(mailbox.received) == 1


def test_words_that_changed_since_they_were_read_are_not_decided_about(
    app: Flask, session: Session
) -> None:
    endorsement = made(Status.IN_REVIEW)
    visitor = moderator(app)
    page = check(visitor, take(visitor, endorsement), "approve")
    with transaction() as writing:
        edit_endorsement(
            writing, endorsement.id, public_details(words="Other words."), now=clock.utc_now()
        )
    late = visitor.submit(page, path(endorsement, "/decide"))
    assert late.status == 409
    assert "it was changed since you read it" in late.text
    assert look(session, endorsement).status is Status.IN_REVIEW


def test_whoever_passes_it_on_is_not_asked_again_and_others_are(app: Flask) -> None:
    endorsement = made(Status.IN_REVIEW, name="Able Group")
    first, second = moderator(app, "Ada"), moderator(app, "Grace")
    page = take(first, endorsement)
    form = page.form("/give-back")
    after = first.post(path(endorsement, "/pass-on"), form.values)
    assert "It is not offered to you again" in after.text
    assert "Able Group" not in after.text
    assert "Words" not in first.get("/desk").text
    assert "Able Group" in second.get("/desk/organisations").text


def test_what_is_given_back_is_free_at_once(app: Flask) -> None:
    endorsement = made(Status.IN_REVIEW)
    first, second = moderator(app), moderator(app)
    first.submit(take(first, endorsement), "/give-back")
    assert take(second, endorsement).form("/preview")


@pytest.mark.parametrize(
    ("theirs", "contact", "is_own"),
    [
        ("mo@friends.example.org", "mo@friends.example.org", True),
        ("M.O+desk@gmail.com", "mo@gmail.com", True),
        ("mo@friends.example.org", "ada@friends.example.org", True),
        ("mo@gmail.com", "ada@gmail.com", False),
        ("mo@desk.example.org", "ada@friends.example.org", False),
    ],
)
def test_nobody_judges_their_own_organisation(
    app: Flask, theirs: str, contact: str, is_own: bool
) -> None:
    endorsement = made(Status.IN_REVIEW, name="Able Group", email=contact)
    visitor = sign_in_as(app, make_moderator(app, Role.MODERATOR, email=theirs))
    assert ("Able Group" in visitor.get("/desk/organisations").text) is not is_own
    page = visitor.get(path(endorsement))
    assert page.status == (403 if is_own else 200)
    if is_own:
        assert "Somebody else decides this" in page.text
        token = visitor.get("/desk").form("/desk/leave").values
        for rest in ("/take", "/preview", "/decide", "/pass-on"):
            values = {**token, "decision": "approve", "entry_id": uuid.uuid4().hex}
            assert visitor.post(path(endorsement, rest), values).status == 403


def test_an_answer_to_a_refusal_is_for_somebody_else(app: Flask, session: Session) -> None:
    endorsement = made(Status.IN_REVIEW, name="Able Group")
    first, second = moderator(app, "Ada"), moderator(app, "Grace")
    decide(first, endorsement, "decline", words="It is there.", code="duplicate")
    with transaction() as writing:
        appeal_decision(writing, endorsement.id, "It is not.", now=clock.utc_now())
    assert "you decided it: somebody else reads" in first.get("/desk/organisations").text
    token = first.get("/desk").form("/desk/leave").values
    page = first.post(path(endorsement, "/take"), token)
    assert "You decided this before" in page.text
    assert "It is not." not in page.text
    page = take(second, endorsement)
    read = {**first.get("/desk").form("/leave").values, **read_of(page), "decision": "approve"}
    second.submit(page, "/give-back")
    refused = first.post(path(endorsement, "/decide"), read)
    assert refused.status == 409
    assert "somebody else has to look at the answer" in refused.text
    page = take(second, endorsement)
    assert "It is not." in page.text
    assert "by <bdi>Ada</bdi>" in page.text
    second.submit(check(second, page, "approve"), "/decide")
    assert look(session, endorsement).status is Status.PUBLISHED


def test_a_second_refusal_ends_the_answer(app: Flask, session: Session) -> None:
    endorsement = made(Status.IN_REVIEW)
    first, second = moderator(app), moderator(app)
    decide(first, endorsement, "decline", words="It is there.", code="duplicate")
    with transaction() as writing:
        appeal_decision(writing, endorsement.id, "It is not.", now=clock.utc_now())
    decide(second, endorsement, "decline", words="It still is.", code="duplicate")
    found = look(session, endorsement)
    assert (found.status, found.appeal, found.decision_words) == (
        Status.DECLINED, None, "It still is.",
    )  # fmt: skip
    assert "Nothing waits for you" in first.get("/desk/organisations").text


def test_html_in_words_and_answers_is_words(app: Flask) -> None:
    endorsement = made(Status.MORE_ASKED, name="<b>Able</b>", words="<i>spam</i>")
    with transaction() as writing:
        appeal_decision(writing, endorsement.id, "<script>1</script>", now=clock.utc_now())
    page = take(moderator(app), endorsement)
    for raw in ("<b>Able", "<i>spam", "<script>1"):
        assert raw not in page.text


def test_the_log_of_the_desk_holds_no_name_and_no_address(app: Flask, session: Session) -> None:
    endorsement = made(Status.IN_REVIEW, name="Able Group", email="ada@friends.example.org")
    visitor = signed_in(app, Role.MODERATOR, name="Mo Unmistakable")
    decide(visitor, endorsement, "approve")
    lines = session.connection().exec_driver_sql("SELECT * FROM audit_entries").all()
    for personal in ("Unmistakable", "friends.example.org", "desk.example.org", "Able Group"):
        assert personal not in str(lines)
