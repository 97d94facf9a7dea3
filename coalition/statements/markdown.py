"""Markdown to safe HTML, and what is wrong with a text that cannot be made safe."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "img", "li", "ol", "p",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.validateLink = lambda _: True  # type: ignore[method-assign, assignment]  # problems() judges
_checker = MarkdownIt("commonmark", {"html": True}).enable("table")
_checker.validateLink = lambda _: True  # type: ignore[method-assign, assignment]


def render(text: str) -> str:
    """HTML of a Markdown text, cleaned: no script, no style, no frame, no foreign image."""
    return nh3.clean(
        _markdown.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=set(LINK_SCHEMES),
        link_rel=None,
        attribute_filter=_keep_own_images,
    )


def _keep_own_images(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src" and not value.startswith("/static/"):
        return None
    return value


def problems(text: str) -> list[str]:
    """What stands in a Markdown text that will not be shown, one line each."""
    return [line for token in _flat(_checker.parse(text)) for line in _token_problems(token)]


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


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
