"""A process of the site is killed while people sign: another takes its place, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Site, serving
from tests.faults.crowd import assert_nothing_lost, signing, wait_until
from tests.mailbox import Mailbox
from tests.processes import web_processes_of, worker_of

Processes = Callable[[Site], list[int]]


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    server = request.getfixturevalue("postgres")
    with server.database(request.getfixturevalue("prepared_postgres")) as url:
        yield url


def kill_one(site: Site, processes: Processes) -> None:
    """Kill one of these without a warning, and wait until another one has taken its place."""
    wait_until(lambda: bool(processes(site)), "none of them runs")
    before = processes(site)
    os.kill(before[0], signal.SIGKILL)
    wait_until(
        lambda: len(now := processes(site)) == len(before) and before[0] not in now,
        "no other one took its place",
    )


def test_what_is_killed_under_load_loses_no_signature_and_no_mail(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        with signing(site.url) as people:
            for processes in (web_processes_of, worker_of, web_processes_of, worker_of):
                people.wait_for(15)
                kill_one(site, processes)
            people.wait_for(15)
        # Only whoever was being answered at that moment sees anything of it.
        assert people.pages == []
        assert len(people.cut) < 20
        assert_nothing_lost(site, people, mailbox)
