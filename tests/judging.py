"""Taking one organisation at the desk, reading it, deciding about it."""

from __future__ import annotations

from flask import Flask

from coalition.accounts.models import Role
from coalition.endorsements.models import Endorsement
from tests.desking import signed_in
from tests.visitor import Page, Visitor

WORDS = "Please tell us who decided it."


def path(endorsement: Endorsement, rest: str = "") -> str:
    return f"/desk/organisations/{endorsement.id}{rest}"


def take(visitor: Visitor, endorsement: Endorsement) -> Page:
    return visitor.submit(visitor.get(path(endorsement)), "/take")


def check(visitor: Visitor, page: Page, decision: str, **answers: str) -> Page:
    form = page.form("/preview")
    values = {**form.values, "decision": decision, **answers}
    values.pop("", None)
    return visitor.post(form.action, values)


def decide(visitor: Visitor, endorsement: Endorsement, decision: str, **answers: str) -> Page:
    page = check(visitor, take(visitor, endorsement), decision, **answers)
    return visitor.submit(page, path(endorsement, "/decide"))


def read_of(page: Page) -> dict[str, str]:
    """Which words stand on the page of an organisation."""
    return {"entry_id": page.form("/preview").values["entry_id"]}


def moderator(app: Flask, name: str = "Mo Fictional") -> Visitor:
    return signed_in(app, Role.MODERATOR, name=name)
