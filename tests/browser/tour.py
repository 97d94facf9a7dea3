"""The way through all states. What was sent and shown in each is kept for what compares them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.sites import Sites
from tests.browser.states import STATES, State
from tests.browser.visits import Turns, Visit


@dataclass(frozen=True)
class Seen:
    """What a state left behind."""

    url: str
    title: str
    source: str


class Tour:
    """Goes to states, and remembers them in a folder, which other processes may share."""

    def __init__(self, browser: Browser, sites: Sites, folder: Path) -> None:
        self._sites, self._folder = sites, folder
        self._turns = Turns(browser, sites.main.url)
        folder.mkdir(exist_ok=True)

    @contextmanager
    def going_to(self, state: State) -> Iterator[Visit]:
        with self._turns.next() as visit:
            state.way(visit.page, self._sites)
            visit.page.wait_for_load_state()
            seen = Seen(visit.page.url, visit.page.title(), visit.source)
            path = self._path(state)
            written = path.with_suffix(f".{id(self)}")
            written.write_text(json.dumps(asdict(seen)), encoding="utf-8")
            written.rename(path)  # nobody reads half of it
            yield visit

    def end(self) -> None:
        self._turns.end()

    def _path(self, state: State) -> Path:
        return self._folder / f"{STATES.index(state)}.json"

    def everything(self) -> dict[str, Seen]:
        """All states by their names; those that nobody looked at yet are gone to now."""
        return {state.name: self._look_at(state) for state in STATES}

    def _look_at(self, state: State) -> Seen:
        if not self._path(state).exists():
            with self.going_to(state):
                pass
        return Seen(**json.loads(self._path(state).read_text(encoding="utf-8")))
