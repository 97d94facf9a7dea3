"""Telling what happened: nothing typed is lost, nothing is kept unasked, and the code comes once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db
from coalition.statements.queries import current_campaign
from coalition.testimonies.actions import LONGEST_TEXT
from coalition.testimonies.choices import Use
from coalition.testimonies.models import Testimony
from coalition.testimonies.queries import find_by_code
from coalition.testimonies.states import State
from tests.telling import (
    TEXT,
    code_on,
    come_back,
    form_of,
    go_on,
    open_the_form,
    press,
    write,
)
from tests.visitor import Visitor, visitor_of


@pytest.fixture(autouse=True)
def opened(app: Flask) -> None:
    open_the_form(app)


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Testimony)) or 0


# What is wrong


@pytest.mark.parametrize(
    ("answers", "says", "where"),
    [
        ({"use": ""}, "Choose what we may do with it", "What becomes of it"),
        ({"use": "everything"}, "Choose what we may do with it", "What becomes of it"),
        ({"consent": ""}, "Tick the box that says you agree", "What becomes of it"),
        ({"use": "publish-named"}, "Enter the name, or choose", "What becomes of it"),
        ({"email": "robin"}, "in the form name@example.org", "What becomes of it"),
    ],
)
def test_a_choice_that_is_missing_comes_back_with_everything_else(
    visitor: Visitor, answers: dict[str, str], says: str, where: str
) -> None:
    page = write(visitor, **answers)
    assert page.status == 422
    assert f"<title>Error: {where}" in page.text
    assert page.text.count(says) == 2, "in the summary and at the field"
    assert form_of(page)["text"] == TEXT
    assert kept() == 0


def test_an_empty_text_is_asked_for(visitor: Visitor) -> None:
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "choices", text=" \n ")
    assert page.status == 422
    assert "Write something, however short" in page.text


@pytest.mark.parametrize("length", [LONGEST_TEXT + 1, 200_000])
def test_a_text_that_is_too_long_comes_back_whole(visitor: Visitor, length: int) -> None:
    long = "ש" * length
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "choices", text=long)
    assert page.status == 422
    assert f"{length:,} characters" in page.text
    assert form_of(page)["text"] == long


def test_a_trap_that_a_robot_fills_in_sends_nothing(visitor: Visitor) -> None:
    page = go_on(visitor, write(visitor), "send", nickname="me")
    assert page.status == 422
    assert "This field must stay empty" in page.text
    assert kept() == 0


def test_a_form_that_is_shut_meanwhile_gives_the_text_back(app: Flask, visitor: Visitor) -> None:
    page = write(visitor)
    open_the_form(app, rule="")
    db.session.rollback()  # the visitor reads in a transaction that began before
    page = go_on(visitor, page, "send")
    assert page.status == 409
    assert "The form was closed while you were writing" in page.text
    assert form_of(page)["text"] == TEXT
    assert kept() == 0


def test_too_many_forms_keep_what_was_written(make_app: Callable[..., Flask]) -> None:
    app = make_app(LIMIT_NETWORK="3 per hour")
    with app.app_context():
        visitor = visitor_of(app)
        page = write(visitor)
        page = go_on(visitor, page, "send")
        assert page.status == 429
        assert int(page.headers["retry-after"]) > 0
        assert form_of(page)["text"] == TEXT
        assert form_of(page)["use"] == "publish"


def test_a_failure_keeps_what_was_written_and_logs_none_of_it(
    app: Flask, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    page = write(visitor)
    db.session.execute(text("ALTER TABLE testimonies RENAME TO lost"))
    db.session.commit()
    page = go_on(visitor, page, "send")
    assert page.status == 500
    assert "Something broke on our side" in page.text
    assert form_of(page)["text"] == TEXT
    assert "testimonies_share.tell failed" in caplog.text
    assert "nurse" not in caplog.text


# Before it is sent


def test_nothing_is_kept_before_it_is_sent_or_saved(visitor: Visitor) -> None:
    page = write(visitor)
    go_on(visitor, page, "save")
    assert page.status == 200
    assert "Nothing is sent yet" in page.text
    assert kept() == 0


def test_what_may_tell_who_somebody_is_is_shown_and_holds_nothing_back(visitor: Visitor) -> None:
    page = write(visitor)
    assert "This may tell who somebody is" in page.text
    assert "Officer Fictional</bdi>: a name with a title or rank" in page.text
    assert go_on(visitor, page, "send").status == 200


def test_a_number_like_a_code_is_warned_of_once(visitor: Visitor) -> None:
    page = write(visitor, text="My number is 1234 5678 9012 3456, they said.")
    assert "is not a receipt code" in page.text
    refused = go_on(visitor, page, "send")
    assert refused.status == 422
    assert "Your text holds a number like a receipt code" in refused.text
    assert kept() == 0
    assert go_on(visitor, refused, "send", code_is_meant="yes").status == 200
    assert kept() == 1


@pytest.mark.parametrize("age", [timedelta(minutes=31), timedelta(days=7), timedelta(days=31)])
def test_a_form_that_lay_open_is_made_new_with_all_that_was_typed_and_its_code_is_not_lost(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, age: timedelta
) -> None:
    page = write(visitor)
    opened = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: opened + age)
    again = go_on(visitor, page, "send")
    assert again.status == 422
    assert "Press the button once more" in again.text
    assert form_of(again)["text"] == TEXT
    assert kept() == 0
    lost = go_on(visitor, again, "send")  # an answer that never arrives
    assert code_on(go_on(visitor, again, "send")) == code_on(lost)
    assert kept() == 1


def test_a_rule_that_was_published_anew_is_read_before_anything_is_sent(
    app: Flask, visitor: Visitor
) -> None:
    page = write(visitor)
    open_the_form(app, "We send somebody, always.")
    db.session.rollback()  # the visitor reads in a transaction that began before
    again = go_on(visitor, page, "send")
    assert again.status == 409
    assert "published our rule anew" in again.text
    assert "We send somebody, always." in again.text
    assert kept() == 0
    code = code_on(go_on(visitor, again, "send"))
    found = find_by_code(db.session(), code)
    assert found is not None
    assert found.rules_version_id == current_campaign().telling.version_id


# The code


def test_it_is_sent_and_its_code_is_shown_once(visitor: Visitor) -> None:
    page = go_on(visitor, write(visitor, email="robin@example.org", may_press="yes"), "send")
    code = code_on(page)
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    found = find_by_code(db.session(), code)
    assert found is not None
    assert (found.state, found.text, found.contact) == (
        State.SUBMITTED, TEXT, "robin@example.org",
    )  # fmt: skip
    assert found.choices is not None
    assert (found.choices.use, found.choices.may_press, found.choices.ask_first) == (
        Use.PUBLISH, True, True,
    )  # fmt: skip
    for address in (page.url, *page.links):
        assert code.replace(" ", "") not in address.replace("%20", "")


def test_a_double_press_makes_one_and_shows_the_same_code(visitor: Visitor) -> None:
    page = write(visitor)
    first, second = go_on(visitor, page, "send"), go_on(visitor, page, "send")
    assert code_on(first) == code_on(second)
    assert kept() == 1


def test_an_hour_later_the_same_form_shows_no_code_to_whoever_presses_back(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = write(visitor)
    code = code_on(go_on(visitor, page, "send"))
    later = clock.utc_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    again = go_on(visitor, page, "send")
    assert again.status == 409
    assert "We have this already" in again.text
    assert code not in again.text


def test_nor_does_going_through_an_old_form_once_more_make_it_show_the_code(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = write(visitor)
    code = code_on(go_on(visitor, page, "send"))
    later = clock.utc_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    again = go_on(visitor, go_on(visitor, page, "check"), "send")
    assert again.status == 409
    assert code not in again.text


def test_other_words_in_a_form_that_was_sent_overwrite_nothing_and_are_not_lost(
    visitor: Visitor,
) -> None:
    page = write(visitor)
    code = code_on(go_on(visitor, page, "send"))
    again = go_on(visitor, page, "send", text="Other words, after going back.")
    assert again.status == 409
    assert "Other words, after going back." in again.text
    found = find_by_code(db.session(), code)
    assert found is not None
    assert found.text == TEXT


def test_the_code_can_be_had_as_a_file_that_says_nothing(visitor: Visitor) -> None:
    page = go_on(visitor, write(visitor), "send")
    file = visitor.submit(page, "/testimonies/note")
    assert file.headers["content-type"].startswith("text/plain")
    assert file.headers["content-disposition"] == 'attachment; filename="note.txt"'
    assert file.text == f"{code_on(page)}\n\nKeep this. Show it to nobody.\n"


def test_the_file_is_gone_after_an_hour_and_with_a_made_up_seal(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert visitor.post("/testimonies/note", {"sealed": "nonsense"}).status == 410
    page = go_on(visitor, write(visitor), "send")
    later = clock.utc_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    gone = visitor.submit(page, "/testimonies/note")
    assert gone.status == 410
    assert "is not shown any more" in gone.text


# Drafts


def test_a_draft_is_kept_only_with_consent_and_read_by_nobody(visitor: Visitor) -> None:
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "save", text="A beginning.")
    assert "30 days" in page.text
    refused = go_on(visitor, page, "keep")
    assert refused.status == 422
    assert kept() == 0
    page = go_on(visitor, refused, "keep", consent="yes")
    found = find_by_code(db.session(), code_on(page))
    assert found is not None
    assert (found.state, found.text) == (State.DRAFT, "A beginning.")


def test_a_draft_is_gone_on_with_and_sent_under_the_same_code(visitor: Visitor) -> None:
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "save", text="A beginning.")
    code = code_on(go_on(visitor, page, "keep", consent="yes"))
    page = press(visitor, come_back(visitor, code), "edit")
    assert form_of(page)["text"] == "A beginning."
    page = go_on(visitor, page, "choices", text="A beginning, and an end.")
    page = go_on(visitor, page, "check", use="read", consent="yes")
    page = go_on(visitor, page, "send")
    assert "It waits to be read" in page.text
    found = find_by_code(db.session(), code)
    assert found is not None
    assert (found.state, found.text) == (State.SUBMITTED, "A beginning, and an end.")


def test_a_draft_in_two_windows_shows_both_and_loses_neither(visitor: Visitor) -> None:
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "save", text="A beginning.")
    code = code_on(go_on(visitor, page, "keep", consent="yes"))
    one = press(visitor, come_back(visitor, code), "edit")
    other = press(visitor, come_back(visitor, code), "edit")
    one = go_on(visitor, go_on(visitor, one, "save", text="From one window."), "keep")
    assert "Saved." in one.text
    conflict = go_on(visitor, go_on(visitor, other, "save", text="From the other."), "keep")
    assert conflict.status == 409
    assert "From one window." in conflict.text
    assert form_of(conflict)["text"] == "From the other."
    settled = go_on(visitor, conflict, "keep", text="From both.")
    assert "Saved." in settled.text
    found = find_by_code(db.session(), code)
    assert found is not None
    assert found.text == "From both."


@pytest.mark.parametrize("field", ["text", "name"])
def test_ones_own_code_never_goes_along(visitor: Visitor, field: str) -> None:
    code = code_on(go_on(visitor, write(visitor), "send"))
    page = press(visitor, come_back(visitor, code), "edit")
    typed = {"use": "publish-named", "name": "Somebody", field: f"My code is {code}."}
    page = go_on(visitor, page, "choices", text=typed.get("text", TEXT))
    page = go_on(visitor, page, "check", use=typed["use"], name=typed["name"])
    refused = go_on(visitor, page, "send", code_is_meant="yes")
    assert refused.status == 422
    assert "Your own code stands in this" in refused.text
    assert form_of(refused)[field] == f"My code is {code}."
    found = find_by_code(db.session(), code)
    assert found is not None
    assert found.text == TEXT


# What stays nowhere


def test_nothing_of_what_was_written_stands_in_the_database_or_the_log(
    app: Flask, visitor: Visitor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    text_, name = "Nobody-listened-in-Examplestead.", "Robin-of-Examplestead"
    page = write(
        visitor, text=text_, use="publish-named", name=name, email="robin@examplestead.example.org"
    )
    code = code_on(go_on(visitor, page, "send"))
    opened = come_back(visitor, code)
    press(visitor, opened, "pause")
    if db.engine.dialect.name == "sqlite":
        places = [path.read_bytes() for path in tmp_path.glob("site.db*")]
        assert places
    else:
        tables = ("testimonies", "testimony_editions", "published_testimonies", "outbox_messages")
        places = [
            repr([[_plain(cell) for cell in row] for row in db.session.execute(
                text(f"SELECT * FROM {table}")
            )]).encode()
            for table in tables if _exists(table)
        ]  # fmt: skip
        assert len(places) >= 3
    places.append(caplog.text.encode())
    for place in places:
        for secret in (text_, name, "examplestead", code, code.replace(" ", "")):
            assert secret.encode() not in place
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert not any("testimony" in each for each in actions), "the log keeps moments"


def _plain(cell: object) -> object:
    return bytes(cell) if isinstance(cell, memoryview) else cell


def _exists(table: str) -> bool:
    return table in db.metadata.tables
