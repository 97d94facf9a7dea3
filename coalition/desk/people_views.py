"""Who is at the desk: invite, roles, removal, a lost second factor."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts import actions, queries
from coalition.accounts.actions import NotAllowed
from coalition.accounts.forms import InviteForm, RolesForm
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import ROLE_NAMES, Moderator, Role
from coalition.db import db, transaction
from coalition.mail.limits import spend_on_address

blueprint = Blueprint("people", __name__, url_prefix="/desk/people")

View = str | BaseResponse | tuple[str, int]


@blueprint.get("")
@for_roles(Role.ADMINISTRATOR)
def people() -> str:
    return _page(InviteForm(formdata=None))


def _page(form: InviteForm) -> str:
    return render_template(
        "desk/people.html",
        people=queries.everybody(db.session()),
        form=form,
        done=request.args.get("done"),
        role_names=ROLE_NAMES,
    )


@blueprint.post("/invite")
@for_roles(Role.ADMINISTRATOR)
def invite() -> View:
    form = InviteForm(request.form)
    if not form.validate():
        return _page(form), 422
    spend_on_address(form.email.data)
    try:
        with transaction() as session:
            actions.invite_moderator(
                session,
                form.email.data,
                form.name.data,
                form.chosen(),
                actor=current_moderator().actor,
                now=clock.utc_now(),
            )
    except NotAllowed as error:
        form.email.errors = [f"Nobody was invited: {error}"]
        return _page(form), 422
    return redirect(url_for("people.people", done="invited"), 303)


@blueprint.get("/<uuid:moderator_id>")
@for_roles(Role.ADMINISTRATOR)
def person(moderator_id: uuid.UUID) -> str:
    found = _found(db.session(), moderator_id)
    return _person_page(moderator_id, _roles_of(found))


def _roles_of(person: Moderator) -> RolesForm:
    return RolesForm(formdata=None, data={"roles": [role.value for role in person.role_names]})


def _person_page(moderator_id: uuid.UUID, form: RolesForm, refused: str | None = None) -> str:
    session, now = db.session(), clock.utc_now()
    found = _found(session, moderator_id)
    reset = queries.find_reset(session, moderator_id, now=now)
    you = current_moderator()
    return render_template(
        "desk/person.html",
        person=found,
        form=form,
        sessions=queries.open_sessions(session, moderator_id, now=now),
        reset=reset,
        asked_by=queries.find_moderator(session, reset.asked_by) if reset else None,
        you=you,
        # Who can change one's own roles: nobody does it for themself while there is another.
        can_change=queries.other_administrators(session, you) if found.id == you.id else [],
        role_names=ROLE_NAMES,
        refused=refused,
        done=request.args.get("done"),
    )


def _found(session: Session, moderator_id: uuid.UUID) -> Moderator:
    found = queries.find_moderator(session, moderator_id)
    if found is None:
        abort(404)
    return found


@blueprint.post("/<uuid:moderator_id>/roles")
@for_roles(Role.ADMINISTRATOR)
def roles(moderator_id: uuid.UUID) -> View:
    form = RolesForm(request.form)
    if not form.validate():
        return _person_page(moderator_id, form), 422

    def change(session: Session, person: Moderator, you: Moderator, now: datetime) -> None:
        actions.change_roles(session, person, form.chosen(), actor=you.actor, now=now)

    return _carry_out(moderator_id, change, "roles", form)


@blueprint.post("/<uuid:moderator_id>/invite-again")
@for_roles(Role.ADMINISTRATOR)
def invite_again(moderator_id: uuid.UUID) -> View:
    def again(session: Session, person: Moderator, you: Moderator, now: datetime) -> None:
        actions.send_invitation_again(session, person, actor=you.actor, now=now)

    spend_on_address(_found(db.session(), moderator_id).email)
    return _carry_out(moderator_id, again, "invited")


@blueprint.post("/<uuid:moderator_id>/sign-out")
@for_roles(Role.ADMINISTRATOR)
def sign_out(moderator_id: uuid.UUID) -> View:
    def end(session: Session, person: Moderator, you: Moderator, now: datetime) -> None:
        actions.end_sessions(session, person, actor=you.actor, now=now)

    return _carry_out(moderator_id, end, "signed-out")


@blueprint.post("/<uuid:moderator_id>/remove")
@for_roles(Role.ADMINISTRATOR)
def remove(moderator_id: uuid.UUID) -> View:
    def away(session: Session, person: Moderator, you: Moderator, now: datetime) -> None:
        actions.remove_moderator(session, person, actor=you.actor, now=now)

    return _carry_out(moderator_id, away, "removed")


@blueprint.post("/<uuid:moderator_id>/reset")
@for_roles(Role.ADMINISTRATOR)
def reset(moderator_id: uuid.UUID) -> View:
    """Ask for a new second factor, or agree to what another administrator asked."""
    agrees = "agree" in request.form

    def start_afresh(session: Session, person: Moderator, you: Moderator, now: datetime) -> None:
        (actions.agree_reset if agrees else actions.ask_reset)(session, person, you, now=now)

    return _carry_out(moderator_id, start_afresh, "reset" if agrees else "reset-asked")


def _carry_out(
    moderator_id: uuid.UUID,
    action: Callable[[Session, Moderator, Moderator, datetime], None],
    done: str,
    form: RolesForm | None = None,
) -> View:
    """Do it, or say why it was not done, with the roles as they were ticked if they were."""
    try:
        with transaction() as session:
            action(session, _found(session, moderator_id), current_moderator(), clock.utc_now())
    except NotAllowed as error:
        found = _found(db.session(), moderator_id)
        form = form or _roles_of(found)
        return _person_page(moderator_id, form, refused=f"Nothing was changed: {error}."), 409
    return redirect(url_for("people.person", moderator_id=moderator_id, done=done), 303)
