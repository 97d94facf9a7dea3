"""Headers that keep a page to itself, on every answer but what is made for others' frames."""

from __future__ import annotations

import pytest
from flask import Flask

from coalition.web.headers import is_framed
from tests.visitor import Visitor

POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.mark.parametrize(
    "path", ["/", "/petition", "/petition/check-email/x", "/nowhere", "/static/css/page.css"]
)
def test_no_answer_can_be_framed_sniffed_or_made_to_load_from_elsewhere(
    visitor: Visitor, path: str
) -> None:
    headers = visitor.get(path).headers
    directives = [each.split() for each in headers["content-security-policy"].split(";")]
    assert {name: " ".join(sources) for name, *sources in directives} == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    for power in ("camera", "geolocation", "microphone"):
        assert f"{power}=()" in headers["permissions-policy"]


@pytest.mark.parametrize("path", ["/embed/count", "/embed/sign"])
def test_what_supporters_show_can_be_framed_anywhere_and_do_nothing_more(
    visitor: Visitor, path: str
) -> None:
    page = visitor.get(path)
    headers = page.headers
    directives = [each.split() for each in headers["content-security-policy"].split(";")]
    policy = {name: " ".join(sources) for name, *sources in directives}
    assert policy == {**POLICY, "frame-ancestors": "*"}
    assert "x-frame-options" not in headers
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in headers
    assert "<script" not in page.text
    assert '<base target="_blank">' in page.text


def test_nothing_else_can_be_framed(app: Flask) -> None:
    framed = {each for each in app.view_functions if is_framed(app, each)}
    assert framed == {"embeds.count", "embeds.sign"}
