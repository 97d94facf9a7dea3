"""Whoever asks first must not change what others are given: neither by headers that no cache tells
apart, nor by what stands after a question mark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from coalition.db import transaction
from coalition.web.page_cache import LONGEST_KEPT, PageCache
from tests.attack.routes import routes
from tests.engines import on_sqlite
from tests.factories import make_endorsement
from tests.pressing import MONDAY, freeze_week
from tests.telling import publish
from tests.visitor import Page, Visitor, visitor_of

pytestmark = on_sqlite
MakeApp = Callable[..., Flask]
EVIL = "evil.example.org"
# What proxies, frameworks and servers have taken for the host, the path, the scheme or the method.
UNKEYED = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Scheme": "gopher",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "198.51.100.7, evil",
    "X-Script-Name": "/evil",
    "X-Original-URL": "/desk",
    "X-Original-Host": EVIL,
    "X-Rewrite-URL": "/desk",
    "X-Host": EVIL,
    "X-HTTP-Method-Override": "POST",
    "Forwarded": f"for=198.51.100.7;host={EVIL};proto=gopher",
    "Front-End-Https": "on",
    "Client-IP": "evil",
    "True-Client-IP": "evil",
    "CF-Connecting-IP": "evil",
    "Via": f"1.1 {EVIL}",
    "Range-Unit": "evil",
    "X-CSRFToken": "evil",
    "X-Requested-With": "XMLHttpRequest",
    "Content-Type": "application/json",
    "Accept": "application/evil",
    "Accept-Language": "evil",
    "User-Agent": "<script>evil()</script>",
    "Cookie": "desk=evil; __Host-desk=evil; lang=evil",
    "Referer": f"https://{EVIL}/",
}
OWN = {"date", "x-request-id"}  # of each answer by itself


def plain(page: Page) -> tuple[int, dict[str, str], str]:
    """An answer without what is of its own in each: a form's stamp, seal and number."""
    body = re.sub(r'(name="(?:stamp|form_id|ticket|csrf_token)" value=")[^"]+', r"\1", page.text)
    headers = {name: value for name, value in page.headers.items() if name not in OWN}
    if body != page.text:
        headers.pop("etag", None)
        headers.pop("content-length", None)
        headers.pop("set-cookie", None)  # of the desk, whose forms have a token
    return page.status, headers, re.sub(r"\d{4}-\d{4}-\d{4}", "NUMBER", body)


def addresses(app: Flask) -> Iterator[str]:
    """Every address that can be read: of the routes, and of what the public finds behind them."""
    with transaction() as session:
        make_endorsement(session, name="One Group", logo_id=None)
    _, slug = publish(app)
    freeze_week(MONDAY)
    yield from (route.path for route in routes(app, "GET"))
    yield from (
        "/supporters/one-group", f"/testimonies/{slug}", f"/testimonies/{slug}/complain",
        "/press/counts.csv", "/press/daily.json", "/press/organisations.xlsx", "/press/counts.txt",
        "/press/datapackage.json", "/press/releases.json", f"/press/releases/{MONDAY}/counts.csv",
        "/press/charts/total.svg", "/static/css/page.css", "/static/css/none.css", "/nowhere",
    )  # fmt: skip


@pytest.mark.parametrize(("proxies", "cache"), [("0", "0"), ("1", "10")])
def test_no_header_changes_what_is_at_an_address(
    make_app: MakeApp, proxies: str, cache: str
) -> None:
    app = make_app(TRUSTED_PROXIES=proxies, PAGE_CACHE=cache)
    with app.app_context():
        changed, tried = set(), 0
        for path in addresses(app):
            if path in ("/metrics", "/dev/components"):
                continue  # which a forwarding header shuts, and should
            visitor = visitor_of(app)
            first = visitor.get(path, follow=False, **UNKEYED)
            then = visitor_of(app).get(path, follow=False)
            tried += 1
            assert EVIL not in first.text + str(first.headers), path
            assert "evil" not in then.text + str(then.headers), path
            if path.startswith("/desk") and "next=" not in str(first.headers):
                continue  # pages with a cookie of their own, which no cache keeps
            if plain(first) != plain(then):
                changed.add(path)
        assert changed == set()
        assert tried > 140


@pytest.mark.parametrize("path", ["/petition", "/", "/press", "/updates.atom", "/sitemap.xml"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_is_the_same_whatever_scheme_the_proxy_tells(
    make_app: MakeApp, path: str, scheme: str
) -> None:
    app = make_app(TRUSTED_PROXIES="1", SITE_URL="https://petition.example.org", PAGE_CACHE="10")
    visitor = visitor_of(app)
    asked = visitor.get(path, **{"X-Forwarded-Proto": scheme, "X-Forwarded-Ssl": "off"})
    assert plain(asked) == plain(visitor_of(app).get(path))
    assert "http://petition" not in asked.text


def test_what_stands_after_a_question_mark_is_shown_on_no_page(app: Flask) -> None:
    visitor, mark = visitor_of(app), "q7x<script>"
    names = ("source", "words", "kind", "nation", "again", "meant", "already", "done", "page",
             "next", "v", "label", "theme", "callback", "jsonp", "lang", "to", "password", "before")  # fmt: skip
    query = "&".join(f"{name}={mark}" for name in names)
    for route in routes(app, "GET"):
        page = visitor.get(f"{route.path}?{query}", follow=False)
        assert page.status < 500, route.rule
        assert mark not in page.text, route.rule
        asked = page.text.replace("q7x&lt;script&gt;", "")
        if route.rule != "/supporters":  # whose search shows once more, escaped, what is looked for
            assert "q7x" not in asked or route.is_desk, route.rule


def test_long_addresses_do_not_fill_the_memory_of_kept_pages(make_app: MakeApp) -> None:
    app = make_app(PAGE_CACHE="10")
    visitor = visitor_of(app)
    for number in range(20):
        for path in (f"/robots.txt?{number}", f"/robots.txt?{number}{'x' * 50_000}"):
            assert visitor.get(path).status == 200
    cache: PageCache = app.extensions["page_cache"]
    assert len(cache._kept) == 20
    assert max(sum(map(len, key)) for key in cache._kept) <= LONGEST_KEPT


def test_a_long_address_is_answered_all_the_same(make_app: MakeApp) -> None:
    visitor: Visitor = visitor_of(make_app(PAGE_CACHE="10"))
    assert visitor.get(f"/petition?{'x' * 3_000}").text.count('name="stamp"') >= 1
    assert plain(visitor.get("/petition")) == plain(visitor.get(f"/petition?{'y' * 3_000}"))
