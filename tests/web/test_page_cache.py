"""Public pages are kept for a moment, and nothing that is anybody's own."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

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


def files_of(visitor: Visitor, path: str) -> list[str]:
    """What a page loads, by its address in it."""
    return re.findall(r'(?:href|src)="(/[^"]+\?v=[^"]+)"', visitor.get(path).text)


def test_a_file_that_a_page_loads_is_read_once_and_anew_after_its_moment(
    app: Flask, visitor: Visitor, now: list[float], tmp_path: Path
) -> None:
    files = files_of(visitor, "/petition")
    assert len(files) > 8
    assert {"/theme.css", "/logo.svg"} <= {each.partition("?")[0] for each in files}
    first = {each: visitor.get(each) for each in files}
    app.static_folder = shutil.copytree(app.static_folder or "", tmp_path / "static")
    for each in (tmp_path / "static" / "css").iterdir():
        each.write_text("/* other */")
    for path, answer in first.items():
        again = visitor.get(path)
        assert (again.status, again.data) == (200, answer.data), path
        assert again.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "nosniff" in again.headers["x-content-type-options"]
    now.append(1010.1)
    anew = [visitor.get(each) for each in files if "/css/" in each]
    assert {answer.data for answer in anew} == {b"/* other */"}
    assert {answer.headers["cache-control"] for answer in anew} == {"public, max-age=86400"}


def test_a_font_has_no_version_and_is_kept_all_the_same(
    app: Flask, visitor: Visitor, now: list[float], tmp_path: Path
) -> None:
    path = "/static/fonts/newsreader-display.woff2"
    first = visitor.get(path)
    app.static_folder = str(tmp_path)
    assert visitor.get(path).data == first.data
    assert visitor.get(path).headers["cache-control"] == "public, max-age=86400"


def test_a_part_of_a_file_is_not_taken_for_the_whole(visitor: Visitor, now: list[float]) -> None:
    path = "/static/fonts/newsreader-display.woff2"
    part = visitor.get(path, Range="bytes=0-9")
    assert (part.status, len(part.data)) == (206, 10)
    assert len(visitor.get(path).data) > 10_000


def test_no_file_is_kept_under_a_version_that_somebody_made_up(
    app: Flask, visitor: Visitor, now: list[float]
) -> None:
    for path in ("/static/css/page.css", "/theme.css", "/logo.svg"):
        assert visitor.get(f"{path}?v=made-up").status == 200
    cache: PageCache = app.extensions["page_cache"]
    assert cache._kept == {}


def test_whoever_says_that_they_have_nothing_gets_a_page(
    visitor: Visitor, now: list[float]
) -> None:
    for path in ("/logo.svg", "/petition"):
        visitor.get(path)
        assert visitor.get(path, **{"If-None-Match": ""}).status == 200


def test_what_has_changed_shows_within_the_moment(visitor: Visitor, now: list[float]) -> None:
    assert 'class="figure">0' in visitor.get("/press").text
    with transaction() as session:
        make_signature(session)
    fold_at(clock.utc_now())
    assert 'class="figure">0' in visitor.get("/press").text
    now.append(1011.0)
    assert 'class="figure">1' in visitor.get("/press").text


def test_the_count_that_other_sites_ask_for_is_kept_too(
    app: Flask, visitor: Visitor, now: list[float]
) -> None:
    def count() -> object:
        answer = visitor.get("/petition/count.json", Origin="https://friends.example.org")
        assert answer.headers["access-control-allow-origin"] == "*"
        return json.loads(answer.text)["count"]

    assert count() == 0
    with transaction() as session:
        make_signature(session)
    fold_at(clock.utc_now())
    app.extensions.pop("count")  # where it is remembered for a second, page or not
    assert count() == 0
    now.append(1011.0)
    assert count() == 1


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
