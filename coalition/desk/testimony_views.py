"""Testimonies at the desk: what waits, by its labels; taking it; reading it a passage at a time."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator
from coalition.clock import day_in_uk
from coalition.db import db
from coalition.desk import reading_actions
from coalition.desk.in_hand import NotYours, held, leave, own_claim, taken_by_another
from coalition.desk.reading_views import where_refused
from coalition.desk.testimony_checklist import boxes_of
from coalition.desk.testimony_desk import (
    IN_HAND,
    ROLES,
    View,
    found,
    gone,
    is_closed,
    label_words,
    refused,
    theme_words,
    to_queue,
    to_show,
)
from coalition.desk.testimony_passages import asked_for, passages
from coalition.desk.testimony_queue import KIND, NotNow, begin, is_skipped, queue_for
from coalition.statements.queries import current_campaign
from coalition.testimonies import decisions
from coalition.testimonies.fronts import notes_of, title_of
from coalition.testimonies.models import PausedBy, Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.queries import FOR_FIRST, FOR_SECOND, labels_of
from coalition.testimonies.readings import knows_original
from coalition.testimonies.states import WHERE_IT_STANDS, NotPossible, State

blueprint = Blueprint("desk_testimonies", __name__, url_prefix="/desk/testimonies")
blueprint.app_context_processor(
    lambda: {
        "label_words": label_words,
        "theme_words": theme_words,
        "title_of": title_of,
        "notes_of": notes_of,
    }
)


@blueprint.get("")
@for_roles(*ROLES)
def queue() -> str:
    session, now, moderator = db.session(), clock.utc_now(), current_moderator()
    return render_template(
        "desk/testimonies.html",
        queue=queue_for(session, moderator, current_campaign().telling, now=now),
        meter=reading_actions.meter_of(session, moderator, now=now),
        for_second=FOR_SECOND,
        done=request.args.get("done"),
        today=day_in_uk(now),
    )


@blueprint.post("/<uuid:testimony_id>/take")
@for_roles(*ROLES)
def take(testimony_id: uuid.UUID) -> View:
    """Claim it, and go to its labels. Reading is written to the log."""
    if is_closed(testimony := found(testimony_id)):
        return gone(testimony)
    try:
        with suppress(NotYours), held(KIND, testimony_id) as hand:
            # What somebody has in hand stays as it is: a form in another window goes on to fit.
            if not (hand.had_it and testimony.state in IN_HAND):
                begin(hand, current_campaign().telling, goes_on="goes_on" in request.form)
    except NotNow as error:
        return where_refused(error.refused, testimony_id)
    except NotPossible as error:
        return refused(testimony_id, str(error))
    return to_show(testimony_id)


@blueprint.get("/<uuid:testimony_id>")
@for_roles(*ROLES)
def show(testimony_id: uuid.UUID) -> View:
    """Labels first, then the text, as far as it is asked for. Whoever has not taken it reads
    labels alone."""
    testimony = found(testimony_id)
    if is_closed(testimony):
        return gone(testimony)
    claim = own_claim(KIND, testimony_id)
    if claim is None or testimony.state not in IN_HAND:
        return _outline(testimony)
    return page_in_hand(testimony, claim.until)


def _outline(testimony: Testimony) -> View:
    if testimony.state is State.PUBLISHED or testimony.paused_by is PausedBy.DESK:
        where = url_for("desk_testimonies_public.show", testimony_id=testimony.id)
        return redirect(where, 303)
    return render_template(
        "desk/testimony_outline.html",
        testimony=testimony,
        labels_of_it=labels_of(testimony, edition_of(db.session(), testimony)),
        stands=WHERE_IT_STANDS[testimony.state],
        is_skipped=is_skipped(db.session(), current_moderator(), testimony),
        may_be_taken=testimony.state in FOR_FIRST + FOR_SECOND,
        taken=taken_by_another(KIND, testimony.id),
        today=day_in_uk(clock.utc_now()),
    )


def page_in_hand(testimony: Testimony, until: datetime, *, problem: bool = False) -> View:
    """The page of what somebody reads: the original for a first reader, for a second one the
    edited version. `problem`: its checklist was sent with gaps."""
    session = db.session()
    edition = edition_of(session, testimony)
    is_second = testimony.state is State.SECOND_READING
    text = (edition.text if edition else None) if is_second else testimony.text
    parts = passages(text or "")
    page = render_template(
        "desk/testimony_second.html" if is_second else "desk/testimony.html",
        testimony=testimony,
        choices=testimony.choices,
        edition=edition,
        knows_original=is_second and knows_original(session, testimony.id, current_moderator()),
        edited_by_others=edition and edition.edited_by - {current_moderator().id},
        text=text or "",
        parts=parts,
        shown=parts if problem else asked_for(parts, request.args.get("to", "")),
        until=until,
        boxes=boxes_of(edition, request.form if problem else None) if is_second else [],
        today=day_in_uk(clock.utc_now()),
    )
    return page, 422 if problem else 200


@blueprint.post("/<uuid:testimony_id>/give-back")
@for_roles(*ROLES)
def give_back(testimony_id: uuid.UUID) -> BaseResponse:
    _leave(testimony_id, passes_on=False)
    return to_queue("given")


@blueprint.post("/<uuid:testimony_id>/pass-on")
@for_roles(*ROLES)
def pass_on(testimony_id: uuid.UUID) -> BaseResponse:
    """Leave it to others, for good. Nobody asks why."""
    _leave(testimony_id, passes_on=True)
    return to_queue("passed")


def _leave(testimony_id: uuid.UUID, *, passes_on: bool) -> None:
    """Back to the queue, if it is still in this person's hands; what was edited stays."""
    found(testimony_id)

    def give_back(session: Session, moderator: Moderator, now: datetime) -> None:
        try:
            with session.begin_nested():
                decisions.give_back(session, testimony_id, moderator, now=now)
        except NotPossible:
            session.expire_all()  # it has gone on meanwhile, and is nobody's

    leave(KIND, testimony_id, passes_on=passes_on, first=give_back)
