"""One browser and one set of running sites, for all tests in the browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import markup
from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.sites import Sites
from tests.browser.states import STATES, State
from tests.browser.tour import Tour
from tests.browser.visits import Visit
from tests.mailbox import Mailbox

SIDES = 2  # groups of states that can be tested side by side


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, each state is gone to once: all that is tested of it runs in
    one place. The largest groups are begun first, so that what compares all states is among the
    last."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    given = (
        item.callspec.params.get("state")
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else None
    )
    if isinstance(given, State):
        return f"states {STATES.index(given) % SIDES}"
    return item.path.stem


# Not for the whole run: beside Playwright, no other test could start a loop of asyncio.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def sites(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with Mailbox().running() as mailbox, ExitStack() as stack:
        yield Sites(tmp_path_factory.mktemp("sites"), prepared_sqlite, mailbox, stack)


@pytest.fixture(scope="package")
def tour(
    browser: Browser, sites: Sites, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tour]:
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all that run side by side
    running = Tour(browser, sites, folder / "states")
    yield running
    running.end()


@pytest.fixture(scope="module", params=STATES, ids=lambda state: state.name)
def state(request: pytest.FixtureRequest) -> State:
    given: State = request.param
    return given


@pytest.fixture(scope="module")
def visit(tour: Tour, state: State) -> Iterator[Visit]:
    """Somebody who has come to this state, and stays for all that a module tests of it."""
    with tour.going_to(state) as here:
        yield here


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # Not in the header, which pytest leaves out when it is quiet.
    terminalreporter.write_line(f"The pages' HTML is read by {markup.reader_name()}.")
