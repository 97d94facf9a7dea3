"""On which databases each test is run.

What asks a database something of its own is tested on both. A screen asks with the same words on
either, and what it asks for has tests of its own: its tests are run on one each, in turns, so that the
tests of every screen meet both. Those of two who come at one moment, and of what is kept, are marked
`on_both`. `pytest --both-databases` runs all of them on both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import pytest

DATABASES = ("sqlite", "postgresql")
SCREENS = ("accounts", "browser", "desk", "pages", "web")  # folders of tests
BOTH = "--both-databases"
on_both = pytest.mark.on_both
# For tests of what does not depend on the database, or on one of them alone.
on_sqlite, on_postgresql = (
    pytest.mark.parametrize("database_url", [each], indirect=True) for each in DATABASES
)
_TESTS = Path(__file__).parent


def those_of_another_turn(items: Sequence[pytest.Item]) -> set[pytest.Item]:
    """The tests of screens that are left to the other database: which one that is depends on a
    test's name alone."""
    alike: dict[str, dict[str, pytest.Item]] = defaultdict(dict)
    for item in items:
        if engine := _engine_of(item):
            alike[item.nodeid.replace(engine, "")][engine] = item
    return {
        on_each[DATABASES[crc32(name.encode()) % 2]]
        for name, on_each in alike.items()
        if len(on_each) == len(DATABASES)
    }


def _engine_of(item: pytest.Item) -> str | None:
    """The database that the test of a screen is run on; None for every other test."""
    is_of_a_screen = item.path.relative_to(_TESTS).parts[0] in SCREENS
    if not is_of_a_screen or item.get_closest_marker("on_both") or not hasattr(item, "callspec"):
        return None
    engine: str | None = item.callspec.params.get("database_url")
    return engine
