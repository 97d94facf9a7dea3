"""One signature: taken, read, decided with its mail shown before; and the queue of those that
wait for that."""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import partial

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator
from coalition.accounts.queries import name_of
from coalition.db import db
from coalition.desk import in_hand
from coalition.desk.in_hand import NotYours, TakenMeanwhile, nothing_decided
from coalition.desk.models import ItemKind
from coalition.desk.queries import count_held, is_own_signature, signatures_waiting
from coalition.desk.signature_forms import SingleForm
from coalition.desk.signature_views import ROLES, seal_search
from coalition.petition import queries
from coalition.petition.deciders import last_deciders
from coalition.petition.decisions import (
    DECISIONS,
    NotPossible,
    decide,
    is_for_somebody_else,
    mark_of,
    preview_mail,
    refuse_impossible,
)
from coalition.petition.looks import record_look
from coalition.petition.models import Signature
from coalition.petition.search import Search
from coalition.web.errors import what_was_typed

blueprint = Blueprint("desk_held", __name__, url_prefix="/desk/signatures")
KIND = ItemKind.SIGNATURE

View = str | BaseResponse | tuple[str, int]


class SignatureGone(Exception):
    """There is no such signature any more."""


@blueprint.errorhandler(SignatureGone)
def signature_gone(error: SignatureGone) -> View:
    return render_template("desk/signature_gone.html", kept=what_was_typed()), 410


@blueprint.get("/held")
@for_roles(*ROLES)
def queue() -> str:
    """What waits, by how long it waits: no name, and nothing that anybody wrote."""
    return render_template(
        "desk/signatures_held.html",
        lines=signatures_waiting(db.session(), current_moderator(), now=clock.utc_now()),
        held=count_held(db.session(), current_moderator()),
        done=request.args.get("done"),
        told="told" in request.args,
    )


def _found(session: Session, signature_id: uuid.UUID, moderator: Moderator) -> Signature:
    """The signature, unless it is this moderator's own. Raises SignatureGone."""
    signature = queries.find_signature(session, signature_id)
    if signature is None:
        raise SignatureGone
    if is_own_signature(moderator, signature):
        abort(403, description="own signature")
    return signature


@blueprint.post("/<uuid:signature_id>/take")
@for_roles(*ROLES)
def take(signature_id: uuid.UUID) -> BaseResponse:
    """Claim it, and go to read it. The look is written to the log."""
    with suppress(NotYours), in_hand.held(KIND, signature_id) as hand:
        signature = _found(hand.session, signature_id, hand.moderator)
        if is_for_somebody_else(hand.session, signature, hand.moderator.actor):
            raise NotYours
        record_look(hand.session, signature_id, actor=hand.moderator.actor, now=hand.now)
    return redirect(url_for("desk_held.show", signature_id=signature_id), 303)


@blueprint.get("/<uuid:signature_id>")
@for_roles(*ROLES)
def show(signature_id: uuid.UUID) -> View:
    return _page(signature_id, SingleForm(formdata=None))


def _page(signature_id: uuid.UUID, form: SingleForm, refused: str | None = None) -> View:
    """One signature. Whoever has not taken it reads neither whose it is nor what they wrote."""
    session, moderator = db.session(), current_moderator()
    signature = _found(session, signature_id, moderator)
    claim = in_hand.own_claim(KIND, signature_id)
    for_another = is_for_somebody_else(session, signature, moderator.actor)
    form.read.data = mark_of(signature)
    page = render_template(
        "desk/signature.html",
        signature=signature,
        claim=None if for_another else claim,
        has_it=claim is not None,
        taken=in_hand.taken_by_another(KIND, signature_id),
        for_another=for_another,
        deciders=sorted(last_deciders(session, [signature_id]).get(signature_id, ())),
        possible=[name for name, each in DECISIONS.items() if each.fits(signature)],
        network=seal_search(Search(network_of=signature_id)) if signature.network_digest else None,
        who=partial(name_of, session),
        bulk=queries.bulk_decisions_about(session, signature_id),
        form=form,
        refused=refused,
    )
    return page, 409 if refused else 422 if form.errors else 200


@blueprint.post("/<uuid:signature_id>/preview")
@for_roles(*ROLES)
def check(signature_id: uuid.UUID) -> View:
    """The mail as it will go, before anything is decided."""
    form = SingleForm(request.form)
    decision = DECISIONS.get(form.decision.data or "") or abort(400)
    _found(db.session(), signature_id, current_moderator())
    if not form.validate():
        return _page(signature_id, form)
    try:
        with in_hand.held(KIND, signature_id) as hand:
            now = hand.now
        session, moderator = db.session(), current_moderator()
        signature = _found(session, signature_id, moderator)
        given = {"reason": form.reason.data, "read": form.read.data, "actor": moderator.actor}
        refuse_impossible(session, signature, decision, **given)
    except (NotPossible, TakenMeanwhile) as why:
        return _page(signature_id, form, nothing_decided(why))
    return render_template(
        "desk/signature_check.html",
        signature_id=signature_id,
        form=form,
        mail=preview_mail(session, signature, decision, reason=form.reason.data, now=now),
    )


@blueprint.post("/<uuid:signature_id>/decide")
@for_roles(*ROLES)
def decide_one(signature_id: uuid.UUID) -> View:
    """Carry the decision out, if it is still this moderator's to make."""
    form = SingleForm(request.form)
    decision = DECISIONS.get(form.decision.data or "") or abort(400)
    _found(db.session(), signature_id, current_moderator())
    if not form.validate():
        return _page(signature_id, form)
    try:
        with in_hand.held(KIND, signature_id, ends=True) as hand:
            told = decide(
                hand.session,
                decision,
                signature_id,
                reason=form.reason.data,
                read=form.read.data,
                actor=hand.moderator.actor,
                now=hand.now,
            )
    except (NotPossible, TakenMeanwhile) as why:
        return _page(signature_id, form, nothing_decided(why))
    return redirect(url_for("desk_held.queue", done=decision.name, told=1 if told else None), 303)


@blueprint.post("/<uuid:signature_id>/give-back")
@for_roles(*ROLES)
def give_back(signature_id: uuid.UUID) -> BaseResponse:
    in_hand.leave(KIND, signature_id)
    return redirect(url_for("desk_held.queue"), 303)


@blueprint.post("/<uuid:signature_id>/pass-on")
@for_roles(*ROLES)
def pass_on(signature_id: uuid.UUID) -> BaseResponse:
    """Leave it to others. Nobody asks why."""
    _found(db.session(), signature_id, current_moderator())
    in_hand.leave(KIND, signature_id, passes_on=True)
    return redirect(url_for("desk_held.queue", done="passed"), 303)
