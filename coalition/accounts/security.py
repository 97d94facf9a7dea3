"""Flask-Security, set up for the desk: password and TOTP, passkeys, recovery codes; nothing open
to whoever was not invited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, redirect, request
from flask import session as cookie
from flask_security import LoginForm, MailUtil, Security, auth_required
from flask_security.mail_util import EmailValidateException
from flask_security.signals import user_authenticated
from flask_security.utils import get_message
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Field

from coalition import clock
from coalition.accounts.actions import begin_session
from coalition.accounts.guard import (
    OPEN,
    SESSION_KEY,
    SIGN_IN,
    forget_cookie,
    init_guard,
    is_signed_in,
)
from coalition.accounts.models import FRESH_PROOF, LONGEST_SET_UP, Moderator
from coalition.accounts.queries import find_by_uniquifier, hold_by_uniquifier
from coalition.accounts.sessions import DeskSessions, is_desk, session_settings
from coalition.accounts.store import ModeratorStore, OneTimeCodes, Passkeys
from coalition.crypto import Keyring, keyring
from coalition.db import begin_writing, db
from coalition.mail.address import NotAnAddress, canonical_address, parse_address
from coalition.settings import Settings
from coalition.web.access import Access, open_to
from coalition.web.headers import ALONE
from coalition.web.limits import limit_writes, spend

SHORTEST_PASSWORD = 12  # characters
LONGEST_PROOF = 1_000  # characters; no password, no address and no code has as many
PROOFS = ("email", "password", "code")
TRIES_PURPOSE = "accounts.tries"
# Where somebody guesses: at a password, a code from an app, a recovery code. Not at a passkey,
# which nobody can guess, and which says whose it is only once it was given.
GUESSED_AT = (
    "security.login",
    "security.two_factor_token_validation",
    "security.mf_recovery",
    "security.verify",
)
SET_UP_AT = ("security.two_factor_setup", "security.two_factor_token_validation")
# Where a change that was begun is brought to its end, and where it begins. What was begun is a
# token that says nothing of whose it is.
ENDED_AT = {
    "security.two_factor_setup_validate": "/desk/second-factor",
    "security.wan_register_response": "/desk/passkeys",
}
FORMS = {
    "LOGIN_URL": "/sign-in",
    "VERIFY_URL": "/verify",
    "TWO_FACTOR_SETUP_URL": "/second-factor",
    "TWO_FACTOR_TOKEN_VALIDATION_URL": "/sign-in/code",
    "TWO_FACTOR_SELECT_URL": "/sign-in/choose",
    "TWO_FACTOR_RESCUE_URL": "/sign-in/rescue",
    "MULTI_FACTOR_RECOVERY_URL": "/sign-in/recovery-code",
    "MULTI_FACTOR_RECOVERY_CODES_URL": "/recovery-codes",
    "WAN_REGISTER_URL": "/passkeys",
    "WAN_DELETE_URL": "/passkeys/delete",
    "WAN_SIGNIN_URL": "/sign-in/passkey",
    "POST_LOGIN_VIEW": "/desk",
    "POST_VERIFY_VIEW": "/desk",
    "TWO_FACTOR_POST_SETUP_VIEW": "/desk/you",
    "WAN_POST_REGISTER_VIEW": "/desk/you",
}


class SignInForm(LoginForm):
    """Nobody is remembered beyond a session."""

    remember = None

    def validate_next(self, field: Field) -> None:
        """Whoever follows a link that would lead elsewhere afterwards comes to the desk."""
        if not is_desk((field.data or "").partition("?")[0]):
            field.data = ""


class Addresses(MailUtil):
    """Mail addresses as everywhere else here: one that is too long is not looked at."""

    def normalize(self, email: str) -> str:
        """The address as it is stored. Raises EmailValidateException."""
        try:
            return parse_address(email)
        except NotAnAddress as error:
            raise EmailValidateException(get_message("INVALID_EMAIL_ADDRESS")[0]) from error

    validate = normalize


def _settings(settings: Settings, ring: Keyring) -> dict[str, Any]:
    host = settings.site_host.partition(":")[0]  # which an app's account may not hold
    chosen: dict[str, Any] = {
        **FORMS,
        "URL_PREFIX": "/desk",
        "STATIC_FOLDER": None,  # our own templates and scripts
        "LOGOUT_METHODS": None,  # accounts.leave, which ends the session itself
        "API_ENABLED_METHODS": ["session"],
        "CLI_USERS_NAME": None,  # `coalition moderators`
        "CLI_ROLES_NAME": None,
        "DATETIME_FACTORY": clock.utc_now,
        "FLASH_MESSAGES": False,
        "RETURN_GENERIC_RESPONSES": True,
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SINGLE_HASH": ["argon2"],
        "PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
        "FRESHNESS": FRESH_PROOF,
        "FRESHNESS_GRACE_PERIOD": LONGEST_SET_UP,
        "TWO_FACTOR_SETUP_WITHIN": LONGEST_SET_UP,
        "WAN_REGISTER_WITHIN": LONGEST_SET_UP,
        "TWO_FACTOR": True,
        "TWO_FACTOR_REQUIRED": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_ALWAYS_VALIDATE": True,
        # The column itself is encrypted, under keys that can be rotated: models.py.
        "TOTP_SECRETS": {"1": "the column is encrypted"},
        "TOTP_ISSUER": f"Desk of {host}",
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "WEBAUTHN": True,
        "LOGIN_FORM": SignInForm,
        "WAN_RP_NAME": f"Desk of {host}",
        "WAN_ALLOW_AS_VERIFY": [],  # the password, where it must still be the same person
        "WAN_ALLOW_USER_HINTS": False,  # which accounts have passkeys is nobody's business
    }
    return {
        **{f"SECURITY_{name}": value for name, value in chosen.items()},
        **session_settings(ring, https=settings.is_https),
        "WTF_CSRF_CHECK_DEFAULT": False,  # public forms have no session: web/origin.py
        "WTF_CSRF_TIME_LIMIT": None,  # a form is good for as long as the session
    }


def init_accounts(app: Flask, settings: Settings) -> None:
    """Let moderators sign in at /desk/sign-in, and nobody else see anything below /desk."""
    app.config.update(_settings(settings, app.extensions["keyring"]))
    app.session_interface = DeskSessions()
    init_guard(app)
    security = Security(
        app,
        ModeratorStore(),
        totp_cls=OneTimeCodes,
        webauthn_util_cls=Passkeys,
        mail_util_cls=Addresses,
    )
    security.want_json(lambda _: False)
    _ask_who_it_is_at_the_desk_alone(security)
    security.reauthn_handler(_prove_once_more)
    for endpoint, view in list(app.view_functions.items()):
        if endpoint.startswith("security."):
            app.view_functions[endpoint] = _declared(endpoint, view)
    app.before_request(_write_at_once)
    app.after_request(_allow_qr_code)
    user_authenticated.connect(_begin, app)


def _ask_who_it_is_at_the_desk_alone(security: Security) -> None:
    """Nobody is signed in on a public page, where to find that out would take as long as to
    encrypt a signature."""
    loaders = security.principal.identity_loaders
    find = loaders.pop()
    loaders.append(lambda: find() if is_desk(request.path) else None)


def _declared(endpoint: str, view: Callable[..., Any]) -> Callable[..., Any]:
    """A page of Flask-Security as a route of ours: who may use it, and how often."""

    if endpoint in ENDED_AT:
        view = auth_required("session", within=lambda: FRESH_PROOF, grace=lambda: LONGEST_SET_UP)(
            view
        )

    @wraps(view)
    def counted(*args: Any, **values: Any) -> Any:
        if endpoint in SET_UP_AT and _is_set_up_meanwhile():
            forget_cookie()
            return redirect(f"{SIGN_IN}?again=1", 303)
        # Each guess counts against the account that it is about, whatever network it comes from.
        if request.method == "POST" and endpoint in GUESSED_AT:
            _refuse_what_is_too_long()
            spend("LIMIT_SIGN_IN", keyring().digest(TRIES_PURPOSE, _guessed_about(endpoint)))
        answer = view(*args, **values)
        # A page in answer to a guess says that it is wrong.
        is_wrong = request.method == "POST" and endpoint in GUESSED_AT and isinstance(answer, str)
        return (answer, 422) if is_wrong else answer

    access = Access.PUBLIC if endpoint in OPEN else Access.DESK
    return open_to(access)(limit_writes(counted))


def _prove_once_more(within: timedelta, grace: timedelta) -> BaseResponse:
    """Ask for the password before a proof is shown or changed, then begin there."""
    path = ENDED_AT.get(request.endpoint or "", request.path)
    return redirect(f"/desk/verify?{urlencode({'next': path})}", 303)


def _is_set_up_meanwhile() -> bool:
    """Whether somebody who has given a password alone is about to set up a second factor, for a
    moderator who has one by now.

    Their cookie says that there was none, and says so for ever: whoever once knew the password
    could keep it.
    """
    if is_signed_in() or cookie.get("tf_state") not in ("setup_from_login", "validating_profile"):
        return False
    moderator = find_by_uniquifier(db.session(), cookie.get("tf_user_id", ""))
    return moderator is not None and moderator.has_second_factor


def _refuse_what_is_too_long() -> None:
    """What is far longer than any proof takes minutes to normalise, and breaks the hasher."""
    if any(len(request.form.get(name, "")) > LONGEST_PROOF for name in PROOFS):
        abort(413)


def _guessed_about(endpoint: str) -> str:
    """Whose secret is guessed at: by what was typed only where nothing else says it."""
    if endpoint != "security.login":
        return str(cookie.get("tf_user_id") or cookie.get("_user_id") or "nobody")
    try:
        return canonical_address(parse_address(request.form.get("email", "")))
    except NotAnAddress:
        return "no address"


def _write_at_once() -> None:
    """Flask-Security reads first and writes later, which SQLite allows only to whoever holds the
    lock from the beginning; see coalition.db.transaction. On PostgreSQL the moderator's row is
    held: a code that is sent twice at one moment must not be good twice."""
    if request.blueprint == "security" and request.method == "POST":
        session = db.session()
        begin_writing(session)
        whose = cookie.get("tf_user_id") or cookie.get("_user_id")
        if whose:
            hold_by_uniquifier(session, whose)


def _allow_qr_code(response: Response) -> Response:
    """The one picture that stands in a page: the secret for an app must not be in a file."""
    if request.endpoint == "security.two_factor_setup":
        policy = ALONE["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' data:")
        response.headers["Content-Security-Policy"] = policy
    return response


def _begin(app: Flask, user: Moderator, authn_via: list[str] | None, **_: Any) -> None:
    # Asked for by a field of the form of passkeys, which is not ours.
    cookie.pop("_remember", None)
    begun = begin_session(
        db.session(),
        user,
        _browser_name(request.user_agent.string),
        ", ".join(authn_via or []),
        now=clock.utc_now(),
    )
    cookie[SESSION_KEY] = begun.id.hex


def _browser_name(agent: str) -> str:
    """A browser and a system in words, as far as they are told; no version, which would tell one
    visitor from others."""
    browsers = {
        "Edg": "Edge",
        "OPR": "Opera",
        "Firefox": "Firefox",
        "Chrom": "Chrome",
        "Safari": "Safari",
    }
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "Mac",
        "Linux": "Linux",
    }
    browser = next((name for sign, name in browsers.items() if sign in agent), "A browser")
    system = next((f" on {name}" for sign, name in systems.items() if sign in agent), "")
    return browser + system
