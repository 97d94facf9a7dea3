"""How much of what is heavy one person reads: pure rules, which know no database.

They keep whoever reads from having too much of it. What they are told of a person, they tell
nobody else.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from coalition.statements.telling import HEAVIEST, Telling
from coalition.testimonies.queries import Waiting

UNKNOWN_WEIGHT = 2  # of what has no label, or one that the campaign has taken out since
LOWEST_CEILING = HEAVIEST  # points a day: whoever reads at all can read one of the heaviest
HIGHEST_CEILING = 20
USUAL_CEILING = 8
RECENT = timedelta(hours=1)
BREAK_AFTER_READINGS = 3  # within RECENT
BREAK_AFTER_POINTS = 4


class Why(StrEnum):
    """Why somebody is not given another one just now."""

    CEILING = "ceiling"  # what they set for a day is read
    TOO_HEAVY = "too-heavy"  # this one would be more than that
    RESTS = "rests"  # they have just read another one of the heaviest
    BREAK = "break"  # a break is offered; they can go on


@dataclass(frozen=True)
class Refused:
    """Not now, and why, in words for whoever asked."""

    why: Why
    words: str


REFUSALS = {
    Why.CEILING: Refused(
        Why.CEILING,
        "You have read as much today as you set for yourself. That is enough. What you have "
        "taken you can still finish, and tomorrow is another day.",
    ),
    Why.TOO_HEAVY: Refused(
        Why.TOO_HEAVY,
        "With this one you would read more today than you set for yourself. A lighter one may "
        "still be there; otherwise, tomorrow is another day.",
    ),
    Why.RESTS: Refused(
        Why.RESTS,
        "You have just read one of the heaviest. Read something lighter next, or come back in an "
        "hour; the heaviest ones rest until then.",
    ),
    Why.BREAK: Refused(Why.BREAK, "You have read a good deal within an hour."),
}


@dataclass(frozen=True)
class Calm:
    """A queue in calm order, and what rests until something lighter lies between."""

    shown: Sequence[Waiting]
    held: Sequence[Waiting]


def weight_of(labels: Iterable[str], telling: Telling) -> int:
    """How heavy something with these labels can be to read: as its heaviest one."""
    known = [telling.label(slug) for slug in labels]
    weights = [label.weight if label else UNKNOWN_WEIGHT for label in known]
    return max(weights, default=UNKNOWN_WEIGHT)


def calm(waiting: Sequence[Waiting], weights: Mapping[uuid.UUID, int], last: int | None) -> Calm:
    """The longest waiting first, but never two of the heaviest one after the other.

    `waiting` is in order of waiting; `last` is the weight of what this person read within the
    last hour, None where that is nothing. Where only the heaviest are left, they are held back.
    """
    lighter = deque(each for each in waiting if weights[each.id] < HEAVIEST)
    heaviest = deque(each for each in waiting if weights[each.id] >= HEAVIEST)
    place = {each.id: number for number, each in enumerate(waiting)}
    shown: list[Waiting] = []
    after_heaviest = last is not None and last >= HEAVIEST
    while lighter or heaviest:
        takes_lighter = bool(lighter) and (
            after_heaviest or not heaviest or place[lighter[0].id] < place[heaviest[0].id]
        )
        if not takes_lighter and after_heaviest:
            break
        shown.append((lighter if takes_lighter else heaviest).popleft())
        after_heaviest = not takes_lighter
    return Calm(shown, list(heaviest))


def refusal(
    weight: int, today: Sequence[int], recent: Sequence[int], ceiling: int, *, goes_on: bool
) -> Refused | None:
    """Whether somebody is given another one of this weight.

    `today` and `recent` are the weights of what they read today, and within RECENT; `goes_on`
    says that they were offered a break.
    """
    if sum(today) >= ceiling:
        return REFUSALS[Why.CEILING]
    if sum(today) + weight > ceiling:
        return REFUSALS[Why.TOO_HEAVY]
    if weight >= HEAVIEST and recent and recent[-1] >= HEAVIEST:
        return REFUSALS[Why.RESTS]
    many = len(recent) >= BREAK_AFTER_READINGS or sum(recent) >= BREAK_AFTER_POINTS
    return REFUSALS[Why.BREAK] if many and not goes_on else None


def without_skipped(
    waiting: Sequence[Waiting], skipped: Collection[str]
) -> tuple[list[Waiting], int]:
    """What has none of the labels that somebody skips, and how many have."""
    kept = [each for each in waiting if not set(each.labels) & set(skipped)]
    return kept, len(waiting) - len(kept)
