"""The processes of a running site."""

from __future__ import annotations

from pathlib import Path

from coalition.serve import WORKER_NAME
from tests.conftest import Site


def runs(process_id: int) -> bool:
    """Whether a process is there and does something; one that only waits to be reaped is not."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(process_id: int) -> list[int]:
    """The running processes that a process has started."""
    files = Path(f"/proc/{process_id}/task").glob("*/children")
    return [each for file in files for each in map(int, file.read_text().split()) if runs(each)]


def worker_of(site: Site) -> list[int]:
    """The site's worker, if it runs."""
    return [each for each in children_of(site.group) if _name_of(each) == WORKER_NAME]


def web_processes_of(site: Site) -> list[int]:
    """The processes that answer the site's visitors."""
    return [each for each in children_of(site.group) if _name_of(each) not in (WORKER_NAME, None)]


def _name_of(process_id: int) -> str | None:
    try:
        return Path(f"/proc/{process_id}/comm").read_text().strip()
    except OSError:
        return None
