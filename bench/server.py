"""Any WSGI application behind the same server, with the same settings, as the site."""

from __future__ import annotations

import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from coalition.serve import BACKLOG, BLOCKING_THREADS, HEADER_SECONDS, OPEN_CONNECTIONS

PROCESSES = 2


def main() -> None:
    """`python -m bench.server MODULE:app PORT`."""
    target, port = sys.argv[1:]
    Granian(
        target,
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=PROCESSES,
        blocking_threads=BLOCKING_THREADS,
        backlog=BACKLOG,
        backpressure=OPEN_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
