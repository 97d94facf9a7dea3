"""A page of the site as it stands in an archive: no form, a banner, links to files."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser

_LINK = re.compile(r'(\s(?:href|src)=")([^"]*)(")')
_STYLE_LINK = re.compile(rb"url\(\s*[\"']?([^\"'()]+)[\"']?\s*\)")

# Gives the address of an archived file for a link of a page; the link itself where it leads
# elsewhere; None where it leads to nothing that is in the archive.
Place = Callable[[str], str | None]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "form":
            self.found += [value for name, value in attrs if name in ("href", "src") and value]


def links_of(page: str) -> list[str]:
    """What a page of HTML links to, or loads."""
    reader = _Links()
    reader.feed(page)
    return reader.found


def links_of_styles(sheet: bytes) -> list[str]:
    """What a style sheet loads."""
    return [each.decode() for each in _STYLE_LINK.findall(sheet)]


class _Writer(HTMLParser):
    """Writes a page again, letter by letter, but for what an archive has otherwise."""

    def __init__(self, place: Place, banner: str, in_place_of_forms: str) -> None:
        super().__init__(convert_charrefs=False)
        self._place, self._banner, self._line = place, banner, in_place_of_forms
        self._written: list[str] = []
        self._in_form = False
        self._in_dead_link = False

    @property
    def written(self) -> str:
        return "".join(self._written)

    def _write(self, words: str) -> None:
        if not self._in_form:
            self._written.append(words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "form":
            self._write(self._line)
            self._in_form = True
            return
        words = self.get_starttag_text() or ""
        link = dict(attrs).get("href")
        if tag == "a" and link is not None and self._place(link) is None:
            self._in_dead_link = True
            self._write("<span>")
            return
        self._write(_LINK.sub(self._moved, words))

    def _moved(self, link: re.Match[str]) -> str:
        before, address, after = link.groups()
        place = self._place(unescape(address))
        return f"{before}{escape(place)}{after}" if place is not None else ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._write(_LINK.sub(self._moved, self.get_starttag_text() or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        elif tag == "a" and self._in_dead_link:
            self._in_dead_link = False
            self._write("</span>")
        else:
            if tag == "header" and self._banner:
                self._write(self._banner)
                self._banner = ""
            self._write(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._write(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self._write(f"<!{decl}>")


def archived(page: str, *, place: Place, banner: str, in_place_of_forms: str) -> str:
    """The page with every link put in its `place`, `banner` at the end of its header, and a line
    where forms were. A link that leads to nothing becomes plain words."""
    writer = _Writer(place, banner, in_place_of_forms)
    writer.feed(page)
    writer.close()
    return writer.written
