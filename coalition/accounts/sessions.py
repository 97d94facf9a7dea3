"""The session cookie: of the desk alone. No public page sets one, reads one, or varies by one."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response
from flask import request as current_request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from coalition.crypto import Keyring

DESK = "/desk"
KEY_PURPOSE = "desk.session"


def is_desk(path: str) -> bool:
    return path == DESK or path.startswith(f"{DESK}/")


class DeskSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for addresses below /desk; elsewhere an empty one that nobody keeps."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not is_desk(request.path):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if is_desk(current_request.path):
            super().save_session(app, session, response)


def session_settings(ring: Keyring, *, https: bool) -> dict[str, Any]:
    """Flask's settings for the cookie. Over plain http, which is for trying things out on one
    machine, a browser takes no cookie that is `Secure`."""
    newest, *older = (key.hex() for key in ring.digests(KEY_PURPOSE, "cookie"))
    return {
        "SECRET_KEY": newest,
        "SECRET_KEY_FALLBACKS": older,
        "SESSION_COOKIE_NAME": "__Host-desk" if https else "desk",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_PATH": "/",
    }
