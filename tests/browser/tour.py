"""The way through all states. What was sent and shown in each is kept for what compares them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from tests.browser.sites import Sites
from tests.browser.states import STATES, State
from tests.browser.visits import Visit, visiting


@dataclass(frozen=True)
class Seen:
    """What a state left behind."""

    url: str
    title: str
    source: str


class Tour:
    """Goes to states, and remembers them."""

    def __init__(self, browser: Browser, sites: Sites) -> None:
        self._browser, self._sites = browser, sites
        self._seen: dict[str, Seen] = {}

    @contextmanager
    def going_to(self, state: State) -> Iterator[Visit]:
        with visiting(self._browser, self._sites.main.url) as visit:
            state.way(visit.page, self._sites)
            self._seen[state.name] = Seen(visit.page.url, visit.page.title(), visit.source)
            yield visit

    def everything(self) -> dict[str, Seen]:
        """All states by their names; those that nobody looked at yet are gone to now."""
        for state in STATES:
            if state.name not in self._seen:
                with self.going_to(state):
                    pass
        return self._seen
