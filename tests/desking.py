"""Being at the desk: as somebody who has signed in, or through the pages that lead there."""

from __future__ import annotations

import time
import uuid

from flask import Flask
from flask_security import hash_password
from passlib.totp import TOTP
from sqlalchemy import delete

from coalition import clock
from coalition.accounts.actions import begin_session, invite_moderator, set_password
from coalition.accounts.emails import ROLE_GIVEN
from coalition.accounts.guard import SESSION_KEY
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.mail.models import OutboxMessage
from tests.visitor import Page, Visitor, visitor_of

PASSWORD = "four words nobody knows"
SECRET = "JBSWY3DPEHPK3PXP"  # of the app with codes, in base 32


def make_moderator(
    app: Flask, *roles: Role, name: str = "Mo Fictional", email: str = ""
) -> uuid.UUID:
    """Somebody at the desk with a password and an app that makes codes. Returns their id."""
    address = email or f"mo{uuid.uuid4().hex[:8]}@desk.example.org"
    now = clock.utc_now()
    with app.app_context(), transaction() as session:
        moderator = invite_moderator(session, address, name, roles, actor="test", now=now)
        # Others are told of a new reader, which is none of what most tests count.
        session.execute(delete(OutboxMessage).where(OutboxMessage.kind == ROLE_GIVEN))
        set_password(session, moderator, "not a hash, so nobody can sign in with it", now=now)
        moderator.tf_primary_method = "authenticator"
        moderator.tf_totp_secret = (
            app.extensions["security"].totp_factory._totp(key=SECRET).to_json()
        )
        return moderator.id


def give_password(app: Flask, moderator_id: uuid.UUID, password: str = PASSWORD) -> str:
    """Let a moderator sign in through the pages. Returns their address."""
    with app.test_request_context("/desk"):
        hashed = hash_password(password)
    with app.app_context(), transaction() as session:
        moderator = session.get_one(Moderator, moderator_id)
        moderator.password = hashed
        return moderator.email


def code_now(secret: str = SECRET, *, steps: int = 0) -> str:
    """What the app shows now, or some steps of thirty seconds from now."""
    return TOTP(key=secret).generate(time.time() + 30 * steps).token


def sign_in_as(app: Flask, moderator_id: uuid.UUID) -> Visitor:
    """A browser in which this moderator has signed in with both factors."""
    visitor = visitor_of(app)
    with app.test_request_context("/desk"):
        with transaction() as session:
            moderator = session.get_one(Moderator, moderator_id)
            begun = begin_session(
                session, moderator, "Firefox on Linux", "test", now=clock.utc_now()
            )
            kept = {
                "_user_id": moderator.fs_uniquifier,
                "_fresh": True,
                "fs_paa": time.time(),
                SESSION_KEY: begun.id.hex,
            }
        serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        visitor.cookies[app.config["SESSION_COOKIE_NAME"]] = str(serializer.dumps(kept))
    return visitor


def signed_in(app: Flask, *roles: Role, name: str = "Mo Fictional") -> Visitor:
    """A browser in which somebody with these roles has signed in."""
    return sign_in_as(app, make_moderator(app, *roles, name=name))


def sign_in(
    visitor: Visitor, email: str, *, password: str = PASSWORD, code: str | None = None
) -> Page:
    """Sign in through the pages, as a moderator does."""
    page = visitor.get("/desk/sign-in")
    page = visitor.submit(page, "/desk/sign-in", email=email, password=password)
    return visitor.submit(page, "/desk/sign-in/code", code=code or code_now())
