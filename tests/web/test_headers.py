"""Headers that keep a page to itself, on every answer."""

from __future__ import annotations

import pytest

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
