"""Idle and slow connections by the thousand: others sign meanwhile, as quickly as before."""

from __future__ import annotations

import resource
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from coalition.serve import OTHER_FILES
from tests.conftest import Site, serving
from tests.engines import on_sqlite
from tests.faults.crowd import assert_nothing_lost, signing
from tests.faults.held_connections import held
from tests.mailbox import Mailbox
from tests.processes import web_processes_of

PROCESSES = 2
SHARE = 0.8  # of what a process may hold: the system does not share them out quite evenly
EACH_TAKES = 40  # KB at most
WARM = 60_000  # KB that a process may grow by its work, with no connection held


def possible(wanted: int) -> int:
    """So many connections, or as many as the server may have files open for."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return min(wanted, int(PROCESSES * (files - OTHER_FILES) * SHARE))


def memory_of(site: Site) -> int:
    """What the web processes hold in memory, in KB."""
    lines = [
        line.split()
        for each in web_processes_of(site)
        for line in Path(f"/proc/{each}/status").read_text().splitlines()
    ]
    return sum(int(words[1]) for words in lines if words[0] == "VmRSS:")


@on_sqlite
@pytest.mark.parametrize(("number", "kind"), [(1_500, "slow"), (10_000, "idle")])
def test_others_sign_while_so_many_connections_are_held(
    database_url: str, mailbox: Mailbox, tmp_path: Path, number: int, kind: str
) -> None:
    number = possible(number)
    with serving(database_url, mailbox, tmp_path / "log", WEB_PROCESSES=str(PROCESSES)) as site:
        before = memory_of(site)
        port = urlsplit(site.url).port
        assert port
        with held(port, number, kind), signing(site.url) as people:
            people.wait_for(40)
            grown = memory_of(site) - before
        assert people.refusals == []
        assert people.slowest < 5
        assert grown < number * EACH_TAKES + PROCESSES * WARM
        assert_nothing_lost(site, people, mailbox)
