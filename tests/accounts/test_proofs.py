"""How moderators prove who they are: passkeys, the app, recovery codes, and what becomes of a
change."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import FRESH_PROOF, LONGEST_SET_UP, Moderator, Passkey, Role
from coalition.accounts.sessions import is_desk
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from tests.desking import (
    PASSWORD,
    SECRET,
    code_now,
    give_password,
    make_moderator,
    sign_in,
    sign_in_as,
)
from tests.engines import on_both
from tests.mailbox import Mailbox, text_of
from tests.passkeys import SoftwareKey, add_passkey, sign_in_with
from tests.visitor import Page, Visitor, visitor_of

Work = Callable[[], object]


@pytest.fixture
def email(app: Flask) -> str:
    return give_password(app, make_moderator(app, Role.MODERATOR))


@pytest.fixture
def key(visitor: Visitor) -> SoftwareKey:
    return SoftwareKey(visitor.origin)


def age(app: Flask, visitor: Visitor, seconds: float) -> None:
    """Let it be that long ago that a visitor proved who they are, and looked at their proofs."""
    name = app.config["SESSION_COOKIE_NAME"]
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    kept: dict[str, Any] = serializer.loads(visitor.cookies[name])
    for when in {"fs_paa", "fs_gexp"} & kept.keys():
        kept[when] -= seconds
    visitor.cookies[name] = str(serializer.dumps(kept))


def codes_in(page: Page) -> list[str]:
    return [part.partition("</code>")[0] for part in page.text.split("<li><code>")[1:]]


def lines(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_passkey_that_knows_its_owner_is_enough(
    app: Flask, visitor: Visitor, email: str, key: SoftwareKey
) -> None:
    sign_in(visitor, email)
    assert "my phone" in add_passkey(visitor, key).text
    assert sign_in_with(visitor_of(app), key).url == "/desk"


def test_a_passkey_that_does_not_ask_whose_hand_holds_it_is_not(
    app: Flask, visitor: Visitor, email: str, key: SoftwareKey, session: Session
) -> None:
    sign_in(visitor, email)
    add_passkey(visitor, SoftwareKey(visitor.origin, verifies=False))
    assert not session.scalars(select(Passkey)).all()
    add_passkey(visitor, key)
    key.verifies = False
    other = visitor_of(app)
    assert sign_in_with(other, key).url.startswith("/desk/sign-in")
    assert other.get("/desk").url.startswith("/desk/sign-in")


def test_a_passkey_of_another_site_or_one_that_is_deleted_opens_nothing(
    app: Flask, visitor: Visitor, email: str, key: SoftwareKey
) -> None:
    sign_in(visitor, email)
    page = add_passkey(visitor, key)
    key.origin = "http://localhost:8000"
    assert sign_in_with(visitor_of(app), key).url.startswith("/desk/sign-in")
    key.origin = visitor.origin
    page = visitor.get("/desk/passkeys")
    visitor.submit(page, "/desk/passkeys/delete")
    assert sign_in_with(visitor_of(app), key).url.startswith("/desk/sign-in")


def test_nobody_is_remembered_by_a_passkey(
    app: Flask, visitor: Visitor, email: str, key: SoftwareKey
) -> None:
    sign_in(visitor, email)
    add_passkey(visitor, key)
    other = visitor_of(app)
    assert sign_in_with(other, key, remember="y").url == "/desk"
    assert list(other.cookies) == ["desk"]


@pytest.mark.parametrize("path", ["second-factor", "passkeys", "recovery-codes?show_codes=yes"])
def test_a_proof_is_shown_and_changed_only_after_the_password_was_given_lately(
    app: Flask, visitor: Visitor, email: str, path: str
) -> None:
    sign_in(visitor, email)
    age(app, visitor, FRESH_PROOF.total_seconds() + 1)
    page = visitor.get(f"/desk/{path}")
    assert "Is it still you?" in page.text
    wrong = visitor.submit(page, "/desk/verify", password="not the password")
    assert wrong.status == 422
    page = visitor.submit(wrong, "/desk/verify", password=PASSWORD)
    assert is_desk(page.url)
    assert path.partition("?")[0] in page.url


def test_what_another_moderator_began_is_not_ended_at_an_unlocked_screen(
    app: Flask, visitor: Visitor, email: str, key: SoftwareKey, session: Session
) -> None:
    sign_in(visitor, email)
    thief = sign_in_as(app, make_moderator(app, Role.EDITOR))
    passkey = thief.submit(thief.get("/desk/passkeys"), "/desk/passkeys", name="thief")
    new_app = thief.submit(thief.get("/desk/second-factor"), "/desk/second-factor")
    secret = new_app.text.partition("<code>")[2].partition("</code>")[0].replace("-", "")
    age(app, visitor, LONGEST_SET_UP.total_seconds() + 1)
    token = visitor.get("/desk").form("/desk/leave").values["csrf_token"]
    for form, values in (
        (passkey.form("/desk/passkeys/"), {"credential": key.make(passkey)}),
        (new_app.form("/desk/second-factor/"), {"code": code_now(secret, steps=1)}),
    ):
        page = visitor.post(form.action, {"csrf_token": token, **values})
        assert "Is it still you?" in page.text
    assert not session.scalars(select(Passkey)).all()
    assert "account: set up an app with codes" not in lines(session)


def test_every_change_of_a_proof_is_in_the_log_and_told_to_its_owner(
    app: Flask,
    visitor: Visitor,
    email: str,
    key: SoftwareKey,
    work: Work,
    mailbox: Mailbox,
    session: Session,
) -> None:
    sign_in(visitor, email)
    work()
    mailbox.received.clear()
    before = len(lines(session))
    page = visitor.submit(visitor.get("/desk/second-factor"), "/desk/second-factor")
    secret = page.text.partition("<code>")[2].partition("</code>")[0].replace("-", "")
    visitor.submit(page, "/desk/second-factor/", code=code_now(secret, steps=1))
    add_passkey(visitor, key)
    visitor.submit(visitor.get("/desk/passkeys"), "/desk/passkeys/delete")
    codes = codes_in(visitor.submit(visitor.get("/desk/recovery-codes"), "/desk/recovery-codes"))
    other = visitor_of(app)
    page = other.get("/desk/sign-in")
    other.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
    page = other.get("/desk/sign-in/recovery-code")
    assert other.submit(page, "/desk/sign-in/recovery-code", code=codes[0]).url == "/desk"
    told = [
        "set up an app with codes",
        "add a passkey",
        "delete a passkey",
        "make new recovery codes",
        "sign in with a recovery code",
    ]
    assert lines(session)[before:] == [f"account: {each}" for each in told] + ["account: sign in"]
    work()
    assert [mail["To"] for mail in mailbox.received] == [email] * len(told)
    words = [text_of(mail).partition("did this just now: ")[2] for mail in mailbox.received]
    assert sorted(each.partition(".")[0] for each in words) == sorted(told)
    # Signing in with the code of the same app changes nothing.
    sign_in(visitor_of(app), email, code=code_now(secret, steps=2))
    work()
    assert len(mailbox.received) == len(told)


def test_the_code_that_set_an_app_up_signs_nobody_in(
    app: Flask, visitor: Visitor, email: str
) -> None:
    sign_in(visitor, email)
    page = visitor.submit(visitor.get("/desk/second-factor"), "/desk/second-factor")
    secret = page.text.partition("<code>")[2].partition("</code>")[0].replace("-", "")
    code = code_now(secret, steps=1)
    visitor.submit(page, "/desk/second-factor/", code=code)
    assert sign_in(visitor_of(app), email, code=code).status == 422
    # Nor does the app before.
    assert sign_in(visitor_of(app), email, code=code_now(SECRET, steps=2)).status == 422


@pytest.mark.parametrize("steps", [-6, 6])
def test_a_code_of_too_long_ago_or_to_come_is_refused(app: Flask, email: str, steps: int) -> None:
    assert sign_in(visitor_of(app), email, code=code_now(steps=steps)).status == 422


def at_one_moment(*visits: Callable[[], Page]) -> list[Page]:
    """Send forms so that each has been read by the site before any can be written."""
    with ThreadPoolExecutor(len(visits)) as pool:
        with transaction() as holding:
            holding.execute(select(Moderator).with_for_update()).all()
            sent = [pool.submit(each) for each in visits]
            time.sleep(1)
        return [each.result() for each in sent]


def before_the_code(app: Flask, email: str, path: str) -> tuple[Visitor, Page]:
    visitor = visitor_of(app)
    page = visitor.get("/desk/sign-in")
    visitor.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
    return visitor, visitor.get(path)


@on_both
def test_a_code_that_is_sent_twice_at_one_moment_is_good_once(app: Flask, email: str) -> None:
    path, code = "/desk/sign-in/code", code_now()
    pages = at_one_moment(
        *(
            partial(visitor.submit, page, path, follow=False, code=code)
            for visitor, page in (before_the_code(app, email, path) for _ in range(2))
        )
    )
    assert sorted(page.status for page in pages) == [302, 422]


@on_both
def test_so_is_a_recovery_code(app: Flask, visitor: Visitor, email: str) -> None:
    sign_in(visitor, email)
    codes = codes_in(visitor.submit(visitor.get("/desk/recovery-codes"), "/desk/recovery-codes"))
    path = "/desk/sign-in/recovery-code"
    pages = at_one_moment(
        *(
            partial(there.submit, page, path, follow=False, code=codes[0])
            for there, page in (before_the_code(app, email, path) for _ in range(2))
        )
    )
    assert sorted(page.status for page in pages) == [302, 422]
