"""Where somebody asks with an address, and what may be known of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from flask import Flask

from coalition import clock
from coalition.accounts.actions import invite_moderator, remove_moderator
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.endorsements.models import EndorsementStatus
from coalition.mail.actions import block_address
from coalition.petition import actions
from coalition.petition.models import SignatureStatus
from tests.desking import give_password, make_moderator
from tests.endorsing import check
from tests.factories import make_endorsement, make_signature
from tests.visitor import Page, visitor_of

_numbers = count(1)

MakeApp = Callable[..., Flask]
Prepare = Callable[[Flask, str], None]


def somebody() -> str:
    return f"person{next(_numbers):06}@somewhere.example.org"


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
