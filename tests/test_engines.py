"""On which databases each test is run."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

from tests.engines import BOTH, DATABASES

TWO_AT_ONE_MOMENT = (
    "test_two_administrators_cannot_take_the_role_from_each_other_at_one_moment"  # on_both
)


def engines_by_test(*words: str) -> dict[str, set[str]]:
    """For each test that pytest finds and that has a database, those that it would run it on."""
    command = [sys.executable, "-m", "pytest", "--collect-only", *words]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = defaultdict(set)
    for line in told.splitlines():
        for engine in DATABASES:
            if "::" in line and engine in line:
                found[line.partition("::")[2].replace(engine, "")].add(engine)
    return found


def test_a_test_of_a_screen_runs_on_one_database_and_its_screen_meets_both() -> None:
    found = engines_by_test("tests/desk/test_people.py")
    both = found.pop(f"{TWO_AT_ONE_MOMENT}[]")
    assert both == set(DATABASES)
    assert {len(engines) for engines in found.values()} == {1}
    assert set.union(*found.values()) == set(DATABASES)


def test_whoever_asks_for_it_has_all_on_both() -> None:
    found = engines_by_test("tests/desk/test_people.py", BOTH)
    assert len(found) > 1
    assert all(engines == set(DATABASES) for engines in found.values())


def test_what_asks_a_database_something_of_its_own_is_on_both_anyway() -> None:
    found = engines_by_test("tests/petition/test_tally.py")
    assert len(found) > 1
    assert all(engines == set(DATABASES) for engines in found.values())
