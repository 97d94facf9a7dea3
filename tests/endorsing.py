"""Registering an organisation as its contact does it: through the forms that stand on the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.endorsements.models import Endorsement, EndorsementStatus
from coalition.mail.private_links import Purpose, make_token
from tests.factories import make_endorsement
from tests.visitor import Page, Visitor

FORM = "/supporters/endorse"
ANSWERS = {
    "name": "The Fictional Friends",
    "organisation_website": "friends.example.org",
    "kind": "user-led",
    "nation": "scotland",
    "words": "We support it.\n\nFor two reasons.",
    "contact_name": "Ada Fictional",
    "contact_role": "Chair",
    "email": "ada@friends.example.org",
    "authority": "yes",
    "consent": "yes",
}
NEW_CONTACT = {
    "contact_name": "Grace Fictional",
    "contact_role": "Treasurer",
    "email": "grace@example.org",
}


def check(visitor: Visitor, *, logo: bytes = b"", **answers: str) -> Page:
    """Fill in the form as Ada does, but for these answers, and look at it once more."""
    form = visitor.get(FORM).form(FORM)
    values = {**form.values, **ANSWERS, **answers}
    files = {"logo_file": logo} if logo else {}
    return visitor.upload(FORM, {name: value for name, value in values.items() if value}, files)


def send(visitor: Visitor, page: Page) -> Page:
    """Press "Send it" on the page that shows once more what will be sent."""
    return visitor.post(FORM, {**page.form(FORM).values, "step": "send"})


def register(visitor: Visitor, *, logo: bytes = b"", **answers: str) -> Page:
    return send(visitor, check(visitor, logo=logo, **answers))


def made(status: EndorsementStatus = EndorsementStatus.PUBLISHED, **values: Any) -> Endorsement:
    with transaction() as session:
        return make_endorsement(session, status=status, **values)


def entry_path(endorsement: Endorsement, rest: str = "", **age: float) -> str:
    moment = clock.utc_now() - timedelta(**age)
    return f"/supporters/entry/{make_token(Purpose.ENDORSE_MANAGE, endorsement.contact_id, moment)}{rest}"


def look(session: Session, endorsement: Endorsement) -> Endorsement:
    session.rollback()
    return session.get_one(Endorsement, endorsement.id, populate_existing=True)


def ask_for_change(visitor: Visitor, endorsement: Endorsement, **answers: str) -> Page:
    """Name another contact on the private page."""
    page = visitor.get(entry_path(endorsement))
    return visitor.submit(page, "/contact", **{**NEW_CONTACT, **answers})
