"""A logo may draw, and can do nothing else."""

import pytest

from coalition.statements.logo import LARGEST, parse_logo
from coalition.statements.tables import CampaignInvalid
from tests.visitor import Visitor

OPENING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'


@pytest.mark.parametrize(
    ("drawing", "problem"),
    [
        ("<script>alert(1)</script>", "the element <script> is not allowed"),
        ("<style>*{fill:red}</style>", "the element <style> is not allowed"),
        ("<foreignObject/>", "the element <foreignObject> is not allowed"),
        ('<image href="https://example.org/x.png"/>', "the element <image> is not allowed"),
        ('<a href="https://example.org"><path/></a>', "the element <a> is not allowed"),
        ('<animate attributeName="href"/>', "the element <animate> is not allowed"),
        ('<path onload="alert(1)"/>', "the attribute onload is not allowed"),
        ('<path style="fill:red"/>', "the attribute style is not allowed"),
        ('<use href="https://example.org/x.svg#y"/>', "may point only to its own parts"),
        ('<path fill="url(https://example.org/#x)"/>', "may use only its own parts"),
        ("<path fill=\"url('//example.org/#x')\"/>", "may use only its own parts"),
        ("<path>", "not valid SVG"),
        (f'<path d="{"M0 0" * LARGEST}"/>', "larger than 20000 bytes"),
        ('<x:script xmlns:x="http://www.w3.org/1999/xhtml"/>', "is not allowed in a logo"),
    ],
    ids=lambda value: value[:40],
)
def test_what_a_logo_may_not_hold_is_told(drawing: str, problem: str) -> None:
    with pytest.raises(CampaignInvalid, match=problem):
        parse_logo(f"{OPENING}{drawing}</svg>")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not valid SVG"),
        ("<p>words</p>", "must be an <svg> with a viewBox"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "must be an <svg> with a viewBox"),
        ('<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + OPENING + "&a;</svg>", "without DOCTYPE"),
        ('<?xml-stylesheet href="https://example.org"?>' + OPENING + "</svg>", "without DOCTYPE"),
    ],
)
def test_what_is_not_a_plain_drawing_is_told(text: str, problem: str) -> None:
    with pytest.raises(CampaignInvalid, match=problem):
        parse_logo(text)


def test_a_drawing_with_parts_of_its_own_is_taken() -> None:
    drawing = f'{OPENING}<defs><path id="a" d="M0 0"/></defs><use href="#a" fill="url(#a)"/></svg>'
    assert parse_logo(drawing) == drawing


def test_the_logo_cannot_run_anything_when_it_is_opened_by_itself(visitor: Visitor) -> None:
    logo = visitor.get("/logo.svg?v=1")
    assert logo.headers["content-type"].startswith("image/svg+xml")
    assert logo.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert logo.headers["cache-control"].endswith("immutable")
    assert visitor.get("/logo.svg?v=2").headers["cache-control"] == "public, max-age=10"
