"""`coalition serve` keeps a worker running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.conftest import serving
from tests.faults.test_serving import on_sqlite, runs, wait_until
from tests.mailbox import Mailbox


def workers_of(process_id: int) -> list[int]:
    """The running `coalition worker` processes that a process has started."""
    children = Path(f"/proc/{process_id}/task").glob("*/children")
    ids = [int(each) for file in children for each in file.read_text().split()]
    return [
        each
        for each in ids
        if runs(each) and Path(f"/proc/{each}/cmdline").read_bytes().endswith(b"\0worker\0")
    ]


@on_sqlite
def test_a_worker_that_dies_is_started_again(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        wait_until(lambda: len(workers_of(site.group)) == 1, "no worker runs")
        (first,) = workers_of(site.group)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: bool(set(workers_of(site.group)) - {first}), "no other worker came")
        visitor = site.visitor
        visitor.submit(
            visitor.get("/petition"), "/petition/sign",
            name="Ada", email="ada@example.org", consent="yes",
        )  # fmt: skip
        mailbox.wait_for(1)
