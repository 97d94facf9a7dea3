"""A page of another site has a visitor's browser post here. What single headers say is tested in
tests/web/test_origin.py; here every route is tried, with somebody signed in at the desk."""

from __future__ import annotations

import sqlite3
from itertools import cycle
from urllib.parse import urlsplit

import pytest
from flask import Flask

from coalition.db import db
from tests.attack.routes import administrator, routes
from tests.engines import on_sqlite
from tests.visitor import Visitor

pytestmark = on_sqlite
EVIL = "https://evil.example.org"
SOURCES = (
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    {"Sec-Fetch-Site": "same-site"},
    {"Referer": f"{EVIL}/http://127.0.0.1:8000/"},
)
BODIES = (
    ("application/x-www-form-urlencoded", b"name=Ada&email=ada@example.org&words=x"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--x--\r\n',
    ),
    ("text/plain", b'{"name": "Ada", "x": "="}'),
    ("", b""),
)


def everything(app: Flask) -> list[str]:
    """All that stands in the database."""
    with sqlite3.connect(urlsplit(app.extensions["settings"].database_url).path) as database:
        return list(database.iterdump())


def try_each(
    app: Flask, visitor: Visitor, method: str, sources: tuple[dict[str, str], ...]
) -> set[tuple[str, int]]:
    """The routes that answered otherwise than with 403, each tried from all sources and in turn
    with each kind of body."""
    bodies, let_through, tried = cycle(BODIES), set(), 0
    for route in routes(app, "POST"):
        for source in sources:
            kind, body = next(bodies)
            headers = {"Content-Type": kind, **source} if kind else source
            page = visitor.request(method, route.path, headers, body, follow=False)
            tried += 1
            if page.status != 403:
                let_through.add((route.rule, page.status))
    assert tried > 100 * len(sources)
    return let_through


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_no_route_takes_a_form_from_another_site(app: Flask, method: str) -> None:
    visitor, _ = administrator(app)
    before = everything(app)
    sources = SOURCES if method == "POST" else SOURCES[:1]
    assert try_each(app, visitor, method, sources) == set()
    assert everything(app) == before


def test_where_a_browser_says_nothing_no_route_of_the_desk_goes_without_its_own_token(
    app: Flask,
) -> None:
    visitor, _ = administrator(app)
    # The first look at a session notes that it is used.
    before, bodies = everything(app), cycle(BODIES)
    for route in routes(app, "POST"):
        if not route.is_desk:
            continue
        kind, body = next(bodies)
        headers = {"Content-Type": kind} if kind else {}
        page = visitor.request("POST", route.path, headers, body, follow=False)
        refused = page.status == 400 or page.headers.get("location", "").endswith("?again=1")
        assert refused, (route.rule, page.status, page.headers.get("location"))
    assert everything(app) == before


@pytest.mark.parametrize("token", ["IjEi.aaaaaa.bbbbbb", "another session's"])
def test_no_other_token_opens_a_route_of_the_desk(app: Flask, token: str) -> None:
    visitor, _ = administrator(app)
    if token == "another session's":
        # That of the same person, in another browser.
        _, token = administrator(app)
    before = everything(app)
    for route in routes(app, "POST"):
        if route.is_desk and "<uuid" in route.rule:
            page = visitor.post(route.path, {"csrf_token": token}, follow=False)
            assert page.status == 400, route.rule
    assert everything(app) == before
    db.session.rollback()


def test_a_look_stays_a_look_whatever_method_is_asked_for_beside_it(app: Flask) -> None:
    visitor, token = administrator(app)
    asked = {
        "X-HTTP-Method-Override": "POST",
        "X-HTTP-Method": "POST",
        "X-Method-Override": "DELETE",
        "X-CSRFToken": token,
    }
    before = everything(app)
    for route in routes(app, "POST"):
        page = visitor.get(f"{route.path}?_method=POST&csrf_token={token}", follow=False, **asked)
        assert page.status < 500, route.rule
    assert everything(app) == before
