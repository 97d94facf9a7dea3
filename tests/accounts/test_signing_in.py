"""Signing in at the desk: with both factors or not at all, and what comes of mistakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import (
    LONGEST_IDLE,
    LONGEST_SESSION,
    DeskSession,
    Moderator,
    Role,
)
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from tests.desking import (
    PASSWORD,
    code_now,
    give_password,
    make_moderator,
    sign_in,
    sign_in_as,
    signed_in,
)
from tests.mailbox import Mailbox, link_in
from tests.visitor import Visitor, visitor_of

Work = Callable[[], object]
MakeApp = Callable[..., Flask]


def known(app: Flask, *roles: Role) -> str:
    """Somebody who can sign in. Returns their address."""
    return give_password(app, make_moderator(app, *(roles or (Role.MODERATOR,))))


def test_a_password_alone_opens_nothing(app: Flask, visitor: Visitor) -> None:
    email = known(app)
    page = visitor.submit(
        visitor.get("/desk/sign-in"), "/desk/sign-in", email=email, password=PASSWORD
    )
    assert "The code from your app" in page.text
    assert "Sign in at the desk" in visitor.get("/desk").text


def test_password_and_code_open_the_desk(app: Flask, visitor: Visitor, session: Session) -> None:
    page = sign_in(visitor, known(app))
    assert page.status == 200
    assert "What waits" in page.text
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert line.action == "account: sign in"


@pytest.mark.parametrize(
    ("email", "password"), [("", "nobody knows this"), ("mo@desk.example.org", ""), ("x", "y")]
)
def test_what_is_wrong_is_told_without_saying_which(
    app: Flask, visitor: Visitor, email: str, password: str
) -> None:
    page = visitor.submit(
        visitor.get("/desk/sign-in"), "/desk/sign-in", email=email, password=password
    )
    assert "do not belong together" in page.text
    assert "Sign in at the desk" in page.text


def test_a_known_and_an_unknown_address_are_answered_alike(app: Flask) -> None:
    told = []
    for email in (known(app), "nobody@desk.example.org"):
        visitor = visitor_of(app)
        page = visitor.get("/desk/sign-in")
        answer = visitor.submit(page, "/desk/sign-in", email=email, password="wrong password")
        told.append((answer.status, answer.text.replace(email, "").count("problem")))
    assert told[0] == told[1]


def test_a_wrong_code_is_told_and_the_next_one_works(app: Flask, visitor: Visitor) -> None:
    page = sign_in(visitor, known(app), code="000000")
    assert "not the code that the app shows" in page.text
    assert visitor.submit(page, "/desk/sign-in/code", code=code_now()).url == "/desk"


def test_a_code_works_once(app: Flask) -> None:
    email = known(app)
    code = code_now()
    assert sign_in(visitor_of(app), email, code=code).url == "/desk"
    assert "not the code that the app shows" in sign_in(visitor_of(app), email, code=code).text


def test_passwords_cannot_be_tried_without_end(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="2 per hour")
    email = known(app)
    for number, status in enumerate((422, 422, 429)):
        visitor = visitor_of(app, f"192.0.2.{number}")
        page = visitor.get("/desk/sign-in")
        answer = visitor.submit(page, "/desk/sign-in", email=email, password="wrong password")
        assert answer.status == status


def test_nobody_is_remembered_beyond_a_session(app: Flask, visitor: Visitor) -> None:
    page = visitor.get("/desk/sign-in")
    values = {**page.form("/desk/sign-in").values, "remember": "y"}
    email = known(app)
    page = visitor.post("/desk/sign-in", {**values, "email": email, "password": PASSWORD})
    visitor.submit(page, "/desk/sign-in/code", code=code_now())
    assert list(visitor.cookies) == ["desk"]


def test_the_cookie_of_an_https_site_is_bound_to_it(make_app: MakeApp) -> None:
    app = make_app(SITE_URL="https://petition.example.org")
    cookie = visitor_of(app).get("/desk/sign-in").headers["set-cookie"]
    assert cookie.startswith("__Host-desk=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
        assert part in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("path", ["/", "/petition", "/supporters", "/healthz", "/nowhere"])
def test_no_public_page_knows_a_cookie(app: Flask, path: str) -> None:
    page = signed_in(app, Role.ADMINISTRATOR).get(path)
    assert "set-cookie" not in page.headers
    assert "Cookie" not in page.headers.get("vary", "")


def test_whoever_was_invited_chooses_a_password_and_sets_up_an_app(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    from coalition.accounts.cli import moderator_commands

    words = ["invite", "Mo@desk.example.org", "--name", "Mo Fictional", "--role", "administrator"]
    assert app.test_cli_runner().invoke(moderator_commands, words).exit_code == 0
    work()
    (mail,) = mailbox.received
    page = visitor.get(link_in(mail, "desk/password"))
    assert visitor.submit(page, "/desk/password", password="too short").status == 422
    page = visitor.submit(page, "/desk/password", password=PASSWORD)
    assert "Your password is set" in page.text
    page = visitor.submit(page, "/desk/sign-in", email="mo@desk.example.org", password=PASSWORD)
    assert "Your second proof" in page.text
    assert visitor.get("/desk", follow=False).status == 303
    page = visitor.submit(page, "/desk/second-factor")
    secret = page.text.partition("<code>")[2].partition("</code>")[0].replace("-", "")
    page = visitor.submit(page, "/desk/sign-in/code", code=code_now(secret))
    assert visitor.get("/desk").status == 200
    assert "You have no recovery codes" in visitor.get("/desk").text
    # The link is used up.
    assert visitor.get(link_in(mail, "desk/password")).status == 410
    raw = session.connection().exec_driver_sql("SELECT * FROM moderators").all()
    for secret_part in ("mo@desk", "Mo Fictional", secret):
        assert secret_part not in str(raw)


def test_a_recovery_code_takes_the_place_of_the_app_once(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.MODERATOR)
    email = give_password(app, moderator_id)
    visitor = sign_in_as(app, moderator_id)
    page = visitor.submit(visitor.get("/desk/recovery-codes"), "/desk/recovery-codes")
    codes = [part.partition("</code>")[0] for part in page.text.split("<li><code>")[1:]]
    assert len(codes) == 8
    for status in ("/desk", "/desk/sign-in/recovery-code"):
        other = visitor_of(app)
        page = other.get("/desk/sign-in")
        page = other.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
        page = other.submit(
            other.get("/desk/sign-in/recovery-code"), "/desk/sign-in/recovery-code", code=codes[0]
        )
        assert page.url == status


@pytest.mark.parametrize(
    ("started", "seen"), [(LONGEST_SESSION, timedelta()), (timedelta(), LONGEST_IDLE)]
)
def test_a_session_ends_after_a_day_at_work_or_half_an_hour_away(
    app: Flask, session: Session, started: timedelta, seen: timedelta
) -> None:
    visitor = signed_in(app, Role.MODERATOR)
    assert visitor.get("/desk").url == "/desk"
    with transaction() as writing:
        begun = writing.scalars(select(DeskSession)).one()
        begun.started_at -= started
        begun.seen_at -= seen
    assert visitor.get("/desk").url.startswith("/desk/sign-in")


def test_what_was_typed_when_a_session_ended_is_sent_from_the_next_one(
    app: Flask, session: Session
) -> None:
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    visitor = sign_in_as(app, moderator_id)
    page = visitor.get("/desk/people")
    answers = {"name": "N" * 100, "email": "new@desk.example.org", "roles": "moderator"}
    with transaction() as writing:
        writing.scalars(select(DeskSession)).one().ended_at = clock.utc_now()
    ended = visitor.submit(page, "/desk/people/invite", **answers)
    assert ended.status == 401
    assert "N" * 100 in ended.text
    visitor.cookies = sign_in_as(app, moderator_id).cookies
    again = visitor.submit(ended, "/desk/people/invite")
    assert again.status == 400
    assert "Press once more" in again.text
    assert "An invitation is on its way" in visitor.submit(again, "/desk/people/invite").text


def test_a_form_that_another_site_made_does_nothing(app: Flask, session: Session) -> None:
    visitor = signed_in(app, Role.ADMINISTRATOR)
    answers = {"name": "New", "email": "new@desk.example.org", "roles": "moderator"}
    assert visitor.post("/desk/people/invite", answers).status == 400
    assert session.scalars(select(Moderator)).one()


def test_sessions_are_listed_and_can_be_ended(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.PRESS)
    here, elsewhere = sign_in_as(app, moderator_id), sign_in_as(app, moderator_id)
    page = here.get("/desk/you")
    assert page.text.count("Firefox on Linux") >= 2
    here.submit(page, "/desk/you/sessions/")
    assert elsewhere.get("/desk").url.startswith("/desk/sign-in")
    assert here.get("/desk").url == "/desk"
    here.submit(here.get("/desk"), "/desk/leave")
    assert here.get("/desk").url.startswith("/desk/sign-in")


def test_nobody_ends_the_session_of_another(app: Flask, session: Session) -> None:
    mine, theirs = signed_in(app, Role.PRESS), signed_in(app, Role.PRESS)
    number = session.scalars(select(DeskSession.id).order_by(DeskSession.started_at.desc())).first()
    token = mine.get("/desk/you").form("/desk/leave").values
    mine.post(f"/desk/you/sessions/{number}/end", token)
    assert theirs.get("/desk").url == "/desk"


def test_a_new_password_ends_every_session_and_link(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    moderator_id = make_moderator(app, Role.MODERATOR)
    email = give_password(app, moderator_id)
    there = sign_in_as(app, moderator_id)
    work()
    mailbox.received.clear()
    for _ in range(2):
        visitor.submit(visitor.get("/desk/forgotten"), "/desk/forgotten", email=email)
    work()
    first, second = (link_in(mail, "desk/password") for mail in mailbox.received)
    visitor.submit(visitor.get(second), "/desk/password", password="other words nobody knows")
    assert visitor.get(first).status == 410
    assert there.get("/desk").url.startswith("/desk/sign-in")
    other = visitor_of(app)
    page = other.get("/desk/sign-in")
    page = other.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
    assert "do not belong together" in page.text


def test_asking_for_a_password_answers_the_same_for_every_address(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    for email in (known(app), "nobody@desk.example.org"):
        page = visitor.submit(visitor.get("/desk/forgotten"), "/desk/forgotten", email=email)
        assert "a mail with a link is on its way" in page.text
    work()
    assert sum("Choose a password" in str(mail) for mail in mailbox.received) == 1
