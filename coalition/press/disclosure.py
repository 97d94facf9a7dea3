"""Disclosure control: which figures below the national one are published, and how they may move.

The rule is that of NHS England for Hospital Episode Statistics ("HES Analysis Guide", small
numbers): below national level 1 to 7 is suppressed, and 8 and more is rounded to the nearest 5.
The kind of signatory hints at health, so it follows the rule as well, although it is national. It
is never crossed with the region: the tally does not hold that.

The national count is exact and public at every moment, which that of HES is not. So the rule alone
would give people away: in a week in which one person signs, a region that goes from suppressed to
10 had 7. Hence:

- None is shown like 1 to 7, or else the only signature of a week would name its region.
- Who did not say is never shown, and no table has a total: that is the secondary suppression.
  What is left of the national count is then no number of any category.
- A table is made of whole weeks, and only once `enough` people have joined since the one before.
- Those who leave are taken out of the tables together, once `many_left` of them have.
- A figure rises only as far as those who joined nationally could all have joined there, after
  every other figure has risen from the lowest number that it stood for to the lowest that it
  stands for now, and `reserve` of them are left. It falls only as far as those who left allow in
  the same way. Else it stays as it was, or goes a part of the way.

What that proves: take the world in which every category has the lowest number that its figure
stands for, 0 where it is suppressed, and everybody else did not say. It has the same national
count at every table, and this module would have published the same of it. So has each world in
which any one suppressed category has any other number up to `reserve`, for as long as it is
suppressed, for `reserve` people who did not say are always left to take or give them. So nobody,
even one who knows this code and kept every table, can tell what a suppressed number is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Table = Mapping[str, int | None]  # what is shown of each category; None: suppressed


@dataclass(frozen=True)
class Rule:
    """Below `smallest` a number is suppressed; others are rounded to the nearest `step`."""

    smallest: int = 8  # HES Analysis Guide
    step: int = 5  # the same
    enough: int = 40  # people: lets five categories become visible at once

    @property
    def reserve(self) -> int:
        """The largest number that is suppressed."""
        return self.smallest - 1

    @property
    def first(self) -> int:
        """The smallest number that is ever shown."""
        return (self.smallest + self.step // 2) // self.step * self.step

    def shown(self, count: int) -> int | None:
        """What the rule shows of a count."""
        if count < self.smallest:
            return None
        return (count + self.step // 2) // self.step * self.step

    def lowest(self, shown: int | None) -> int:
        """The lowest count that is shown so."""
        return 0 if shown is None else max(self.smallest, shown - self.step // 2)

    def many_left(self, table: Table) -> int:
        """How many must have left before they are taken out: as many as let every category that
        is shown vanish at once."""
        return self.reserve + self.smallest * sum(shown is not None for shown in table.values())


RULE = Rule()


@dataclass(frozen=True)
class People:
    """Of each category, those who are never shown among them: how many ever joined, by
    verification, release, restoring or correction; and how many ever left."""

    joined: Mapping[str, int]
    left: Mapping[str, int]

    @property
    def all_joined(self) -> int:
        return sum(self.joined.values())

    @property
    def all_left(self) -> int:
        return sum(self.left.values())


@dataclass(frozen=True)
class Published:
    """A table, and what was known of the nation when it was made."""

    table: dict[str, int | None]
    joined: int  # all people who had joined, those of no category among them
    left: Mapping[str, int]  # those who had left and were taken out, of each category

    @classmethod
    def nothing(cls, categories: Sequence[str]) -> Published:
        """Before the first table: all is suppressed."""
        return cls(dict.fromkeys(categories), 0, {})

    @property
    def all_left(self) -> int:
        return sum(self.left.values())


def next_table(before: Published, now: People, rule: Rule = RULE) -> Published | None:
    """What may be published after `before`, which is the table before this one or
    `Published.nothing`; None where that one stands.

    The order of its categories decides which moves first where not all can. It must not depend
    on any count.
    """
    if now.all_left - before.all_left >= rule.many_left(before.table):
        after = _moved(before, now, now.left, rule)
        if _rest(after, rule) >= rule.reserve or not any(after.table.values()):
            return after
    if now.all_joined - before.joined >= rule.enough:
        return _moved(before, now, before.left, rule)
    return None


def _moved(before: Published, now: People, left: Mapping[str, int], rule: Rule) -> Published:
    counts = {each: now.joined.get(each, 0) - left.get(each, 0) for each in before.table}
    after = Published(dict(before.table), now.all_joined, dict(left))
    room = _lower(after.table, counts, after.all_left - before.all_left, rule)
    _leave_a_rest(after, room, rule)
    room = min(now.all_joined - before.joined, _rest(after, rule)) - rule.reserve
    _raise(after.table, counts, room, rule)
    return after


def _rest(published: Published, rule: Rule) -> int:
    """How many did not say, where each category has the lowest number that it may have."""
    shown = sum(map(rule.lowest, published.table.values()))
    return published.joined - published.all_left - shown


def _lower(table: dict[str, int | None], counts: Mapping[str, int], room: int, rule: Rule) -> int:
    """Let figures fall as far as `room` people who left allow: first those that vanish. Returns
    the room that is left."""
    for each, shown in table.items():
        if shown is not None and counts[each] < rule.smallest and rule.lowest(shown) <= room:
            room -= rule.lowest(shown)
            table[each] = None
    for each, shown in table.items():
        true = rule.shown(counts[each])
        if shown is None or true is None or true >= shown:
            continue
        falls = [to for to in range(true, shown, rule.step) if _between(to, shown, rule) <= room]
        if falls:
            room -= _between(falls[0], shown, rule)
            table[each] = falls[0]
    return room


def _leave_a_rest(published: Published, room: int, rule: Rule) -> None:
    """After many have left at once, let figures fall until the rest is large enough again."""
    table = published.table
    for each in reversed(table):
        shown, missing = table[each], rule.reserve - _rest(published, rule)
        if shown is None or missing <= 0:
            continue
        lower = (None, *range(rule.first, shown, rule.step))
        falls = [to for to in lower if _between(to, shown, rule) <= room]
        if falls:
            enough = [to for to in falls if _between(to, shown, rule) >= missing]
            table[each] = enough[-1] if enough else falls[0]
            room -= _between(table[each], shown, rule)


def _raise(table: dict[str, int | None], counts: Mapping[str, int], room: int, rule: Rule) -> None:
    """Let figures rise as far as `room` people who joined allow: first those that appear."""
    for each in sorted(table, key=lambda each: table[each] is not None):
        true, shown = rule.shown(counts[each]), table[each]
        if true is None or (shown is not None and true <= shown):
            continue
        most = room + rule.lowest(shown)  # that it may stand for at the lowest
        if most < rule.lowest(rule.first if shown is None else shown + rule.step):
            continue
        highest = most // rule.step * rule.step + rule.step
        while rule.lowest(highest) > most:
            highest -= rule.step
        table[each] = min(true, highest)
        room -= _between(shown, table[each], rule)


def _between(lower: int | None, higher: int | None, rule: Rule) -> int:
    return rule.lowest(higher) - rule.lowest(lower)
