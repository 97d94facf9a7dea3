"""Complaints at the desk: by the clock that runs out first, taken, read, decided."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator, Role
from coalition.db import db
from coalition.desk import claims, in_hand
from coalition.desk.complaint_forms import DECISIONS, ComplaintDecisionForm
from coalition.desk.complaint_recusal import Recusal, Standing, open_for, standing
from coalition.desk.in_hand import Hand, NotYours, TakenMeanwhile, nothing_decided
from coalition.desk.models import ItemKind
from coalition.desk.testimony_desk import is_closed
from coalition.testimonies import complaint_actions, complaint_decisions
from coalition.testimonies.complaint_clocks import Clocks, clocks_of
from coalition.testimonies.complaint_emails import preview
from coalition.testimonies.complaint_forms import ABOUT, FIELD_NAMES
from coalition.testimonies.complaint_models import (
    GROUND_NAMES,
    Complaint,
    ComplaintState,
    Ground,
)
from coalition.testimonies.queries import find_published
from coalition.testimonies.states import WHERE_IT_STANDS, NotPossible

blueprint = Blueprint("desk_complaints", __name__, url_prefix="/desk/complaints")
ROLES = (Role.MODERATOR,)
KIND = ItemKind.COMPLAINT
ENDS = {"uphold": ComplaintState.UPHELD, "refuse": ComplaintState.NOT_UPHELD}

View = str | BaseResponse | tuple[str, int]


@dataclass(frozen=True)
class Line:
    """A complaint as the list shows it: not a word of it."""

    complaint: Complaint
    clocks: Clocks
    due_at: datetime
    is_overdue: bool
    is_mine: bool
    is_taken: bool


@blueprint.get("")
@for_roles(*ROLES)
def queue() -> str:
    session, now = db.session(), clock.utc_now()
    return render_template(
        "desk/complaints.html",
        lines=_lines(session, current_moderator(), now),
        ground_names=GROUND_NAMES,
        done=request.args.get("done"),
    )


def _lines(session: Session, moderator: Moderator, now: datetime) -> list[Line]:
    """What waits, the clock that runs out first on top, without what was passed on, or is for
    others to decide."""
    held = claims.claims_now(session, KIND, now=now)
    lines = []
    for complaint in (each.complaint for each in open_for(session, moderator)):
        clocks = clocks_of(complaint.ground, complaint.received_at)
        due_at = clocks.next(looked=complaint.looked_at is not None)
        holder = held.get(complaint.id)
        mine = holder is not None and holder.moderator_id == moderator.id
        lines.append(
            Line(complaint, clocks, due_at, due_at < now, mine, holder is not None and not mine)
        )
    return sorted(lines, key=lambda line: line.due_at)


def _found(complaint_id: uuid.UUID) -> Standing:
    """The complaint, unless somebody else has to decide it."""
    session = db.session()
    found = complaint_actions.find_complaint(session, complaint_id)
    if found is None:
        abort(404)
    stands = standing(session, found, current_moderator())
    # Whoever took it while nobody else was here finishes it, and loses nothing that was typed.
    goes_on = stands.recusal is Recusal.LET_IT_GO and in_hand.own_claim(KIND, complaint_id)
    if stands.recusal is not None and not goes_on:
        abort(403, description=stands.recusal.value)
    return stands


@blueprint.post("/<uuid:complaint_id>/take")
@for_roles(*ROLES)
def take(complaint_id: uuid.UUID) -> BaseResponse:
    """Claim it, and go to read it. Reading is written to the log."""
    _found(complaint_id)
    with suppress(NotYours), in_hand.held(KIND, complaint_id) as hand:
        hand.record("read")
    return redirect(url_for("desk_complaints.show", complaint_id=complaint_id), 303)


@blueprint.get("/<uuid:complaint_id>")
@for_roles(*ROLES)
def show(complaint_id: uuid.UUID) -> View:
    return _page(complaint_id, ComplaintDecisionForm(formdata=None))


def _page(
    complaint_id: uuid.UUID, form: ComplaintDecisionForm, refused: str | None = None
) -> tuple[str, int]:
    """One complaint. Whoever has not taken it reads its clocks alone."""
    session = db.session()
    stands = _found(complaint_id)
    complaint = stands.complaint
    testimony = complaint_decisions.testimony_of(session, complaint)
    published = find_published(session, complaint.slug)
    page = render_template(
        "desk/complaint.html",
        complaint=complaint,
        is_last_resort=stands.is_last_resort,
        clocks=clocks_of(complaint.ground, complaint.received_at),
        ground_names=GROUND_NAMES,
        is_defamation=complaint.ground is Ground.DEFAMATION,
        field_names=FIELD_NAMES,
        about=ABOUT,
        published=published,
        public_text=published.text if published and not is_closed(testimony) else None,
        is_paused_by_writer=complaint_decisions.is_paused_by_writer(testimony),
        where=WHERE_IT_STANDS[testimony.state],
        may_come_back=complaint_decisions.may_come_back(session, testimony),
        has_contact=bool(testimony.contact),
        claim=in_hand.own_claim(KIND, complaint_id),
        taken=in_hand.taken_by_another(KIND, complaint_id),
        form=form,
        refused=refused,
        done=request.args.get("done"),
        now=clock.utc_now(),
    )
    return page, 409 if refused else 422 if form.errors else 200


@blueprint.post("/<uuid:complaint_id>/decide")
@for_roles(*ROLES)
def decide(complaint_id: uuid.UUID) -> View:
    """Carry it out, if it is still this moderator's. A decision shows its mail before."""
    form = ComplaintDecisionForm(request.form)
    complaint = _found(complaint_id).complaint
    if form.decision.data not in DECISIONS:
        abort(400)
    if not form.validate():
        return _page(complaint_id, form)
    ends = ENDS.get(form.decision.data)
    shows_mail = ends is not None and "sure" not in request.form
    still_down = False
    try:
        is_last = ends is not None and not shows_mail
        with in_hand.held(KIND, complaint_id, ends=is_last) as hand:
            if not shows_mail:
                still_down = _carry_out(hand, form)
    except (NotPossible, TakenMeanwhile) as why:
        return _page(complaint_id, form, nothing_decided(why))
    if ends is not None and shows_mail:
        mail = preview(db.session(), complaint, ends, form.words.data)
        return render_template(
            "desk/complaint_check.html", complaint=complaint, form=form, mail=mail
        )
    if ends is None:
        return redirect(
            url_for("desk_complaints.show", complaint_id=complaint_id, done=form.decision.data), 303
        )
    done = "still-down" if still_down else form.decision.data
    return redirect(url_for("desk_complaints.queue", done=done), 303)


def _carry_out(hand: Hand, form: ComplaintDecisionForm) -> bool:
    """Returns whether somebody else has to put the text back."""
    session, complaint_id, moderator, now = hand.session, hand.item_id, hand.moderator, hand.now
    if form.decision.data == "take-down":
        words = form.writer_words.data
        complaint_decisions.take_down(session, complaint_id, moderator, words, now=now)
    elif form.decision.data == "leave":
        complaint_decisions.leave_up(session, complaint_id, moderator, now=now)
    elif form.decision.data == "uphold":
        complaint_decisions.uphold(
            session,
            complaint_id,
            moderator,
            words=form.words.data,
            writer_words=form.writer_words.data,
            code=form.code,
            now=now,
        )
    else:
        words = form.words.data
        return complaint_decisions.refuse(session, complaint_id, moderator, words=words, now=now)
    return False


@blueprint.post("/<uuid:complaint_id>/give-back")
@for_roles(*ROLES)
def give_back(complaint_id: uuid.UUID) -> BaseResponse:
    in_hand.leave(KIND, complaint_id)
    return redirect(url_for("desk_complaints.queue"), 303)


@blueprint.post("/<uuid:complaint_id>/pass-on")
@for_roles(*ROLES)
def pass_on(complaint_id: uuid.UUID) -> BaseResponse:
    """Leave it to others. Nobody asks why."""
    _found(complaint_id)
    in_hand.leave(KIND, complaint_id, passes_on=True)
    return redirect(url_for("desk_complaints.queue", done="passed"), 303)
