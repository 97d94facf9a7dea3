"""What machines read: sitemap, robots.txt, security.txt, and what other sites show of a link."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from PIL import Image

from coalition.db import transaction
from coalition.pages.card import HEIGHT, WIDTH, Card, draw_card
from tests.factories import make_signature
from tests.visitor import Visitor, visitor_of

LOC = ".//{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
CARD = Card("A petition", "Halt.", "3 people have signed", "A coalition", "#8a1538")


def listed(visitor: Visitor) -> list[str]:
    sitemap = ElementTree.fromstring(visitor.get("/sitemap.xml").text)
    return [str(each.text).removeprefix(visitor.origin) for each in sitemap.iterfind(LOC)]


def test_every_page_of_the_sitemap_may_be_found(visitor: Visitor) -> None:
    for path in listed(visitor):
        page = visitor.get(path)
        assert page.status == 200
        assert "noindex" not in page.text + page.headers.get("x-robots-tag", "")
        assert f'<link rel="canonical" href="{visitor.origin}{path}">' in page.text


def test_every_page_that_may_be_found_is_in_the_sitemap(visitor: Visitor) -> None:
    todo, seen = ["/"], set()
    while todo:
        path = todo.pop().partition("#")[0]
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        page = visitor.get(path)
        if "html" in page.headers["content-type"]:
            may_be_found = "noindex" not in page.text + page.headers.get("x-robots-tag", "")
            assert may_be_found == (path in listed(visitor)), path
            todo += page.links
    assert len(seen) > 12


def test_searches_are_told_where_the_sitemap_is(visitor: Visitor) -> None:
    robots = visitor.get("/robots.txt")
    assert robots.headers["content-type"].startswith("text/plain")
    assert robots.text.splitlines()[-1] == f"Sitemap: {visitor.origin}/sitemap.xml"


def security_fields(visitor: Visitor) -> dict[str, str]:
    answer = visitor.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"  # RFC 9116, 3
    return dict(line.split(": ", 1) for line in answer.text.splitlines())


def test_a_weakness_can_be_told_to_the_campaign(visitor: Visitor) -> None:
    fields = security_fields(visitor)
    assert fields["Contact"] == "mailto:hello@stopsim.example.org"
    assert fields["Canonical"] == f"{visitor.origin}/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=30) < expires - datetime.now(UTC) < timedelta(days=365)


def test_a_weakness_can_be_told_to_whom_the_settings_name(make_app: Callable[..., Flask]) -> None:
    app = make_app(SECURITY_CONTACT="https://example.org/security")
    assert security_fields(visitor_of(app))["Contact"] == "https://example.org/security"


def test_a_link_to_a_page_shows_its_own_words_elsewhere(visitor: Visitor) -> None:
    text = visitor.get("/evidence").text
    shown = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]*)"', text))
    assert shown["title"] == "Evidence"
    assert shown["description"].startswith("What is known")
    assert shown["url"] == f"{visitor.origin}/evidence"
    assert shown["image"] == f"{visitor.origin}/card.png"


@pytest.mark.parametrize("path", ["/nowhere", "/petition/your-signature"])
def test_pages_that_nobody_should_share_offer_nothing_to_show(visitor: Visitor, path: str) -> None:
    assert "og:" not in visitor.get(path).text


def test_the_picture_is_of_the_size_that_it_is_said_to_be(visitor: Visitor) -> None:
    answer = visitor.get("/card.png", follow=False)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    image = Image.open(io.BytesIO(draw_card(CARD)))
    assert image.size == (WIDTH, HEIGHT)
    assert image.format == "PNG"


def test_the_picture_changes_with_the_count(
    app: Flask, visitor: Visitor, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = visitor.get("/card.png").headers["etag"]
    with transaction() as session:
        make_signature(session)
    work()
    app.extensions.pop("count")
    assert visitor.get("/card.png").headers["etag"] != before


@pytest.mark.parametrize("changed", ["kick", "headline", "counted", "name"])
@pytest.mark.parametrize("words", ["", "word " * 200, "unbroken" * 60, "ÄÖÜ ✕ 漢字"])
def test_whatever_a_campaign_says_can_be_drawn(changed: str, words: str) -> None:
    values = {**CARD.__dict__, changed: words}
    assert draw_card(Card(**values)) != draw_card(CARD)
