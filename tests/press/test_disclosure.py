"""Nobody can be picked out: what somebody can work out who has every table and knows the code."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalition.press.disclosure import RULE, People, Published, Rule, next_table

NOT_SAID = "-"
TWO = ("a", "b")
Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Week:
    """What happened to each category, the last of which is never shown."""

    joined: Numbers
    left: Numbers


World = Sequence[Week]


def named(numbers: Sequence[int], categories: Sequence[str]) -> dict[str, int]:
    return dict(zip((*categories, NOT_SAID), numbers, strict=True))


def published(world: World, categories: Sequence[str], rule: Rule) -> list[Published | None]:
    """What is published in each week of a world."""
    joined = left = (0,) * (len(categories) + 1)
    before, found = Published.nothing(categories), []
    for week in world:
        joined = tuple(map(sum, zip(joined, week.joined, strict=True)))
        left = tuple(map(sum, zip(left, week.left, strict=True)))
        people = People(named(joined, categories), named(left, categories))
        after = next_table(before, people, rule)
        found.append(after)
        before = after or before
    return found


# Suppressed, shown, rounded ------------------------------------------------------------------


def first_table(**joined: int) -> dict[str, int | None] | None:
    people = People({**joined, NOT_SAID: 1_000}, {})
    table = next_table(Published.nothing(sorted(joined)), people)
    return table and table.table


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, None), (1, None), (7, None), (8, 10), (12, 10), (13, 15), (17, 15), (18, 20), (998, 1000)],
)
def test_below_eight_is_suppressed_and_the_rest_is_rounded_to_five(
    count: int, shown: int | None
) -> None:
    assert first_table(a=count) == {"a": shown}
    assert RULE.shown(count) == shown


@given(st.integers(8, 10**9))
def test_what_is_shown_stands_for_a_count_that_is_shown_so(count: int) -> None:
    shown = RULE.shown(count)
    assert RULE.shown(RULE.lowest(shown)) == shown
    assert RULE.lowest(shown) <= count


def test_before_enough_people_have_joined_there_is_no_table() -> None:
    nothing = Published.nothing(TWO)
    assert next_table(nothing, People({"a": 20, NOT_SAID: 19}, {})) is None
    assert next_table(nothing, People({"a": 20, NOT_SAID: 20}, {})) is not None


def test_seven_that_become_eight_do_not_show_while_few_join() -> None:
    world = [Week((7, 30, 20), (0, 0, 0)), Week((1, 0, 0), (0, 0, 0)), Week((0, 9, 30), (0, 0, 0))]
    first, second, third = published(world, TWO, RULE)
    assert first
    assert first.table == {"a": None, "b": 30}
    assert second is None
    assert third
    assert third.table == {"a": 10, "b": 40}


def test_one_who_withdraws_does_not_show_until_many_have() -> None:
    world = [Week((8, 30, 60), (0, 0, 0)), Week((0, 0, 50), (1, 0, 0)), Week((0, 0, 0), (0, 0, 22))]
    first, second, third = published(world, TWO, RULE)
    assert first
    assert second
    assert third
    assert first.table == second.table == {"a": 10, "b": 30}
    assert second.left == {}
    assert third.table == {"a": None, "b": 30}


def test_the_national_count_minus_the_rest_gives_nothing_away() -> None:
    # Everybody said where they are: without care, 49 - 35 - 10 would leave 4 for b.
    table = next_table(Published.nothing("abc"), People({"a": 35, "b": 4, "c": 10}, {}))
    assert table
    rest = 49 - sum(map(RULE.lowest, table.table.values()))
    assert table.table["b"] is None
    assert rest >= 7


# Somebody who tries every world ---------------------------------------------------------------


def shares(total: int, among: int) -> Iterator[Numbers]:
    if among == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in shares(total - first, among - 1):
            yield (first, *rest)


def worlds(plan: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Iterator[World]:
    """Every way in which as many as the plan allows can join and leave, week by week."""
    found: list[tuple[list[Week], Numbers]] = [([], (0, 0, 0))]
    for joining, leaving in plan:
        found = [
            (
                [*weeks, Week(joined, left)],
                tuple(n + j - o for n, j, o in zip(here, joined, left, strict=True)),
            )
            for weeks, here in found
            for each, others in itertools.product(joining, leaving)
            for left in shares(others, 3)
            if all(n >= gone for n, gone in zip(here, left, strict=True))
            for joined in shares(each, 3)
        ]
    return (weeks for weeks, _ in found)


def running(world: World, upto: int) -> Numbers:
    """How many are in each category after some weeks."""
    return tuple(
        sum(week.joined[each] - week.left[each] for week in world[: upto + 1])
        for each in range(len(world[0].joined))
    )


PLANS = {
    "a week and one more": (Rule(2, 3, 3), [(range(3, 8), [0]), (range(5), range(4))]),
    "many leave": (Rule(2, 3, 3), [([6, 8, 9], [0]), ([0, 3], [0, 3, 5, 6])]),
    "a few leave early, many late": (Rule(2, 3, 3), [([5, 6], [0]), ([1, 3], [0, 1]), ([3], [0, 3])]),
    "a larger smallest number": (Rule(3, 3, 5), [(range(5, 9), [0]), ([0, 5], [0, 4, 6])]),
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_whoever_tries_every_world_can_tell_no_small_number(plan: str) -> None:
    """With a rule of smaller numbers, so that all worlds can be tried. The attacker knows the
    code, the exact national count of every week, and everything that was published."""
    rule, weeks = PLANS[plan]
    alike: dict[object, list[World]] = defaultdict(list)
    for world in worlds(weeks):
        seen = [table and tuple(table.table.values()) for table in published(world, TWO, rule)]
        nation = [(sum(week.joined), sum(week.left)) for week in world]
        alike[*seen, *nation].append(world)
    suppressed = shown = 0
    for seen, candidates in alike.items():
        for week, category in itertools.product(range(len(weeks)), range(2)):
            found = {running(world, week)[category] for world in candidates}
            nation = sum(running(candidates[0], week))
            # Not one that it must be, other than what the national count says by itself.
            assert len(found) > 1 or min(found) >= rule.smallest or nation == 0, (seen, week)
            table = seen[week]  # type: ignore[index]
            shown += bool(table and table[category])
            if week == 0 and table and table[category] is None:
                suppressed += 1
                assert found >= set(range(rule.smallest)), (seen, week)
    assert suppressed > 10
    assert shown > 100


# The real rule, with any history --------------------------------------------------------------

FOUR = ("a", "b", "c", "d")
some = st.one_of(st.integers(0, 12), st.integers(0, 60), st.sampled_from([6, 7, 8, 12, 13]))


@st.composite
def histories(draw: st.DrawFn) -> World:
    """Weeks in which nobody leaves who is not there."""
    here, weeks = [0] * 5, []
    for _ in range(draw(st.integers(1, 6))):
        left = [draw(st.integers(0, min(most, 30))) if draw(st.booleans()) else 0 for most in here]
        joined = [draw(some) for _ in here]
        here = [n + j - o for n, j, o in zip(here, joined, left, strict=True)]
        weeks.append(Week(tuple(joined), tuple(left)))
    return weeks


def other_world(world: World, tables: list[Published | None], target: str, number: int) -> World:
    """The world in which every category has the lowest number that its figure stands for, and
    `target` has `number` wherever it is suppressed; everybody else did not say."""
    joined = [[0] * len(FOUR) for _ in world]
    left = [[0] * len(FOUR) for _ in world]
    all_joined = [sum(week.joined) for week in world]
    all_left = [sum(week.left) for week in world]
    here = dict.fromkeys(FOUR, 0)
    last_table = last_taken_out = taken_out = 0  # the first week after it, twice; people
    for week, table in enumerate(tables):
        if table is None:
            continue
        for place, (each, shown) in enumerate(table.table.items()):
            low = number if each == target and shown is None else RULE.lowest(shown)
            more = low - here[each]
            _spread(joined, all_joined, last_table, week, place, more)
            _spread(left, all_left, last_taken_out, week, place, -more)
            here[each] = low
        last_table = week + 1
        if table.all_left > taken_out:
            last_taken_out, taken_out = week + 1, table.all_left
    return [
        Week((*new, sum(week.joined) - sum(new)), (*gone, sum(week.left) - sum(gone)))
        for week, new, gone in zip(world, joined, left, strict=True)
    ]


def _spread(
    weeks: list[list[int]], most: list[int], first: int, last: int, place: int, people: int
) -> None:
    """Let so many people of a category join, or leave, as soon as the national count allows."""
    for week in range(first, last + 1):
        now = min(max(people, 0), most[week] - sum(weeks[week]))
        weeks[week][place] += now
        people -= now
    assert people <= 0, "more than there were in the nation"


@settings(max_examples=400, deadline=None)
@given(histories(), st.sampled_from(FOUR), st.integers(0, 7))
def test_every_suppressed_number_might_as_well_be_any_other_up_to_seven(
    world: World, target: str, number: int
) -> None:
    tables = published(world, FOUR, RULE)
    other = other_world(world, tables, target, number)
    assert [sum(week.joined) for week in other] == [sum(week.joined) for week in world]
    assert all(each >= 0 for week in other for each in (*week.joined, *week.left))
    if sum(map(sum, (week.left for week in world))) == 0:
        assert all(running(other, week)[-1] >= 0 for week in range(len(world)))
    again = published(other, FOUR, RULE)
    assert [each and each.table for each in again] == [each and each.table for each in tables]


@settings(max_examples=400, deadline=None)
@given(histories())
def test_a_figure_is_never_higher_than_the_rule_shows(world: World) -> None:
    before: dict[str, int | None] = dict.fromkeys(FOUR)
    joined = named((0,) * 5, FOUR)
    for week, table in zip(world, published(world, FOUR, RULE), strict=True):
        joined = {each: joined[each] + new for each, new in named(week.joined, FOUR).items()}
        if table is None:
            continue
        for each, shown in table.table.items():
            true = RULE.shown(joined[each] - table.left.get(each, 0))
            assert shown is None or shown <= max(true or 0, before[each] or 0)
            assert shown is None or shown % RULE.step == 0
        before = dict(table.table)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2_000), min_size=4, max_size=4))
def test_where_one_in_five_did_not_say_every_figure_is_what_the_rule_shows(
    counts: list[int],
) -> None:
    joined = dict(zip(FOUR, counts, strict=True))
    people = People({**joined, NOT_SAID: sum(counts) // 4 + 40}, {})
    table = next_table(Published.nothing(FOUR), people)
    assert table
    assert table.table == {each: RULE.shown(number) for each, number in joined.items()}
