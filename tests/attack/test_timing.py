"""Somebody wants to know the same by how long it takes to answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import repeat
from statistics import quantiles
from time import perf_counter

import pytest
from flask import Flask

from coalition.db import db
from coalition.endorsements.models import EndorsementStatus
from coalition.petition.models import SignatureStatus
from tests.attack.doors import (
    MakeApp,
    Prepare,
    ask,
    at_the_desk,
    endorsed,
    sign,
    signed,
    somebody,
    type_code,
)
from tests.engines import on_postgresql, on_sqlite
from tests.visitor import Page, visitor_of

TRIES = 200  # of each kind, in turn, so that what else the machine does falls on both alike
# How much longer one may take than the other. A transaction less is a third of the time of signing,
# a slow hash less nearly all of signing in.
ALIKE = 1.25


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
