"""The checklist that holds publishing back, as boxes to tick: each question, each finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from coalition.testimonies.choices import Front
from coalition.testimonies.decisions import CHECK_QUESTIONS, Check, Checklist
from coalition.testimonies.identifiers import find_identifiers
from coalition.testimonies.models import Edition


@dataclass(frozen=True)
class Box:
    """One line of the checklist."""

    id: str
    name: str
    value: str
    words: str
    is_ticked: bool
    problem: str  # empty where there is none


def boxes(text: str, front: Front | None, sent: MultiDict[str, str] | None) -> list[Box]:
    """The checklist of what is to be public. `sent`: what was ticked; None where nothing was
    sent yet."""
    clear = set(sent.getlist("clear")) if sent else set()
    seen = set(sent.getlist("seen")) if sent else set()
    lines = [
        ("clear", check.value, question, check.value in clear)
        for check, question in CHECK_QUESTIONS.items()
    ]
    lines += [
        ("seen", words, f"“{words}” ({trace}) may stay", words in seen)
        for words, trace in _findings(text, front).items()
    ]
    return [
        Box(
            f"box-{number}", name, value, words, is_ticked,
            "" if is_ticked or sent is None else f"Make sure of this, and tick it: {words}",
        )
        for number, (name, value, words, is_ticked) in enumerate(lines, 1)
    ]  # fmt: skip


def boxes_of(edition: Edition | None, sent: MultiDict[str, str] | None) -> list[Box]:
    """The checklist of an edited version that is finished."""
    return boxes(edition.text or "", edition.front, sent) if edition else []


def _findings(text: str, front: Front | None) -> Mapping[str, str]:
    shown = text + "\n\n" + (front.summary if front else "")
    return {each.words: each.trace.value for each in find_identifiers(shown)}


def checklist_of(sent: MultiDict[str, str]) -> Checklist:
    """What was ticked; the decision itself refuses one with gaps."""
    known = {check.value for check in Check}
    return Checklist(
        clear=frozenset(Check(each) for each in sent.getlist("clear") if each in known),
        seen=frozenset(sent.getlist("seen")),
    )
