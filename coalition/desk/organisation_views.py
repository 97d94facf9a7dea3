"""Organisations: those that wait, those on the list, one of them, the decision with its mail shown
before."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import name_of
from coalition.db import db
from coalition.desk import in_hand
from coalition.desk.forms import DecisionForm
from coalition.desk.in_hand import NotYours, TakenMeanwhile, nothing_decided
from coalition.desk.models import ItemKind
from coalition.desk.pages import page_number
from coalition.desk.queries import is_own, organisations_waiting
from coalition.endorsements import decisions, queries
from coalition.endorsements.decisions import NotPossible
from coalition.endorsements.emails import preview
from coalition.endorsements.models import DeclineCode, Endorsement, EntryState
from coalition.endorsements.views import logo_response
from coalition.web.forms import LONGEST_LINE

blueprint = Blueprint("desk_organisations", __name__, url_prefix="/desk/organisations")
ROLES = (Role.MODERATOR, Role.ADMINISTRATOR)
KIND = ItemKind.ENDORSEMENT
MAILS = {"approve": "approved", "ask": "more_asked", "decline": "declined", "remove": "removed"}

PAGE = 50  # organisations that one page shows

View = str | BaseResponse | tuple[str, int]


@blueprint.get("")
@for_roles(*ROLES)
def queue() -> str:
    now = clock.utc_now()
    return render_template(
        "desk/organisations.html",
        waiting=organisations_waiting(db.session(), current_moderator(), now=now),
        done=request.args.get("done"),
        now=now,
    )


@blueprint.get("/published")
@for_roles(*ROLES)
def published() -> str:
    """What is on the list and what was taken off it, by name, page by page."""
    words = request.args.get("words", "")[:LONGEST_LINE]
    found = queries.listed(db.session(), words)
    page = page_number()
    return render_template(
        "desk/organisations_published.html",
        words=words,
        number=len(found),
        lines=found[(page - 1) * PAGE : page * PAGE],
        page=page,
        pages=-(-len(found) // PAGE),
    )


def _found(endorsement_id: uuid.UUID, moderator: Moderator) -> Endorsement:
    """The endorsement, unless it is this moderator's own organisation."""
    endorsement = queries.find_endorsement(db.session(), endorsement_id)
    if endorsement is None:
        abort(404)
    if is_own(moderator, endorsement):
        abort(403, description="own")
    return endorsement


@blueprint.post("/<uuid:endorsement_id>/take")
@for_roles(*ROLES)
def take(endorsement_id: uuid.UUID) -> BaseResponse:
    """Claim it, and go to read it. Reading is written to the log."""
    with suppress(NotYours), in_hand.held(KIND, endorsement_id) as hand:
        endorsement = _found(endorsement_id, hand.moderator)
        if decisions.is_for_somebody_else(endorsement, hand.moderator.actor):
            raise NotYours
        hand.record("read")
    return redirect(url_for("desk_organisations.show", endorsement_id=endorsement_id), 303)


@blueprint.get("/<uuid:endorsement_id>")
@for_roles(*ROLES)
def show(endorsement_id: uuid.UUID) -> View:
    return _page(endorsement_id, DecisionForm(formdata=None))


def _page(
    endorsement_id: uuid.UUID, form: DecisionForm, refused: str | None = None
) -> tuple[str, int]:
    """One organisation. Whoever has not taken it reads its name alone."""
    moderator, session = current_moderator(), db.session()
    endorsement = _found(endorsement_id, moderator)
    proposed = queries.find_entry_in(session, endorsement_id, EntryState.PROPOSED)
    public = queries.find_entry_in(session, endorsement_id, EntryState.PUBLIC)
    entry = proposed or public
    if entry is None:
        abort(404)
    mine = in_hand.own_claim(KIND, endorsement_id)
    for_another = decisions.is_for_somebody_else(endorsement, moderator.actor)
    form.entry_id.data = entry.id.hex
    page = render_template(
        "desk/organisation.html",
        endorsement=endorsement,
        entry=entry,
        public=public if proposed else None,
        is_proposed=proposed is not None,
        possible=decisions.possible(endorsement, is_proposed=proposed is not None),
        for_another=for_another,
        flags=queries.flags_of(session, endorsement, entry),
        decided_by=name_of(session, endorsement.decided_by) if endorsement.decided_by else None,
        claim=None if for_another else mine,
        has_it=mine is not None,
        taken=in_hand.taken_by_another(KIND, endorsement_id),
        form=form,
        refused=refused,
    )
    return page, 409 if refused else 422 if form.errors else 200


@blueprint.get("/<uuid:endorsement_id>/logo/<uuid:logo_id>")
@for_roles(*ROLES)
def logo(endorsement_id: uuid.UUID, logo_id: uuid.UUID) -> Response:
    """A logo that waits to be public."""
    _found(endorsement_id, current_moderator())
    entries = (queries.find_entry_in(db.session(), endorsement_id, state) for state in EntryState)
    if logo_id not in {entry.logo_id for entry in entries if entry}:
        abort(404)
    return logo_response(logo_id, "no-store")


@blueprint.post("/<uuid:endorsement_id>/preview")
@for_roles(*ROLES)
def check(endorsement_id: uuid.UUID) -> View:
    """The mail as it will go, before anything is decided."""
    form = DecisionForm(request.form)
    _found(endorsement_id, current_moderator())
    if form.decision.data not in MAILS:
        abort(400)
    if not form.validate():
        return _page(endorsement_id, form)
    try:
        with in_hand.held(KIND, endorsement_id) as hand:
            now = hand.now
    except TakenMeanwhile as why:
        return _page(endorsement_id, form, nothing_decided(why))
    return render_template(
        "desk/organisation_check.html",
        endorsement_id=endorsement_id,
        form=form,
        mail=preview(db.session(), endorsement_id, MAILS[form.decision.data], _change(form), now),
    )


def _change(form: DecisionForm) -> dict[str, object]:
    code = DeclineCode(form.code.data) if form.code.data else None
    return {"decision_words": form.words.data, "decision_code": code}


@blueprint.post("/<uuid:endorsement_id>/decide")
@for_roles(*ROLES)
def decide(endorsement_id: uuid.UUID) -> View:
    """Carry the decision out, if it is still this moderator's to make."""
    form = DecisionForm(request.form)
    if form.decision.data not in MAILS:
        abort(400)
    _found(endorsement_id, current_moderator())
    if not form.validate():
        return _page(endorsement_id, form)
    try:
        with in_hand.held(KIND, endorsement_id, ends=True) as hand:
            _decision(form, hand.moderator)(hand.session, endorsement_id, now=hand.now)
    except (NotPossible, TakenMeanwhile) as why:
        return _page(endorsement_id, form, nothing_decided(why))
    return redirect(url_for("desk_organisations.queue", done=form.decision.data), 303)


def _decision(form: DecisionForm, moderator: Moderator) -> Callable[..., None]:
    words = form.words.data
    try:
        entry_id = uuid.UUID(hex=form.entry_id.data or "")
    except ValueError:
        raise NotPossible("the form does not say which words you read; open it again") from None
    known: dict[str, Callable[[], Callable[..., None]]] = {
        "approve": lambda: partial(decisions.approve, entry_id=entry_id, reason=words),
        "ask": lambda: partial(decisions.ask_for_more, words=words),
        "decline": lambda: partial(
            decisions.decline, entry_id=entry_id, code=DeclineCode(form.code.data), words=words
        ),
        "remove": lambda: partial(decisions.remove, words=words),
    }
    return partial(known[form.decision.data](), actor=moderator.actor)


@blueprint.post("/<uuid:endorsement_id>/give-back")
@for_roles(*ROLES)
def give_back(endorsement_id: uuid.UUID) -> BaseResponse:
    in_hand.leave(KIND, endorsement_id)
    return redirect(url_for("desk_organisations.queue"), 303)


@blueprint.post("/<uuid:endorsement_id>/pass-on")
@for_roles(*ROLES)
def pass_on(endorsement_id: uuid.UUID) -> BaseResponse:
    """Leave it to others. Nobody asks why."""
    _found(endorsement_id, current_moderator())
    in_hand.leave(KIND, endorsement_id, passes_on=True)
    return redirect(url_for("desk_organisations.queue", done="passed"), 303)
