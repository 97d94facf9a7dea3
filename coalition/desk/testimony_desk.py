"""What all pages about one testimony at the desk share: who may open it, and who has it in hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition.accounts.guard import current_moderator
from coalition.accounts.models import Moderator, Role
from coalition.db import db
from coalition.desk.in_hand import TakenMeanwhile, held, own_claim
from coalition.desk.testimony_queue import KIND, is_own
from coalition.statements.queries import current_campaign
from coalition.testimonies.models import PausedBy, Testimony
from coalition.testimonies.queries import find_testimony
from coalition.testimonies.states import CLOSED_TO_DESK, NotPossible, State
from coalition.web.errors import what_was_typed

# Administrators alone do not read testimonies.
ROLES = (Role.MODERATOR,)
IN_HAND = (State.CLAIMED, State.SECOND_READING)

View = str | BaseResponse | tuple[str, int]
Deed = Callable[[Session, Moderator, datetime], object]


def found(testimony_id: uuid.UUID) -> Testimony:
    """The testimony, unless its writer left the address of whoever asks."""
    testimony = find_testimony(db.session(), testimony_id)
    if testimony is None:
        abort(404)
    if is_own(current_moderator(), testimony.contact):
        abort(403, description="own account")
    return testimony


def is_closed(testimony: Testimony) -> bool:
    """Whether nobody at the desk may open it now, because its writer wishes so."""
    return testimony.state in CLOSED_TO_DESK or testimony.paused_by is PausedBy.WRITER


def in_hand(testimony_id: uuid.UUID, *states: State) -> Testimony | None:
    """The testimony, where whoever is signed in reads it just now, and it is in one of these
    states."""
    testimony = found(testimony_id)
    has_it = testimony.state in states and own_claim(KIND, testimony_id) is not None
    return testimony if has_it else None


def to_show(testimony_id: uuid.UUID) -> BaseResponse:
    """To the page that says where it stands."""
    return redirect(url_for("desk_testimonies.show", testimony_id=testimony_id), 303)


def to_queue(done: str) -> BaseResponse:
    return redirect(url_for("desk_testimonies.queue", done=done), 303)


def label_words(slug: str) -> str:
    """A label in words."""
    label = current_campaign().telling.label(slug)
    return label.words if label else "a label that is no longer used"


def theme_words(slug: str) -> str:
    """A theme's name."""
    theme = current_campaign().telling.theme(slug)
    return theme.name if theme else "a theme that is no longer used"


def sent_turn() -> int:
    """The turn of the testimony that the form was made from; none fits what is no number."""
    return request.form.get("turn", -1, int)


def act(testimony_id: uuid.UUID, do: Deed, *, ends: bool = True) -> View | None:
    """Do something with a testimony in hand, in one transaction; give it back where that `ends`
    the reading. None where it was done, else the page that says why not.

    A lease that ran out is renewed where nobody else has it. Whoever never had it, or left it
    long ago, has to take it first, as everybody does.
    """
    found(testimony_id)
    try:
        with held(KIND, testimony_id, ends=ends) as hand:
            session, moderator, now = hand.session, hand.moderator, hand.now
            if not hand.had_it:
                raise NotPossible("you do not have it; take it, then send this once more")
            do(session, moderator, now)
    except (NotPossible, TakenMeanwhile) as why:
        return refused(testimony_id, str(why))
    return None


def refused(testimony_id: uuid.UUID, why: str) -> tuple[str, int]:
    """Nothing was done. Not a word of the testimony, and every word that was typed."""
    page = render_template(
        "desk/testimony_refused.html",
        testimony_id=testimony_id,
        why=why,
        kept=what_was_typed(),
    )
    return page, 409


def gone(testimony: Testimony) -> tuple[str, int]:
    """Its writer has taken it back, or paused it, perhaps while it was being read."""
    return render_template("desk/testimony_gone.html", paused=testimony.paused_by is not None), 410
