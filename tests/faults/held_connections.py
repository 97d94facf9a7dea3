"""Holds many connections to a server open, in a process of its own, until its input ends.

`python -m tests.faults.held_connections PORT NUMBER KIND`; prints a line once all are open.
"""

from __future__ import annotations

import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What each says. The slow ones say one letter more every second.
IDLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SLOW = b"GET /healthz HTTP/1.1\r\nX-Slow: "
KINDS = {"idle": IDLE, "slow": SLOW}
OTHER_FILES = 100  # of the process that holds them


@contextmanager
def held(port: int, number: int, kind: str) -> Iterator[None]:
    """So many connections, shared out over as many processes as the limits of open files ask for."""
    each = min(number, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_FILES)
    with ExitStack() as stack:
        for begun in range(0, number, each):
            stack.enter_context(_holder(port, min(each, number - begun), kind))
        yield


@contextmanager
def _holder(port: int, number: int, kind: str) -> Iterator[None]:
    command = [sys.executable, "-m", __name__, str(port), str(number), kind]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"
        yield
        assert process.stdin
        process.stdin.close()


def hold(port: int, number: int, kind: str) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(number)]
    for each in clients:
        each.sendall(KINDS[kind])
    if kind == "idle":
        for each in clients:
            assert each.recv(12) == b"HTTP/1.1 200"
    sys.stdout.write("open\n")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 1)[0]:
        if kind == "slow":
            _say_a_letter_more(clients)


def _say_a_letter_more(clients: list[socket.socket]) -> None:
    for each in clients.copy():
        try:
            each.sendall(b"x")
        except OSError:  # it was let go for being so slow
            each.close()
            clients.remove(each)


if __name__ == "__main__":
    hold(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
