"""Somebody wants to know whether a certain person signed, speaks for an organisation, or is at the
desk: by what is answered, and by how long it takes. That signing and asking for a link answer alike
stands in tests/petition/test_signing.py and tests/endorsements/test_registering.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from statistics import quantiles
from time import perf_counter

import pytest
from flask import Flask

from coalition import clock
from coalition.accounts.actions import invite_moderator, remove_moderator
from coalition.accounts.models import Moderator, Role
from coalition.db import db, transaction
from coalition.endorsements.models import EndorsementStatus
from coalition.mail.actions import block_address
from coalition.petition import actions
from coalition.petition.models import SignatureStatus
from tests.desking import give_password, make_moderator
from tests.endorsing import check
from tests.factories import make_endorsement, make_signature
from tests.visitor import Page, Visitor, visitor_of

TRIES = 200  # of each kind, in turn, so that what else the machine does falls on both alike
# How much longer one may take than the other. A transaction less is a third of the time of signing,
# a slow hash less nearly all of signing in.
ALIKE = 1.25
_numbers = count(1)

Try = Callable[[str], Page]
Prepare = Callable[[Flask, str], None]


def erased(app: Flask, email: str) -> None:
    with transaction() as session:
        actions.erase_signature(
            session, make_signature(session, email=email).id, now=clock.utc_now()
        )


def blocked(app: Flask, email: str) -> None:
    with transaction() as session:
        block_address(session, email, now=clock.utc_now())


def signed(status: SignatureStatus) -> Prepare:
    def prepare(app: Flask, email: str) -> None:
        with transaction() as session:
            make_signature(session, email=email, status=status)

    return prepare


def endorsed(status: EndorsementStatus) -> Prepare:
    def prepare(app: Flask, email: str) -> None:
        with transaction() as session:
            make_endorsement(session, email=email, status=status)

    return prepare


def at_the_desk(app: Flask, email: str) -> None:
    give_password(app, make_moderator(app, Role.MODERATOR, email=email))


def invited(app: Flask, email: str) -> None:
    with transaction() as session:
        invite_moderator(session, email, "Mo", [Role.MODERATOR], actor="test", now=clock.utc_now())


def gone_from_the_desk(app: Flask, email: str) -> None:
    at_the_desk(app, email)
    with transaction() as session:
        (moderator,) = (each for each in session.query(Moderator) if each.email == email)
        remove_moderator(session, moderator, actor="test", now=clock.utc_now())


def unknown(app: Flask, email: str) -> None:
    """Nobody has heard of this one."""


SIGNATORIES = {
    "unknown": unknown, "blocked": blocked, "erased": erased,
    **{status.value: signed(status) for status in SignatureStatus},
}  # fmt: skip
CONTACTS = {
    "unknown": unknown, "blocked": blocked, "signed": signed(SignatureStatus.VERIFIED),
    **{status.value: endorsed(status) for status in EndorsementStatus},
}  # fmt: skip
PEOPLE = {
    "unknown": unknown, "blocked": blocked, "at the desk": at_the_desk, "invited": invited,
    "gone": gone_from_the_desk, "signed": signed(SignatureStatus.VERIFIED),
}  # fmt: skip


def sign(app: Flask, email: str) -> Page:
    visitor = visitor_of(app)
    answers = {"name": "Ada", "email": email, "consent": "yes"}
    return visitor.submit(visitor.get("/petition"), "/petition/sign", follow=False, **answers)


def type_code(path: str) -> Callable[[Flask, str], Page]:
    def guess(app: Flask, email: str) -> Page:
        return visitor_of(app).post(path, {"email": email, "code": "12345678"}, follow=False)

    return guess


def ask(path: str) -> Callable[[Flask, str], Page]:
    def send(app: Flask, email: str) -> Page:
        return visitor_of(app).post(path, {"email": email}, follow=False)

    return send


def register(app: Flask, email: str) -> Page:
    visitor = visitor_of(app)
    page = check(visitor, email=email)
    values = {**page.form("/supporters/endorse").values, "step": "send"}
    return visitor.post("/supporters/endorse", values, follow=False)


def fill_in_desk(path: str) -> Callable[[Flask, str], Page]:
    def send(app: Flask, email: str) -> Page:
        visitor = visitor_of(app)
        values = visitor.get(path).form(path).values
        typed = {"email": email, "password": "not their password"}
        return visitor.post(path, {**values, **typed}, follow=False)

    return send


DOORS: dict[str, tuple[Callable[[Flask, str], Page], dict[str, Prepare]]] = {
    "the code of a signature": (type_code("/petition/code"), SIGNATORIES),
    "the code of an endorsement": (type_code("/supporters/code"), CONTACTS),
    "the links of an endorsement": (ask("/supporters/resend"), CONTACTS),
    "registering": (register, CONTACTS),
    "signing in": (fill_in_desk("/desk/sign-in"), PEOPLE),
    "a new password": (fill_in_desk("/desk/forgotten"), PEOPLE),
}


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("door", DOORS)
def test_no_answer_tells_whose_address_is_known(app: Flask, door: str) -> None:
    knock, states = DOORS[door]
    answers: dict[tuple[object, ...], list[str]] = {}
    for name, prepare in states.items():
        email = f"person{next(_numbers):03}@somewhere.example.org"
        prepare(app, email)
        answers.setdefault(plain(knock(app, email), email), []).append(name)
        db.session.remove()
    assert len(answers) == 1, answers.values()


def addresses() -> Iterator[str]:
    while True:
        yield f"person{next(_numbers):06}@somewhere.example.org"


def seconds(app: Flask, knock: Callable[[Flask, str], Page], email: str) -> float:
    began = perf_counter()
    knock(app, email)
    return perf_counter() - began


def assert_alike(times: dict[str, list[float]]) -> None:
    """The faster half of each is compared: a machine that is busy makes some of the tries slow, and
    none fast."""
    quick = {name: quantiles(each, n=10)[2] for name, each in times.items()}
    assert max(quick.values()) / min(quick.values()) < ALIKE, quick


TIMED: dict[str, tuple[Callable[[Flask, str], Page], dict[str, Prepare]]] = {
    "signing": (
        sign,
        {"unknown": unknown, "counted": signed(SignatureStatus.VERIFIED)},
    ),
    "a link": (
        ask("/petition/resend"),
        {"unknown": unknown, "counted": signed(SignatureStatus.VERIFIED)},
    ),
    "the code of a signature": (
        type_code("/petition/code"),
        {"unknown": unknown, "waiting": signed(SignatureStatus.AWAITING)},
    ),
    "the code of an endorsement": (
        type_code("/supporters/code"),
        {"unknown": unknown, "waiting": endorsed(EndorsementStatus.AWAITING)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("door", TIMED)
def test_no_time_tells_whose_address_is_known(app: Flask, door: str) -> None:
    knock, states = TIMED[door]
    times: dict[str, list[float]] = {name: [] for name in states}
    fresh = addresses()
    for _ in range(TRIES):
        for name, prepare in states.items():
            email = next(fresh)
            prepare(app, email)
            db.session.remove()
            times[name].append(seconds(app, knock, email))
    assert_alike(times)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/forgotten"])
def test_no_time_tells_who_is_at_the_desk(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app(LIMIT_SIGN_IN="10000 per hour")
    known = {
        "at the desk": "mo@somewhere.example.org",
        "invited": "jo@somewhere.example.org",
        "unknown": "no@somewhere.example.org",
    }
    # As slow as anything else here, and not fifty times as slow: 600 tries would take minutes.
    app.extensions["security"].pwd_context.update(
        argon2__memory_cost=4096, argon2__time_cost=2, argon2__parallelism=1
    )
    with app.app_context():
        at_the_desk(app, known["at the desk"])
        invited(app, known["invited"])
    visitor: Visitor = visitor_of(app)
    values = visitor.get(path).form(path).values
    times: dict[str, list[float]] = {name: [] for name in known}
    for _ in range(TRIES):
        for name, email in known.items():
            typed = {**values, "email": email, "password": "not their password"}
            began = perf_counter()
            visitor.post(path, typed, follow=False)
            times[name].append(perf_counter() - began)
    assert_alike(times)
