"""Sets a part of the list in type: reads JSON from standard input, writes a PDF.

A program of its own, so that its memory is given back after each part and a fault in it ends
nothing else; it is run by `petition/printing.py`. What it reads and writes never touches a disk.
The first line of what it writes is JSON: how many names hold letters that no font has. It says
nothing about what it read: an error could quote a name.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import typst

HERE = Path(__file__).resolve().parent
# A sign with what is joined to it: marks, joiners, the choice of a picture.
CLUSTER = re.compile(r".[\u0300-\u036f\u200c\u200d\ufe00-\ufe0f]*", re.DOTALL)
LEAST_URGENT = 10  # of 19: visitors of the site come first

# Fonts of this project, then those of the machine: with fonts-noto-cjk, say, Chinese is shown.
_fonts = typst.Fonts(include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
_PROBE = """#set document(title: "x")
#set text(font: "Noto Sans")
#for words in json("data.json") { par(words.text) }
"""


def main() -> None:
    """Read, set, write; ends with 1 where the part could not be set."""
    os.nice(LEAST_URGENT)
    part = json.loads(sys.stdin.buffer.read())
    try:
        pdf, spelled = set_part(part)
    except typst.TypstError:
        sys.exit(1)
    sys.stdout.buffer.write(json.dumps({"spelled": spelled}).encode() + b"\n" + pdf)


def set_part(part: dict[str, Any]) -> tuple[bytes, int]:
    """The PDF, and how many names are in it with letters spelled out by their numbers.

    PDF/UA forbids the empty box of a letter that no font has, so that setting fails on one:
    only then is it looked for.
    """
    source = (HERE / "hand_in.typ").read_bytes()
    try:
        return _compile(source, part), 0
    except typst.TypstError:
        spelled = _spelled_out(part)
    return _compile(source, spelled), _how_many_differ(part, spelled)


def _compile(source: bytes, data: Any) -> bytes:
    files = {"main.typ": source, "data.json": json.dumps(data).encode()}
    # Its types do not know that it takes several files.
    pdf = typst.compile(files, font_paths=_fonts, pdf_standards=["ua-1"])  # type: ignore[call-overload]
    assert isinstance(pdf, bytes)  # noqa: S101 (the other kinds are of other formats)
    return pdf


def _spelled_out(part: Any) -> Any:
    """`part` with every sign that cannot be shown written as its name or number."""
    texts = set(_texts(part))
    signs = {sign for text in texts for sign in CLUSTER.findall(text) if not sign.isascii()}
    missing = set(_not_shown(sorted(signs)))
    changed = {text: _spell(text, missing) for text in texts}
    # Shaped together, signs may still want a letter that each alone did not.
    whole = set(_not_shown(sorted({each for each in changed.values() if not each.isascii()})))
    return _replaced(
        part,
        lambda text: (
            _spell(text, CLUSTER.findall(text)) if changed[text] in whole else changed[text]
        ),
    )


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _replaced(each, change) for key, each in value.items()}
    return [_replaced(each, change) for each in value] if isinstance(value, list) else value


def _not_shown(texts: Sequence[str]) -> list[str]:
    """Those of `texts` that no font can show, found by halves."""
    if not texts or _can_be_set(texts):
        return []
    if len(texts) == 1:
        return list(texts)
    middle = len(texts) // 2
    return _not_shown(texts[:middle]) + _not_shown(texts[middle:])


def _can_be_set(texts: Sequence[str]) -> bool:
    try:
        _compile(_PROBE.encode(), [{"text": text} for text in texts])
    except typst.TypstError:
        return False
    return True


def _spell(text: str, missing: Collection[str]) -> str:
    return "".join(
        _spelling(sign) if sign in missing and not sign.isascii() else sign
        for sign in CLUSTER.findall(text)
    )


def _spelling(sign: str) -> str:
    """A picture by its name, any other sign by its number: [party popper], [U+738B]."""
    words = (
        unicodedata.name(each, "").lower()
        if unicodedata.category(each) == "So"
        else f"U+{ord(each):04X}"
        for each in sign
        if not "\ufe00" <= each <= "\ufe0f" and each != "\u200d"
    )
    return f"[{' '.join(words)}]"


def _how_many_differ(part: dict[str, Any], spelled: dict[str, Any]) -> int:
    pairs = zip(_names(part), _names(spelled), strict=True)
    return sum(before != after for before, after in pairs)


def _names(part: dict[str, Any]) -> Iterable[str]:
    return (name["text"] for group in part["names"] for day in group["days"]
            for name in day["names"])  # fmt: skip


if __name__ == "__main__":
    main()
