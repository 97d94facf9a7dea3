"""Whatever is sent: a clear answer, never a failure of ours, one signature, one count."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import Signature, SignatureStatus
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox
from tests.signing import sign
from tests.visitor import Visitor

Work = Callable[[], object]


def signatures(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Signature)) or 0


@pytest.mark.parametrize(
    "email",
    [
        "", "ada", "ada@", "@example.org", "ada@example", "ada @example.org",
        "ada@exa mple.org", "ada@@example.org", "ada@example.org, eve@example.org",
        "ada@example.org\r\nBcc: eve@example.org", "ada@example.org\x00", "a" * 245 + "@example.org",
        "ada@-example.org", "ada@example..org", "\u202eada@example.org", "ada@[127.0.0.1]",
        '"ada eve"@example.org', "Ada <ada@example.org>", "ada@" + "x" * 64 + ".org",
    ],
)  # fmt: skip
def test_an_address_that_is_not_one_is_told_at_its_field(
    visitor: Visitor, session: Session, email: str
) -> None:
    page = sign(visitor, email=email, region="wales", show_name="yes")
    assert page.status == 422
    assert "<title>Error: " in page.text
    assert '<a href="#email">' in page.text
    assert 'id="email-error"' in page.text
    kept = page.form("/petition/sign").values
    assert (kept["name"], kept["region"], kept["show_name"]) == ("Ada Fictional", "wales", "yes")
    assert signatures(session) == 0


@pytest.mark.parametrize(
    "name",
    [
        "Å", "李", "ж", "محمد", "שרה לוי", "👩‍🦽 Ada", "O’Neill-Šimić", "Ada " * 49 + "Ada", "👍",
        "नमस्ते", "<b>Ada</b>", "Ada & Eve", '"Ada"', "{{ 7 * 7 }}", "%s %(x)s", "'; DROP TABLE x;--",
    ],
)  # fmt: skip
def test_a_name_of_any_script_is_kept_as_it_is(
    visitor: Visitor, session: Session, work: Work, mailbox: Mailbox, name: str
) -> None:
    assert sign(visitor, name=name).status == 200
    signature = session.scalars(select(Signature)).one()
    assert signature.name == name
    token = make_token(Purpose.CONFIRM, signature.id, clock.utc_now())
    shown = visitor.get(f"/petition/confirm/{token}").text
    assert f"<bdi>{escape(name)}</bdi>" in shown
    work()
    assert mailbox.recipients == ["ada@example.org"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Enter your name"),
        ("   ", "Enter your name"),
        ("\u200b\u200d", "Enter your name"),
        ("A" * 201, "It has 201"),
        ("Ada\x00", "cannot be shown"),
        ("Ada\r\nBcc: eve@example.org", "cannot be shown"),
        ("Ada\x1b[31m", "cannot be shown"),
        ("\u202eadA", "cannot be shown"),
        ("Ada\u2028Eve", "cannot be shown"),
    ],
)
def test_a_name_that_cannot_be_shown_is_told_at_its_field(
    visitor: Visitor, session: Session, name: str, words: str
) -> None:
    page = sign(visitor, name=name)
    assert page.status == 422
    assert words in page.text
    assert page.form("/petition/sign").values["email"] == "ada@example.org"
    assert signatures(session) == 0


def test_the_name_is_offered_again_without_what_cannot_be_shown(visitor: Visitor) -> None:
    page = sign(visitor, name="Ada\x00\r\nFictional")
    assert page.form("/petition/sign").values["name"] == "Ada Fictional"


@pytest.mark.parametrize(
    ("field", "label"), [("region", "Where you live"), ("kind", "You sign as")]
)
def test_a_choice_that_is_not_offered_is_refused_by_the_name_of_its_field(
    visitor: Visitor, field: str, label: str
) -> None:
    page = sign(visitor, **{field: "atlantis"})
    assert page.status == 422
    assert f"Choose one of the answers to “{label}”" in page.text


def test_nothing_is_taken_without_the_consent(visitor: Visitor, session: Session) -> None:
    page = visitor.get("/petition")
    refused = visitor.submit(page, "/sign", name="Ada", email="ada@example.org")
    assert refused.status == 422
    assert '<a href="#consent">' in refused.text
    assert signatures(session) == 0


def test_the_trap_for_robots_tells_people_what_to_do(visitor: Visitor, session: Session) -> None:
    page = sign(visitor, website="https://spam.example.org")
    assert page.status == 422
    assert "must stay empty" in page.text
    assert signatures(session) == 0


@pytest.mark.parametrize("stamp", ["", "x", "ImEi.aaaaaa.bbbbbb"])
def test_a_form_that_was_not_made_here_is_offered_anew_with_its_answers(
    visitor: Visitor, session: Session, stamp: str
) -> None:
    page = sign(visitor, stamp=stamp)
    assert page.status == 422
    assert "Press the button once more" in page.text
    assert signatures(session) == 0
    assert visitor.submit(page, "/petition/sign").status == 200
    assert signatures(session) == 1


def test_a_form_opened_seven_days_ago_still_submits(visitor: Visitor, session: Session) -> None:
    from datetime import timedelta

    from coalition.petition.forms import make_stamp

    stamp = make_stamp(agreed_now(), clock.utc_now() - timedelta(days=7))
    assert sign(visitor, stamp=stamp).status == 200
    assert signatures(session) == 1


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"name": "Ada", "email": "ada@example.org"}', 422),
        ("text/plain", b"name=Ada", 422),
        ("", b"name=Ada", 422),
        ("multipart/form-data", b"name=Ada", 422),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken", 422),
        ("application/x-www-form-urlencoded", b"%FF%00&&&=&name=%zz", 422),
        ("application/x-www-form-urlencoded", b"name=" + b"A" * 70_000, 413),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 12_000), 413),
    ],
)
def test_a_body_that_is_not_a_form_gets_a_clear_answer(
    visitor: Visitor, session: Session, content_type: str, body: bytes, status: int
) -> None:
    headers = {"Content-Type": content_type, "Origin": visitor.origin}
    page = visitor.request("POST", "/petition/sign", headers, body, follow=True)
    assert page.status == status
    assert "<h1>" in page.text
    assert signatures(session) == 0


TOKEN_PATHS = [
    "/petition/confirm/", "/petition/not-me/", "/petition/signature/", "/petition/counted/",
    "/petition/renew/petition.confirm/", "/petition/check-email/", "/petition/correct/",
]  # fmt: skip


@pytest.mark.parametrize("path", TOKEN_PATHS)
@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..%2f..", "%00", "%F0%9F%91%8D", "A" * 5_000, "'\"<script>"]
)
def test_a_token_that_is_not_one_gets_a_clear_answer(
    visitor: Visitor, path: str, token: str
) -> None:
    for page in (visitor.get(path + token), visitor.post(path + token, {})):
        assert page.status in (200, 400, 404, 405), page.text
        assert "<script>" not in page.text


@pytest.mark.parametrize("place", ["confirm", "not-me", "signature"])
def test_a_truncated_or_altered_token_opens_nothing(
    app: Flask, visitor: Visitor, place: str
) -> None:
    with transaction() as session:
        signature = make_signature(session, status=SignatureStatus.AWAITING)
    purpose = {"confirm": Purpose.CONFIRM, "not-me": Purpose.DISOWN}.get(place, Purpose.MANAGE)
    token = make_token(purpose, signature.id, clock.utc_now())
    assert visitor.get(f"/petition/{place}/{token}").status == 200
    for damaged in (token[:-1], token[1:], token[:-8], token.swapcase(), token + "A"):
        page = visitor.get(f"/petition/{place}/{damaged}")
        assert page.status == 404
        assert "Send me a link" in page.text


any_text = st.text(max_size=300)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(
    st.sampled_from(["name", "email", "region", "kind", "kind_consent", "show_name",
                     "consent", "website", "stamp", "wants_updates", "sealed", "code"]),
    any_text))  # fmt: skip
def test_no_form_whatever_breaks_the_site(visitor: Visitor, values: dict[str, str]) -> None:
    body = urlencode({name: text.encode("utf-8", "replace") for name, text in values.items()})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": visitor.origin}
    for path in ("/petition/sign", "/petition/resend", "/petition/code"):
        page = visitor.request("POST", path, headers, body.encode(), follow=False)
        assert page.status in (303, 422), page.text
    db.session.rollback()


@pytest.mark.parametrize("revision", ["", "x", "-1", "9" * 400, "²", "1.0"])
def test_a_revision_that_is_no_number_confirms_nothing(
    app: Flask, visitor: Visitor, session: Session, revision: str
) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=SignatureStatus.AWAITING)
    token = make_token(Purpose.CONFIRM, signature.id, clock.utc_now())
    page = visitor.post(f"/petition/confirm/{token}", {"revision": revision})
    assert page.status == 200
    assert "nothing is counted yet" in page.text
