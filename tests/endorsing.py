"""Registering an organisation as its contact does it: through the forms that stand on the pages."""

from __future__ import annotations

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
