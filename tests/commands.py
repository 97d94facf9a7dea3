"""Running `coalition` as from a shell, without waiting each time for Python to load all of it.

One process has loaded the command and does nothing else but fork: what runs then is a process of
its own, in a session of its own, with the arguments, the environment and the files that it was given.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import IO

from sqlalchemy.orm import configure_mappers

import coalition.cli

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(sys.executable).with_name("coalition")
PATIENCE = 120.0  # seconds


def run_coalition(
    words: tuple[str, ...], environment: dict[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """What `coalition WORDS` printed, and how it ended. Raises TimeoutError after PATIENCE."""
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        given, told, complained = files
        given.write(stdin)
        given.seek(0)
        ended = start_coalition(words, environment, *files).wait(PATIENCE)
        for each in files:
            each.seek(0)
        return subprocess.CompletedProcess(words, ended, told.read(), complained.read())


def start_coalition(
    words: tuple[str, ...],
    environment: dict[str, str],
    given: IO[bytes],
    told: IO[bytes],
    complained: IO[bytes],
) -> Command:
    """`coalition WORDS` in the background, with these files to read from, to print and to complain
    to."""
    ours, theirs = socket.socketpair()
    with theirs:
        files = [each.fileno() for each in (theirs, given, told, complained)]
        socket.send_fds(_forker(), [b"."], files)
    ours.sendall(json.dumps([words, environment]).encode() + b"\n")
    return Command(ours)


def start_script(
    words: tuple[str, ...],
    environment: dict[str, str],
    given: IO[bytes],
    told: IO[bytes],
    complained: IO[bytes],
) -> subprocess.Popen[bytes]:
    """The same by the script that is installed, in a Python that begins from nothing."""
    return subprocess.Popen(
        [SCRIPT, *words],
        env=environment,
        cwd=ROOT,
        stdin=given,
        stdout=told,
        stderr=complained,
        start_new_session=True,
    )


class Command:
    """A command that was started: as much of subprocess.Popen as the tests ask for."""

    def __init__(self, told: socket.socket) -> None:
        self._told, self._ended = told, None
        self.pid = self._hear(PATIENCE)

    def _hear(self, seconds: float) -> int:
        """The next number that is told of it. Raises TimeoutError, without seconds to wait
        BlockingIOError, and ConnectionError where nobody is left to tell it."""
        self._told.settimeout(seconds)
        word = self._told.recv(4, socket.MSG_WAITALL)
        if len(word) < 4:
            raise ConnectionError("nobody knows any more what became of a command")
        return int.from_bytes(word, signed=True)

    def poll(self) -> int | None:
        """How it ended; None as long as it runs."""
        with suppress(BlockingIOError):
            return self.wait(0)
        return None

    def wait(self, seconds: float) -> int:
        """How it ended. Raises TimeoutError where it still runs after so long."""
        if self._ended is None:
            self._ended = self._hear(seconds)
            self._told.close()
        return self._ended

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


Started = Command | subprocess.Popen[bytes]


@cache
def _forker() -> socket.socket:
    """The process that forks, as a socket that takes the files of the next command."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.commands"],
            stdin=theirs,
            cwd=ROOT,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def fork_for_ever() -> None:
    """The life of the process that forks: until those who ask are gone."""
    import coalition.copying  # noqa: F401 (`coalition` loads it once somebody asks for it)

    configure_mappers()
    gc.freeze()  # what is looked through for garbage is copied to whoever looks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that stand between
    with socket.socket(fileno=0) as asked:
        while True:
            message, files, _, _ = socket.recv_fds(asked, 1, 4)
            if not message:
                return
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                asked.detach()
                _serve_one(*files)
            for each in files:
                os.close(each)


def _serve_one(answer: int, *files: int) -> None:
    """Run one command in a process of its own, and tell its number and how it ended."""
    with socket.socket(fileno=answer) as caller:
        words, environment = json.loads(caller.makefile().readline())
        child = os.fork()
        if child == 0:
            caller.detach()
            os.close(answer)
            _become(words, environment, files)
        caller.sendall(child.to_bytes(4))
        for each in files:
            os.close(each)
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):  # who asked has gone meanwhile
            caller.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, signed=True))
    os._exit(0)


def _become(words: list[str], environment: dict[str, str], files: tuple[int, ...]) -> None:
    os.setsid()
    for number, each in enumerate(files):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["coalition", *words]
    coalition.cli.main()
    sys.exit(0)


if __name__ == "__main__":
    fork_for_ever()
