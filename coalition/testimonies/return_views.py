"""Coming back with the code: where it stands, and all that its writer can do.

The code is typed once; the pages that follow carry a sealed pass in its place, which is good for
two hours. No address holds either.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.db import db, transaction
from coalition.testimonies import actions
from coalition.testimonies.forms import AnswerForm, CodeForm, TellForm, filled
from coalition.testimonies.models import Testimony
from coalition.testimonies.passes import (
    OWN_CODE,
    find_with_limit,
    holds_own_code,
    make_pass,
    read_pass,
)
from coalition.testimonies.queries import find_testimony
from coalition.testimonies.share_views import LONGEST_BODY, form_page
from coalition.testimonies.states import NotPossible
from coalition.testimonies.status_page import status_page
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.errors import error_page
from coalition.web.limits import LimitReached, limit_writes
from coalition.web.uploads import takes_long_texts

blueprint = Blueprint("testimonies_return", __name__, url_prefix="/testimonies")
View = str | BaseResponse | tuple[str, int]

# What one press does, and what is said afterwards.
PRESSES: dict[str, tuple[Callable[..., None], str]] = {
    "pause": (actions.pause, "Paused. Nobody reads on, and it is not on the site."),
    "resume": (actions.resume, "It goes on."),
    "withdraw": (
        actions.withdraw,
        "Withdrawn. It is off the site, and nobody but you can open it.",
    ),
}
NEED_WORDS = ("answer", "change")


@blueprint.get("/return")
@open_to(Access.PUBLIC)
@public_page
def come_back() -> str:
    return render_template("testimonies/return.html", form=CodeForm(formdata=None))


@blueprint.post("/return")
@open_to(Access.PUBLIC)
@limit_writes
@takes_long_texts(LONGEST_BODY)
def act() -> View:
    """Open it with the code, or do something with the pass that the code gave."""
    step = request.form.get("step", "open")
    if step == "open":
        return _open()
    testimony_id = read_pass(request.form.get("key", ""), clock.utc_now())
    if testimony_id is None:
        return _ask_again(step)
    return _go_on(step, testimony_id)


def _go_on(step: str, testimony_id: uuid.UUID) -> View:
    if find_testimony(db.session(), testimony_id) is None:
        return render_template("testimonies/erased.html"), 410
    if step == "edit":
        return _edit(testimony_id)
    if step == "erase":
        return render_template(
            "testimonies/erase.html", key=make_pass(testimony_id, clock.utc_now())
        )
    return _do(step, testimony_id)


def _open() -> View:
    form = CodeForm(request.form)
    found = find_with_limit(form.code.data or "") if form.validate() else None
    if found is None:
        form.code.errors = list(form.code.errors) or [
            "This code opens nothing. Check each of its 16 digits. What was erased, or was a draft "
            "that ran out, has no code any more"
        ]
        return render_template("testimonies/return.html", form=form), 422
    return status_page(found.id)


def _ask_again(step: str) -> View:
    """The pass has run out: what was typed stays, and the step goes on once the code is there."""
    form = CodeForm(request.form)
    found = find_with_limit(form.code.data or "") if form.code.data and form.validate() else None
    if found is not None:
        return _go_on(step, found.id)
    if form.code.data:
        form.code.errors = list(form.code.errors) or ["This code opens nothing. Check its digits"]
    kept = [(name, value) for name, value in request.form.items() if name not in ("code", "key")]
    return render_template("testimonies/code_again.html", form=form, kept=kept), 401


def _edit(testimony_id: uuid.UUID) -> View:
    testimony = find_testimony(db.session(), testimony_id)
    if testimony is None or testimony.choices is None:
        return render_template("testimonies/erased.html"), 410
    form = TellForm(formdata=None, data=filled(_as_told(testimony)))
    form.key.data = make_pass(testimony_id, clock.utc_now())
    form.revision.data = str(testimony.revision)
    return form_page("write", form)


def _as_told(testimony: Testimony) -> actions.Told:
    assert testimony.choices is not None  # noqa: S101 (only an erased one has none)
    return actions.Told(
        testimony.text or "", testimony.choices, testimony.contact, testimony.rules_version_id
    )


def _do(step: str, testimony_id: uuid.UUID) -> View:
    """Carry out what one form of the status page asks for."""
    now = clock.utc_now()
    form = AnswerForm(request.form)
    if step in NEED_WORDS and not form.validate():
        return status_page(testimony_id, answer_form=form)
    if step in NEED_WORDS and holds_own_code(testimony_id, form.words.data or ""):
        form.words.errors = [OWN_CODE]
        return status_page(testimony_id, answer_form=form)
    try:
        with transaction() as session:
            done = _step(session, step, testimony_id, form.words.data or "", now)
    except NotPossible as error:
        # What was written is not lost, whatever happened meanwhile.
        return status_page(
            testimony_id, refused=f"Nothing was changed: {error}.", typed=form.words.data or ""
        )
    if done is None:
        return status_page(testimony_id)
    if step == "erase-now":
        return render_template("testimonies/erased.html", now=True)
    return status_page(testimony_id, done=done)


def _step(
    session: Session, step: str, testimony_id: uuid.UUID, words: str, now: datetime
) -> str | None:
    """What was done, in words for its writer; None where `step` is nothing that can be done."""
    if step in PRESSES:
        verb, done = PRESSES[step]
        verb(session, testimony_id, now=now)
        return done
    if step == "answer":
        actions.answer(session, testimony_id, words, now=now)
        return "We have your answer. Somebody reads it."
    if step == "erase-now":
        actions.erase(session, testimony_id, now=now)
        return "Erased."
    if step in ("agree", "change"):
        edition_id = _edition_id()
        if step == "agree":
            actions.agree(session, testimony_id, edition_id, now=now)
            return "It is published."
        actions.ask_change(session, testimony_id, edition_id, words, now=now)
        return "We have what you wish. It is read and edited anew."
    return None


def _edition_id() -> uuid.UUID:
    try:
        return uuid.UUID(hex=request.form.get("edition", ""))
    except ValueError:
        raise NotPossible("the form does not say which edited text you read") from None


@blueprint.errorhandler(LimitReached)
def keep_the_code(error: LimitReached) -> Response:
    """Too many codes were wrong: what was typed stays."""
    if request.form.get("step", "open") != "open":
        return error_page(error)
    form = CodeForm(request.form)
    page = render_template("testimonies/return.html", form=form, refused=True)
    response = make_response(page, 429)
    response.headers["Retry-After"] = str(error.retry_after)
    return response
