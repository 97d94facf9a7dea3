"""News with its feed, and the statement in easy read."""

from __future__ import annotations

from xml.etree import ElementTree

from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.statements.actions import publish_texts
from coalition.statements.easy_read import MOST_WORDS, parse_easy_read
from tests.conftest import ROOT
from tests.visitor import Visitor

ATOM = "{http://www.w3.org/2005/Atom}"
EASY = (ROOT / "campaign" / "easy-read.toml").read_text(encoding="utf-8")


def publish(slug: str, text: str) -> None:
    with transaction() as session:
        publish_texts(session, {slug: text}, actor="test", now=clock.utc_now())


def test_news_that_is_not_there_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/updates/no-such-news").status == 404


def test_each_piece_of_news_has_a_page_of_its_own(visitor: Visitor) -> None:
    news = visitor.get("/updates")
    pages = [link for link in news.links if link.startswith("/updates/")]
    assert len(pages) == 2
    for page in pages:
        assert "29 April 2021" in visitor.get(page).text


def test_the_newest_news_come_first_wherever_they_stand_in_the_file(
    app: Flask, visitor: Visitor
) -> None:
    publish("updates", "\n".join(_news(day) for day in (3, 30, 12)))
    text = visitor.get("/updates").text
    assert text.index("day-30") < text.index("day-12") < text.index("day-3<")


def _news(day: int) -> str:
    return (
        f'[[updates]]\nslug = "day-{day}"\non = 2021-04-{day:02}\n'
        f'title = "day-{day}"\nsummary = "A day"\ntext = "Words & **more**"'
    )


def test_the_feed_is_whole_atom(app: Flask, visitor: Visitor) -> None:
    publish("updates", _news(7) + "\n" + _news(8))
    answer = visitor.get("/updates.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.text)
    assert feed.tag == f"{ATOM}feed"
    # RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have.
    for needed in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{needed}") is not None
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["day-8", "day-7"]
    for entry in entries:
        address = str(entry.findtext(f"{ATOM}id"))
        assert visitor.get(address.removeprefix(visitor.origin)).status == 200
        assert entry.findtext(f"{ATOM}updated")
        html = entry.findtext(f"{ATOM}content")
        assert html == "<p>Words &amp; <strong>more</strong></p>\n"


def test_the_easy_read_says_that_nobody_has_checked_it(visitor: Visitor) -> None:
    text = visitor.get("/statement/easy-read").text
    assert "Not yet checked by people with learning disabilities." in text


def test_the_easy_read_says_who_has_checked_it(app: Flask, visitor: Visitor) -> None:
    publish("easy-read", EASY.replace('checked_by = ""', 'checked_by = "A fictional group"'))
    text = visitor.get("/statement/easy-read").text
    assert "Checked by A fictional group." in text
    assert "Not yet checked" not in text


def test_each_point_of_the_easy_read_has_a_symbol_and_short_sentences(visitor: Visitor) -> None:
    text = visitor.get("/statement/easy-read").text
    points = [point for part in parse_easy_read(EASY).parts for point in part.points]
    assert text.count("<use ") == len(points)
    sprite = (ROOT / "static/img/symbols.svg").read_text(encoding="utf-8")
    for point in points:
        assert f'id="{point.symbol}"' in sprite
        for sentence in point.sentences:
            assert len(sentence.split()) <= MOST_WORDS
            assert f"<p>{sentence}</p>" in text
