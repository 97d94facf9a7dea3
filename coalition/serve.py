"""`coalition serve`: web server and worker in one process tree, for one machine.

Why granian, and why these settings: docs/adr/0002-wsgi-server.md.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask import current_app
from flask.cli import with_appcontext
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from coalition.settings import Settings
from coalition.web.logs import SERVER_LOGGERS
from coalition.web.metrics import FOLDER_VARIABLE

BLOCKING_THREADS = 4  # requests at once in each process; more only wait for one another
KILL_AFTER = 30  # seconds that a request may still take when the server stops
HEADER_SECONDS = 10  # in which a client must have sent its request line and headers
BACKLOG = 1024  # connections that may wait for a process
OPEN_CONNECTIONS = 8192  # in each process, idle ones among them; each takes some 20 KB
OTHER_FILES = 256  # that a process may have open beside them
GLANCE = 0.2  # seconds between two looks of the server at whether it is to stop
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND_NAME = Path("/proc/self/comm")
WORKER_NAME = "coalition-work"  # of at most 15 letters
WORKER_KILL_AFTER = 100  # seconds; a slow mail server may take 90 of them for the mail in hand
WORKER_REST = 1.0  # seconds before a worker that died is started again
# Python 3.14 no longer forks by itself: nothing would be shared.
FORK = multiprocessing.get_context("fork")

log = logging.getLogger(__name__)


class WorkerKeeper:
    """Runs `coalition worker` beside the web server, and again if it dies.

    It is forked, so that it shares the memory of all that is loaded: a process started anew takes
    some 70 MB more.
    """

    def start(self) -> None:
        """Start the worker. Raises OSError where the machine has no room for it."""
        process = FORK.Process(target=_become_worker, daemon=True)
        # A signal that comes before the worker listens must wait, and not be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        self._process = process
        self._died_at: float | None = None

    def look(self) -> None:
        """Start the worker again, WORKER_REST after it died."""
        if self._process.exitcode is None:
            return
        now = time.monotonic()
        if self._died_at is None:
            status = self._process.exitcode
            log.error("the worker ended with status %s; it is started again", status)
            self._died_at = now
        elif now - self._died_at >= WORKER_REST:
            try:
                self.start()
            except OSError as error:
                log.error("the worker cannot be started: %s", error.strerror)
                self._died_at = now

    def stop(self) -> None:
        """Ask the worker to finish the mail in hand, and wait until it has."""
        self._process.terminate()
        self._process.join(WORKER_KILL_AFTER)
        self._process.kill()
        self._process.join()


def _become_worker() -> None:
    """Be `coalition worker` from now on."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    # It answers no requests, and has nothing to count.
    os.environ.pop(FOLDER_VARIABLE, None)
    with suppress(OSError):  # where there is such a file, `top` and `ps -o comm` tell it apart
        COMMAND_NAME.write_text(WORKER_NAME)
    sys.argv[1:] = ["worker"]
    # Only now: the command knows this module, and not the other way round.
    import_module("coalition.cli").main()


class _Glances(threading.Event):
    """Lets the server look every moment at whether it is to stop, or to start a process again.

    The event that it would wait for without end has locks. A signal that comes just before the
    wait is seen only after it, and one that comes while a lock is held waits for ever.
    """

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        self._look = look

    def set(self) -> None:
        """Nothing: the next look is never far."""

    def clear(self) -> None:
        """Nothing either."""

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(GLANCE)
        self._look()
        return True


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--worker/--no-worker", default=True, help="Run the worker too (the default).")
@with_appcontext
def serve(host: str, port: int, worker: bool) -> None:
    """Serve the site, with the worker in the same process tree."""
    settings: Settings = current_app.extensions["settings"]
    _refuse_a_taken_port(host, port)
    multiprocessing.set_start_method(FORK.get_start_method(), force=True)
    server = Granian(
        "wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        # Not "auto": that waits without end for a client that says nothing.
        http=HTTPModes.http1,
        workers=settings.web_processes,
        blocking_threads=BLOCKING_THREADS,
        backlog=BACKLOG,
        backpressure=_open_connections(),
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=KILL_AFTER,
        websockets=False,
        log_level=LogLevels.error,
        # An access log would hold addresses of visitors and private links.
        log_access=False,
        log_dictconfig=SERVER_LOGGERS,
    )
    keeper = WorkerKeeper()
    # Whoever closes the terminal wants it to stop. The server would start its processes anew.
    server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt))
    if worker:
        server.on_startup(keeper.start)
        server.on_shutdown(keeper.stop)
    click.echo(f"Open {settings.site_url} (listening on {host}:{port}). Ctrl-C stops it.")
    # Web processes and worker leave the terminal's group as soon as they are forked: Ctrl-C is for the
    # server, which stops them in order. One that ended by itself would be taken for a crash.
    os.register_at_fork(after_in_child=os.setpgrp)
    server.main_loop_interrupt = _Glances(keeper.look if worker else lambda: None)
    # What is loaded stays for good: looking through it for garbage would only write into memory
    # that the processes share.
    gc.collect()
    gc.freeze()
    with TemporaryDirectory(prefix="coalition-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        server.serve()
    click.echo("Stopped.")


def _open_connections() -> int:
    """How many connections each process may hold: as many as it may open files for.

    Whoever comes when all are taken waits until one is given up, so idle and slow ones must not
    take them all. Asks for what is missing, as far as the machine allows it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return OPEN_CONNECTIONS
    files = OPEN_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return min(OPEN_CONNECTIONS, max(soft, files) - OTHER_FILES)


def _refuse_a_taken_port(host: str, port: int) -> None:
    """End with one line if something listens there already.

    The server itself would share the port without a word, and visitors would meet the one or
    the other.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({error.strerror}). Does something answer there "
            "already? Stop it, or choose another port."
        ) from error
