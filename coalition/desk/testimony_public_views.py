"""What is on the site: taken down by one person at once, put back by another one."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator
from coalition.db import db, transaction
from coalition.desk.testimony_desk import (
    ROLES,
    View,
    found,
    gone,
    is_closed,
    refused,
    sent_turn,
    to_show,
)
from coalition.desk.testimony_forms import WordsForm
from coalition.testimonies import decisions
from coalition.testimonies.models import PausedBy, Testimony
from coalition.testimonies.moving import edition_of, published_of
from coalition.testimonies.queries import public_or_taken_down
from coalition.testimonies.states import NotPossible, State

blueprint = Blueprint("desk_testimonies_public", __name__, url_prefix="/desk/testimonies")
# So that a text can come down at once; whoever takes it down says it better if they have time.
USUAL_WORDS = (
    "We have taken your account off the site while we look at something in it. You did nothing "
    "wrong. What you wrote is not lost, and you hear from us here."
)


@blueprint.get("/published")
@for_roles(*ROLES)
def listing() -> str:
    return render_template("desk/testimonies_public.html", rows=public_or_taken_down(db.session()))


@blueprint.get("/<uuid:testimony_id>/public")
@for_roles(*ROLES)
def show(testimony_id: uuid.UUID) -> View:
    return _page(found(testimony_id), WordsForm(formdata=None, data={"words": USUAL_WORDS}))


def _page(testimony: Testimony, form: WordsForm, *, text: str | None = None) -> View:
    if is_closed(testimony):
        return gone(testimony)
    is_down = testimony.paused_by is PausedBy.DESK
    if testimony.state is not State.PUBLISHED and not is_down:
        return to_show(testimony.id)
    session = db.session()
    edition, published = edition_of(session, testimony), published_of(session, testimony)
    decided_by = testimony.decided_by and session.get(Moderator, testimony.decided_by)
    page = render_template(
        "desk/testimony_public.html",
        testimony=testimony,
        front=edition.front if edition else None,
        published=published,
        is_down=is_down,
        decided_by=decided_by.name if decided_by else None,
        is_mine=testimony.decided_by == current_moderator().id,
        may_restore=bool(published and edition and published.edition_id == edition.id),
        text=text,
        form=form,
        done=request.args.get("done"),
    )
    return page, 422 if form.errors else 200


@blueprint.post("/<uuid:testimony_id>/public/read")
@for_roles(*ROLES)
def read(testimony_id: uuid.UUID) -> View:
    """The text that was public. That it was opened is written to the log."""
    found(testimony_id)
    try:
        with transaction() as session:
            decisions.note_reading(
                session, testimony_id, current_moderator(), "read what was public",
                now=clock.utc_now(),
            )  # fmt: skip
    except NotPossible as error:
        return refused(testimony_id, str(error))
    testimony = found(testimony_id)
    published = published_of(db.session(), testimony)
    text = published.text if published else None
    return _page(testimony, WordsForm(formdata=None, data={"words": USUAL_WORDS}), text=text)


@blueprint.post("/<uuid:testimony_id>/take-down")
@for_roles(*ROLES)
def take_down(testimony_id: uuid.UUID) -> View:
    """Off the site, at once. One person is enough."""
    form = WordsForm(request.form)
    if not form.validate():
        return _page(found(testimony_id), form)
    return _done(testimony_id, "down", decisions.take_down, form.words.data)


@blueprint.post("/<uuid:testimony_id>/restore")
@for_roles(*ROLES)
def restore(testimony_id: uuid.UUID) -> View:
    return _done(testimony_id, "restored", decisions.restore, turn=sent_turn())


@blueprint.post("/<uuid:testimony_id>/reopen")
@for_roles(*ROLES)
def reopen(testimony_id: uuid.UUID) -> View:
    return _done(testimony_id, "reopened", decisions.reopen, turn=sent_turn())


def _done(
    testimony_id: uuid.UUID, done: str, verb: Callable[..., None], *words: str, **values: int
) -> View:
    found(testimony_id)
    try:
        with transaction() as session:
            verb(session, testimony_id, current_moderator(), *words, **values, now=clock.utc_now())
    except NotPossible as error:
        return refused(testimony_id, str(error))
    if done == "reopened":
        return redirect(url_for("desk_testimonies.queue", done=done), 303)
    where = url_for("desk_testimonies_public.show", testimony_id=testimony_id, done=done)
    return redirect(where, 303)
