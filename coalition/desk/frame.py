"""What every page of the desk shows of whoever is signed in: where they may go, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Flask, g

from coalition.accounts.guard import current_moderator, current_session_id
from coalition.accounts.models import LONGEST_SESSION, DeskSession, Role
from coalition.db import db

# Where the desk leads, and for whom; the routes themselves declare who may use them.
WAYS: list[tuple[str, str, frozenset[Role]]] = [
    ("/desk", "Desk", frozenset(Role)),
    ("/desk/organisations", "Organisations", frozenset({Role.MODERATOR, Role.ADMINISTRATOR})),
    ("/desk/signatures", "Signatures", frozenset({Role.MODERATOR, Role.ADMINISTRATOR})),
    ("/desk/testimonies", "Testimonies", frozenset({Role.MODERATOR})),
    ("/desk/complaints", "Complaints", frozenset({Role.MODERATOR})),
    ("/desk/safeguarding", "Safeguarding", frozenset({Role.SAFEGUARDING})),
    ("/desk/hand-in", "Hand-in", frozenset({Role.ADMINISTRATOR, Role.PRESS})),
    ("/desk/press", "Press", frozenset({Role.PRESS, Role.ADMINISTRATOR})),
    ("/desk/texts", "Texts", frozenset({Role.EDITOR, Role.ADMINISTRATOR})),
    ("/desk/mail", "Mail", frozenset({Role.MODERATOR, Role.ADMINISTRATOR})),
    ("/desk/limits", "Limits", frozenset({Role.ADMINISTRATOR})),
    ("/desk/audit", "Log", frozenset({Role.ADMINISTRATOR})),
    ("/desk/people", "People", frozenset({Role.ADMINISTRATOR})),
    ("/desk/you", "Your account", frozenset(Role)),
]


@dataclass(frozen=True)
class Frame:
    """What the layout of the desk's pages needs."""

    name: str
    ways: list[tuple[str, str]]
    ends_at: datetime


def frame() -> Frame | None:
    """None where nobody is signed in, as on pages for signing in."""
    if "desk_moderator_id" not in g:
        return None
    moderator = current_moderator()
    begun = db.session().get(DeskSession, current_session_id())
    if begun is None:
        return None
    return Frame(
        name=moderator.name,
        ways=[(path, words) for path, words, roles in WAYS if moderator.may(*roles)],
        ends_at=begun.started_at + LONGEST_SESSION,
    )


def init_frame(app: Flask) -> None:
    app.context_processor(lambda: {"desk": frame()})
