"""Redis is killed while people sign, and comes back: nobody notices, and the figures tell."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis

from tests.conftest import serving
from tests.engines import on_sqlite
from tests.faults.crowd import assert_nothing_lost, signing, wait_until
from tests.mailbox import Mailbox, free_port
from tests.storing import running_redis
from tests.web.test_metrics import read, value


@on_sqlite
def test_redis_killed_under_load_is_noticed_by_nobody_who_signs(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    with serving(database_url, mailbox, tmp_path / "log", REDIS_URL=url) as site:

        def in_memory() -> float:
            return value(read(site.visitor), "limits_in_memory", store="redis")

        with signing(site.url) as people:
            with running_redis(tmp_path, port):
                wait_until(lambda: in_memory() == 0, "Redis is not found")
                people.wait_for(20)
                with redis.Redis(port=port) as client:
                    os.kill(client.info()["process_id"], signal.SIGKILL)
                people.wait_for(20)
                wait_until(lambda: in_memory() > 0, "no figure tells")
            with running_redis(tmp_path, port):
                wait_until(lambda: in_memory() == 0, "Redis is not found again", 60)
                people.wait_for(20)
        assert people.refusals == []
        assert_nothing_lost(site, people, mailbox)
