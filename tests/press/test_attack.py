"""Somebody who keeps every file of every week, and reckons: by the national count, by sums, by what
changed from week to week. Knows nothing of the site but its files and their published rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from flask import Flask

from coalition.petition.models import NOT_SAID, Cause, Kind, Region
from coalition.press.disclosure import RULE
from tests.pressing import MONDAY, WEEK, count, freeze_week, rows
from tests.visitor import Visitor

SMALLEST, STEP = 8, 5  # as the files say
MANY = 10**9
Shown = Mapping[str, int | None]


@dataclass
class Attacker:
    """Narrows down how many there are in each category in each week, until nothing moves.

    Takes each figure for what its rule says: rounded, or fewer than 8. Those who did not say are
    not shown, but are part of the nation."""

    tables: Sequence[Shown]  # by week
    joined: Sequence[int]  # in the nation, of each week
    left: Sequence[int]
    low: dict[tuple[int, str], int] = field(default_factory=dict)
    high: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for week, table in enumerate(self.tables):
            for each, shown in table.items():
                self.low[week, each] = 0 if shown is None else max(SMALLEST, shown - STEP // 2)
                self.high[week, each] = SMALLEST - 1 if shown is None else shown + STEP // 2
            self.low[week, NOT_SAID], self.high[week, NOT_SAID] = 0, MANY

    def reckon(self) -> None:
        while self._sums() | self._weeks():
            pass

    def _narrow(self, cell: tuple[int, str], low: int, high: int) -> bool:
        before = self.low[cell], self.high[cell]
        self.low[cell] = max(self.low[cell], low)
        self.high[cell] = min(self.high[cell], high)
        return before != (self.low[cell], self.high[cell])

    def _sums(self) -> bool:
        """The nation minus the rest."""
        moved, nation = False, 0
        for week, table in enumerate(self.tables):
            nation += self.joined[week] - self.left[week]
            cells = [(week, each) for each in (*table, NOT_SAID)]
            low, high = (sum(bound[each] for each in cells) for bound in (self.low, self.high))
            for each in cells:
                rest = low - self.low[each], high - self.high[each]
                moved |= self._narrow(each, nation - rest[1], nation - rest[0])
        return moved

    def _weeks(self) -> bool:
        """No more can have come, or gone, than did in the nation."""
        moved = False
        for week in range(1, len(self.tables)):
            for each in (*self.tables[week], NOT_SAID):
                old, new = (week - 1, each), (week, each)
                more, fewer = self.joined[week], self.left[week]
                moved |= self._narrow(new, self.low[old] - fewer, self.high[old] + more)
                moved |= self._narrow(old, self.low[new] - more, self.high[new] + fewer)
        return moved

    def small_numbers(self) -> dict[tuple[int, str], range]:
        """What is left of each number that was suppressed."""
        return {
            (week, each): range(self.low[week, each], self.high[week, each] + 1)
            for week, table in enumerate(self.tables)
            for each, shown in table.items()
            if shown is None
        }


def rounded(counts: Mapping[str, int]) -> Shown:
    """The rule, and nothing else."""
    return {each: RULE.shown(number) for each, number in counts.items()}


@pytest.mark.parametrize(
    ("weeks", "found"),
    [
        # One joins, and a region that was suppressed shows: it had 7.
        ([({"a": 7, "b": 20}, 40), ({"a": 8, "b": 20}, 41)], (0, "a", 7)),
        # One leaves, and a region that showed is suppressed: it has 7.
        ([({"a": 8, "b": 20}, 40), ({"a": 7, "b": 20}, 39)], (1, "a", 7)),
        # Everybody said where they are: what the others leave is 2 at the most.
        ([({"a": 2, "b": 18, "c": 18}, 36)], (0, "a", None)),
    ],
)
def test_rounding_by_itself_would_give_people_away(
    weeks: list[tuple[dict[str, int], int]], found: tuple[int, str, int | None]
) -> None:
    nation = [each for _, each in weeks]
    changes = [after - before for before, after in zip([0, *nation], nation, strict=False)]
    attacker = Attacker(
        [rounded(counts) for counts, _ in weeks],
        [max(each, 0) for each in changes],
        [max(-each, 0) for each in changes],
    )
    attacker.reckon()
    week, category, number = found
    left = attacker.small_numbers()[week, category]
    assert left == range(number, number + 1) if number is not None else len(left) < SMALLEST


Cell = tuple[Region | None, Kind | None]
CELLS: list[Cell] = [(region, kind) for region in (None, *Region) for kind in (None, *Kind)]


def history(chance: random.Random) -> Callable[[int], None]:
    """A coalition whose regions and kinds grow and shrink about the smallest numbers: many people
    at first and now and then, and weeks in which one or two come or go."""
    here: dict[Cell, int] = dict.fromkeys(CELLS, 0)

    def change(first: date, cell: Cell, number: int) -> None:
        cause = Cause.VERIFIED if number > 0 else chance.choice([Cause.WITHDRAWN, Cause.HELD])
        day = first + timedelta(days=chance.randrange(7))
        count(day, number, cause=cause, region=cell[0], kind=cell[1])
        here[cell] += number

    def week(number: int) -> None:
        first = MONDAY + (number - 1) * WEEK
        if number % 4 == 0:
            for cell in chance.sample(CELLS, 22):
                change(first, cell, chance.choice([1, 2, 3]))
            change(first, (None, None), chance.randint(1, 30))
        else:
            for cell in chance.sample(CELLS, chance.choice([1, 2])):
                change(first, cell, -1 if here[cell] and chance.random() < 0.5 else 1)

    return week


@pytest.mark.parametrize("seed", range(4))
def test_from_all_files_of_all_weeks_nobody_can_work_out_a_small_number(
    app: Flask, visitor: Visitor, seed: int
) -> None:
    live = history(random.Random(seed))
    weeks = 13
    for number in range(weeks):
        live(number)
        assert freeze_week(MONDAY + number * WEEK)
    suppressed = shown = 0
    for name, column in (("regions", "region"), ("kinds", "kind")):
        tables: list[Shown] = []
        joined: list[int] = []
        left: list[int] = []
        known = ""
        for number in range(weeks):
            folder = f"/press/releases/{MONDAY + number * WEEK}"
            found = rows(visitor, f"{folder}/{name}.csv")
            if found[0]["as_at"] in ("", known):
                continue  # the table of the week before stands
            until = found[0]["as_at"][:10]
            days = [
                each
                for each in rows(visitor, f"{folder}/daily.csv")
                if known[:10] < each["date"] <= until
            ]
            known = found[0]["as_at"]
            tables.append({each[column]: int(each["signatures"] or 0) or None for each in found})
            joined.append(sum(int(each["verified"]) + int(each["returned"]) for each in days))
            left.append(
                sum(int(each[lost]) for each in days for lost in ("withdrawn", "held", "removed"))
            )
        attacker = Attacker(tables, joined, left)
        attacker.reckon()
        for cell, numbers in attacker.small_numbers().items():
            suppressed += 1
            assert set(numbers) >= set(range(SMALLEST)), (name, cell, numbers)
        shown += sum(each is not None for table in tables for each in table.values())
    assert suppressed > 10
    assert shown > 20
