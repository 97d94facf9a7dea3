"""What changed between two versions of a text, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

MOST_WORDS = 4_000  # in one changed passage; a longer one is shown as replaced whole


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
    for change, i1, i2, j1, j2 in SequenceMatcher(None, before, after, False).get_opcodes():
        if change == "equal":
            compared += [[Run(Change.SAME, text)] for text in before[i1:i2]]
        elif change == "replace" and i2 - i1 == j2 - j1:
            compared += [_words(*pair) for pair in zip(before[i1:i2], after[j1:j2], strict=True)]
        else:
            compared += [[Run(Change.REMOVED, text)] for text in before[i1:i2]]
            compared += [[Run(Change.ADDED, text)] for text in after[j1:j2]]
    return compared


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _words(old: str, new: str) -> Paragraph:
    before, after = old.split(" "), new.split(" ")
    if max(len(before), len(after)) > MOST_WORDS:
        return [Run(Change.REMOVED, old), Run(Change.ADDED, new)]
    runs: Paragraph = []
    for change, i1, i2, j1, j2 in SequenceMatcher(None, before, after, False).get_opcodes():
        if change == "equal":
            runs.append(Run(Change.SAME, " ".join(before[i1:i2])))
            continue
        if i2 > i1:
            runs.append(Run(Change.REMOVED, " ".join(before[i1:i2])))
        if j2 > j1:
            runs.append(Run(Change.ADDED, " ".join(after[j1:j2])))
    return runs
