"""Reading testimonies at the desk through its pages, as readers do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from flask import Flask

from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.desk.models import LEASE, Claim
from coalition.testimonies.actions import Told
from coalition.testimonies.decisions import Check
from coalition.testimonies.models import Edition, Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.states import State
from tests.desking import signed_in
from tests.telling import FRONT, make_testimony
from tests.visitor import Page, Visitor

Fields = Sequence[tuple[str, str]]


def path(number: uuid.UUID, rest: str = "") -> str:
    return f"/desk/testimonies/{number}{rest}"


def sent(what: Told | None = None) -> uuid.UUID:
    """A testimony that waits. Within an application context."""
    with transaction() as session:
        return make_testimony(session, what).testimony_id


def reader(app: Flask, name: str = "Mo Fictional") -> Visitor:
    return signed_in(app, Role.MODERATOR, name=name)


def take(visitor: Visitor, number: uuid.UUID) -> Page:
    return visitor.submit(visitor.get("/desk/testimonies"), path(number, "/take"))


def send(visitor: Visitor, page: Page, action: str, fields: Fields = (), **changes: str) -> Page:
    """Send a form with fields of which several have one name."""
    form = page.form(action)
    values = [(name, value) for name, value in form.values.items() if name]
    body = urlencode([*((n, changes.pop(n, v)) for n, v in values), *changes.items(), *fields])
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": visitor.origin,
        "Sec-Fetch-Site": "same-origin",
    }
    return visitor.request("POST", form.action, headers, body.encode(), follow=True)


def at(number: uuid.UUID) -> State:
    with transaction() as session:
        return session.get_one(Testimony, number, populate_existing=True).state


def edition(number: uuid.UUID) -> Edition:
    with transaction() as session:
        found = edition_of(session, session.get_one(Testimony, number))
        assert found is not None
        session.refresh(found)
        session.expunge(found)
        return found


def end_leases() -> None:
    with transaction() as session:
        for claim in session.query(Claim):
            claim.until -= LEASE + timedelta(seconds=1)


ALL_TICKED: Fields = [("clear", check.value) for check in Check]


def write_front(visitor: Visitor, number: uuid.UUID, **changes: str) -> Page:
    page = visitor.get(path(number, "/front"))
    fields = {"label": FRONT.label, "summary": FRONT.summary, **changes}
    return send(visitor, page, "/front", [("themes", FRONT.themes[0])], **fields)


def hand_on(visitor: Visitor, number: uuid.UUID, fields: Fields = ALL_TICKED) -> Page:
    return send(visitor, visitor.get(path(number, "/check")), "/check", fields)


def edit(visitor: Visitor, number: uuid.UUID) -> Page:
    """Take it, take out what the machine finds, write its front, hand it on."""
    take(visitor, number)
    for _ in range(5):
        passages = [visitor.get(path(number, f"/edit?passage={each}")) for each in (1, 2)]
        page = next((each for each in passages if 'name="suggested"' in each.text), None)
        if page is None:
            break
        buttons = [each for form in page.forms for each in form.buttons if each[0] == "suggested"]
        send(visitor, page, path(number, "/edit"), [buttons[0]])
    write_front(visitor, number)
    return hand_on(visitor, number)


def approve(visitor: Visitor, number: uuid.UUID, fields: Fields = ALL_TICKED) -> Page:
    return send(visitor, take(visitor, number), "/approve", fields)
