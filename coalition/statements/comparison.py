"""What changed between two versions of a text, word by word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

MOST_WORDS = 4_000  # in one changed passage; a longer one is shown as replaced whole
MOST_PAIRS = 300_000  # of equal items, before against after: time grows with them, and faster
Opcode = tuple[str, int, int, int, int]


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Run:
    """Words that follow one another and have the same fate."""

    change: Change
    text: str


Paragraph = list[Run]


def compare(old: str, new: str) -> list[Paragraph]:
    """The paragraphs of both texts in order, each as runs of words that are the same, were
    added or were removed. Paragraphs that did not change have one run.
    """
    before, after = _paragraphs(old), _paragraphs(new)
    compared: list[Paragraph] = []
    for change, i1, i2, j1, j2 in _opcodes(before, after):
        if change == "equal":
            compared += [[Run(Change.SAME, text)] for text in before[i1:i2]]
        elif change == "replace" and i2 - i1 == j2 - j1:
            compared += [_words(*pair) for pair in zip(before[i1:i2], after[j1:j2], strict=True)]
        else:
            compared += [[Run(Change.REMOVED, text)] for text in before[i1:i2]]
            compared += [[Run(Change.ADDED, text)] for text in after[j1:j2]]
    return compared


def _opcodes(before: list[str], after: list[str]) -> Iterator[Opcode]:
    """What to do to make `after` of `before`; where too much repeats itself in both, the whole
    middle is replaced."""
    least = min(len(before), len(after))
    head = next((at for at in range(least) if before[at] != after[at]), least)
    tail = next(
        (at for at in range(least - head) if before[-at - 1] != after[-at - 1]), least - head
    )
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if head:
        yield "equal", 0, head, 0, head
    for change, i1, i2, j1, j2 in _opcodes_between(*middle):
        yield change, head + i1, head + i2, head + j1, head + j2
    if tail:
        yield "equal", len(before) - tail, len(before), len(after) - tail, len(after)


def _opcodes_between(before: list[str], after: list[str]) -> list[Opcode]:
    times = Counter(after)
    if sum(many * times[item] for item, many in Counter(before).items()) > MOST_PAIRS:
        return [("replace", 0, len(before), 0, len(after))]
    return list(SequenceMatcher(None, before, after, False).get_opcodes())


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _words(old: str, new: str) -> Paragraph:
    before, after = old.split(" "), new.split(" ")
    if max(len(before), len(after)) > MOST_WORDS:
        return [Run(Change.REMOVED, old), Run(Change.ADDED, new)]
    runs: Paragraph = []
    for change, i1, i2, j1, j2 in _opcodes(before, after):
        if change == "equal":
            runs.append(Run(Change.SAME, " ".join(before[i1:i2])))
            continue
        if i2 > i1:
            runs.append(Run(Change.REMOVED, " ".join(before[i1:i2])))
        if j2 > j1:
            runs.append(Run(Change.ADDED, " ".join(after[j1:j2])))
    return runs
