"""What a thief of a password, a cookie or a code can do at the desk: nothing that lasts."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urljoin

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts import actions
from coalition.accounts.cli import moderator_commands
from coalition.accounts.links import make_password_token
from coalition.accounts.models import LONGEST_IDLE, DeskSession, Moderator, Role
from coalition.db import db, transaction
from coalition.mail.models import OutboxMessage
from coalition.mail.worker import Batch
from tests.desking import (
    PASSWORD,
    code_now,
    give_password,
    make_moderator,
    sign_in,
    sign_in_as,
)
from tests.engines import on_sqlite
from tests.mailbox import Mailbox, link_in
from tests.visitor import Page, Visitor, visitor_of

MakeApp = Callable[..., Flask]
Work = Callable[[], Batch]


def known(app: Flask) -> str:
    """Somebody who can sign in. Returns their address."""
    return give_password(app, make_moderator(app, Role.ADMINISTRATOR))


def same_cookies(app: Flask, visitor: Visitor) -> Visitor:
    """A thief's browser, with a copy of somebody's cookies."""
    thief = visitor_of(app, "198.51.100.66")
    thief.cookies = dict(visitor.cookies)
    return thief


def with_password(app: Flask, email: str) -> tuple[Visitor, Page]:
    """A browser in which the password was given, and what it was shown then."""
    visitor = visitor_of(app)
    page = visitor.get("/desk/sign-in")
    return visitor, visitor.submit(page, "/desk/sign-in", email=email, password=PASSWORD)


def key_in(page: Page) -> str:
    """The key for an app that a page shows."""
    return page.text.partition("<code>")[2].partition("</code>")[0].replace("-", "")


def totp_secret(session: Session, email: str) -> str | None:
    session.rollback()
    (moderator,) = (each for each in session.scalars(select(Moderator)) if each.email == email)
    return moderator.tf_totp_secret


def sign_out(visitor: Visitor) -> None:
    visitor.submit(visitor.get("/desk"), "/desk/leave")


def leave_alone(visitor: Visitor) -> None:
    with transaction() as session:
        session.scalars(select(DeskSession)).one().seen_at -= LONGEST_IDLE


def be_ended_elsewhere(visitor: Visitor) -> None:
    with transaction() as session:
        session.scalars(select(DeskSession)).one().ended_at = clock.utc_now()


@pytest.mark.parametrize("end", [sign_out, leave_alone, be_ended_elsewhere])
def test_the_cookie_of_a_session_that_has_ended_sets_nothing_up(
    app: Flask, visitor: Visitor, session: Session, end: object
) -> None:
    email = known(app)
    sign_in(visitor, email)
    before = totp_secret(session, email)
    thief = same_cookies(app, visitor)
    set_up = thief.submit(thief.get("/desk/second-factor"), "/desk/second-factor")
    begun, key = same_cookies(app, thief), key_in(set_up)
    end(visitor)  # type: ignore[operator]
    for path in ("/desk", "/desk/second-factor", "/desk/recovery-codes", "/desk/passkeys"):
        assert same_cookies(app, thief).get(path).url.startswith("/desk/sign-in")
    # Nor is what was begun brought to its end.
    token = set_up.form("/desk/second-factor/").values["csrf_token"]
    for path in ("/desk/sign-in/code", set_up.form("/desk/second-factor/").action):
        there = same_cookies(app, begun)
        there.post(path, {"csrf_token": token, "code": code_now(key, steps=1)})
        assert "Sign out" not in there.get("/desk").text
    assert totp_secret(session, email) == before


@pytest.mark.parametrize("stage", ["password given", "key shown"])
def test_whoever_had_the_password_first_cannot_replace_the_app_that_its_owner_set_up(
    app: Flask, session: Session, stage: str
) -> None:
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    email = give_password(app, moderator_id)
    with transaction() as writing:
        moderator = writing.get_one(Moderator, moderator_id)
        moderator.tf_primary_method = moderator.tf_totp_secret = None
    thief, seen = with_password(app, email)
    assert "Your second proof" in seen.text
    shown = thief.submit(seen, "/desk/second-factor")
    if stage == "password given":
        thief, seen = with_password(app, email)
    owner, page = with_password(app, email)
    page = owner.submit(page, "/desk/second-factor")
    page = owner.submit(page, "/desk/sign-in/code", code=code_now(key_in(page)))
    assert page.url == "/desk"
    kept = totp_secret(session, email)
    if stage == "password given":
        again = thief.submit(seen, "/desk/second-factor")
    else:
        code = code_now(key_in(shown), steps=1)
        again = thief.submit(shown, "/desk/sign-in/code", code=code)
    assert "Sign in at the desk" in again.text
    assert thief.get("/desk/second-factor").url.startswith("/desk/sign-in")
    assert thief.get("/desk").url.startswith("/desk/sign-in")
    assert totp_secret(session, email) == kept


def test_a_password_alone_shows_no_way_to_set_anything_up(app: Flask) -> None:
    email = known(app)
    for path in ("/desk/second-factor", "/desk/passkeys", "/desk/recovery-codes", "/desk/you"):
        visitor, page = with_password(app, email)
        assert "The code from your app" in page.text
        assert visitor.get(path).url.startswith("/desk/sign-in")
        values = {**page.form("/desk/sign-in/code").values, "setup": "authenticator", "name": "x"}
        answer = visitor.post(path, values)
        assert answer.url.startswith("/desk/sign-in") or answer.status in (401, 405), path


def test_signing_out_is_done_in_one_way_that_ends_the_session(app: Flask, visitor: Visitor) -> None:
    page = sign_in(visitor, known(app))
    thief = same_cookies(app, visitor)
    values = page.form("/desk/leave").values
    assert visitor.post("/desk/sign-out", values).status == 404
    visitor.post("/desk/leave", values)
    assert thief.get("/desk").url.startswith("/desk/sign-in")
    assert not any("security.logout" in rule.endpoint for rule in app.url_map.iter_rules())


def test_a_code_cannot_be_guessed_at_under_the_names_of_others(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="2 per hour")
    visitor, page = with_password(app, known(app))
    values = page.form("/desk/sign-in/code").values
    told = [
        visitor.post(path, {**values, "code": "000000", "email": f"{number}@example.org"}).status
        for number, path in enumerate(["/desk/sign-in/code", "/desk/sign-in/recovery-code"] * 2)
    ]
    assert told == [422, 422, 429, 429]


def test_a_password_cannot_be_guessed_at_from_an_open_session(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="2 per hour")
    moderator_id = make_moderator(app, Role.MODERATOR)
    give_password(app, moderator_id)
    visitor = sign_in_as(app, moderator_id)
    page = visitor.get("/desk/verify")
    told = [visitor.submit(page, "/desk/verify", password="wrong").status for _ in range(3)]
    assert told == [422, 422, 429]


def test_nobody_can_use_up_the_passkeys_of_others(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="2 per hour")
    for number in range(4):
        visitor = visitor_of(app, f"192.0.2.{number}")
        page = visitor.submit(visitor.get("/desk/sign-in/passkey"), "/desk/sign-in/passkey")
        assert "data-ask" in page.text


@on_sqlite
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/desk", "//evil.example/desk", "///evil.example", "https:evil.example",
        "http://127.0.0.1:8000@evil.example/", "http://127.0.0.1:8000.evil.example",
        "\\\\evil.example", "/\\evil.example", "\t//evil.example", "/\t/evil.example",
        "javascript:alert(1)", "/desk\\@evil.example", "/desk\r\nSet-Cookie: a=b", "/deskevil.example",
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(app: Flask, visitor: Visitor, elsewhere: str) -> None:
    page = visitor.get(f"/desk/sign-in?{urlencode({'next': elsewhere})}")
    page = visitor.submit(page, "/desk/sign-in", email=known(app), password=PASSWORD)
    for values in ({}, {"next": elsewhere}):
        other = same_cookies(app, visitor)
        form = {**page.form("/desk/sign-in/code").values, **values}
        answer = other.post("/desk/sign-in/code", {**form, "code": code_now()}, follow=False)
        assert "set-cookie: a" not in str(answer.headers).lower()
        if answer.status == 302:
            target = urljoin(visitor.origin, answer.headers["location"].replace("\\", "/"))
            assert target.startswith(f"{visitor.origin}/"), target
            break
    else:
        raise AssertionError("nobody was signed in")


@on_sqlite
@pytest.mark.parametrize(
    "path",
    ["/desk/people?a=1&password=set", "/desk/texts/about?done=a%0d%0ab", "/desk/signatures/found/%C3%A4"],
)  # fmt: skip
def test_whoever_signs_in_comes_to_what_they_asked_for(
    app: Flask, visitor: Visitor, path: str
) -> None:
    page = visitor.get(path)
    assert "Your password is set" not in page.text
    page = visitor.submit(page, "/desk/sign-in", email=known(app), password=PASSWORD)
    values = {**page.form("/desk/sign-in/code").values, "code": code_now()}
    assert visitor.post("/desk/sign-in/code", values, follow=False).headers["location"] == path


@on_sqlite
@pytest.mark.parametrize("name", ["a%0d%0aSet-Cookie:%20b=c", "%00", "%ff", "%2e%2e%2fpeople"])
def test_a_strange_address_of_the_desk_breaks_nothing(visitor: Visitor, name: str) -> None:
    page = visitor.get(f"/desk/texts/{name}", follow=False)
    assert page.status in (303, 404)
    assert "\n" not in page.headers.get("location", "")


def test_no_page_shows_a_password_again(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="1 per hour")
    moderator_id = make_moderator(app, Role.MODERATOR)
    email = give_password(app, moderator_id)
    words = "unmistakable words of a password"
    visitor = visitor_of(app)
    page = visitor.get("/desk/sign-in")
    pages = [visitor.submit(page, "/desk/sign-in", email=email, password=words) for _ in range(2)]
    assert pages[-1].status == 429
    with app.app_context():
        moderator = db.session.get_one(Moderator, moderator_id)
        link = f"/desk/password/{make_password_token(moderator, clock.utc_now())}"
    verify = sign_in_as(app, moderator_id).get("/desk/verify").form("/desk/verify").values
    for path, values in ((link, {}), ("/desk/verify", verify), (link, {"csrf_token": "x"})):
        pages.append(visitor_of(app).post(path, {**values, "password": words}))
    assert not [page.url for page in pages if words in page.text]
    assert "Choose a password" in pages[-1].text


def test_an_unknown_address_makes_as_much_work_as_a_known_one(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    for email in (known(app), "nobody@desk.example.org"):
        before = len(queued(session))
        visitor.submit(visitor.get("/desk/forgotten"), "/desk/forgotten", email=email)
        (added,) = queued(session)[before:]
        assert (added.kind, added.payload) == ("accounts.password_link", None)
        assert added.reference is not None


def queued(session: Session) -> list[OutboxMessage]:
    session.rollback()
    return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)))


def test_after_a_leak_nobody_gets_in_with_what_they_had_and_each_begins_anew_by_mail(
    app: Flask, work: Work, mailbox: Mailbox
) -> None:
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    email = give_password(app, moderator_id)
    removed = make_moderator(app, Role.EDITOR)
    with transaction() as session:
        actions.remove_moderator(
            session, session.get_one(Moderator, removed), actor="test", now=clock.utc_now()
        )
    inside = sign_in_as(app, moderator_id)
    work()
    sent = len(mailbox.received)

    runner = app.test_cli_runner()
    assert runner.invoke(moderator_commands, ["start-over"], input="n\n").exit_code == 1
    assert inside.get("/desk").status == 200
    done = runner.invoke(moderator_commands, ["start-over", "--yes"])
    assert done.output.startswith("1 get a link by mail")

    assert inside.get("/desk", follow=False).status == 303
    visitor = visitor_of(app)
    page = visitor.get("/desk/sign-in")
    page = visitor.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
    assert page.status == 422
    assert visitor.get("/desk", follow=False).status == 303
    work()
    (mail,) = mailbox.received[sent:]
    assert (mailbox.recipients[sent:], mail["Subject"]) == (
        [email],
        "Choose a new password for the desk",
    )
    page = visitor.submit(
        visitor.get(link_in(mail, "desk/password")), "/desk/password", password=PASSWORD
    )
    page = visitor.submit(page, "/desk/sign-in", email=email, password=PASSWORD)
    assert "Your second proof" in page.text  # the app of before is forgotten
