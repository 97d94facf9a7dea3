"""The code and the links of a mail: each good for one signature, one purpose and seven days."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coalition.crypto import Keyring, TokenInvalid, keyring
from coalition.mail.codes import CODE_DIGITS, codes_for, grouped, is_right, normal_code
from coalition.mail.private_links import (
    LINK_LIFETIME,
    LinkExpired,
    Purpose,
    make_token,
    read_token,
)

OLD, NEW = "an-older-secret-of-forty-characters-0001", "a-newer-secret-of-forty-characters-00002"
BEFORE, DURING, AFTER = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
CODE = codes_for(AFTER, ONE)[0]
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

many = settings(max_examples=200, deadline=None)


@contextmanager
def running(ring: Keyring) -> Iterator[None]:
    """An application with these keys; links need nothing else of it, and no database."""
    app = Flask("links")
    app.extensions["keyring"] = ring
    with app.app_context():
        yield


@pytest.fixture
def application() -> Iterator[None]:
    with running(AFTER):
        yield


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        CODE[:-1],
        CODE + "0",
        CODE[::-1],
        f"{(int(CODE) + 1) % 10**CODE_DIGITS:0{CODE_DIGITS}d}",
        CODE.replace(CODE[0], "O"),
        f"code {CODE}",
        CODE * 1000,
        "\x00" * CODE_DIGITS,
    ],
    ids=["empty", "blank", "short", "long", "reversed", "next", "letter", "words", "huge", "NUL"],
)
def test_a_code_that_is_not_the_code_is_refused(typed: str) -> None:
    assert not is_right(AFTER, ONE, typed)


@many
@given(st.text() | st.from_regex(r"[0-9]{8}", fullmatch=True))
def test_no_other_text_is_the_code(typed: str) -> None:
    assume(normal_code(typed) != CODE)
    assert not is_right(AFTER, ONE, typed)


def test_the_code_of_another_signature_is_refused() -> None:
    assert not is_right(AFTER, OTHER, CODE)


def test_a_code_under_a_key_that_is_gone_is_refused() -> None:
    assert not is_right(AFTER, ONE, codes_for(BEFORE, ONE)[0])


def test_a_code_from_before_a_rotation_is_still_accepted() -> None:
    assert codes_for(DURING, ONE) == (codes_for(AFTER, ONE)[0], codes_for(BEFORE, ONE)[0])
    for code in codes_for(DURING, ONE):
        assert is_right(DURING, ONE, code)


@many
@given(st.uuids())
def test_a_code_has_eight_digits_and_every_mail_tells_the_same(signature_id: uuid.UUID) -> None:
    (code,) = codes_for(AFTER, signature_id)
    assert re.fullmatch(r"[0-9]{8}", code)
    assert codes_for(Keyring([NEW]), signature_id) == (code,)
    assert is_right(AFTER, signature_id, grouped(code))


def test_codes_differ_between_signatures() -> None:
    codes = {codes_for(AFTER, uuid.UUID(int=number))[0] for number in range(500)}
    # Of 500 in 100 million, two alike would be a chance of 1 in 800; the ids are fixed.
    assert len(codes) == 500


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        f"{CODE[:4]} {CODE[4:]}",
        f"  {CODE[:4]}\t{CODE[4:]}\n",
        f"{CODE[:4]}\u00a0{CODE[4:]}",
        f"{CODE[:4]}-{CODE[4:]}",
        f"{CODE[:4]}.{CODE[4:]}",
        f"{CODE[:4]}\u2013{CODE[4:]}",
        f"{CODE[:4]}\u2014{CODE[4:]}",
        f"{CODE[:4]}\u2010{CODE[4:]}",
        f"{CODE[:4]}\u2011{CODE[4:]}",
        "-".join(CODE),
        "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in CODE),
    ],
    ids=[
        "as it is",
        "grouped",
        "spaces around",
        "no-break space",
        "dash",
        "dot",
        "en dash",
        "em dash",
        "hyphen",
        "no-break hyphen",
        "a dash each",
        "full width",
    ],
)
def test_a_code_is_accepted_however_its_groups_are_kept_apart(typed: str) -> None:
    assert is_right(AFTER, ONE, typed)


@pytest.mark.usefixtures("application")
def test_a_link_is_good_for_its_lifetime_and_not_a_second_longer() -> None:
    for purpose in Purpose:
        token = make_token(purpose, ONE, NOW)
        assert read_token(purpose, token, NOW + LINK_LIFETIME) == ONE
        with pytest.raises(LinkExpired) as raised:
            read_token(purpose, token, NOW + LINK_LIFETIME + SECOND)
        assert raised.value.subject_id == ONE


def test_a_link_from_before_a_rotation_is_good_until_its_key_is_taken_out() -> None:
    with running(BEFORE):
        token = make_token(Purpose.CONFIRM, ONE, NOW)
    with running(DURING):
        assert read_token(Purpose.CONFIRM, token, NOW) == ONE
    with running(AFTER), pytest.raises(TokenInvalid):
        read_token(Purpose.CONFIRM, token, NOW)


@pytest.mark.usefixtures("application")
def test_a_link_for_one_purpose_is_never_good_for_another() -> None:
    for made, read in itertools.permutations(Purpose, 2):
        token = make_token(made, ONE, NOW)
        for moment in (NOW, NOW + LINK_LIFETIME + SECOND):
            with pytest.raises(TokenInvalid):
                read_token(read, token, moment)


@pytest.mark.usefixtures("application")
def test_a_link_tells_neither_the_time_nor_the_signature_of_another() -> None:
    tokens = {
        make_token(purpose, signature_id, moment)
        for purpose in Purpose
        for signature_id in (ONE, OTHER)
        for moment in (NOW, NOW + SECOND)
    }
    assert len(tokens) == len(Purpose) * 4
    assert all(re.fullmatch(r"[\w.-]{40,200}", token, re.ASCII) for token in tokens)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("payload", [None, 5, "", "zz", [], {}, "0f" * 17], ids=repr)
def test_a_genuine_token_that_names_no_signature_is_invalid(payload: object) -> None:
    token = keyring().sign_token(Purpose.MANAGE.value, payload, NOW)
    for moment in (NOW, NOW + LINK_LIFETIME + SECOND):
        with pytest.raises(TokenInvalid):
            read_token(Purpose.MANAGE, token, moment)


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\ud800", "é", "x" * 10_000])
def test_text_that_is_no_link_is_invalid(token: str) -> None:
    with pytest.raises(TokenInvalid):
        read_token(Purpose.CONFIRM, token, NOW)
