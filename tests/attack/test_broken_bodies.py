"""Bodies that are no forms, to every route: a clear answer, never a failure of ours."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask

from coalition.app import LARGEST_BODY
from coalition.web.access import Access
from tests.attack.routes import administrator, routes
from tests.engines import on_postgresql, on_sqlite
from tests.telling import open_the_form
from tests.visitor import Visitor, visitor_of

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
NAMES = (
    "name", "email", "words", "text", "code", "step", "key", "ticket", "stamp", "form_id", "sealed",
    "revision", "edition", "network", "limits", "count", "number", "reason", "entry", "roles", "title",
    "password", "passage", "span", "spans", "on", "ground", "day", "region", "address", "domain",
)  # fmt: skip


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="' + name + b'"' + more
    return head + b"\r\n\r\n" + value + b"\r\n"


def each_is(value: str) -> bytes:
    return "&".join(f"{name}={value}" for name in NAMES).encode()


def nested(depth: int) -> bytes:
    inner = b"x" * 10
    for number in range(depth):
        mark = b"b%d" % number
        inner = (
            b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n"
            + inner + b"\r\n--" + mark + b"--"
        )  # fmt: skip
    return part(b"name", inner) + b"--x--\r\n"


FIELDS = {
    "NUL in each field": each_is("%00"),
    "half of a character in each field": each_is("%ED%A0%80%FF%C0%AF"),
    "a number beyond all bounds": each_is("9" * 1_000),
    "a number that SQL cannot hold": each_is("9223372036854775808"),
    "a number in another script": each_is(quote("٣²")),
    "not a number": each_is("NaN"),
    "less than nothing": each_is("-1"),
    "each field twice": each_is("a") + b"&" + each_is("b"),
    "formats": each_is(quote("{0} {a.b} {{7*7}} ${7} %s %(x)s %n")),
    "a day that never was": each_is("2026-02-31"),
}  # of every route, for the database that refuses more
BODIES: dict[str, tuple[str, bytes]] = {
    "ten thousand fields": (FORM, b"&".join(b"a%d=" % number for number in range(10_000))),
    "ten thousand fields without names": (FORM, b"&" * 10_000),
    "strange names": (FORM, b"=&==&a[b][c]=1&__proto__[x]=1&%00=1&csrf_token=&csrf_token=x&a.b=c"),
    "another alphabet": (f"{FORM}; charset=utf-16", "name=Ada".encode("utf-16")),
    "an alphabet that is none": (f"{FORM}; charset=../../etc/passwd", b"name=Ada"),
    "a wrong boundary": (PARTS, b"--y\r\n\r\nx\r\n--y--"),
    "a boundary of nothing": ("multipart/form-data; boundary=", part(b"name", b"x")),
    "a boundary of a thousand": (f"multipart/form-data; boundary={'x' * 1_000}", b"--x"),
    "parts within parts": (PARTS, nested(50)),
    "a thousand parts": (PARTS, part(b"a", b"") * 1_000 + b"--x--"),
    "a part without an end": (PARTS, part(b"name", b"x" * 1_000)),
    "files in place of fields": (
        PARTS, b"".join(part(each.encode(), b"\x00", b'; filename="../../x\x00"') for each in NAMES[:20]) + b"--x--",
    ),
    "JSON": ("application/json", b'{"name": {"$gt": ""}}'),
    "JSON of a list": ("application/json", b'["name", 1]'),
    "JSON of a number": ("application/vnd.api+json", b"1e999"),
    "XML": ("text/xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    "deep JSON": ("application/json", b"[" * 30_000),
    "too much": (FORM, b"name=" + b"a" * LARGEST_BODY),
}  # fmt: skip


@on_sqlite
@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_form_is_told_so(app: Flask, visitor: Visitor, name: str) -> None:
    open_the_form(app)
    kind, body = BODIES[name]
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
    for route in routes(app, "POST"):
        if route.access is not Access.DESK:
            page = visitor.request("POST", route.path, headers, body, follow=False)
            assert page.status < 500, route.rule
            assert "root:x:" not in page.text


@on_postgresql
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_of_any_route_breaks_it(app: Flask, name: str) -> None:
    open_the_form(app)
    moderator, token = administrator(app)
    headers = {"Content-Type": FORM, "Sec-Fetch-Site": "same-origin", "X-CSRFToken": token}
    told = []
    for route in routes(app, "POST"):
        if route.path == "/desk/leave":
            continue  # after which nobody would be at the desk any more
        sender = moderator if route.access is Access.DESK else visitor_of(app)
        page = sender.request("POST", route.path, headers, FIELDS[name], follow=False)
        assert page.status < 500, route.rule
        if route.access is Access.DESK:
            told.append(page.status)
    # Else the desk would only have asked who is there.
    assert told.count(404) > 30


@on_postgresql
@pytest.mark.parametrize("value", ["%00", "%FF", "9" * 50, "9223372036854775808", "-1", "%C2%B2"])
def test_nothing_after_a_question_mark_breaks_a_page(app: Flask, value: str) -> None:
    moderator, _ = administrator(app)
    names = ("page", "passage", "before", "cluster", "number", "words", "kind", "source", "to", "v",
             "done", "next", "refused", "day", "actor", "action", "since", "until")  # fmt: skip
    query = "&".join(f"{name}={value}" for name in names)
    for route in routes(app, "GET"):
        page = moderator.get(f"{route.path}?{query}", follow=False)
        assert page.status < 500, route.rule
