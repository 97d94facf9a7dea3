"""Decisions about all signatures that a search finds: shown, confirmed, proposed, undone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.queries import name_of
from coalition.db import db, transaction
from coalition.desk.signature_forms import BulkForm
from coalition.desk.signature_views import (
    ROLES,
    SearchGone,
    seal_search,
    search_gone,
    unseal_search,
)
from coalition.petition import bulk, bulk_undo
from coalition.petition.bulk import CountChanged
from coalition.petition.bulk_limit import BULK_WINDOW, decided_alone, undoing_takes_two
from coalition.petition.decisions import NotPossible
from coalition.petition.models import BulkDecision, BulkKind, BulkState
from coalition.petition.search import Search

blueprint = Blueprint("desk_bulk", __name__, url_prefix="/desk/signatures")
blueprint.register_error_handler(SearchGone, search_gone)

View = str | BaseResponse | tuple[str, int]


@blueprint.context_processor
def _about_the_limit() -> dict[str, int]:
    return {"limit": _limit(), "hours": int(BULK_WINDOW.total_seconds() / 3600)}


def _limit() -> int:
    limit: int = current_app.extensions["settings"].bulk_limit
    return limit


def _counted() -> int:
    typed = request.form.get("counted", "")
    return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else 0


def _kind(text: str) -> BulkKind:
    try:
        return BulkKind(text)
    except ValueError:
        abort(404)


@blueprint.route("/bulk/<kind>/<sealed>", methods=["GET", "POST"])
@for_roles(*ROLES)
def decide(kind: str, sealed: str) -> View:
    """What would happen, in numbers; then, confirmed with that number, it happens."""
    chosen, search = _kind(kind), unseal_search(sealed)
    if request.method != "POST":
        form = BulkForm(formdata=None, data={"decision_id": uuid.uuid4().hex})
        return _preview(chosen, search, sealed, form)
    form = BulkForm(request.form)
    if not form.validate():
        return _preview(chosen, search, sealed, form)
    try:
        with transaction() as session:
            decision = bulk.decide_all(
                session,
                _number(form.decision_id.data),
                chosen,
                search,
                counted=_counted(),
                limit=_limit(),
                reason=form.reason.data,
                actor=current_moderator().actor,
                now=clock.utc_now(),
            )
    except CountChanged as error:
        return _preview(chosen, search, sealed, form, changed=error.count)
    except NotPossible as error:
        return _preview(chosen, search, sealed, form, refused=str(error))
    return _to(decision)


def _number(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(hex=text or "")
    except ValueError:
        return uuid.uuid4()


def _preview(
    kind: BulkKind,
    search: Search,
    sealed: str,
    form: BulkForm,
    *,
    changed: int | None = None,
    refused: str | None = None,
) -> View:
    session, actor = db.session(), current_moderator().actor
    shown = bulk.preview(session, kind, search, actor)
    alone = decided_alone(session, actor, now=clock.utc_now())
    form.counted.data = shown.count
    page = render_template(
        "desk/bulk.html",
        kind=kind,
        sealed=sealed,
        form=form,
        shown=shown,
        alone=alone,
        takes_two=alone + shown.count > _limit(),
        changed=changed is not None,
        refused=refused,
    )
    return page, 409 if refused or changed is not None else 422 if form.errors else 200


def _to(decision: BulkDecision) -> BaseResponse:
    return redirect(url_for("desk_bulk.show", decision_id=decision.id), 303)


@blueprint.get("/decisions/<uuid:decision_id>")
@for_roles(*ROLES)
def show(decision_id: uuid.UUID) -> View:
    """One bulk decision: what became of it, and what can still be done."""
    return _page(decision_id)


def _page(decision_id: uuid.UUID, *, changed: bool = False, refused: str | None = None) -> View:
    session, actor, now = db.session(), current_moderator().actor, clock.utc_now()
    decision = session.get(BulkDecision, decision_id)
    if decision is None:
        abort(404)
    waits = decision.state is BulkState.PROPOSED
    search = Search.from_text(decision.search) if waits and decision.search else None
    page = render_template(
        "desk/bulk_decision.html",
        decision=decision,
        shown=bulk.preview(session, decision.kind, search, decision.actor, actor)
        if search
        else None,
        sealed=seal_search(search) if search else None,
        who=partial(name_of, session),
        is_own=decision.actor == actor,
        wants_undo=decision.undo_waits and decision.undoers == [actor],
        undo_takes_two=undoing_takes_two(session, decision, actor, limit=_limit(), now=now),
        changed=changed,
        refused=refused,
        proposal_days=bulk.PROPOSAL_LIFETIME.days,
    )
    return page, 409 if refused or changed else 200


def _act(decision_id: uuid.UUID, act: Callable[..., BulkDecision], **values: int) -> View:
    try:
        with transaction() as session:
            decision = act(
                session,
                decision_id,
                actor=current_moderator().actor,
                now=clock.utc_now(),
                **values,
            )
    except CountChanged:
        return _page(decision_id, changed=True)
    except NotPossible as error:
        return _page(decision_id, refused=f"Nothing was changed: {error}")
    return _to(decision)


@blueprint.post("/decisions/<uuid:decision_id>/confirm")
@for_roles(*ROLES)
def confirm(decision_id: uuid.UUID) -> View:
    """The second moderator's yes, to the number that they were shown."""
    return _act(decision_id, bulk.confirm_proposal, counted=_counted())


@blueprint.post("/decisions/<uuid:decision_id>/refuse")
@for_roles(*ROLES)
def refuse(decision_id: uuid.UUID) -> View:
    return _act(decision_id, bulk.refuse_proposal)


@blueprint.post("/decisions/<uuid:decision_id>/undo")
@for_roles(*ROLES)
def undo(decision_id: uuid.UUID) -> View:
    """Make it as it was, where nothing was decided since: at once, or once two want it."""
    return _act(decision_id, bulk_undo.undo, limit=_limit())


@blueprint.post("/decisions/<uuid:decision_id>/leave")
@for_roles(*ROLES)
def leave(decision_id: uuid.UUID) -> View:
    """Do not undo what somebody wants to undo."""
    return _act(decision_id, bulk_undo.leave_as_it_is)
