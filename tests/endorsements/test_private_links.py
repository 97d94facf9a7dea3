"""What the private links of an organisation's contact open, for whom and for how long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.endorsements import decisions
from coalition.endorsements.actions import withdraw_endorsement
from coalition.endorsements.models import Endorsement, EndorsementStatus, EntryState
from coalition.endorsements.queries import find_entry, find_entry_in, queue
from coalition.mail.private_links import LINK_LIFETIME, Purpose, make_token
from coalition.mail.queries import is_blocked
from tests.endorsing import ask_for_change, entry_path, look, made
from tests.factories import LOGO, make_signature
from tests.mailbox import Mailbox, html_of, link_in, text_of
from tests.visitor import Visitor

Status = EndorsementStatus
Work = Callable[[], object]
MakeApp = Callable[..., Flask]
PATHS = {
    Purpose.ENDORSE_CONFIRM: "/supporters/confirm/{}",
    Purpose.ENDORSE_DISOWN: "/supporters/not-me/{}",
    Purpose.ENDORSE_MANAGE: "/supporters/entry/{}",
    Purpose.CHANGE_OLD: "/supporters/change/{}",
    Purpose.CHANGE_NEW: "/supporters/change/{}",
}
MANAGED = ["", "/edit", "/erase"]


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("path", PATHS.values())
def test_a_link_for_one_purpose_opens_nothing_else(
    app: Flask, visitor: Visitor, purpose: Purpose, path: str
) -> None:
    if PATHS.get(purpose) == path:
        return
    endorsement = made(Status.AWAITING)
    with transaction() as session:
        subjects = [endorsement.contact_id, endorsement.id, make_signature(session).id]
    for subject in subjects:
        token = make_token(purpose, subject, clock.utc_now())
        answer = visitor.get(path.format(token))
        assert answer.status == 404
        assert "This link does not work" in answer.text
        assert visitor.post(path.format(token), {}).status in (404, 405)


@pytest.mark.parametrize("rest", MANAGED)
def test_a_link_of_one_organisation_shows_nothing_of_another(
    app: Flask, visitor: Visitor, rest: str
) -> None:
    made(name="Another Group", email="another@example.org")
    page = visitor.get(entry_path(made(name="One Group"), rest))
    assert page.status == 200
    assert "nother" not in page.text.replace("Name another", "").replace(
        "name another", ""
    ).replace("another file", "")


@pytest.mark.parametrize("rest", ["", "/edit", "/erase", "/withdraw", "/answer", "/contact"])
def test_a_link_that_ran_out_opens_nothing_and_a_new_one_goes_to_the_address_on_record(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox, rest: str
) -> None:
    endorsement = made(name="One Group", email="officer@example.org")
    work()
    path = entry_path(endorsement, rest, days=LINK_LIFETIME.days, seconds=1)
    answer = visitor.post(path, {"words": "kept words"}) if rest else visitor.get(path)
    assert answer.status == 410
    assert "One Group" not in answer.text
    assert look(session, endorsement).status is Status.PUBLISHED
    assert "with a new link is on its way" in visitor.submit(answer, "/supporters/renew/").text
    work()
    assert mailbox.received[-1]["To"] == "officer@example.org"
    assert visitor.get(link_in(mailbox.received[-1], "supporters/entry")).status == 200


def test_the_page_shows_all_that_is_held(app: Flask, visitor: Visitor) -> None:
    endorsement = made(name="One Group", email="officer@example.org", words="Our words.")
    text = visitor.get(entry_path(endorsement)).text
    for held in ("One Group", "Our words.", "Ada Fictional", "Chair", "officer@example.org"):
        assert held in text


def test_withdrawing_takes_effect_at_once_and_leaves_a_dated_note(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(name="One Group", words="Our words.", website="https://one.example.org")
    path, endorsement_id = entry_path(endorsement), endorsement.id
    assert "Our words." in visitor.get("/supporters/one-group").text
    page = visitor.submit(visitor.get(path), "/withdraw")
    assert "Withdrawn. A mail says so, too." in page.text
    app.extensions.pop("supporters", None)
    for path in ("/supporters", "/supporters/one-group"):
        text = visitor.get(path).text
        assert "Withdrew on" in text
        assert "Our words." not in text
        assert "one.example.org" not in text
    (row,) = json.loads(visitor.get("/supporters.json").text)["supporters"]
    assert row["status"] == "withdrawn"
    assert row["withdrew_on"] == clock.utc_now().date().isoformat()
    note = find_entry_in(session, endorsement_id, EntryState.PUBLIC)
    assert note is not None
    assert (note.name, note.words, note.logo_id) == ("One Group", "", None)
    work()
    told = [text_of(mail) for mail in mailbox.received]
    assert sum("no longer stands under the statement" in text for text in told) == 1
    # Once more changes nothing, and says nothing.
    sent = len(mailbox.received)
    visitor.post(f"{path}/withdraw", {})
    work()
    assert len(mailbox.received) == sent


@pytest.mark.parametrize("status", [Status.IN_REVIEW, Status.MORE_ASKED, Status.DECLINED])
def test_withdrawing_before_it_was_public_leaves_nothing(
    app: Flask,
    session: Session,
    visitor: Visitor,
    work: Work,
    mailbox: Mailbox,
    status: Status,
) -> None:
    endorsement = made(status, email="officer@example.org")
    endorsement_id, path = endorsement.id, entry_path(endorsement)
    page = visitor.post(f"{path}/withdraw", {})
    assert page.status == 200
    assert "are deleted" in page.text
    session.rollback()
    assert session.get(Endorsement, endorsement_id) is None
    work()
    assert any("are deleted" in text_of(mail) for mail in mailbox.received)


def test_erasing_after_withdrawing_leaves_the_day_of_the_withdrawal(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement = made()
    with transaction() as writing:
        before = clock.utc_now() - timedelta(days=100)
        withdraw_endorsement(writing, endorsement.id, now=before)
    visitor.post(entry_path(look(session, endorsement), "/erase"), {})
    assert look(session, endorsement).status_changed_at == before


def test_erasing_what_was_removed_leaves_nothing_to_publish_again(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement = made(Status.REMOVED)
    endorsement_id = endorsement.id
    visitor.post(entry_path(endorsement, "/erase"), {})
    session.rollback()
    assert session.get(Endorsement, endorsement_id) is None


def test_erasing_deletes_the_person_and_leaves_the_note(
    app: Flask, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    endorsement = made(name="One Group", email="officer@example.org")
    path = entry_path(endorsement)
    page = visitor.submit(visitor.get(f"{path}/erase"), "/erase")
    assert "Your name, role and address are deleted" in page.text
    found = look(session, endorsement)
    assert found.status is Status.WITHDRAWN
    assert (found.contact_email, found.contact_name, found.contact_role) == (None, None, None)
    assert found.address_digest is None
    assert visitor.get(path).status == 410
    work()
    assert mailbox.received[-1]["To"] == "officer@example.org"
    assert "are deleted" in text_of(mailbox.received[-1])


def test_erasing_what_was_never_public_leaves_nothing_at_all(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement = made(Status.IN_REVIEW)
    endorsement_id = endorsement.id
    visitor.post(entry_path(endorsement, "/erase"), {})
    session.rollback()
    assert session.get(Endorsement, endorsement_id) is None


def test_an_answer_puts_what_was_asked_for_before_the_moderators_again(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    endorsement = made(Status.MORE_ASKED)
    page = visitor.get(entry_path(endorsement))
    assert "Who decided it?" in page.text
    wrong = visitor.submit(page, "/answer", words="  ")
    assert wrong.status == 422
    assert wrong.text.count("Write your answer") == 2
    page = visitor.submit(page, "/answer", words="Our members, in May.")
    assert "We have your answer" in page.text
    found = look(session, endorsement)
    assert (found.status, found.appeal) == (Status.IN_REVIEW, "Our members, in May.")


@pytest.mark.parametrize("status", [Status.DECLINED, Status.REMOVED])
def test_a_decision_can_be_answered(
    app: Flask, session: Session, visitor: Visitor, status: Status
) -> None:
    endorsement = made(status)
    visitor.submit(visitor.get(entry_path(endorsement)), "/answer", words="Look again.")
    assert look(session, endorsement).appeal == "Look again."


@pytest.mark.parametrize("status", [Status.PUBLISHED, Status.IN_REVIEW, Status.WITHDRAWN])
def test_where_nothing_was_decided_there_is_nothing_to_answer(
    app: Flask, session: Session, visitor: Visitor, status: Status
) -> None:
    endorsement = made(status)
    visitor.post(entry_path(endorsement, "/answer"), {"words": "Look again."})
    found = look(session, endorsement)
    assert (found.status, found.appeal) == (status, None)


@pytest.mark.parametrize("status", [Status.WITHDRAWN, Status.REMOVED])
def test_what_is_off_the_list_cannot_be_edited_back_onto_it(
    app: Flask, session: Session, visitor: Visitor, status: Status
) -> None:
    endorsement = made(status, name="One Group")
    page = visitor.get(entry_path(endorsement, "/edit"))
    visitor.post(page.url, {**page.form("/edit").values, "name": "Back Again"})
    assert queue(session) == []
    assert find_entry_in(session, endorsement.id, EntryState.PROPOSED) is None
    assert look(session, endorsement).status is status


def test_an_edit_with_mistakes_loses_nothing(app: Flask, visitor: Visitor) -> None:
    path = entry_path(made(), "/edit")
    values = {**visitor.get(path).form("/edit").values, "name": "", "words": "New words."}
    page = visitor.upload(path, values, {"logo_file": LOGO})
    assert page.status == 422
    kept = page.form("/edit").values
    assert kept["words"] == "New words."
    page = visitor.post(path, {**kept, "name": "New Name"})
    assert "We have your changes" in page.text
    assert page.text.count("/supporters/preview/") == 1


def test_an_edit_that_changes_nothing_is_not_put_before_anybody(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    path = entry_path(made(), "/edit")
    page = visitor.submit(visitor.get(path), "/edit")
    assert "Nothing was changed." in page.text
    assert queue(session) == []


def test_a_logo_is_shown_to_its_sender_alone_before_it_is_public(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    from coalition.endorsements.actions import keep_logo
    from coalition.endorsements.logos import draw_logo

    with transaction() as writing:
        logo_id = keep_logo(writing, draw_logo(LOGO), now=clock.utc_now())
    endorsement = made(Status.IN_REVIEW, logo_id=logo_id, logo_alt="Two hands")
    assert visitor.get(f"/supporters/logo/{logo_id}.webp").status == 404
    assert visitor.get(f"/supporters/logo/{uuid.uuid4()}.webp").status == 404
    with transaction() as writing:
        entry = find_entry(writing, endorsement.id)
        assert entry is not None
        decisions.approve(
            writing, endorsement.id, entry_id=entry.id, actor="test", now=clock.utc_now()
        )
    logo = visitor.get(f"/supporters/logo/{logo_id}.webp")
    assert logo.headers["content-type"] == "image/webp"
    assert "immutable" in logo.headers["cache-control"]
    with transaction() as writing:
        words = "It closed."
        decisions.remove(writing, endorsement.id, words=words, actor="test", now=clock.utc_now())
    assert visitor.get(f"/supporters/logo/{logo_id}.webp").status == 404


def test_whoever_asked_for_no_mail_gets_none(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    from coalition.mail.actions import block_address

    with transaction() as session:
        block_address(session, "officer@example.org", now=clock.utc_now())
        assert is_blocked(session, "officer@example.org")
    made(Status.PUBLISHED, email="officer@example.org")
    visitor.post("/supporters/resend", {"email": "officer@example.org"})
    work()
    assert mailbox.received == []


def test_text_and_html_of_every_mail_say_the_same(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    for status in Status:
        made(status, name=f"Group <{status.name}> & Co", email=f"{status.name}@example.org")
    ask_for_change(visitor, made(email="old@example.org"))
    visitor.post("/supporters/resend", {"email": "old@example.org"})
    work()
    assert len(mailbox.received) > 12
    for mail in mailbox.received:
        text, html = text_of(mail), html_of(mail)
        assert "Group <b" not in html
        assert "{{" not in text + html
        assert "\n\n\n" not in text
        assert text.count("http") == html.count('href="http')
        assert "StopSIM" not in str(mail["Subject"])
