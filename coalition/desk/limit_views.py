"""Limits and trusted networks: set here, in effect at once."""

from __future__ import annotations

import uuid
from functools import partial

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.accounts.queries import name_of
from coalition.db import db, transaction
from coalition.desk import limit_actions
from coalition.desk.limit_forms import GeneralLimitForm, NetworkForm
from coalition.web.limit_rules import (
    REMEMBERED,
    forget_rules,
    limits_of,
    parse_limits,
    parse_network,
)

blueprint = Blueprint("desk_limits", __name__, url_prefix="/desk/limits")
GENERAL = {
    "LIMIT_NETWORK": "Forms sent from one network",
    "LIMIT_ADDRESS": "Mails to one address",
    "LIMIT_DOMAIN": "Signatures from one mail domain that is not a large provider",
}

View = str | BaseResponse | tuple[str, int]


def _page(
    network_form: NetworkForm | None = None, limit_forms: dict[str, GeneralLimitForm] | None = None
) -> str:
    session = db.session()
    set_here = limit_actions.overrides(session)
    given = limit_forms or {}
    return render_template(
        "desk/limits.html",
        general=[
            (
                name,
                words,
                str(current_app.config[name]),
                set_here.get(name),
                given.get(name) or _filled_in(name),
            )
            for name, words in GENERAL.items()
        ],
        rules=limit_actions.network_rules(session),
        form=network_form or NetworkForm(formdata=None),
        refused=next(iter(given.values()), None),
        who=partial(name_of, session),
        done=request.args.get("done"),
        seconds=int(REMEMBERED),
    )


def _filled_in(name: str) -> GeneralLimitForm:
    return GeneralLimitForm(formdata=None, data={"limits": limits_of(name)}, prefix=_prefix(name))


def _prefix(name: str) -> str:
    """So that no two fields of the page have one id."""
    return name.lower().replace("_", "-")


def _back(done: str) -> BaseResponse:
    forget_rules()
    return redirect(url_for("desk_limits.show", done=done), 303)


@blueprint.get("")
@for_roles(Role.ADMINISTRATOR)
def show() -> str:
    return _page()


@blueprint.post("/general/<name>")
@for_roles(Role.ADMINISTRATOR)
def change(name: str) -> View:
    if name not in GENERAL:
        abort(404)
    form = GeneralLimitForm(request.form, prefix=_prefix(name))
    if not form.validate():
        return _page(limit_forms={name: form}), 422
    with transaction() as session:
        limit_actions.set_limit(
            session,
            name,
            parse_limits(form.limits.data),
            actor=current_moderator().actor,
            now=clock.utc_now(),
        )
    return _back("limit")


@blueprint.post("/general/<name>/reset")
@for_roles(Role.ADMINISTRATOR)
def reset(name: str) -> View:
    if name not in GENERAL:
        abort(404)
    with transaction() as session:
        limit_actions.reset_limit(
            session, name, actor=current_moderator().actor, now=clock.utc_now()
        )
    return _back("reset")


@blueprint.post("/networks/set")
@for_roles(Role.ADMINISTRATOR)
def set_network() -> View:
    form = NetworkForm(request.form)
    if not form.validate():
        return _page(form), 422
    with transaction() as session:
        limit_actions.set_network(
            session,
            str(parse_network(form.network.data)),
            factor=int(form.factor.data) if form.factor.data else None,
            limits=parse_limits(form.limits.data) if form.limits.data else None,
            note=form.note.data,
            actor=current_moderator().actor,
            now=clock.utc_now(),
        )
    return _back("network")


@blueprint.post("/networks/<uuid:rule_id>/remove")
@for_roles(Role.ADMINISTRATOR)
def remove_network(rule_id: uuid.UUID) -> View:
    with transaction() as session:
        limit_actions.remove_network(
            session, rule_id, actor=current_moderator().actor, now=clock.utc_now()
        )
    return _back("removed")
