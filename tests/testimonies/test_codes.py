"""The receipt code: typed in any way, kept by nobody, the same for the same form."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql

from coalition import clock
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.settings import Settings
from coalition.testimonies.codes import (
    TICKET_LIFETIME,
    TOLD_AGAIN,
    Ticket,
    codes_in,
    grouped,
    new_ticket,
    normal_code,
    possible_codes,
    read_ticket,
    renewed_ticket,
)
from coalition.testimonies.models import Testimony
from coalition.testimonies.queries import find_by_code
from tests.conftest import SECRET, environment, run_command
from tests.telling import make_testimony

CODE = "1234567890123456"


@pytest.mark.parametrize(
    "typed",
    [
        CODE, "1234 5678 9012 3456", " 1234-5678-9012-3456\n", "1234.5678.9012.3456",
        "1234\u00a05678\u202f9012\u20093456", "１２３４ 5678 9012 3456",
    ],
)  # fmt: skip
def test_spaces_and_dashes_do_not_matter(typed: str) -> None:
    assert normal_code(typed) == CODE


@pytest.mark.parametrize("typed", ["", "1234", CODE + "7", "1234 5678 9012 345x", "๑" * 16])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert normal_code(typed) == ""


def test_a_code_is_written_in_groups_like_a_telephone_number() -> None:
    assert grouped(CODE) == "1234 5678 9012 3456"


@pytest.mark.parametrize(
    "text", [f"My code is {CODE}.", "It is 1234 5678 9012 3456", "1234-5678-9012-3456"]
)
def test_a_code_in_a_text_is_seen(text: str) -> None:
    assert [normal_code(each) for each in codes_in(text)] == [CODE]


@pytest.mark.parametrize(
    "text", ["In 2019 I waited 36 hours, and 2020 was no better.", CODE + "7", "12 34 56 78"]
)
def test_other_numbers_in_a_text_are_no_code(text: str) -> None:
    assert codes_in(text) == []


@pytest.mark.parametrize("between", [" - ", "\n", " – ", ", ", "/", "_", "\u2009", "…", " ,  "])
def test_in_groups_a_code_in_a_text_is_seen_whatever_stands_between(between: str) -> None:
    text = f"It is {between.join(('1234', '5678', '9012', '3456'))} and nothing else."
    assert [normal_code(each) for each in codes_in(text)] == [CODE]


@given(st.lists(st.text(alphabet=" -_./,\n–…*", max_size=9), min_size=15, max_size=15))
def test_whatever_opens_an_account_is_found_in_a_text(between: list[str]) -> None:
    typed = "".join(digit + mark for digit, mark in zip(CODE, [*between, ""], strict=True))
    assert normal_code(typed) == CODE
    assert CODE in possible_codes(f"In 2019 x {typed} x and 2020")


def test_a_form_tells_the_same_code_each_time_and_another_form_another(app: Flask) -> None:
    now = clock.utc_now()
    ticket = read_ticket(new_ticket(now), now)
    assert ticket is not None
    again = read_ticket(renewed_ticket(ticket, now), now)
    other = read_ticket(new_ticket(now), now)
    assert again is not None
    assert other is not None
    assert (again.code, again.testimony_id) == (ticket.code, ticket.testimony_id)
    assert other.code != ticket.code
    assert len(ticket.code) == 16


def test_a_ticket_tells_its_code_for_an_hour_and_can_be_sent_for_a_month(app: Flask) -> None:
    now = clock.utc_now()
    ticket = Ticket(secrets.token_hex(32), now)
    assert ticket.tells_code(now + TOLD_AGAIN)
    assert not ticket.tells_code(now + TOLD_AGAIN + timedelta(seconds=1))
    sealed = renewed_ticket(ticket, now)
    assert read_ticket(sealed, now + TICKET_LIFETIME - timedelta(hours=1)) is not None
    assert read_ticket(sealed, now + TICKET_LIFETIME + timedelta(hours=1)) is None
    assert read_ticket("nonsense", now) is None


def test_neither_the_code_nor_what_it_is_made_from_is_in_the_database(app: Flask) -> None:
    with transaction() as session:
        ticket = make_testimony(session)
        row = session.execute(sql("SELECT * FROM testimonies")).one()
    whole = repr(row).encode() + b"".join(bytes(each) for each in row if _is_bytes(each))
    for secret in (ticket.code, grouped(ticket.code), ticket.nonce):
        assert secret.encode() not in whole
        assert bytes.fromhex(ticket.nonce) not in whole
    assert row.code_hash.startswith("$argon2id$")


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes | memoryview)


def test_a_code_opens_its_testimony_and_no_other_does(app: Flask) -> None:
    with transaction() as session:
        ticket, other = make_testimony(session), make_testimony(session)
    found = find_by_code(db.session(), f" {grouped(ticket.code)} ")
    assert found is not None
    assert found.id == ticket.testimony_id != other.testimony_id
    wrong = f"{(int(ticket.code) + 1) % 10**16:016d}"
    assert find_by_code(db.session(), wrong) is None
    assert find_by_code(db.session(), "") is None


def test_a_row_found_by_a_digest_whose_hash_does_not_fit_stays_shut(
    app: Flask,
) -> None:
    """As when somebody who can write the database sets a digest of their own."""
    with transaction() as session:
        one, other = make_testimony(session), make_testimony(session)
        mine = session.get_one(Testimony, one.testimony_id)
        theirs = session.get_one(Testimony, other.testimony_id)
        digest, mine.code_digest = mine.code_digest, None
        session.flush()
        theirs.code_digest = digest
    assert find_by_code(db.session(), one.code) is None


def test_codes_go_on_working_after_the_secrets_were_changed_and_the_old_one_dropped(
    make_app: Callable[..., Flask], database_url: str
) -> None:
    old = make_app()
    with old.app_context(), transaction() as session:
        ticket = make_testimony(session)
    new = "another-secret-that-is-long-enough-too"
    values = environment(database_url, "smtp://127.0.0.1", SECRET_KEYS=f"{new},{SECRET}")
    rotated = run_command(values, "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    values = environment(database_url, "smtp://127.0.0.1", SECRET_KEYS=new)
    only_new = create_app(Settings.from_environment(values))
    with only_new.app_context():
        found = find_by_code(db.session(), ticket.code)
        assert found is not None
        assert found.id == ticket.testimony_id
        assert found.text
        assert found.choices
        db.session.remove()
        db.engine.dispose()
