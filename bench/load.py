"""Load, by wrk: a C program that needs a fraction of what the server does."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parent / "load.lua"
MISSING = "bench: wrk is needed for the load (on Debian: apt install wrk)"


@dataclass(frozen=True)
class Load:
    """What came of a load. Times are in milliseconds."""

    rate: float  # answers a second
    p50: float
    p95: float
    p99: float
    failed: int  # answers of 400 and above, and connections that broke
    generator: float  # of one core, that wrk itself took


def drive(
    url: str, sort: str = "get", given: str = "", *, connections: int = 16, seconds: float = 5
) -> Load:
    """Ask `url` for that long, with as many connections as stand open at once."""
    program = shutil.which("wrk")
    if program is None:
        sys.exit(MISSING)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            program, "--threads", "1", "--connections", str(connections),
            "--duration", f"{seconds:.0f}s", "--timeout", "30s", "--script", str(SCRIPT), url,
            "--", sort, given,
        ],
        check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = re.search(r"FOUND (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    requests, micros, *percentiles, failed = map(int, found.groups())
    passed = micros / 1e6
    return Load(requests / passed, *(each / 1e3 for each in percentiles), failed, used / passed)
