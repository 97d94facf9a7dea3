"""A text in passages short enough to read one at a time, and in words that can be taken out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from coalition.testimonies.identifiers import Finding, Trace, find_identifiers
from coalition.testimonies.redaction import Span, SpanKind, merged, paragraphs

LONGEST_PASSAGE = 900  # characters: some 150 words, what a screen holds
# Of a script that sets no spaces a line would be one word.
_WORD = re.compile(r"\S{1,30}")


@dataclass(frozen=True)
class Passage:
    """A paragraph, or part of a long one."""

    number: int  # from 1
    start: int
    end: int


class Kind(Enum):
    """What stands in a passage, piece by piece."""

    BETWEEN = auto()  # spaces, marks, ends of lines
    WORD = auto()
    OUT = auto()  # it was taken out


@dataclass(frozen=True)
class Piece:
    start: int
    end: int
    words: str
    kind: Kind
    was: SpanKind | None = None  # of what was taken out

    @property
    def place(self) -> str:
        return f"{self.start}-{self.end}"


def passages(text: str) -> list[Passage]:
    """The paragraphs of a text, a long one divided where a word ends."""
    places = [part for start, end in paragraphs(text) for part in _parts(text, start, end)]
    return [Passage(number, *place) for number, place in enumerate(places, 1)]


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST_PASSAGE:
        cut = max(text.rfind(mark, start, start + LONGEST_PASSAGE) for mark in (" ", "\n"))
        cut = cut if cut > start + LONGEST_PASSAGE // 2 else start + LONGEST_PASSAGE
        yield start, cut
        start = cut + 1 if text[cut].isspace() else cut
    if start < end:
        yield start, end


def asked_for(parts: list[Passage], to: str) -> list[Passage]:
    """The passages up to that which an address names, or "all"; none for what is no number."""
    if to == "all":
        return parts
    return parts[: int(to)] if to.isdecimal() and len(to) < 6 else []


def pieces(text: str, passage: Passage, spans: Iterable[Span]) -> list[Piece]:
    """A passage piece by piece: nothing of it is missing, and nothing stands in it twice."""
    found: list[Piece] = []
    at = passage.start
    for span in merged(spans, len(text)):
        start, end = max(span.start, passage.start), min(span.end, passage.end)
        if start >= end:
            continue
        found += _words(text, at, start)
        found.append(Piece(start, end, text[start:end], Kind.OUT, span.kind))
        at = end
    return [*found, *_words(text, at, passage.end)]


def _words(text: str, start: int, end: int) -> Iterator[Piece]:
    at = start
    for word in _WORD.finditer(text, start, end):
        first, last = _without_marks(text, word.start(), word.end())
        if at < first:
            yield Piece(at, first, text[at:first], Kind.BETWEEN)
        yield Piece(first, last, text[first:last], Kind.WORD)
        at = last
    if at < end:
        yield Piece(at, end, text[at:end], Kind.BETWEEN)


def _without_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """A word without the marks around it, unless it is nothing but marks."""
    first, last = start, end
    while first < last and unicodedata.category(text[first])[0] == "P":
        first += 1
    while last > first and unicodedata.category(text[last - 1])[0] == "P":
        last -= 1
    return (first, last) if first < last else (start, end)


def spans_of(words: Sequence[Piece], chosen: set[str], kind: SpanKind) -> list[Span]:
    """The places of the words that were ticked; those that follow one another are one place."""
    spans: list[Span] = []
    goes_on = False
    for word in (each for each in words if each.kind is not Kind.BETWEEN):
        is_chosen = word.kind is Kind.WORD and word.place in chosen
        if is_chosen and goes_on:
            spans[-1] = Span(spans[-1].start, word.end, kind)
        elif is_chosen:
            spans.append(Span(word.start, word.end, kind))
        goes_on = is_chosen
    return spans


TRACE_KINDS = {
    Trace.NAME: SpanKind.NAME,
    Trace.NAMED: SpanKind.NAME,
    Trace.POSTCODE: SpanKind.PLACE,
    Trace.UNIT: SpanKind.PLACE,
    Trace.DATE: SpanKind.DATE,
}


@dataclass(frozen=True)
class Suggestion:
    """What may tell who somebody is, and has not been taken out."""

    finding: Finding
    passage: int
    kind: SpanKind

    @property
    def place(self) -> str:
        return f"{self.finding.start}-{self.finding.end}"


def suggestions(text: str, spans: Sequence[Span]) -> list[Suggestion]:
    """What the machine finds in a text and still stands there, in the order of the text."""
    parts = passages(text)
    return [
        Suggestion(
            finding,
            next((each.number for each in parts if finding.start < each.end), len(parts)),
            TRACE_KINDS.get(finding.trace, SpanKind.DETAIL),
        )
        for finding in find_identifiers(text)
        if not any(span.start <= finding.start and finding.end <= span.end for span in spans)
    ]
