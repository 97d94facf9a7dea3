"""Coming back with the code: its writer sees how things stand, and decides; nobody else does."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.db import db, transaction
from coalition.testimonies import actions, complaint_decisions, decisions
from coalition.testimonies.choices import Use
from coalition.testimonies.codes import Ticket, grouped
from coalition.testimonies.complaint_models import Complaint, ComplaintState, Ground
from coalition.testimonies.models import DeclineCode, Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.queries import find_by_code
from coalition.testimonies.states import State
from tests.reading import approve as approve_at_desk
from tests.reading import edit as edit_at_desk
from tests.reading import reader as reader_at_desk
from tests.telling import (
    FRONT,
    TEXT,
    address_of,
    approve,
    come_back,
    edit,
    form_of,
    go_on,
    make_testimony,
    open_the_form,
    press,
    publish,
    told,
    two_readers,
)
from tests.visitor import Visitor, visitor_of

LATER = timedelta(hours=2, minutes=1)


@pytest.fixture(autouse=True)
def opened(app: Flask) -> None:
    open_the_form(app)


def sent() -> Ticket:
    with transaction() as session:
        return make_testimony(session)


def stands(ticket: Ticket) -> State | None:
    db.session.rollback()
    found = find_by_code(db.session(), ticket.code)
    return found.state if found else None


def read_by(app: Flask, ticket: Ticket, *, question: str = "", refusal: str = "") -> None:
    """Two readers let it go as far as its writer; or one asks, or declines."""
    first, second = two_readers(app)
    number, now = ticket.testimony_id, clock.utc_now()
    with app.app_context(), transaction() as session:
        reader = session.get_one(Moderator, first)
        if question or refusal:
            decisions.take(session, number, reader, now=now)
            turn = session.get_one(Testimony, number).turn
        if question:
            decisions.ask_writer(session, number, reader, question, turn=turn, now=now)
        elif refusal:
            decisions.decline(
                session, number, reader, DeclineCode.LIVE_CASE, refusal, turn=turn, now=now
            )
        else:
            edit(session, number, reader)
            approve(session, number, session.get_one(Moderator, second))
    db.session.rollback()  # the visitor reads in a transaction that began before


# Codes that are wrong


@pytest.mark.parametrize("typed", ["", "1234", "not a code", "1234 5678 9012 3456 7"])
def test_what_is_no_code_is_told_so(visitor: Visitor, typed: str) -> None:
    page = come_back(visitor, typed)
    assert page.status == 422
    assert "The code has 16 digits" in page.text


def test_a_code_that_opens_nothing_says_what_may_have_become_of_it(visitor: Visitor) -> None:
    page = come_back(visitor, "1234 5678 9012 3456")
    assert page.status == 422
    assert "This code opens nothing" in page.text


def test_guessing_is_slowed_down_and_using_the_right_code_is_not(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LIMIT_RECEIPT="3 per hour")
    with app.app_context():
        visitor, ticket = visitor_of(app), sent()
        for _ in range(5):
            assert come_back(visitor, grouped(ticket.code)).status == 200
        for number in range(3):
            assert come_back(visitor, f"000000000000000{number}").status == 422
        page = come_back(visitor, grouped(ticket.code))
        assert page.status == 429
        assert int(page.headers["retry-after"]) > 0
        assert "What you told" not in page.text
        assert "your account is as it was" in page.text
        assert page.form("/testimonies/return").values["code"] == grouped(ticket.code)
        assert come_back(visitor_of(app, "203.0.113.9"), ticket.code).status == 200


def test_a_pass_of_somebody_else_or_made_up_opens_nothing(visitor: Visitor) -> None:
    page = visitor.post("/testimonies/return", {"step": "withdraw", "key": "nonsense"})
    assert page.status == 401
    assert "Your code, once more" in page.text


# Time runs out


def test_a_pass_that_ran_out_keeps_the_answer_and_goes_on_with_the_code(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sent()
    read_by(app, ticket, question="Which year?")
    page = come_back(visitor, ticket.code)
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + LATER)
    again = press(visitor, page, "answer", words="In spring.")
    assert again.status == 401
    assert again.form("/testimonies/return").values["words"] == "In spring."
    wrong = visitor.submit(again, "/testimonies/return", code="1111 2222 3333 4444")
    assert wrong.status == 401
    done = visitor.submit(wrong, "/testimonies/return", code=grouped(ticket.code))
    assert "We have your answer" in done.text
    assert stands(ticket) is State.SUBMITTED


@pytest.mark.parametrize(("step", "says"), [("edit", TEXT), ("erase", "<h1>Erase everything</h1>")])
def test_what_was_pressed_when_the_pass_ran_out_goes_on_with_the_code(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, step: str, says: str
) -> None:
    ticket = sent()
    page = come_back(visitor, ticket.code)
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + LATER)
    again = press(visitor, page, step)
    assert again.status == 401
    assert says in visitor.submit(again, "/testimonies/return", code=ticket.code).text
    assert stands(ticket) is State.SUBMITTED


def test_a_text_that_was_written_meanwhile_is_kept_too(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sent()
    page = press(visitor, come_back(visitor, ticket.code), "edit")
    page = go_on(visitor, page, "choices", text="All of it, at last.")
    page = go_on(visitor, page, "check", use="publish")
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + LATER)
    again = go_on(visitor, page, "send")
    assert again.status == 401
    assert form_of(again)["text"] == "All of it, at last."
    assert "This code opens nothing" in go_on(visitor, again, "send", code="12").text
    done = go_on(visitor, again, "send", code=ticket.code)
    assert "Sent." in done.text
    found = find_by_code(db.session(), ticket.code)
    assert found is not None
    assert found.text == "All of it, at last."


# What its writer can do


@pytest.mark.parametrize(
    ("steps", "state", "says"),
    [
        (["pause"], State.PAUSED, "You have paused it"),
        (["pause", "resume"], State.SUBMITTED, "It waits to be read"),
        (["withdraw"], State.WITHDRAWN, "You have withdrawn it"),
        (["erase", "show"], State.SUBMITTED, "It waits to be read"),
        (["erase", "erase-now"], None, "Everything is deleted"),
    ],
)
def test_one_press_is_enough_to_take_it_back(
    visitor: Visitor, steps: list[str], state: State | None, says: str
) -> None:
    ticket = sent()
    page = come_back(visitor, ticket.code)
    for step in steps:
        page = press(visitor, page, step)
    assert page.status == 200
    assert says in page.text
    assert page.headers["cache-control"] == "no-store"
    assert stands(ticket) is state


def test_what_was_erased_has_no_code_any_more(visitor: Visitor) -> None:
    ticket = sent()
    old = come_back(visitor, ticket.code)
    press(visitor, press(visitor, old, "erase"), "erase-now")
    assert come_back(visitor, ticket.code).status == 422
    gone = press(visitor, old, "pause")
    assert gone.status == 410
    assert "Nothing is left" in gone.text


def test_the_back_button_after_withdrawing_changes_nothing_and_says_so(visitor: Visitor) -> None:
    ticket = sent()
    old = come_back(visitor, ticket.code)
    press(visitor, old, "withdraw")
    page = press(visitor, old, "pause")
    assert page.status == 409
    assert "Nothing was changed: its writer has withdrawn it" in page.text
    assert stands(ticket) is State.WITHDRAWN


def test_an_old_page_of_writing_after_withdrawing_sends_it_anew_only_when_asked(
    visitor: Visitor,
) -> None:
    ticket = sent()
    page = press(visitor, come_back(visitor, ticket.code), "edit")
    with transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=clock.utc_now())
    page = go_on(visitor, page, "choices", text="I have thought again.")
    page = go_on(visitor, page, "check", use="read")
    assert stands(ticket) is State.WITHDRAWN
    assert "Sent." in go_on(visitor, page, "send").text
    assert stands(ticket) is State.SUBMITTED


def test_a_refusal_says_why_and_can_be_answered(app: Flask, visitor: Visitor) -> None:
    ticket = sent()
    read_by(app, ticket, refusal="An inquest is open, so we cannot publish it yet.")
    page = come_back(visitor, ticket.code)
    assert "A court or an inquest deals with it now." in page.text
    assert "An inquest is open" in page.text
    empty = press(visitor, page, "answer", words=" ")
    assert empty.status == 422
    assert "Write a few words" in empty.text
    own = press(visitor, page, "answer", words=f"It ended. {grouped(ticket.code)}")
    assert own.status == 422
    assert "Your own code stands in this" in own.text
    done = press(visitor, page, "answer", words="It ended last week.")
    assert "Somebody reads it" in done.text
    assert stands(ticket) is State.SUBMITTED


def test_what_was_decided_before_does_not_look_like_a_decision_about_what_is_read_anew(
    app: Flask, visitor: Visitor
) -> None:
    ticket, _ = publish(app)
    number, now = ticket.testimony_id, clock.utc_now()
    decided = "What was decided, and why"
    first, _ = two_readers(app)
    with transaction() as session:
        reader = session.get_one(Moderator, first)
        decisions.take_down(session, number, reader, "We look at it again.", now=now)
    page = come_back(visitor, ticket.code)
    assert "Why we took it off the site" in page.text
    assert "We look at it again." in page.text
    assert decided not in page.text
    with transaction() as session:
        testimony = session.get_one(Testimony, number)
        decisions.reopen(session, number, reader, turn=testimony.turn, now=now)
    page = come_back(visitor, ticket.code)
    assert "It waits to be read" in page.text
    for words in ("We look at it again.", "Why we took it off the site", decided):
        assert words not in page.text


def test_a_text_that_a_complaint_sends_back_to_be_edited_tells_its_writer_why(
    app: Flask, visitor: Visitor
) -> None:
    ticket, slug = publish(app)
    first, _ = two_readers(app)
    with transaction() as session:
        reader = session.get_one(Moderator, first)
        complaint = Complaint(
            id=uuid.uuid4(), slug=slug, ground=Ground.OTHER, stored_details="{}",
            received_at=clock.utc_now(), state=ComplaintState.OPEN,
        )  # fmt: skip
        session.add(complaint)
        session.flush()
        complaint_decisions.uphold(
            session, complaint.id, reader, words="You are right.",
            writer_words="It told who somebody is.", code=None, now=clock.utc_now(),
        )  # fmt: skip
    page = come_back(visitor, ticket.code)
    assert "It waits to be read" in page.text
    assert "Why we took it off the site" in page.text
    assert "It told who somebody is." in page.text
    assert "What was decided" not in page.text


@pytest.mark.parametrize(
    ("words", "waiting", "answered"),
    [
        ({"question": "When was that?"}, "What we ask</h2>", "What we asked</h2>"),
        (
            {"refusal": "An inquest is open."},
            "What was decided, and why",
            "What was decided before",
        ),
    ],
)
def test_what_was_answered_is_told_as_past(
    app: Flask, visitor: Visitor, words: dict[str, str], waiting: str, answered: str
) -> None:
    ticket = sent()
    read_by(app, ticket, **words)
    page = come_back(visitor, ticket.code)
    assert waiting in page.text
    press(visitor, page, "answer", words="Because.")
    page = come_back(visitor, ticket.code)
    assert answered in page.text
    assert waiting not in page.text
    assert "Because." in page.text


def test_everybody_sees_the_same_before_the_text_readers_its_writer_and_the_public(
    app: Flask, visitor: Visitor
) -> None:
    with transaction() as session:
        ticket = make_testimony(session, told(use=Use.PUBLISH_NAMED, name="Robin"))
    number, desk = ticket.testimony_id, reader_at_desk(app)
    edit_at_desk(desk, number)
    second = reader_at_desk(app, "Jo Fictional")
    approve_at_desk(second, number)
    page = come_back(visitor, ticket.code)
    with transaction() as session:
        edition = edition_of(session, session.get_one(Testimony, number))
        assert edition is not None
        assert edition.front is not None
        assert edition.front.name == "Robin"
    press(visitor, page, "agree")
    with transaction() as session:
        slug = address_of(session, number)
    fronts = [
        page,
        second.get(f"/desk/testimonies/{number}/public"),
        visitor.get(f"/testimonies/{slug}"),
    ]
    for shown in fronts:
        assert "Describes restraint by police</h" in shown.text
        assert FRONT.summary in shown.text
        assert "By <bdi>Robin</bdi>, a name that its writer chose." in shown.text


def test_the_edited_text_stands_beside_the_original_and_is_published_only_with_a_yes(
    app: Flask, visitor: Visitor
) -> None:
    ticket = sent()
    read_by(app, ticket)
    page = come_back(visitor, ticket.code)
    edited, original = page.text.index("[name taken out]"), page.text.index("Officer Fictional")
    assert edited < original
    changed = press(visitor, page, "change", words="Take the nurse out as well.")
    assert "It is read and edited anew" in changed.text
    stale = press(visitor, page, "agree")
    assert stale.status == 409
    assert stands(ticket) is State.SUBMITTED
    read_by(app, ticket)
    done = press(visitor, come_back(visitor, ticket.code), "agree")
    assert "It is published." in done.text
    assert stands(ticket) is State.PUBLISHED


def test_a_published_text_that_is_changed_comes_off_the_site_and_was_said_to(
    app: Flask, visitor: Visitor
) -> None:
    ticket, _ = publish(app)
    page = come_back(visitor, ticket.code)
    assert "comes off the site while its new words are read" in page.text
    page = press(visitor, page, "edit")
    assert form_of(page)["text"] == TEXT
    page = go_on(visitor, page, "choices", text="Less of it.")
    go_on(visitor, go_on(visitor, page, "check", use="publish"), "send")
    assert stands(ticket) is State.SUBMITTED
