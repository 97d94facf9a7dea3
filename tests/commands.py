"""Running `coalition` as from a shell, without waiting each time for Python to load all of it.

One process has loaded the command and does nothing else but fork: what runs then is a process of
its own, with the arguments, the environment and the files that it was given.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import coalition.cli

ROOT = Path(__file__).resolve().parent.parent
LARGEST_REQUEST = 2**16
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
        ended = _ask(words, environment, [each.fileno() for each in files])
        for each in files:
            each.seek(0)
        return subprocess.CompletedProcess(words, ended, told.read(), complained.read())


def _ask(words: tuple[str, ...], environment: dict[str, str], files: list[int]) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            socket.send_fds(_forker(), [b"."], [theirs.fileno(), *files])
        ours.settimeout(PATIENCE)
        ours.sendall(json.dumps([words, environment]).encode() + b"\n")
        answer = ours.makefile().readline()
        return int(answer)


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
    """Run one command in a process of its own, and tell how it ended."""
    with socket.socket(fileno=answer) as caller:
        words, environment = json.loads(caller.makefile().readline())
        child = os.fork()
        if child == 0:
            _become(words, environment, files)
        _, status = os.waitpid(child, 0)
        caller.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(words: list[str], environment: dict[str, str], files: tuple[int, ...]) -> None:
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
