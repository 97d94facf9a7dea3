"""What is counted of each request, over all processes of this machine; nothing of anybody.

Why prometheus-client, and how processes share their figures: docs/adr/0010-running.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from flask import Flask, current_app
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# Where the processes of one server write their figures. The library reads this very variable.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Seconds: from a page kept in memory to what a visitor gives up on.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

disable_created_metrics()


class Metrics:
    """The figures of this process, and those of its siblings where they share a folder."""

    def __init__(self) -> None:
        folder = os.environ.get(FOLDER_VARIABLE)
        self._folder = Path(folder) if folder else None
        if folder:
            # The library chose when it was imported, which may be before the folder was made.
            values.ValueClass = values.MultiProcessValue()
        self._own = CollectorRegistry()
        self._requests = Counter(
            "coalition_requests",
            "Requests, by the rule of their route",
            ("route", "method", "status"),
            registry=self._own,
        )
        self._seconds = Histogram(
            "coalition_request_seconds",
            "Time until the answer begins, in seconds",
            ("route",),
            buckets=BUCKETS,
            registry=self._own,
        )
        self._limits = Counter(
            "coalition_limits_hit",
            "Requests that were refused because a limit was used up",
            ("limit",),
            registry=self._own,
        )
        self._in_memory = Gauge(
            "coalition_limits_in_memory",
            "Processes that count limits by themselves because the store that they share is gone",
            ("store",),
            registry=self._own,
            multiprocess_mode="livesum",
        )
        # To look a label up costs more than to count.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._told_in_memory: bool | None = None

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answer: `route` is a rule, never a path; `method` one of a few."""
        key = (route, method, status)
        known = self._known.get(key)
        if known is None:
            known = self._requests.labels(route, method, status), self._seconds.labels(route)
            self._known[key] = known
        counter, histogram = known
        counter.inc()
        histogram.observe(seconds)

    def count_limit(self, limit: str) -> None:
        """One request that `limit` refused: "network", "address" ..."""
        self._limits.labels(limit).inc()

    def tell_limits_in_memory(self, in_memory: bool) -> None:
        """Say whether this process counts limits by itself although it has a store to share."""
        if in_memory is not self._told_in_memory:
            self._told_in_memory = in_memory
            self._in_memory.labels("redis").set(in_memory)

    def collector(self) -> Collector:
        """Everything that was counted, by all processes."""
        return _Folder(self._folder) if self._folder else self._own


class _Folder(Collector):
    """The figures of all processes that write to a folder, those that are gone among them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(each) for each in sorted(self._folder.glob("*.db")) if _is_told(each)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)
        return merged


def _is_told(file: Path) -> bool:
    """Whether a file is whole, and its process still there where that matters.

    A process that is killed while it makes one leaves it empty, which the library could not read.
    """
    kind, process = file.stem.rsplit("_", 1)
    return file.stat().st_size > 0 and not (kind.startswith("gauge_live") and _is_gone(process))


def _is_gone(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def current_metrics() -> Metrics:
    """The figures of the application that is at work."""
    metrics: Metrics = current_app.extensions["metrics"]
    return metrics


def init_metrics(app: Flask) -> Metrics:
    """Let the application count. Returns what it counts with."""
    metrics = app.extensions["metrics"] = Metrics()
    return metrics
