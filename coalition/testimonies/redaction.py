"""Taking words out of a text, and what stands in their place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple


class SpanKind(StrEnum):
    """What was taken out; its place says so."""

    NAME = "name"
    PLACE = "place"
    DATE = "date"
    DETAIL = "detail"


IN_ITS_PLACE = {
    SpanKind.NAME: "[name taken out]",
    SpanKind.PLACE: "[place taken out]",
    SpanKind.DATE: "[date taken out]",
    SpanKind.DETAIL: "[taken out]",
}


class Span(NamedTuple):
    """Characters of a text, from `start` up to but without `end`, to be taken out."""

    start: int
    end: int
    kind: SpanKind


def redacted(text: str, spans: Iterable[Span]) -> str:
    """`text` with a note in place of each span. Spans that touch or overlap are one."""
    parts, at = [], 0
    for span in merged(spans, len(text)):
        parts += [text[at : span.start], IN_ITS_PLACE[span.kind]]
        at = span.end
    return "".join([*parts, text[at:]])


def merged(spans: Iterable[Span], length: int) -> list[Span]:
    """The same places in order, none empty, none beyond the text, none overlapping another.

    Where spans of two kinds overlap, the place of the first says what it was.
    """
    found: list[Span] = []
    for start, end, kind in sorted(spans):
        start, end = max(0, start), min(end, length)  # noqa: PLW2901
        if start >= end:
            continue
        if found and start < found[-1].end:
            last = found.pop()
            found.append(Span(last.start, max(last.end, end), last.kind))
        else:
            found.append(Span(start, end, SpanKind(kind)))
    return found


def added(spans: Sequence[Span], more: Iterable[Span]) -> list[Span]:
    """The spans and more of them; where they overlap, the new one says what it was."""
    kept = list(spans)
    for span in more:
        kept = [*without(kept, span.start, span.end), span]
    return kept


def without(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The spans, less whatever of them lies in these characters: put back again."""
    left: list[Span] = []
    for span in spans:
        if span.start < start:
            left.append(Span(span.start, min(span.end, start), span.kind))
        if span.end > end:
            left.append(Span(max(span.start, end), span.end, span.kind))
    return left


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Where each paragraph begins and ends: what empty lines divide."""
    found: list[tuple[int, int]] = []
    begun: int | None = None
    at = 0
    for line in [*text.split("\n"), ""]:
        if line.strip():
            begun = at if begun is None else begun
        elif begun is not None:
            found.append((begun, at - 1))
            begun = None
        at += len(line) + 1
    return found
