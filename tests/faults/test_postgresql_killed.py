"""PostgreSQL is killed while people sign, and comes back: the site goes on by itself."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Postgres, _quickest_folder, prepare, serving
from tests.faults.crowd import assert_nothing_lost, assert_told_kindly, signing, wait_until
from tests.mailbox import Mailbox
from tests.processes import worker_of
from tests.storing import OwnPostgres

BACK_WITHIN = 5  # seconds in which people can sign again


@pytest.fixture(scope="module")
def own_server(postgres: Postgres) -> Iterator[OwnPostgres]:
    """A PostgreSQL that nobody else needs, with the example campaign. As it is for real, what it
    has acknowledged is on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="coalition-killed-", dir=_quickest_folder()))
    server = OwnPostgres(folder)
    prepare(server.url)
    yield server
    server.stop()
    shutil.rmtree(folder)


def test_postgresql_killed_under_load_loses_nothing_and_the_site_goes_on_by_itself(
    own_server: OwnPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(own_server.url, mailbox, tmp_path / "log") as site:
        with signing(site.url) as people:
            people.wait_for(20)
            worker = worker_of(site)
            own_server.kill()
            wait_until(lambda: len(people.pages) > 20, "nobody is told")
            own_server.start()
            back = time.monotonic()
            people.wait_for(1, seconds=BACK_WITHIN)
            people.wait_for(20)
        assert people.cut == []
        assert people.refused_since(back + BACK_WITHIN) == []
        for page in people.pages:
            assert_told_kindly(page)
        assert worker_of(site) == worker
        assert_nothing_lost(site, people, mailbox)


def test_a_postgresql_that_was_started_anew_between_two_forms_is_noticed_by_nobody(
    own_server: OwnPostgres, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(own_server.url, mailbox, tmp_path / "log") as site:
        form = site.visitor.get("/petition").form("/petition/sign")

        def sign(number: int) -> int:
            typed = {"name": "Ada", "email": f"later{number}@example.org", "consent": "yes"}
            return site.visitor.post(form.action, {**form.values, **typed}, follow=False).status

        # So that every process keeps connections, which the kill cuts.
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(sign, range(40))) == {303}
        own_server.kill()
        own_server.start()
        assert [sign(number) for number in range(20)] == [303] * 20
