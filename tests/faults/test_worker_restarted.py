"""`coalition serve` keeps a worker running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.conftest import serving
from tests.faults.test_serving import on_sqlite, wait_until
from tests.mailbox import Mailbox
from tests.processes import worker_of


@on_sqlite
def test_a_worker_that_dies_is_started_again(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        wait_until(lambda: len(worker_of(site)) == 1, "no worker runs")
        (first,) = worker_of(site)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: bool(set(worker_of(site)) - {first}), "no other worker came")
        visitor = site.visitor
        visitor.submit(
            visitor.get("/petition"), "/petition/sign",
            name="Ada", email="ada@example.org", consent="yes",
        )  # fmt: skip
        mailbox.wait_for(1)
