"""Keys: what one purpose or one secret made, no other can read; rotation loses nothing."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from coalition.crypto import DIGEST_BYTES, KEY_BYTES, Keyring, TokenExpired, TokenInvalid
from coalition.db import db, transaction
from coalition.mail.actions import block_address, queue_message
from coalition.petition.models import Signature
from tests.factories import make_signature

OLD, NEW = "an-older-secret-of-forty-characters-0001", "a-newer-secret-of-forty-characters-00002"
BEFORE, DURING, AFTER = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
IN_ADDRESSES = string.ascii_letters + string.digits + "-_.="

few = settings(max_examples=200, deadline=None)
purposes = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
payloads = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def altered(token: str) -> list[str]:
    """Every text that differs from `token` in one character that may stand in an address."""
    return [
        token[:at] + character + token[at + 1 :]
        for at in range(len(token))
        for character in IN_ADDRESSES
        if character != token[at]
    ]


def accepted(ring: Keyring, tokens: list[str], *, sealed: bool) -> list[str]:
    """Those of `tokens` that are read without an error."""
    found = []
    for token in tokens:
        try:
            if sealed:
                ring.unseal("a", token, datetime.now(UTC), WEEK)
            else:
                ring.read_token("a", token, NOW, WEEK)
        except TokenInvalid:
            continue
        found.append(token)
    return found


def made(*, sealed: bool) -> tuple[str, int]:
    """A token, and the place of the last character that carries any of its bits."""
    token = AFTER.seal("a", "somebody@example.org") if sealed else AFTER.sign_token("a", "x", NOW)
    return token, len(token.rstrip("=")) - 1


both = pytest.mark.parametrize("sealed", [False, True], ids=["token", "sealed"])


@both
def test_no_altered_token_is_read(sealed: bool) -> None:
    token, last = made(sealed=sealed)
    # The last character has bits to spare: it has a test of its own.
    changed = [each for each in altered(token) if each[last] == token[last]]
    assert len(changed) > 50 * len(token)
    assert accepted(AFTER, changed, sealed=sealed) == []


@both
def test_no_token_with_an_altered_last_character_is_read(sealed: bool) -> None:
    token, last = made(sealed=sealed)
    changed = [each for each in altered(token) if each[last] != token[last]]
    assert len(changed) > 50
    assert accepted(AFTER, changed, sealed=sealed) == []


@both
def test_nothing_that_was_cut_short_is_read(sealed: bool) -> None:
    token, _ = made(sealed=sealed)
    shorter = [token[:length] for length in range(len(token))]
    shorter += [token[start:] for start in range(1, len(token) + 1)]
    assert accepted(AFTER, shorter, sealed=sealed) == []


@few
@given(st.text(), st.text())
def test_arbitrary_text_is_an_invalid_token_and_nothing_worse(purpose: str, token: str) -> None:
    with pytest.raises(TokenInvalid):
        AFTER.read_token(purpose, token, NOW, WEEK)
    with pytest.raises(TokenInvalid):
        AFTER.unseal(purpose, token, NOW, WEEK)
    with pytest.raises(TokenInvalid):
        AFTER.decrypt(purpose, token.encode())


@few
@given(st.binary())
def test_arbitrary_bytes_cannot_be_decrypted(data: bytes) -> None:
    with pytest.raises(TokenInvalid):
        AFTER.decrypt("a", data)


@pytest.mark.parametrize("token", ["\ud800", "\ud800.a.b", "é.é.é", "\x00", ".", "..", "=" * 99])
def test_text_that_no_token_can_hold_is_invalid(token: str) -> None:
    with pytest.raises(TokenInvalid):
        AFTER.read_token("a", token, NOW, WEEK)
    with pytest.raises(TokenInvalid):
        AFTER.unseal("a", token, NOW, WEEK)


@few
@given(purposes, purposes, payloads)
def test_a_token_for_one_purpose_never_serves_another(
    purpose: str, other: str, payload: object
) -> None:
    assume(purpose != other)
    token = DURING.sign_token(purpose, payload, NOW)
    assert DURING.read_token(purpose, token, NOW, WEEK) == payload
    with pytest.raises(TokenInvalid):
        DURING.read_token(other, token, NOW, WEEK)
    sealed = DURING.seal(purpose, payload)
    with pytest.raises(TokenInvalid):
        DURING.unseal(other, sealed, NOW, WEEK)
    with pytest.raises(TokenInvalid):
        DURING.unseal(purpose, token, NOW, WEEK)
    with pytest.raises(TokenInvalid):
        DURING.read_token(purpose, sealed, NOW, WEEK)


@few
@given(st.lists(purposes, min_size=2, max_size=8, unique=True))
def test_every_purpose_and_every_secret_has_a_key_of_its_own(several: list[str]) -> None:
    keys = [key for purpose in several for key in DURING.derive(purpose)]
    assert len(set(keys)) == 2 * len(several)
    assert {len(key) for key in keys} == {KEY_BYTES}


def test_a_key_is_not_the_secret_and_is_the_same_after_a_restart() -> None:
    assert OLD.encode()[:KEY_BYTES] not in BEFORE.derive("")
    assert Keyring([OLD]).derive("signatures.email") == BEFORE.derive("signatures.email")


@few
@given(payloads)
def test_a_token_that_is_too_old_tells_what_it_carried(payload: object) -> None:
    token = AFTER.sign_token("a", payload, NOW)
    assert AFTER.read_token("a", token, NOW + WEEK, WEEK) == payload
    with pytest.raises(TokenExpired) as raised:
        AFTER.read_token("a", token, NOW + WEEK + timedelta(seconds=1), WEEK)
    assert raised.value.payload == payload


def test_a_common_token_that_was_read_before_is_still_refused_once_it_is_too_old() -> None:
    token = AFTER.sign_token("a", [1], NOW)
    assert AFTER.read_common_token("a", token, NOW + WEEK, WEEK) == [1]
    with pytest.raises(TokenExpired) as caught:
        AFTER.read_common_token("a", token, NOW + WEEK + timedelta(seconds=1), WEEK)
    assert caught.value.payload == [1]


def test_a_common_token_is_read_for_its_own_purpose_and_by_its_own_key_alone() -> None:
    token = BEFORE.sign_token("a", [1], NOW)
    assert BEFORE.read_common_token("a", token, NOW, WEEK) == [1]
    for ring, purpose in ((BEFORE, "b"), (AFTER, "a")):
        with pytest.raises(TokenInvalid):
            ring.read_common_token(purpose, token, NOW, WEEK)
    for other in altered(token)[::50]:
        with pytest.raises(TokenInvalid):
            BEFORE.read_common_token("a", other, NOW, WEEK)


def test_a_sealed_text_that_is_too_old_tells_what_it_carried() -> None:
    sealed = AFTER.seal("a", ["kept"])
    now = datetime.now(UTC)
    assert AFTER.unseal("a", sealed, now, WEEK) == ["kept"]
    with pytest.raises(TokenExpired) as raised:
        AFTER.unseal("a", sealed, now + WEEK + timedelta(minutes=1), WEEK)
    assert raised.value.payload == ["kept"]


def test_a_forged_token_is_invalid_even_where_it_would_be_too_old() -> None:
    token = BEFORE.sign_token("a", "x", NOW - WEEK * 9)
    with pytest.raises(TokenInvalid):
        AFTER.read_token("a", token, NOW, WEEK)


@few
@given(st.text())
def test_what_is_sealed_or_encrypted_comes_back_and_cannot_be_read(words: str) -> None:
    sealed, encrypted = AFTER.seal("a", words), AFTER.encrypt("a", words)
    assert AFTER.unseal("a", sealed, datetime.now(UTC), WEEK) == words
    assert AFTER.decrypt("a", encrypted) == words
    assert AFTER.encrypt("a", words) != encrypted
    if len(words.encode()) > 5:
        assert words.encode() not in encrypted
        assert json.dumps(words) not in sealed


@few
@given(st.text(), st.text())
def test_digests_are_alike_only_for_the_same_text_purpose_and_key(one: str, other: str) -> None:
    assume(one != other)
    assert AFTER.digest("a", one) == Keyring([NEW]).digest("a", one)
    digests = {
        ring.digest(purpose, words)
        for ring in (BEFORE, AFTER)
        for purpose in ("a", "b")
        for words in (one, other)
    }
    assert len(digests) == 8
    assert {len(digest) for digest in digests} == {DIGEST_BYTES}


def test_during_a_rotation_the_old_secret_still_reads() -> None:
    assert DURING.decrypt("a", BEFORE.encrypt("a", "x")) == "x"
    assert DURING.read_token("a", BEFORE.sign_token("a", "x", NOW), NOW, WEEK) == "x"
    assert DURING.unseal("a", BEFORE.seal("a", "x"), datetime.now(UTC), WEEK) == "x"
    assert DURING.digests("a", "x") == (AFTER.digest("a", "x"), BEFORE.digest("a", "x"))


def test_during_a_rotation_the_newest_secret_writes() -> None:
    assert AFTER.decrypt("a", DURING.encrypt("a", "x")) == "x"
    assert AFTER.read_token("a", DURING.sign_token("a", "x", NOW), NOW, WEEK) == "x"
    assert AFTER.unseal("a", DURING.seal("a", "x"), datetime.now(UTC), WEEK) == "x"
    assert DURING.digest("a", "x") == AFTER.digest("a", "x")


@pytest.mark.parametrize(
    ("writer", "reader"), [(BEFORE, AFTER), (DURING, BEFORE)], ids=["dropped", "older alone"]
)
def test_a_secret_that_is_not_there_reads_nothing(writer: Keyring, reader: Keyring) -> None:
    with pytest.raises(TokenInvalid):
        reader.decrypt("a", writer.encrypt("a", "x"))
    with pytest.raises(TokenInvalid):
        reader.read_token("a", writer.sign_token("a", "x", NOW), NOW, WEEK)
    with pytest.raises(TokenInvalid):
        reader.unseal("a", writer.seal("a", "x"), datetime.now(UTC), WEEK)


@pytest.mark.usefixtures("app")
def test_no_name_and_no_address_can_be_read_in_the_database(database_url: str) -> None:
    with transaction() as session:
        make_signature(
            session, email="zoe@example.org", name="Zoë Fictional", appeal="It was me, Zoë."
        )
        block_address(session, "blocked@example.org", now=NOW)
        queue_message(session, "petition.link", details={"address": "queued@example.org"}, now=NOW)
    words = ["zoe@example", "blocked@example", "queued@example", "Fictional", "It was me"]
    stored = b""
    with db.engine.connect() as connection:
        names = connection.execute(text("SELECT email, name FROM signatures")).one()
        assert [type(bytes(value)) for value in names] == [bytes, bytes]
        for table in ("signatures", "blocked_addresses", "outbox_messages", "count_events"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                stored += repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode()
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        stored += b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    assert len(stored) > 500
    for word in words:
        assert word.encode() not in stored


@pytest.mark.usefixtures("app")
def test_what_is_stored_encrypted_is_read_back_as_it_was_given() -> None:
    name = "Zoë \U0001f642 \x00 Fictional"
    with transaction() as session:
        signature_id = make_signature(session, name=name).id
    db.session.remove()
    found = db.session.get(Signature, signature_id)
    assert found is not None
    assert found.name == name
    assert found.appeal is None
