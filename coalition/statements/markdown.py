"""Markdown to safe HTML, and what is wrong with a text that cannot be made safe."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "img", "li", "ol", "p",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "h2": {"id"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
}

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.validateLink = lambda _: True  # type: ignore[method-assign, assignment]  # problems() judges
_checker = MarkdownIt("commonmark", {"html": True}).enable("table")
_checker.validateLink = lambda _: True  # type: ignore[method-assign, assignment]
# The parser makes its tables of letters at their first use, and another thread that comes meanwhile
# finds them half made: so they are made here, before there is another thread.
_checker.parse("<https://example.org/>")


@dataclass(frozen=True)
class Heading:
    """A heading of the second level, and the anchor that leads to it."""

    anchor: str
    text: str


def render(text: str) -> str:
    """HTML of a Markdown text, cleaned: no script, no style, no frame, no foreign image.

    Each heading of the second level carries the anchor that `headings` tells.
    """
    tokens = _markdown.parse(text)
    for opening, heading in zip(_openings(tokens), _headings(tokens), strict=True):
        opening.attrSet("id", heading.anchor)
    return nh3.clean(
        _markdown.renderer.render(tokens, _markdown.options, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=set(LINK_SCHEMES),
        link_rel=None,
        attribute_filter=_keep_own_images,
    )


def tokens_of(text: str) -> list[Token]:
    """The tokens of a Markdown text, for whoever shows it otherwise than as HTML."""
    return _markdown.parse(text)


def headings(text: str) -> list[Heading]:
    """The headings of the second level, in order, each with an anchor of its own."""
    return _headings(_markdown.parse(text))


def plain_paragraphs(text: str) -> str:
    """The words of a Markdown text without its marks, a blank line between two passages.

    A link is followed by its address, so that a changed address shows in a comparison.
    """
    inline = [token for token in _markdown.parse(text) if token.type == "inline"]
    return "\n\n".join(_plain(token.children or []) for token in inline)


def _plain(tokens: list[Token]) -> str:
    words, address = [], ""
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
        words.append(
            {"softbreak": " ", "hardbreak": " ", "link_close": f" ({address})"}.get(
                token.type, token.content
            )
        )
    return "".join(words)


def _headings(tokens: list[Token]) -> list[Heading]:
    found: list[Heading] = []
    taken: set[str] = set()
    numbers: Counter[str] = Counter()  # how many of the same words there were
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            words = "".join(each.content for each in inline.children or [])
            slug = re.sub(r"[\W_]+", "-", words.lower()).strip("-") or "section"
            anchor = slug
            while anchor in taken or not numbers[slug]:
                numbers[slug] += 1
                anchor = slug if numbers[slug] == 1 else f"{slug}-{numbers[slug]}"
            taken.add(anchor)
            found.append(Heading(anchor, words))
    return found


def _openings(tokens: list[Token]) -> list[Token]:
    return [each for each in tokens if each.type == "heading_open" and each.tag == "h2"]


def _keep_own_images(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src" and not value.startswith("/static/"):
        return None
    return value


def problems(text: str) -> list[str]:
    """What stands in a Markdown text that will not be shown, one line each."""
    return [words for _, words in located_problems(text)]


def located_problems(text: str) -> list[tuple[int, str]]:
    """What stands in a Markdown text that will not be shown, each with the number of its line."""
    return [
        (line, words)
        for line, token in _flat(_checker.parse(text))
        for words in _token_problems(token)
    ]


def links(text: str) -> list[tuple[int, str]]:
    """Where the links of a Markdown text lead, each with the number of its line."""
    return [
        (line, str(token.attrGet("href") or ""))
        for line, token in _flat(_checker.parse(text))
        if token.type == "link_open"
    ]


def _flat(tokens: list[Token], line: int = 1) -> Iterator[tuple[int, Token]]:
    """Each token with its line: that of its block, and one more for each break within it."""
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        yield line, token
        yield from _flat(token.children or [], line)
        line += token.type in ("softbreak", "hardbreak")


def _token_problems(token: Token) -> Iterator[str]:
    if token.type in ("html_block", "html_inline"):
        yield f"HTML is not allowed: {' '.join(token.content.split())[:40]}"
    elif token.type == "link_open":
        href = str(token.attrGet("href") or "")
        try:
            scheme, host = urlsplit(href)[:2]
        except ValueError:
            host = "%"
        if "%" in host:
            yield f"a link cannot be read: {href[:40]}"
            return
        if scheme and scheme not in LINK_SCHEMES:
            yield f"a link may not begin with {scheme}:"
        if href.startswith("//"):
            yield f"a link needs its scheme: {href[:40]}"
    elif token.type == "image":
        source = str(token.attrGet("src") or "")
        if not source.startswith("/static/"):
            yield f"an image must come from /static/: {source[:60]}"
        if not token.content.strip():
            yield f"an image needs a text alternative: {source[:60]}"
