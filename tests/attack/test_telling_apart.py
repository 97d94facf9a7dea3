"""Somebody wants to know whether a certain person signed, speaks for an organisation, or is at the
desk: by what is answered, and by how long it takes. That signing and asking for a link answer alike
stands in tests/petition/test_signing.py and tests/endorsements/test_registering.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import count, repeat
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
from tests.visitor import Page, visitor_of

TRIES = 200  # of each kind, in turn, so that what else the machine does falls on both alike
# How much longer one may take than the other. A transaction less is a third of the time of signing,
# a slow hash less nearly all of signing in.
ALIKE = 1.25
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_numbers = count(1)

MakeApp = Callable[..., Flask]
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


@on_sqlite
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


def are_alike(times: dict[str, list[float]]) -> bool:
    """The faster of each are compared: a machine that is busy makes some of the tries slow, and
    none fast."""
    quick = {name: quantiles(each, n=10)[2] for name, each in times.items()}
    return max(quick.values()) / min(quick.values()) < ALIKE


def is_told(
    knock: Callable[[str], object], known: Callable[[], str], unknown: Callable[[], str]
) -> bool:
    """Whether it takes longer to ask for the one than for the other, by TRIES of each in turn; and
    again twice, for on a busy machine it may seem so once."""
    for _ in range(3):
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        for _ in range(TRIES):
            for name, next_one in (("known", known), ("unknown", unknown)):
                email = next_one()
                began = perf_counter()
                knock(email)
                times[name].append(perf_counter() - began)
        if are_alike(times):
            return False
    return True


def somebody() -> str:
    return f"person{next(_numbers):06}@somewhere.example.org"


@on_postgresql
def test_no_time_tells_who_has_signed(app: Flask) -> None:
    def counted() -> str:
        email = somebody()
        signed(SignatureStatus.VERIFIED)(app, email)
        db.session.remove()
        return email

    assert not is_told(partial(sign, app), counted, somebody)


@on_postgresql
@pytest.mark.parametrize(
    ("knock", "prepare"),
    [
        (ask("/petition/resend"), signed(SignatureStatus.VERIFIED)),
        (type_code("/petition/code"), signed(SignatureStatus.AWAITING)),
        (type_code("/supporters/code"), endorsed(EndorsementStatus.AWAITING)),
    ],
    ids=["a link", "the code of a signature", "the code of an endorsement"],
)
def test_no_time_tells_whose_address_is_known(
    make_app: MakeApp, knock: Callable[[Flask, str], Page], prepare: Prepare
) -> None:
    app = make_app(LIMIT_CODE="10000 per minute", LIMIT_ADDRESS="10000 per minute")
    with app.app_context():
        prepare(app, "known@somewhere.example.org")
        db.session.remove()
    known, other = repeat("known@somewhere.example.org"), repeat("other@somewhere.example.org")
    assert not is_told(partial(knock, app), partial(next, known), partial(next, other))


@on_sqlite
@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/forgotten"])
def test_no_time_tells_who_is_at_the_desk(make_app: MakeApp, path: str) -> None:
    app = make_app(LIMIT_SIGN_IN="10000 per hour", LIMIT_ADDRESS="10000 per minute")
    # As slow as anything else here, and not fifty times as slow, which would take minutes.
    app.extensions["security"].pwd_context.update(
        argon2__memory_cost=4096, argon2__time_cost=2, argon2__parallelism=1
    )
    with app.app_context():
        at_the_desk(app, "known@somewhere.example.org")
    visitor = visitor_of(app)
    values = {**visitor.get(path).form(path).values, "password": "not their password"}

    def knock(email: str) -> Page:
        return visitor.post(path, {**values, "email": email}, follow=False)

    known, other = repeat("known@somewhere.example.org"), repeat("other@somewhere.example.org")
    assert not is_told(knock, partial(next, known), partial(next, other))
