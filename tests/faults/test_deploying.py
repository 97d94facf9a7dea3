"""A new version with a migration is put up while people sign, one machine after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from coalition.schema import MIGRATIONS, newest
from tests.conftest import Site, serving
from tests.engines import on_postgresql
from tests.faults.crowd import Crowd, assert_nothing_lost, signing, wait_until
from tests.mailbox import Mailbox

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{last}"


def upgrade():
    op.add_column("signatures", sa.Column("added", sa.Text(), server_default="x", nullable=False))
    op.add_column("outbox_messages", sa.Column("added", sa.Text(), nullable=True))
"""


@pytest.fixture
def next_migrations(tmp_path: Path) -> Path:
    """Our migrations, and one more, which adds to the tables that are written when people sign."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (last,) = newest()
    (folder / "versions" / "next.py").write_text(MIGRATION.format(last=last))
    return folder


@contextmanager
def long_look(database_url: str) -> Iterator[Callable[[], bool]]:
    """Somebody looks at the signatures for a long time, as a backup does: until then no table
    of theirs can be changed. Gives whether somebody waits to change one."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url) as connection:
        connection.execute("SELECT count(*) FROM signatures")

        def somebody_waits() -> bool:
            found = connection.execute(
                "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
            )
            return found.rowcount > 0

        yield somebody_waits


def upgrade_under_load(site: Site, people: Crowd, migrations: Path) -> None:
    """Run the new migration while it has to wait for somebody: it lets others pass meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        with long_look(site.environment["COALITION_DATABASE_URL"]) as upgrade_waits:
            upgrade = pool.submit(site.command, "db", "upgrade", "--directory", str(migrations))
            for _ in range(2):
                wait_until(upgrade_waits, "it does not try")
                wait_until(lambda: not upgrade_waits(), "it lets nobody pass", 5)
                people.wait_for(10)
        done = upgrade.result(60)
    assert done.returncode == 0, done.stderr
    assert "lets others pass" in done.stderr


@on_postgresql
def test_a_new_version_is_put_up_while_people_sign(
    database_url: str, mailbox: Mailbox, tmp_path: Path, next_migrations: Path
) -> None:
    with ExitStack() as first, ExitStack() as second, ExitStack() as third:

        def start(machine: ExitStack, name: str) -> Site:
            return machine.enter_context(serving(database_url, mailbox, tmp_path / name))

        sites = [start(first, "first"), start(second, "second")]
        with signing(*(each.url for each in sites)) as people:
            people.wait_for(20)
            upgrade_under_load(sites[0], people, next_migrations)
            # What was there before the migration serves on, and says that it is ready.
            assert [each.visitor.get("/readyz").status for each in sites] == [200, 200]
            first.close()
            people.urls.append(start(third, "third").url)
            people.urls.remove(sites[0].url)
            second.close()
            people.urls.remove(sites[1].url)
            people.wait_for(20)
        assert people.pages == []
        # Where nobody listens any more a proxy asks the next machine; no answer was cut off.
        assert {type(each) for each in people.cut} <= {ConnectionRefusedError}
        assert people.slowest < 5
        site = Site(people.urls[0], sites[0].environment, tmp_path / "log", 0)
        assert_nothing_lost(site, people, mailbox)
