"""Words to the writer, or to whoever edits it next: asked, declined, sent back, accepted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request

from coalition.accounts.guard import for_roles
from coalition.desk.testimony_desk import (
    IN_HAND,
    ROLES,
    View,
    act,
    in_hand,
    refused,
    sent_turn,
    to_queue,
    to_show,
)
from coalition.desk.testimony_forms import DeclineForm, WordsForm
from coalition.testimonies import decisions
from coalition.testimonies.models import DECLINE_NAMES, DECLINED_LIFETIME, DeclineCode, Testimony
from coalition.testimonies.states import State

blueprint = Blueprint("desk_testimony_decisions", __name__, url_prefix="/desk/testimonies")


@dataclass(frozen=True)
class Saying:
    """Something that is decided with words: where it is possible, and what its page says."""

    title: str
    lead: str
    button: str
    states: tuple[State, ...]
    form: type[WordsForm] = WordsForm
    to_writer: bool = True


SAYINGS = {
    "ask": Saying(
        "Ask its writer",
        "Reading waits until they answer, with their code. Ask one thing, and only what you need.",
        "Ask this",
        (State.CLAIMED,),
    ),
    "decline": Saying(
        "Decline it",
        "It is not published. Its writer reads why, can change it, and can ask that somebody else "
        "looks at it.",
        "Decline it",
        IN_HAND,
        DeclineForm,
    ),
    "send-back": Saying(
        "Send it back",
        "Somebody edits it once more, with your words beside it. Its writer does not see them.",
        "Send it back",
        (State.SECOND_READING,),
        to_writer=False,
    ),
}
WAYS = "<any(ask, decline, 'send-back'):what>"


@blueprint.get(f"/<uuid:testimony_id>/{WAYS}")
@for_roles(*ROLES)
def words(testimony_id: uuid.UUID, what: str) -> View:
    saying = SAYINGS[what]
    testimony = in_hand(testimony_id, *saying.states)
    if testimony is None:
        return to_show(testimony_id)
    return _page(testimony, what, saying.form(formdata=None))


def _page(testimony: Testimony, what: str, form: WordsForm) -> View:
    page = render_template(
        "desk/testimony_words.html",
        testimony=testimony,
        what=what,
        saying=SAYINGS[what],
        form=form,
    )
    return page, 422 if form.errors else 200


@blueprint.post(f"/<uuid:testimony_id>/{WAYS}")
@for_roles(*ROLES)
def say(testimony_id: uuid.UUID, what: str) -> View:
    """Show what will be read; then, on a second press, do it."""
    saying = SAYINGS[what]
    form = saying.form(request.form)
    is_valid, step = form.validate(), request.form.get("step")
    if step not in ("look", "do", "back"):
        abort(400)
    if is_valid and step == "do":
        failed = act(testimony_id, _deed(what, form, testimony_id))
        return failed or to_queue(what)
    testimony = in_hand(testimony_id, *saying.states)
    if testimony is None or testimony.turn != sent_turn():
        return refused(testimony_id, "you do not have it any more, or it has changed since")
    if not is_valid or step == "back":
        return _page(testimony, what, form)
    code = getattr(form, "code", None)
    return render_template(
        "desk/testimony_words_check.html",
        testimony=testimony,
        what=what,
        saying=saying,
        form=form,
        reason=DECLINE_NAMES[DeclineCode(code.data)] if code else None,
        days=DECLINED_LIFETIME.days,
    )


def _deed(what: str, form: WordsForm, testimony_id: uuid.UUID) -> Callable[..., None]:
    said: str = form.words.data
    turn = sent_turn()
    if isinstance(form, DeclineForm):
        code = DeclineCode(form.code.data)
        return lambda session, moderator, now: decisions.decline(
            session, testimony_id, moderator, code, said, turn=turn, now=now
        )
    verb = decisions.ask_writer if what == "ask" else decisions.send_back
    return lambda session, moderator, now: verb(
        session, testimony_id, moderator, said, turn=turn, now=now
    )


@blueprint.post("/<uuid:testimony_id>/accept")
@for_roles(*ROLES)
def accept(testimony_id: uuid.UUID) -> View:
    """It was read, and stays with the coalition, as its writer wished."""
    failed = act(
        testimony_id,
        lambda session, moderator, now: decisions.accept(
            session, testimony_id, moderator, turn=sent_turn(), now=now
        ),
    )
    return failed or to_queue("accepted")
