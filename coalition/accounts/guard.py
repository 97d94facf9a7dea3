"""Who may use which address of the desk: signed in with both factors, with one of its roles."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
)
from flask import session as cookie
from flask_security import logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.actions import note_use
from coalition.accounts.models import SEEN_EVERY, DeskSession, Moderator, Role
from coalition.accounts.sessions import is_desk
from coalition.db import db, transaction
from coalition.web.access import Access, open_to
from coalition.web.errors import holds_password, what_was_typed

View = TypeVar("View", bound=Callable[..., Any])
SESSION_KEY = "desk_session"
SIGN_IN = "/desk/sign-in"
# Leads from nowhere to being signed in; Flask-Security itself says who may go on.
OPEN = frozenset(
    f"security.{name}"
    for name in (
        "login", "two_factor_setup", "two_factor_token_validation", "tf_select",
        "wan_signin", "wan_signin_response", "mf_recovery",
    )
)  # fmt: skip
csrf = CSRFProtect()


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Declare which roles may use a route of the desk; put it below the route's own decorator."""

    def declare(view: View) -> View:
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return open_to(Access.DESK)(view)

    return declare


EVERYBODY = tuple(Role)  # who can sign in


def current_moderator() -> Moderator:
    """Who is signed in. Only below `for_roles`, which has made sure that somebody is."""
    found = db.session().get(Moderator, g.desk_moderator_id)
    if found is None:
        abort(403)
    return found


def current_session_id() -> uuid.UUID:
    """The session of the desk in which the current request is made."""
    number: uuid.UUID = g.desk_session_id
    return number


def is_signed_in() -> bool:
    """Whether the guard has found an open session for the current request."""
    return "desk_moderator_id" in g


def _signed_in() -> Moderator | None:
    """Whose session the cookie names, if it is still open; its use is noted."""
    try:
        session_id = uuid.UUID(hex=cookie.get(SESSION_KEY, ""))
    except ValueError:
        return None
    now = clock.utc_now()
    found = db.session().get(DeskSession, session_id)
    moderator = db.session().get(Moderator, found.moderator_id) if found else None
    if found is None or moderator is None or not found.is_open(now):
        return None
    # Another one since: a new password, a removal, a reset.
    if not moderator.active or cookie.get("_user_id") != moderator.fs_uniquifier:
        return None
    g.desk_moderator_id, g.desk_session_id = moderator.id, session_id
    if now - found.seen_at > SEEN_EVERY:
        with transaction() as session:
            note_use(session, session_id, now=now)
    return current_moderator()


def _check() -> BaseResponse | Response | None:
    if request.endpoint is None or not is_desk(request.path):
        return None
    view = current_app.view_functions.get(request.endpoint)
    if request.endpoint in OPEN:
        return _check_sign_in()
    if getattr(view, "access", None) in (Access.PUBLIC, Access.TOKEN):
        return _check_form()
    moderator = _signed_in()
    if moderator is None:
        return _to_sign_in()
    refused = _check_form()
    if refused is not None:
        return refused
    roles = getattr(view, "roles", frozenset(EVERYBODY))
    if not moderator.may(*roles):
        abort(403, description="role")
    return None


def _check_sign_in() -> BaseResponse | None:
    """A page for signing in that is too old is shown anew; nothing typed there is given back.

    Flask-Security takes whoever its own part of the cookie names for signed in. A copy of the
    cookie of a session that has ended must not be enough for that.
    """
    if "_user_id" in cookie and _signed_in() is None:
        forget_cookie()
    if request.method != "POST":
        return None
    try:
        csrf.protect()
    except CSRFError:
        return redirect(f"{SIGN_IN}?again=1", 303)
    return None


def _check_form() -> BaseResponse | Response | None:
    """A form that another session made is shown once more, to be sent from this one."""
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return None
    try:
        csrf.protect()
    except CSRFError:
        return _once_more("desk/send_again.html", 400)
    return None


def forget_cookie() -> None:
    """Let the browser be that of somebody who was never here."""
    logout_user()
    cookie.clear()


def _to_sign_in() -> BaseResponse | Response:
    if SESSION_KEY in cookie:
        forget_cookie()
    if request.method == "GET":
        return redirect(f"{SIGN_IN}?{urlencode({'next': _asked_for()}, safe='/')}", 303)
    return _once_more("desk/signed_out.html", 401)


def _asked_for() -> str:
    """The path and the query of the current request."""
    query = request.query_string.decode("ascii", "replace")
    return request.path + (f"?{query}" if query else "")


def _once_more(template: str, status: int) -> BaseResponse | Response:
    """What was typed is not lost, whatever happened to the session it was typed in; but a
    password is asked for anew."""
    if holds_password():
        return redirect(quote(request.path), 303)
    typed = [each for each in what_was_typed() if each.name != "csrf_token"]
    return make_response(render_template(template, typed=typed, action=request.full_path), status)


def init_guard(app: Flask) -> None:
    """Check every request below /desk, Flask-Security's own pages included."""
    csrf.init_app(app)
    app.before_request(_check)
