"""Reads a tagged PDF as a screen reader does: by its structure, with what stands for ligatures
and for letters written from right to left. (pypdf's own `extract_text` knows neither.)
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ContentStream

OWN_BLOCKS = {"/Lbl", "/H1", "/H2", "/H3", "/P", "/LBody", "/TH", "/TD"}


@dataclass
class Printed:
    """What a document says: each block as its kind and its words, in the order of reading."""

    blocks: list[tuple[str, str]]
    title: str
    language: str
    pages: int

    def of(self, *kinds: str) -> list[str]:
        return [words for kind, words in self.blocks if kind in kinds]


def read_pdf(pdf: bytes) -> Printed:
    reader = PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    marked = {
        (page.indirect_reference.idnum, number): words
        for page in reader.pages
        if page.indirect_reference
        for number, words in _marked_words(reader, page).items()
    }
    blocks: list[list[str]] = []
    _walk(root["/StructTreeRoot"]["/K"], 0, marked, blocks)
    return Printed(
        blocks=[(kind, _plain(words)) for kind, words in blocks],
        title=str(reader.metadata.title if reader.metadata else ""),
        language=str(root["/Lang"]),
        pages=len(reader.pages),
    )


def _plain(words: str) -> str:
    return " ".join(words.replace("\u200b", "").replace("\u00a0", " ").split())


def _walk(
    node: Any, page: int, marked: dict[tuple[int, int], str], blocks: list[list[str]]
) -> None:
    node = node.get_object()
    if isinstance(node, list):
        for each in node:
            _walk(each, page, marked, blocks)
    elif isinstance(node, int):
        if blocks:
            blocks[-1][1] += marked[page, node]
    else:
        if "/Pg" in node:
            page = node.raw_get("/Pg").idnum
        if node.get("/S") in OWN_BLOCKS:
            blocks.append([node["/S"][1:], ""])
        if "/MCID" in node:
            _walk(node["/MCID"], page, marked, blocks)
        elif "/K" in node:
            _walk(node["/K"], page, marked, blocks)


def _marked_words(reader: PdfReader, page: Any) -> dict[int, str]:
    """The words of each piece of marked content on a page."""
    fonts = {
        name: _letters(font.get_object()) for name, font in page["/Resources"]["/Font"].items()
    }
    words: dict[int, str] = {}
    open_marks: list[tuple[str, Any]] = []
    letters: dict[int, str] = {}
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator in (b"BDC", b"BMC"):
            values = operands[1] if operator == b"BDC" else {}
            open_marks.append((operands[0], values))
            if "/ActualText" in values:
                _add(words, open_marks, str(values["/ActualText"]))
        elif operator == b"EMC":
            open_marks.pop()
        elif operator == b"Tf":
            letters = fonts[operands[0]]
        elif operator in (b"Tj", b"TJ"):
            if any("/ActualText" in values for _, values in open_marks):
                continue
            shown = operands[0] if operator == b"TJ" else operands
            codes = b"".join(_bytes(each) for each in shown if isinstance(each, str | bytes))
            text = [letters[int.from_bytes(codes[at : at + 2])] for at in range(0, len(codes), 2)]
            if any(name == "/ReversedChars" for name, _ in open_marks):
                text.reverse()
            _add(words, open_marks, "".join(text))
    return words


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else bytes(value.original_bytes)


def _add(words: dict[int, str], open_marks: list[tuple[str, Any]], text: str) -> None:
    for _, values in reversed(open_marks):
        if "/MCID" in values:
            words[int(values["/MCID"])] = words.get(int(values["/MCID"]), "") + text
            return


def _letters(font: Any) -> dict[int, str]:
    """What each glyph of a font says (its ToUnicode map)."""
    table = font["/ToUnicode"].get_data().decode("latin1")
    found = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for code, text in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            found[int(code, 16)] = bytes.fromhex(text).decode("utf-16-be")
    assert "beginbfrange" not in table
    return found
