"""Signing as a visitor does it: through the form that stands on the page."""

from tests.visitor import Page, Visitor


def sign(visitor: Visitor, **answers: str) -> Page:
    """Fill in and send the petition's form; what is not answered here is answered for Ada."""
    filled = {"name": "Ada Fictional", "email": "ada@example.org", "consent": "yes", **answers}
    return visitor.submit(visitor.get("/petition"), "/petition/sign", **filled)
