"""A moderator's own account: the password, where they are signed in."""

from __future__ import annotations

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from flask_security import hash_password
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts import actions
from coalition.accounts.forms import SHORTEST_PASSWORD, PasswordForm
from coalition.accounts.guard import (
    EVERYBODY,
    current_moderator,
    current_session_id,
    for_roles,
    forget_cookie,
)
from coalition.accounts.links import read_password_token
from coalition.accounts.models import LONGEST_IDLE, LONGEST_SESSION
from coalition.accounts.queries import open_sessions
from coalition.db import db, transaction
from coalition.mail.forms import EmailForm
from coalition.mail.limits import spend_on_address
from coalition.web.access import Access, open_to
from coalition.web.limits import limit_writes

blueprint = Blueprint("accounts", __name__, url_prefix="/desk")
blueprint.app_context_processor(
    lambda: {
        "session_hours": int(LONGEST_SESSION.total_seconds() // 3600),
        "idle_minutes": int(LONGEST_IDLE.total_seconds() // 60),
    }
)

View = str | BaseResponse | tuple[str, int]


@blueprint.route("/password/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def password(token: str) -> View:
    """Choose a password, with the link of an invitation or of a mail that was asked for."""
    now = clock.utc_now()
    moderator = read_password_token(db.session(), token, now)
    if moderator is None:
        return render_template("desk/password_link_used.html"), 410
    form = PasswordForm(request.form if request.method == "POST" else None)
    if request.method != "POST" or not form.validate():
        page = render_template(
            "desk/password.html",
            form=form,
            token=token,
            moderator=moderator,
            shortest=SHORTEST_PASSWORD,
        )
        return (page, 422) if form.errors else page
    hashed = hash_password(form.password.data)
    with transaction() as session:
        found = read_password_token(session, token, now)
        if found is None:
            return render_template("desk/password_link_used.html"), 410
        actions.set_password(session, found, hashed, now=now)
    return redirect(url_for("security.login", password="set"), 303)  # noqa: S106


@blueprint.route("/forgotten", methods=["GET", "POST"])
@open_to(Access.PUBLIC)
@limit_writes
def forgotten() -> View:
    """Ask for a link to set a new password. The answer is the same for every address."""
    form = EmailForm(request.form if request.method == "POST" else None)
    if request.method != "POST" or not form.validate():
        page = render_template("desk/forgotten.html", form=form)
        return (page, 422) if form.errors else page
    spend_on_address(form.email.data)
    with transaction() as session:
        actions.request_password_link(session, form.email.data, now=clock.utc_now())
    return render_template("desk/forgotten.html", form=None, email=form.email.data)


@blueprint.get("/you")
@for_roles(*EVERYBODY)
def you() -> str:
    """Second factors, recovery codes, and every browser in which one is signed in."""
    moderator = current_moderator()
    return render_template(
        "desk/you.html",
        moderator=moderator,
        sessions=open_sessions(db.session(), moderator.id, now=clock.utc_now()),
        this_session=current_session_id(),
    )


@blueprint.post("/you/sessions/<uuid:session_id>/end")
@for_roles(*EVERYBODY)
def end_session(session_id: uuid.UUID) -> BaseResponse:
    with transaction() as session:
        actions.end_session(session, session_id, current_moderator(), now=clock.utc_now())
    return redirect(url_for("accounts.you"), 303)


@blueprint.post("/you/sessions/end-others")
@for_roles(*EVERYBODY)
def end_others() -> BaseResponse:
    """Sign out everywhere but here."""
    here, now = current_session_id(), clock.utc_now()
    with transaction() as session:
        moderator = current_moderator()
        for each in open_sessions(session, moderator.id, now=now):
            if each.id != here:
                actions.end_session(session, each.id, moderator, now=now)
    return redirect(url_for("accounts.you"), 303)


@blueprint.post("/leave")
@for_roles(*EVERYBODY)
def leave() -> BaseResponse:
    """Sign out here."""
    with transaction() as session:
        actions.end_session(session, current_session_id(), current_moderator(), now=clock.utc_now())
    forget_cookie()
    return redirect(url_for("security.login"), 303)
