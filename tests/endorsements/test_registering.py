"""An organisation registers: what it gets wrong, what is kept, what is sent."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.endorsements.actions import confirm_endorsement
from coalition.endorsements.models import (
    LOOSE_LOGO_LIFETIME,
    Endorsement,
    EndorsementStatus,
)
from coalition.web.forms import STAMP_LIFETIME
from tests.cleaning import clean_up
from tests.endorsing import ANSWERS, FORM, check, register, send
from tests.factories import LOGO, make_endorsement, public_details
from tests.mailbox import Mailbox, code_in, link_in, text_of
from tests.visitor import Page, Visitor, visitor_of

Work = Callable[[], object]
MakeApp = Callable[..., Flask]


def rows(session: Session) -> int:
    session.rollback()
    return int(session.scalar(select(func.count()).select_from(Endorsement)) or 0)


def sealed_logo(page: Page) -> str:
    found = re.search(r"/supporters/preview/([^\"]+)", page.text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "Enter the organisation&#39;s name"),
        ({"name": "  "}, "Enter the organisation&#39;s name"),
        ({"name": "x" * 201}, "The name must have 200 characters or fewer. It has 201"),
        ({"name": "Friends\x07"}, "held a character that cannot be shown"),
        ({"kind": ""}, "Choose what kind of organisation it is"),
        ({"kind": "circus"}, "Not a valid choice"),
        ({"nation": ""}, "Choose where the organisation works"),
        ({"organisation_website": "here"}, "in the form https://example.org"),
        ({"organisation_website": "javascript:alert(1)"}, "must begin with https:// or http://"),
        ({"organisation_website": "ftp://example.org"}, "must begin with https:// or http://"),
        ({"organisation_website": "https://a:b@example.org"}, "in the form https://example.org"),
        ({"organisation_website": "https://exa mple.org"}, "in the form https://example.org"),
        ({"organisation_website": "https://[example.org"}, "in the form https://example.org"),
        ({"organisation_website": "https://example.org:99999"}, "in the form https://"),
        ({"organisation_website": "https://example.org/" + "x" * 300}, "300 characters or fewer"),
        ({"words": "word " * 5_000}, "must have 3,000 characters or fewer. They have 24,999"),
        ({"words": "We <b>do</b>"}, "without HTML: “&lt;b&gt;” would be shown as it is"),
        ({"words": "<script>alert(1)</script>"}, "without HTML: “&lt;script&gt;”"),
        ({"name": "Pay at https://example.org"}, "The name must not hold a web address"),
        ({"contact_name": "www.example.org"}, "Your name must not hold a web address"),
        ({"logo_alt": "a\0b"}, "holds a character that cannot be shown"),
        ({"organisation_website": "https://example.org/\0"}, "in the form https://example.org"),
        ({"organisation_website": "https://example.org/\u202e"}, "in the form https://"),
        ({"logo_alt": "x" * 201}, "Describe the logo in 200 characters or fewer"),
        ({"contact_name": ""}, "Enter your name"),
        ({"contact_role": ""}, "Enter your role"),
        ({"email": ""}, "Enter your email address"),
        ({"email": "ada@"}, "in the form name@example.org"),
        ({"authority": ""}, "the organisation has decided this"),
        ({"consent": ""}, "says we may keep your name"),
        ({"nickname": "me"}, "This field must stay empty"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    visitor: Visitor, session: Session, wrong: dict[str, str], says: str
) -> None:
    page = check(visitor, logo=LOGO, **wrong)
    assert page.status == 422
    assert page.text.count(says) == 2  # in the summary, and at the field
    assert "Error: Add your organisation" in page.text
    kept = page.form(FORM).values
    for name, value in ANSWERS.items():
        if name not in wrong:
            assert kept[name] == value or name == "organisation_website", name
    assert visitor.get(f"/supporters/preview/{sealed_logo(page)}").status == 200
    assert rows(session) == 0


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("friends.example.org", "https://friends.example.org"),
        ("HTTP://Friends.Example.org/Us?a=1#top", "http://friends.example.org/Us?a=1"),
        ("exämple.org", "https://xn--exmple-cua.org"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("", "none given"),
    ],
)
def test_a_website_is_taken_however_it_is_typed(visitor: Visitor, typed: str, kept: str) -> None:
    page = check(visitor, organisation_website=typed)
    assert page.status == 200
    assert f"<dd>{kept}</dd>" in page.text


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"<svg/>", "do not take SVG"),
        (b"not a picture", "not a PNG, JPEG or WebP"),
        (LOGO[:60], "damaged"),
        (LOGO + b"\0" * 3 * 1024 * 1024, "larger than 2 MB"),
        (b"\0" * 12 * 1024 * 1024, "larger than 2 MB"),
    ],
    ids=["SVG", "words", "cut short", "3 MB", "12 MB"],
)
def test_a_file_that_is_no_logo_is_refused_and_everything_else_stays(
    visitor: Visitor, file: bytes, says: str
) -> None:
    page = check(visitor, logo=file)
    assert page.status == 422
    assert page.text.count(says) == 2
    assert page.form(FORM).values["words"] == ANSWERS["words"]


@pytest.mark.parametrize("kilobytes", [200, 500, 1_500, 2_000])
def test_a_logo_of_any_content_is_read_whole(visitor: Visitor, kilobytes: int) -> None:
    chance = random.Random(kilobytes)
    for _ in range(5):
        page = check(visitor, logo=LOGO + chance.randbytes(kilobytes * 1_000))
        assert page.status == 200
        assert sealed_logo(page)


def test_a_form_without_a_file_may_be_no_larger_than_any_other(visitor: Visitor) -> None:
    assert visitor.post(FORM, {"words": "x" * 200_000}).status == 413


def test_the_same_form_sent_many_times_at_once_is_one_endorsement(
    make_app: MakeApp, mailbox: Mailbox
) -> None:
    app = make_app()
    with app.app_context():
        visitor = visitor_of(app)
        page = check(visitor)

    def press(_: int) -> int:
        return send(visitor_of(app), page).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(press, range(4))) == {200}
    with app.app_context():
        assert rows(db.session()) == 1


def test_what_is_changed_after_it_was_sent_is_sent_anew(
    visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    first = check(visitor, email="wrong@example.org")
    send(visitor, first)
    form = visitor.post(FORM, {**first.form(FORM).values, "step": "change"}).form(FORM).values
    again = visitor.post(FORM, {**form, "email": "right@example.org", "step": "check"})
    assert "right@example.org" in send(visitor, again).text
    work()
    assert {mail["To"] for mail in mailbox.received} == {"wrong@example.org", "right@example.org"}


def test_nobody_is_flooded_through_a_page_that_was_made_for_another_address(
    make_app: MakeApp, mailbox: Mailbox, work: Work
) -> None:
    visitor = visitor_of(make_app(LIMIT_ADDRESS="2 per hour"))
    page = check(visitor, email="victim@example.org")
    send(visitor, page)
    for number in range(6):
        values = {**page.form(FORM).values, "step": "send", "email": f"x{number}@example.org"}
        answer = visitor.post(FORM, values)
        if any("/resend" in form.action for form in answer.forms):
            visitor.submit(answer, "/supporters/resend")
    work()
    assert [mail["To"] for mail in mailbox.received].count("victim@example.org") <= 2


def test_a_form_larger_than_any_is_answered_with_413(visitor: Visitor) -> None:
    page = check(visitor, logo=b"\0" * 49 * 1024 * 1024)
    assert page.status == 413
    assert "your form should still be filled in" in page.text


def test_a_refused_file_does_not_push_out_the_logo_that_was_there(visitor: Visitor) -> None:
    before = check(visitor, logo=LOGO, name="")
    values = {**before.form(FORM).values, **ANSWERS}
    page = visitor.upload(FORM, values, {"logo_file": b"<svg/>"})
    assert page.status == 422
    assert sealed_logo(page) == sealed_logo(before)


def test_a_logo_can_be_left_out_again(visitor: Visitor) -> None:
    before = check(visitor, logo=LOGO, name="")
    page = visitor.post(FORM, {**before.form(FORM).values, **ANSWERS, "no_logo": "yes"})
    assert page.status == 200
    assert "/supporters/preview/" not in page.text


def test_a_logo_that_could_not_be_taken_is_asked_for_again(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_NETWORK="1 per minute"))
    check(visitor)
    page = check(visitor, logo=LOGO)
    assert page.status == 429
    assert "Choose the logo once more" in page.text
    assert page.form(FORM).values["name"] == ANSWERS["name"]


def test_a_logo_that_is_deleted_meanwhile_is_asked_for_again(
    visitor: Visitor, session: Session
) -> None:
    before = check(visitor, logo=LOGO, name="")
    clean_up(clock.utc_now() + LOOSE_LOGO_LIFETIME + timedelta(seconds=1))
    page = visitor.post(FORM, {**before.form(FORM).values, **ANSWERS})
    assert page.status == 422
    assert "We no longer have the logo" in page.text


def test_nothing_is_kept_before_it_is_sent(visitor: Visitor, session: Session) -> None:
    page = check(visitor)
    assert "Nothing is sent yet" in page.text
    public, _, private = page.text.partition("What stays private")
    for shown in ("The Fictional Friends", "friends.example.org", "For two reasons."):
        assert shown in public
    for hidden in ("Ada Fictional", "Chair", "ada@friends.example.org"):
        assert hidden not in public
        assert hidden in private
    assert rows(session) == 0


def test_going_back_to_change_something_loses_nothing(visitor: Visitor) -> None:
    page = check(visitor, logo=LOGO)
    form = visitor.post(FORM, {**page.form(FORM).values, "step": "change"})
    assert form.status == 200
    kept = form.form(FORM).values
    for name, value in ANSWERS.items():
        assert kept[name] == value or name == "organisation_website", name
    assert sealed_logo(form) == sealed_logo(page)


def test_the_same_form_sent_twice_is_one_endorsement_and_one_mail(
    visitor: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    page = check(visitor)
    for _ in range(2):
        assert "Check your email" in send(visitor, page).text
    work()
    assert rows(session) == 1
    assert len(mailbox.received) == 1


def test_a_page_that_was_not_made_here_sends_nothing(visitor: Visitor, session: Session) -> None:
    page = check(visitor)
    values = {**page.form(FORM).values, "step": "send", "form_id": "made-up"}
    assert "Nothing is sent yet" in visitor.post(FORM, values).text
    assert rows(session) == 0


def test_a_form_of_seven_days_ago_still_submits_and_one_of_a_year_ago_is_made_new(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    form = visitor.get(FORM).form(FORM)
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + STAMP_LIFETIME - timedelta(minutes=2))
    assert visitor.post(FORM, {**form.values, **ANSWERS}).status == 200
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(days=365))
    page = visitor.post(FORM, {**form.values, **ANSWERS})
    assert page.status == 422
    assert "open for a very long time" in page.text
    assert page.form(FORM).values["words"] == ANSWERS["words"]


def test_too_many_from_one_address_wait_with_their_form(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_ADDRESS="1 per hour"))
    register(visitor)
    page = register(visitor, logo=LOGO)
    assert page.status == 429
    assert int(page.headers["retry-after"]) > 0
    assert page.form(FORM).values["words"] == ANSWERS["words"]
    assert sealed_logo(page)


def test_a_mail_with_link_and_code_asks_to_confirm(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    answer = register(visitor, logo=LOGO)
    assert "ada@friends.example.org" in answer.text
    work()
    mail = mailbox.received[-1]
    assert mail["Subject"] == "Please confirm your email address"
    link = link_in(mail, "supporters/confirm")
    for _ in range(3):
        page = visitor.get(link)
        assert "Yes, my organisation supports the statement" in page.text
    visitor.request("HEAD", link, {}, b"", follow=False)
    session.rollback()
    assert session.scalars(select(Endorsement.status)).all() == [EndorsementStatus.AWAITING]
    page = visitor.submit(page, "/supporters/confirm/")
    assert "Confirmed. A person reads it now" in page.text
    assert "Already confirmed" in visitor.get(link).text
    session.rollback()
    assert session.scalars(select(Endorsement.status)).all() == [EndorsementStatus.IN_REVIEW]
    # The versions that stood on the page are kept with it.
    endorsement = session.scalars(select(Endorsement)).one()
    assert endorsement.statement_version_id
    assert endorsement.consent_version_id


def test_the_code_leads_to_the_same_button(visitor: Visitor, work: Work, mailbox: Mailbox) -> None:
    register(visitor)
    work()
    code = code_in(mailbox.received[-1])
    values = {"email": "ADA@friends.example.org", "code": code}
    assert "One last step" in visitor.post("/supporters/code", values).text
    for wrong in ({**values, "email": "x@example.org"}, {**values, "code": "0000 0001"}):
        page = visitor.post("/supporters/code", wrong)
        assert page.status == 422
        assert "does not belong to this address" in page.text


def test_codes_cannot_be_tried_without_end(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_CODE="2 per hour"))
    values = {"email": "ada@example.org", "code": "0000 0000"}
    tried = [visitor.post("/supporters/code", values).status for _ in range(3)]
    assert tried == [422, 422, 429]


def test_of_two_that_wait_under_one_address_the_code_finds_its_own(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    register(visitor, name="First Group")
    register(visitor, name="Second Group")
    work()
    for mail in mailbox.received:
        name = "First Group" if "First Group" in text_of(mail) else "Second Group"
        values = {"email": ANSWERS["email"], "code": code_in(mail)}
        assert f"<bdi>{name}</bdi>" in visitor.post("/supporters/code", values).text


def test_whoever_did_not_send_it_deletes_it_at_one_press(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    register(visitor)
    work()
    link = link_in(mailbox.received[-1], "supporters/not-me")
    page = visitor.submit(visitor.get(link), "/supporters/not-me/", block="yes")
    assert "We never write to this address again" in page.text
    assert rows(session) == 0
    register(visitor)
    work()
    assert len(mailbox.received) == 1


def test_what_was_confirmed_cannot_be_disowned(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    register(visitor)
    work()
    mail = mailbox.received[-1]
    visitor.submit(visitor.get(link_in(mail, "supporters/confirm")), "/supporters/confirm/")
    page = visitor.post(link_in(mail, "supporters/not-me"), {})
    assert "It was confirmed" in page.text
    assert rows(session) == 1


def test_a_mistyped_address_is_corrected_without_typing_the_rest_again(visitor: Visitor) -> None:
    page = register(visitor, email="ada@gmial.com", logo=LOGO)
    assert "Did you mean" in page.text
    (again,) = {link for link in page.links if "/supporters/correct/" in link}
    form = visitor.get(again).form(FORM).values
    assert form["words"] == ANSWERS["words"]
    assert form["authority"] == form["consent"] == "yes"
    assert form["logo"]


def test_correcting_the_address_takes_the_place_of_what_was_sent_before(
    visitor: Visitor, session: Session
) -> None:
    page = register(visitor, email="ada@gmial.com")
    (again,) = {link for link in page.links if "/supporters/correct/" in link}
    corrected = visitor.submit(visitor.get(again), FORM, email="ada@gmail.com", step="check")
    assert rows(session) == 1
    send(visitor, corrected)
    assert session.scalars(select(Endorsement.contact_email)).all() == ["ada@gmail.com"]


def test_what_was_confirmed_meanwhile_stays_when_an_address_is_corrected(
    visitor: Visitor, session: Session
) -> None:
    page = register(visitor, email="ada@gmial.com")
    (again,) = {link for link in page.links if "/supporters/correct/" in link}
    form = visitor.get(again)
    with transaction() as writing:
        endorsement_id = writing.scalars(select(Endorsement.id)).one()
        confirm_endorsement(writing, endorsement_id, now=clock.utc_now())
    send(visitor, visitor.submit(form, FORM, email="ada@gmail.com", step="check"))
    assert rows(session) == 2


def test_the_mail_is_sent_again_when_it_is_asked_for(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    page = register(visitor)
    assert "We have sent another mail" in visitor.submit(page, "/supporters/resend").text
    work()
    links = {link_in(mail, "supporters/confirm") for mail in mailbox.received}
    assert len(mailbox.received) == 2
    assert all(visitor.get(link).status == 200 for link in links)


def test_asking_for_links_answers_the_same_for_every_address(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    with transaction() as session:
        make_endorsement(session, email="known@example.org", name="Known Group")
    work()
    before = len(mailbox.received)
    pages = [
        visitor.post("/supporters/resend", {"email": email})
        for email in ("known@example.org", "other@example.org")
    ]
    known, other = (re.sub(r"known|other|gAAAA[\w=-]+", "", page.text) for page in pages)
    assert known == other
    work()
    told = [text_of(mail) for mail in mailbox.received[before:]]
    assert sum("Known Group" in text for text in told) == 1
    assert sum("We hold nothing about an organisation" in text for text in told) == 1


def test_no_contact_can_be_read_in_the_database(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_endorsement(writing, email="secret@example.org", **vars(public_details()))
    raw = session.connection().exec_driver_sql("SELECT * FROM endorsements").all()
    for secret in ("secret@example.org", "Ada Fictional", "Chair"):
        assert secret not in str(raw)
        assert secret.encode().hex() not in str(raw)
