"""How somebody reads: what they skip, how much in a day, a break. For that person alone."""

from __future__ import annotations

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.db import db, transaction
from coalition.desk import reading_actions
from coalition.desk.reading_forms import ReadingForm
from coalition.desk.reading_models import READINGS_KEPT
from coalition.desk.reading_rules import (
    HIGHEST_CEILING,
    LOWEST_CEILING,
    REFUSALS,
    Refused,
    Why,
)

blueprint = Blueprint("reading", __name__, url_prefix="/desk/you")
blueprint.app_context_processor(lambda: {"reading_days": READINGS_KEPT.days})
ROLES = (Role.MODERATOR, Role.SAFEGUARDING)

View = str | BaseResponse | tuple[str, int]


@blueprint.get("/reading")
@for_roles(*ROLES)
def show() -> View:
    session, moderator = db.session(), current_moderator()
    form = ReadingForm(
        formdata=None,
        data={
            "skipped": reading_actions.skipped_by(session, moderator),
            "ceiling": str(reading_actions.ceiling_of(session, moderator)),
        },
    )
    return _page(form)


def _page(form: ReadingForm) -> str:
    why = request.args.get("refused", "")
    return render_template(
        "desk/reading.html",
        form=form,
        meter=reading_actions.meter_of(db.session(), current_moderator(), now=clock.utc_now()),
        refused=REFUSALS[Why(why)] if why in set(Why) - {Why.BREAK} else None,
        done=request.args.get("done"),
        lowest=LOWEST_CEILING,
        highest=HIGHEST_CEILING,
    )


@blueprint.post("/reading")
@for_roles(*ROLES)
def change() -> View:
    form = ReadingForm(request.form)
    if not form.validate():
        return _page(form), 422
    with transaction() as session:
        reading_actions.set_preferences(
            session, current_moderator(), form.skipped.data or [], form.points()
        )
    return redirect(url_for("reading.show", done="saved"), 303)


@blueprint.get("/break/<uuid:testimony_id>")
@for_roles(*ROLES)
def offer_break(testimony_id: uuid.UUID) -> str:
    """Before the next one. Whoever wants to can go on."""
    return render_template(
        "desk/reading_break.html",
        testimony_id=testimony_id,
        meter=reading_actions.meter_of(db.session(), current_moderator(), now=clock.utc_now()),
    )


def where_refused(refused: Refused, testimony_id: uuid.UUID) -> BaseResponse:
    """Where somebody is led who is not given this one now."""
    if refused.why is Why.BREAK:
        return redirect(url_for("reading.offer_break", testimony_id=testimony_id), 303)
    return redirect(url_for("reading.show", refused=refused.why.value), 303)
