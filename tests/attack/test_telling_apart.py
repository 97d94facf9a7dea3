"""Somebody wants to know whether a certain person signed, speaks for an organisation, or is at the
desk, by what is answered. That signing and asking for a link answer alike stands in
tests/petition/test_signing.py and tests/endorsements/test_registering.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask

from coalition.db import db
from tests.asking import asked
from tests.attack.doors import DOORS, somebody
from tests.engines import on_postgresql, on_sqlite
from tests.visitor import Page


def plain(page: Page, email: str) -> tuple[object, ...]:
    """An answer without what is of its own in each: tokens, seals, the address itself."""
    secrets = r"gAAAA[\w=-]+|\.?[\w-]{8,}\.[\w-]{5,}\.[\w-]{20,}|\d{4}-\d{4}-\d{4}"
    text = re.sub(secrets, "SECRET", page.text.replace(email, "ADDRESS"))
    headers = {
        name: re.sub(secrets, "SECRET", value)
        for name, value in page.headers.items()
        if name not in ("date", "content-length", "etag")
    }
    return page.status, text, tuple(sorted(headers.items()))


@on_sqlite
@pytest.mark.parametrize("door", DOORS)
def test_no_answer_tells_whose_address_is_known(app: Flask, door: str) -> None:
    knock, states = DOORS[door]
    answers: dict[tuple[object, ...], list[str]] = {}
    for name, prepare in states.items():
        email = somebody()
        prepare(app, email)
        answers.setdefault(plain(knock(app, email), email), []).append(name)
        db.session.remove()
    assert len(answers) == 1, answers.values()


def statements(do: Callable[[], object]) -> list[str]:
    """What is asked of the database, but for what every process asks for itself now and then."""
    about = re.compile("signature|moderator|endorse|outbox|passkey|blocked")
    with asked() as found:
        do()
    return [each for each in found if about.search(each)]


@on_postgresql
@pytest.mark.parametrize("door", sorted(set(DOORS) - {"signing in"}))
def test_the_same_is_asked_of_the_database_for_every_address(app: Flask, door: str) -> None:
    """How long that takes would tell. Where somebody signs in, a slow hash takes much longer."""
    knock, states = DOORS[door]
    asked: dict[tuple[str, ...], list[str]] = {}
    for name, prepare in states.items():
        email = somebody()
        prepare(app, email)
        db.session.remove()
        asked.setdefault(tuple(statements(partial(knock, app, email))), []).append(name)
        db.session.remove()
    assert len(asked) == 1, asked.values()
    assert next(iter(asked))
