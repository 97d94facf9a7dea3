"""Public pages are kept for a moment, and nothing that is anybody's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from coalition import clock
from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.testimonies import actions
from coalition.web import page_cache
from coalition.web.access import Access
from coalition.web.page_cache import MOST_KEPT, PageCache
from tests.desking import signed_in
from tests.factories import make_signature
from tests.pressing import fold_at
from tests.telling import publish
from tests.visitor import Visitor, visitor_of

MakeApp = Callable[..., Flask]
STRANGE = {
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-URL": "/desk",
    "X-Rewrite-URL": "/desk",
    "Forwarded": "host=evil.example.org",
    "Accept-Language": "cy",
    "Accept": "application/json",
    "User-Agent": "evil",
    "Cookie": "desk=evil; session=evil",
    "Authorization": "Bearer evil",
    "Referer": "https://evil.example.org/",
    "Origin": "https://evil.example.org",
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    made = make_app(PAGE_CACHE="10", TRUSTED_PROXIES="1")
    made.app_context().push()
    return made


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock by which pages are kept; a test moves it."""
    moments = [1000.0]
    monkeypatch.setattr(page_cache, "monotonic", lambda: moments[-1])
    return moments


def stamp(text: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', text)
    assert found
    return found[1]


def without_stamps(text: str) -> str:
    return re.sub(r'name="stamp" value="[^"]+"', "", text)


def test_a_page_is_made_once_and_anew_after_its_moment(
    visitor: Visitor, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = visitor.get("/petition"), clock.utc_now() + timedelta(minutes=1)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    now.append(1010.0)
    again = visitor.get("/petition")
    assert again.data == first.data
    kept = ("etag", "cache-control", "content-security-policy", "content-type", "content-length")
    assert all(again.headers[each] == first.headers[each] for each in kept)
    now.append(1010.1)
    assert stamp(visitor.get("/petition").text) != stamp(first.text)


def test_what_has_changed_shows_within_the_moment(visitor: Visitor, now: list[float]) -> None:
    assert 'class="figure">0' in visitor.get("/press").text
    with transaction() as session:
        make_signature(session)
    fold_at(clock.utc_now())
    assert 'class="figure">0' in visitor.get("/press").text
    now.append(1011.0)
    assert 'class="figure">1' in visitor.get("/press").text


def test_a_browser_that_has_it_is_told_so(visitor: Visitor, now: list[float]) -> None:
    first = visitor.get("/petition")
    answer = visitor.get("/petition", **{"If-None-Match": first.headers["etag"]})
    assert (answer.status, answer.data) == (304, b"")
    assert answer.headers["etag"] == first.headers["etag"]
    assert answer.headers["cache-control"] == first.headers["cache-control"]
    other = visitor.get("/petition", **{"If-None-Match": '"other"'})
    assert (other.status, other.data) == (200, first.data)


def test_each_address_has_a_page_of_its_own(visitor: Visitor, now: list[float]) -> None:
    plain = visitor.get("/petition").text
    assert "fictional-friends" in visitor.get("/petition?source=fictional-friends").text
    assert visitor.get("/petition").text == plain
    assert visitor.get("/petition", Host="evil.example.org").status == 400
    assert visitor.get("/petition").text == plain


def test_no_public_page_depends_on_anything_but_its_address(
    app: Flask, visitor: Visitor, still: datetime
) -> None:
    paths = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and not rule.arguments
        and getattr(app.view_functions[rule.endpoint], "access", None) is Access.PUBLIC
    ]
    assert len(paths) > 30
    kept = 0
    for path in paths:
        plain = visitor.get(path, follow=False)
        cache: PageCache = app.extensions["page_cache"]
        kept += bool(cache._kept)
        cache._kept.clear()
        strange = visitor.get(path, follow=False, **STRANGE)
        cache._kept.clear()
        if plain.headers.get("cache-control", "").startswith("public"):
            assert without_stamps(strange.text) == without_stamps(plain.text), path
            assert "evil" not in strange.text
            assert "set-cookie" not in strange.headers
    assert kept > 20


def test_whoever_is_strange_leaves_nothing_for_others(visitor: Visitor, now: list[float]) -> None:
    visitor.get("/petition", **STRANGE)
    page = visitor.get("/petition")
    assert "evil" not in page.text
    assert "evil" not in str(page.headers)


def test_nothing_of_the_desk_and_no_private_page_is_kept(app: Flask, now: list[float]) -> None:
    moderator = signed_in(app, *Role)
    for path in ("/desk", "/desk/people", "/testimonies/return", "/petition/check-email/x"):
        moderator.get(path)
    cache: PageCache = app.extensions["page_cache"]
    kept = {path for _, path, _ in cache._kept}
    assert not [each for each in kept if each.startswith(("/desk", "/petition/check-email"))]


def test_a_testimony_that_is_taken_back_is_gone_at_once(
    app: Flask, visitor: Visitor, now: list[float]
) -> None:
    ticket, slug = publish(app)
    assert visitor.get(f"/testimonies/{slug}").status == 200
    assert slug in visitor.get("/testimonies").text
    with transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=clock.utc_now())
    assert visitor.get(f"/testimonies/{slug}").status == 410
    assert slug not in visitor.get("/testimonies").text


def test_other_methods_are_for_the_site_itself(visitor: Visitor, now: list[float]) -> None:
    visitor.get("/petition")
    head = visitor.request("HEAD", "/petition", {}, b"", follow=False)
    assert (head.status, head.data) == (200, b"")
    assert visitor.request("DELETE", "/petition", {}, b"", follow=False).status == 405


def test_many_addresses_do_not_fill_the_memory(
    app: Flask, visitor: Visitor, now: list[float]
) -> None:
    for each in range(MOST_KEPT + 3):
        visitor.get(f"/robots.txt?{each}")
    cache: PageCache = app.extensions["page_cache"]
    assert len(cache._kept) == 3


def test_with_nought_none_is_kept(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(PAGE_CACHE="0"))
    assert stamp(visitor.get("/petition").text) != ""
    assert "page_cache" not in make_app(PAGE_CACHE="0").extensions
