"""Testimonies for tests: written, read and published by the actions themselves."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import replace
from typing import Any

from flask import Flask, has_app_context
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import db, transaction
from coalition.statements.actions import publish_texts
from coalition.statements.queries import current_campaign, forget_campaign
from coalition.testimonies import actions, decisions
from coalition.testimonies.actions import Told
from coalition.testimonies.choices import Choices, Front, Use
from coalition.testimonies.codes import Ticket
from coalition.testimonies.decisions import Check, Checklist
from coalition.testimonies.models import Testimony
from coalition.testimonies.moving import edition_of, published_of
from coalition.testimonies.redaction import Span, SpanKind
from tests.conftest import ROOT
from tests.desking import make_moderator
from tests.visitor import Page, Visitor

TEXT = "They came with two police officers.\n\nI had asked for a nurse. Officer Fictional stayed."
FRONT = Front(
    label="restraint-by-police",
    summary="Somebody asked for a nurse, and police came.",
    labels=("care-refused",),
    themes=("police-in-care",),
)
ALL_CLEAR = Checklist(clear=frozenset(Check))


def told(text: str = TEXT, *, contact: str | None = None, **choices: Any) -> Told:
    """What somebody wrote and chose: to publish it without a name, unless said otherwise."""
    return Told(
        text=text,
        choices=Choices(**{"use": Use.PUBLISH, **choices}),
        contact=contact,
        rules_version_id=current_campaign().telling.version_id,
    )


def make_testimony(session: Session, what: Told | None = None, *, sends: bool = True) -> Ticket:
    """A testimony that was sent, or saved as a draft. Its ticket knows its id and its code."""
    ticket = Ticket(secrets.token_hex(32), clock.utc_now())
    actions.begin(session, ticket, what or told(), sends=sends, now=clock.utc_now())
    return ticket


def two_readers(app: Flask) -> tuple[uuid.UUID, uuid.UUID]:
    return make_moderator(app, Role.MODERATOR), make_moderator(app, Role.MODERATOR)


def edit(session: Session, testimony_id: uuid.UUID, reader: Moderator) -> None:
    """Take it as its first reader, take a name out, and hand it on."""
    now = clock.utc_now()
    decisions.take(session, testimony_id, reader, now=now)
    testimony = session.get_one(Testimony, testimony_id)
    assert testimony.text is not None
    at = testimony.text.find("Officer Fictional")
    spans = [Span(at, at + 17, SpanKind.NAME)] if at >= 0 else []
    front = replace(FRONT, name=testimony.choices.name if testimony.choices else "")
    decisions.save_edition(
        session, testimony_id, reader, turn=testimony.turn, spans=spans, front=front
    )
    decisions.redact(session, testimony_id, reader, ALL_CLEAR, turn=testimony.turn, now=now)


def approve(session: Session, testimony_id: uuid.UUID, reader: Moderator) -> None:
    """Read the edited version as its second reader, and approve it."""
    now = clock.utc_now()
    decisions.take(session, testimony_id, reader, now=now)
    testimony = session.get_one(Testimony, testimony_id)
    edition = edition_of(session, testimony)
    assert edition is not None
    decisions.approve(
        session, testimony_id, reader, ALL_CLEAR,
        edition_id=edition.id, turn=testimony.turn, now=now,
    )  # fmt: skip


def publish(app: Flask, what: Told | None = None) -> tuple[Ticket, str]:
    """A testimony that two readers and, where asked, its writer have let go to the public.

    Returns its ticket and its address.
    """
    if has_app_context():
        db.session.rollback()  # what the caller has read would hide from them what is done here
    first, second = two_readers(app)
    with app.app_context(), transaction() as session:
        ticket = make_testimony(session, what)
        number = ticket.testimony_id
        edit(session, number, session.get_one(Moderator, first))
        approve(session, number, session.get_one(Moderator, second))
        testimony = session.get_one(Testimony, number)
        if testimony.choices and testimony.choices.ask_first:
            edition = edition_of(session, testimony)
            assert edition is not None
            actions.agree(session, number, edition.id, now=clock.utc_now())
        return ticket, address_of(session, number)


def address_of(session: Session, testimony_id: uuid.UUID) -> str:
    published = published_of(session, session.get_one(Testimony, testimony_id))
    assert published is not None
    return published.slug


def open_the_form(app: Flask, rule: str = "We send nobody to you.") -> None:
    """As when a campaign has set its emergency rule. With an empty one, it is shut again."""
    text = (ROOT / "campaign" / "testimonies.toml").read_text()
    text = text.replace('rule = ""', f'rule = "{rule}"')
    with app.app_context(), transaction() as session:
        publish_texts(session, {"testimonies": text}, actor="test", now=clock.utc_now())
    with app.app_context():
        forget_campaign()


def form_of(page: Page) -> dict[str, str]:
    """What the form of a page of writing would send, less what its robots' field would."""
    return {name: value for name, value in page.form("/testimonies/share").values.items() if name}


def go_on(visitor: Visitor, page: Page, step: str, **answers: str) -> Page:
    """Press one of the buttons of the form that somebody writes in."""
    return visitor.post("/testimonies/share", {**form_of(page), **answers, "step": step})


CHOSEN = {"use": "publish", "consent": "yes", "name": ""}


def write(visitor: Visitor, text: str = TEXT, **choices: str) -> Page:
    """Go to the last page before sending."""
    page = go_on(visitor, visitor.get("/testimonies/share"), "write")
    page = go_on(visitor, page, "choices", text=text)
    return go_on(visitor, page, "check", **{**CHOSEN, **choices})


def code_on(page: Page) -> str:
    """The receipt code that a page shows."""
    found = re.search(r'class="numeral receipt">([0-9 ]+)<', page.text)
    assert found, page.text[-3000:]
    return found[1]


def come_back(visitor: Visitor, code: str) -> Page:
    return visitor.post("/testimonies/return", {"step": "open", "code": code})


def press(visitor: Visitor, page: Page, step: str, **values: str) -> Page:
    """Press a button of the page of one's own testimony."""
    form = next(each for each in page.forms if ("step", step) in each.buttons)
    return visitor.post(form.action, {**form.values, **values, "step": step})
