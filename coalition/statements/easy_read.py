"""The statement in easy read: one idea a sentence, short sentences, a symbol beside each point.

The rule of short sentences is of the European standards for information that is easy to read
(Inclusion Europe, "Information for all", 2009); the number is this project's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from coalition.statements.tables import (
    CampaignInvalid,
    read_record,
    read_records,
    read_toml,
    tables_in,
)
from coalition.web.filters import sentences

MOST_WORDS = 15  # in a sentence
SYMBOLS = Path(__file__).resolve().parents[2] / "static" / "img" / "symbols.svg"


@dataclass(frozen=True)
class Point:
    """One thing that is said. `symbol` is the name of one in static/img/symbols.svg; `link` leads
    to a page of this site, or to a part of this one (`#part-2`), in the words `link_words`."""

    symbol: str
    text: str
    link: str = ""
    link_words: str = ""

    @property
    def sentences(self) -> list[str]:
        """One for each line on the page."""
        return sentences(self.text)


@dataclass(frozen=True)
class Part:
    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class EasyRead:
    """`checked_by` says who with a learning disability has checked it; empty: nobody yet."""

    title: str
    parts: tuple[Part, ...]
    checked_by: str = ""


def parse_easy_read(text: str) -> EasyRead:
    """`easy-read.toml`. Raises CampaignInvalid."""
    table = read_toml(text)
    for number, part in enumerate(tables_in(table, "parts"), 1):
        part["points"] = read_records(part.get("points", []), Point, f"parts {number}: points")
    table["parts"] = read_records(table.get("parts", []), Part, "parts")
    easy_read = read_record(table, EasyRead)
    problems = [] if easy_read.parts else ["parts: there must be at least one"]
    problems += [
        f"parts {number}: points {at}: {problem}"
        for number, part in enumerate(easy_read.parts, 1)
        for at, point in enumerate(part.points, 1)
        for problem in _problems_of(point)
    ]
    problems += [
        f"parts {number}: points: there must be at least one"
        for number, part in enumerate(easy_read.parts, 1)
        if not part.points
    ]
    if problems:
        raise CampaignInvalid(problems)
    return easy_read


def _problems_of(point: Point) -> list[str]:
    problems = [
        f"{words} words in a sentence, and at most {MOST_WORDS} are easy to read: {sentence[:50]}"
        for sentence in point.sentences
        if (words := len(sentence.split())) > MOST_WORDS
    ]
    if bool(point.link) != bool(point.link_words):
        problems.append("link and link_words need each other")
    if point.link and not re.match(r"#|/(?![/\\])", point.link):
        problems.append("link must lead to a page of this site: /help, or #part-2")
    if point.symbol not in known_symbols():
        problems.append(f"there is no symbol {point.symbol[:30]!r} in static/img/symbols.svg")
    return problems


@lru_cache
def known_symbols() -> frozenset[str]:
    """The names of the symbols that this site brings."""
    return frozenset(re.findall(r'<symbol id="([a-z-]+)"', SYMBOLS.read_text(encoding="utf-8")))
