"""What the printed list says, part by part; set in type by a program of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from coalition.petition.hand_in import HandInCount, NamedSignature, VersionCount
from coalition.statements.blocks import blocks_of
from coalition.statements.models import DocumentVersion
from coalition.statements.records import Details
from coalition.web.filters import clock_time, long_date, number

NAMES_IN_A_PART = 10_000  # some 60 pages; a part needs about 250 MB while it is set
PATIENCE = 300.0  # seconds for a part; one takes about one
# A longer one may have to break over two lines.
LONGEST_IN_ONE_PIECE = 24  # letters
PROGRAM = Path(__file__).resolve().parent / "typesetting" / "typeset.py"
LONGEST_WORD = 16  # letters, that fits a line even in capitals
FONTS = {"ARABIC": "Noto Sans Arabic", "HEBREW": "Noto Sans Hebrew"}


class NotPrinted(Exception):
    """A part could not be set in type. Says nothing of what it holds."""


@dataclass(frozen=True)
class Petition:
    """What the list is printed for."""

    details: Details
    texts: Sequence[DocumentVersion]  # in full on the first part
    count: HandInCount

    @property
    def named(self) -> int:
        return sum(each.named for each in self.versions)

    @property
    def versions(self) -> list[VersionCount]:
        wanted = {text.id for text in self.texts}
        return [each for each in self.count.versions if each.version_id in wanted]

    @property
    def parts(self) -> int:
        return max(1, -(-self.named // NAMES_IN_A_PART))


@dataclass(frozen=True)
class PrintedPart:
    pdf: bytes
    spelled: int  # names with letters that no font has, printed by their numbers


def print_part(petition: Petition, part: int, names: Sequence[NamedSignature]) -> PrintedPart:
    """One part of the list as a tagged PDF (PDF/UA-1), the first with the text and the count.

    Raises NotPrinted.
    """
    content = json.dumps(_content(petition, part, names)).encode()
    try:
        done = subprocess.run(  # noqa: S603 (our own program, without a word of anybody's)
            [sys.executable, "-I", str(PROGRAM)],
            input=content,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
            env={},  # no secret
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotPrinted(type(error).__name__) from None
    head, _, pdf = done.stdout.partition(b"\n")
    return PrintedPart(pdf, int(json.loads(head)["spelled"]))


def _content(petition: Petition, part: int, names: Sequence[NamedSignature]) -> dict[str, Any]:
    details, first = petition.details, part == 1
    title = f"Petition to {details.addressed_to}: {details.headline}"
    of_parts = f" (part {part} of {petition.parts})" if petition.parts > 1 else ""
    return {
        "title": title + of_parts,
        "campaign": details.name,
        "footer": f"{details.name}: the petition to {details.addressed_to}{of_parts}",
        "lead": _lead(petition, part, len(names)),
        "texts": [_text(text) for text in petition.texts] if first else [],
        "counts": [_count(each) for each in petition.versions] if first else [],
        "names": [_group(version, list(group)) for version, group in _by_version(names)],
    }


def _lead(petition: Petition, part: int, here: int) -> list[str]:
    verified = sum(each.verified for each in petition.versions)
    as_at = petition.count.as_at
    before = (part - 1) * NAMES_IN_A_PART
    which = f" This part holds names {number(before + 1)} to {number(before + here)}."
    return [
        f"{petition.details.name}. As at {long_date(as_at)}, {clock_time(as_at)}: "
        f"{number(verified)} signatures, each confirmed by email. {number(petition.named)} of "
        "those who signed agreed that their name is handed in."
        + (which if petition.parts > 1 else ""),
        "A letter that could not be printed stands as its Unicode number in square brackets; "
        "the list as a file holds the name as it was written. Days are days in UTC.",
    ]


def _text(text: DocumentVersion) -> dict[str, Any]:
    day = long_date(text.published_at)
    return {
        "heading": f"The petition, version {text.version}, published on {day}",
        "blocks": blocks_of(text.text),
    }


def _count(count: VersionCount) -> dict[str, Any]:
    rows = [
        [nation, number(each.verified), number(each.named)]
        for nation, each in count.nations.items()
    ]
    return {
        "heading": f"Signatures under version {count.version}",
        "rows": rows,
        "sum": ["All", number(count.verified), number(count.named)],
    }


def _by_version(
    names: Iterable[NamedSignature],
) -> Iterable[tuple[int, Iterable[NamedSignature]]]:
    return groupby(names, key=lambda each: each.version)


def _group(version: int, names: list[NamedSignature]) -> dict[str, Any]:
    days = groupby(names, key=lambda each: each.signed_on)
    return {
        "heading": f"Names of those who signed version {version}",
        "days": [
            {"heading": _day(day), "names": [printed_name(each.name) for each in group]}
            for day, group in days
        ],
    }


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def printed_name(name: str) -> dict[str, str]:
    """A name with the font to begin with.

    One that is written from right to left is kept in one piece, spaces and all, in the font of
    its script: else its words are marked up in the order of their places on the paper, and a
    screen reader begins with the last.
    """
    direction = next((each for each in name if unicodedata.bidirectional(each) in ("R", "AL")), "")
    script = unicodedata.name(direction, "").partition(" ")[0] if direction else ""
    if script in FONTS and len(name) <= LONGEST_IN_ONE_PIECE:
        return {"font": FONTS[script], "text": name.replace(" ", "\u00a0")}
    return {"font": FONTS.get(script, "Noto Sans"), "text": _breakable(name)}


def _breakable(name: str) -> str:
    """A word that may be longer than a line of the list may break."""
    return re.sub(rf"(\S{{{LONGEST_WORD}}})(?=\S)", "\\1\u200b", name)
