"""`make bench`: what the site carries, as ratios to its limits, in one table.

Every figure and its limit are measured in the same run, on the same machine, with the load beside
them: they are comparisons, not capacities.
"""

from __future__ import annotations

import argparse
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from bench import measures
from bench.load import Load, drive
from bench.parts import Parts, free_port, make_site, run_module, running, running_parts
from coalition.db import db


@dataclass
class Report:
    """The lines of the table, printed as they come."""

    short: list[str] = field(default_factory=list)  # what did not reach what was wished for

    def line(self, what: str, figure: str, limit: str, ratio: float, reach: str) -> None:
        """`reach` is such as ">= 0.7" or "<= 1.2"."""
        sign, wished = reach.split()
        reached = ratio >= float(wished) if sign == ">=" else ratio <= float(wished)
        if not reached:
            self.short.append(what)
        mark = "" if reached else "  short"
        self.write(f"{what:<44} {figure:>22} {limit:>22} {ratio:>7.2f} {reach:>8}{mark}")

    def write(self, words: str) -> None:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()


@dataclass(frozen=True)
class Bench:
    """One run: its parts, and how long each load lasts."""

    parts: Parts
    report: Report
    seconds: float

    def load(self, url: str, *words: str, connections: int = 16) -> Load:
        found = drive(url, *words, connections=connections, seconds=self.seconds)
        if found.failed:
            self.report.write(f"  {found.failed} answers of {url} failed")
            self.report.short.append(f"answers of {url}")
        return found

    @contextmanager
    def site(self, name: str) -> Iterator[measures.Place]:
        """The site as it is deployed, without its worker, on a database of its own."""
        port = free_port()
        settings = self.parts.settings(self.parts.database(name), port)
        app = make_site(settings)
        url = f"http://127.0.0.1:{port}"
        words = ["-m", "coalition.cli", "serve", "--port", str(port), "--no-worker"]
        with running(words, settings, f"{url}/readyz") as process, app.app_context():
            yield measures.Place(url, settings, app, process)
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def other(self, target: str, **settings: str) -> Iterator[str]:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with running(["-m", "bench.server", target, str(port)], settings, url):
            yield url


def per_second(load: Load) -> str:
    return f"{load.rate:,.0f}/s"


def compare_pages_and_forms(bench: Bench) -> None:
    """The page, the form and the confirmation, beside the server's own limits and a tutorial's
    application."""
    parts, report = bench.parts, bench.report
    tutorial_database = parts.database("tutorial")
    tutorial = {"BENCH_DATABASE": tutorial_database, "BENCH_SMTP_PORT": str(parts.sink.port)}
    run_module("bench.tutorial", tutorial)
    with bench.site("site") as place, bench.other("bench.tutorial:app", **tutorial) as plain:
        size = str(measures.page_size(place))
        form = measures.sign_form(place)
        with bench.other("bench.constant:app", BENCH_BYTES=size) as constant:
            limit = bench.load(constant)
            report.write(f"wrk took {limit.generator:.0%} of a core for {per_second(limit)}\n")
            page = bench.load(f"{place.url}/petition")
            report.line(
                f"petition page, {int(size) / 1000:.0f} KB", per_second(page),
                f"bytes {per_second(limit)}", page.rate / limit.rate, ">= 0.7",
            )  # fmt: skip
            for connections in (16, 64):
                empty = bench.load(constant, "post", form, connections=connections)
                signed = bench.load(
                    f"{place.url}/petition/sign", "sign", form, connections=connections
                )
                report.line(
                    f"sign, {connections} clients, p99 {signed.p99:.0f} ms", per_second(signed),
                    f"empty post {per_second(empty)}", signed.rate / empty.rate, ">= 0.25",
                )  # fmt: skip
        signed = bench.load(f"{place.url}/petition/sign", "sign", form)
        theirs = bench.load(f"{plain}/sign", "sign", "x=y")
        report.line(
            "sign", per_second(signed), f"tutorial {per_second(theirs)}",
            signed.rate / theirs.rate, ">= 6",
        )  # fmt: skip
        with measures.waiting(place) as ours, measures.waiting_there(tutorial_database) as others:
            confirmed = bench.load(f"{place.url}/", "lines", ours)
            theirs = bench.load(f"{plain}/", "lines", others)
        report.line(
            "confirm", per_second(confirmed), f"tutorial {per_second(theirs)}",
            confirmed.rate / theirs.rate, ">= 4",
        )  # fmt: skip


def compare_mail(bench: Bench) -> None:
    with bench.site("mail") as place:
        ours, limit = measures.mail_rates(place, bench.parts.sink, number=3_000)
    bench.report.line(
        "mail worker", f"{ours:,.0f}/s", f"smtplib {limit:,.0f}/s", ours / limit, ">= 0.6"
    )


def compare_sizes(bench: Bench, sizes: list[int]) -> None:
    """The same pages, files and forms with ever more signatures present."""
    report = bench.report
    first: dict[str, float] = {}
    for size in sizes:
        with bench.site(f"size_{size}") as place:
            measures.fill(place, size)
            for what, cost in measures.costs(place, bench.load):
                base = first.setdefault(what, cost)
                if size != sizes[0]:
                    report.line(
                        f"{what}, {size:,} signatures", f"{cost:.2f} ms",
                        f"with {sizes[0]:,} {base:.2f} ms", cost / base, "<= 1.2",
                    )  # fmt: skip


def compare_fold(bench: Bench) -> None:
    with bench.site("fold") as place:
        ours, limit = measures.fold_seconds(place, events=100_000)
    bench.report.line(
        "fold of 100,000 events", f"{ours * 1e3:.0f} ms", f"aggregate {limit * 1e3:.0f} ms",
        ours / limit, "<= 5",
    )  # fmt: skip


def make_hand_in(bench: Bench, names: int) -> None:
    with bench.site("hand_in") as place:
        measures.fill(place, names)
        cost = measures.hand_in_cost(place)
    bench.report.line(
        f"hand-in of {names:,} names, {cost.seconds:,.0f} s", f"worker {cost.worker:,.0f} MB",
        "100 MB", cost.worker / 100, "<= 1",
    )  # fmt: skip
    bench.report.write(
        f"  the typesetter took {cost.typesetter:,.0f} MB beside it; {cost.shown} states of progress"
    )


class MemoryWatch(threading.Thread):
    """Looks every few seconds at the memory of a tree of processes."""

    INTERVAL = 5.0  # seconds

    def __init__(self, *processes: int) -> None:
        super().__init__(daemon=True)
        self._processes, self._over = processes, threading.Event()
        self.seen: list[float] = []

    def run(self) -> None:
        while not self._over.wait(self.INTERVAL):
            self.seen.append(measures.memory(*self._processes))

    def stop(self) -> None:
        self._over.set()
        self.join()

    @property
    def growth(self) -> float:
        """The last fifth of the time beside the second fifth: the first is still warming up."""
        fifth = max(1, len(self.seen) // 5)
        return mean(self.seen[-fifth:]) / mean(self.seen[fifth : 2 * fifth] or self.seen[:1])


def run_mixed(bench: Bench, minutes: float) -> None:
    """Fifty page views to a signature; nothing fails, nothing is lost."""
    report = bench.report
    with bench.site("mixed") as place:
        form = measures.sign_form(place)
        before = bench.parts.sink.taken
        with measures.worker(place) as worker:
            watch = MemoryWatch(place.process, worker)
            watch.start()
            load = drive(place.url, "mixed", form, connections=64, seconds=minutes * 60)
            watch.stop()
            signed, sent = measures.settle(place, bench.parts.sink, before)
        problems = measures.verify(place)
    report.write(
        f"\nmixed, {minutes:g} minutes, 64 clients: {per_second(load)}, p95 {load.p95:.0f} ms, p99 "
        f"{load.p99:.0f} ms, {load.failed} failed; {signed:,} signatures, {sent:,} mails, "
        f"tally: {problems or 'verified'}"
    )
    largest = max(watch.seen)
    report.line("memory of web and worker", f"{largest:,.0f} MB", "300 MB", largest / 300, "<= 1")
    report.line("the same, its growth", "last fifth", "second fifth", watch.growth, "<= 1.05")
    if load.failed or problems or signed != sent:
        report.short.append("mixed")


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="of each load")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--names", type=int, default=1_000_000, help="of the list to hand in")
    parser.add_argument("--minutes", type=float, default=10, help="of the mixed run")
    parser.add_argument("--only", choices=["forms", "mail", "fold", "sizes", "hand-in", "mixed"])
    return parser.parse_args()


def main() -> None:
    wanted = _arguments()
    report = Report()
    report.write(f"Python {platform.python_version()}, {platform.machine()}, PostgreSQL 18, Redis")
    report.write(f"{'what':<44} {'figure':>22} {'limit':>22} {'ratio':>7} {'reach':>8}")
    with running_parts() as parts:
        bench = Bench(parts, report, wanted.seconds)
        steps = {
            "forms": lambda: compare_pages_and_forms(bench),
            "mail": lambda: compare_mail(bench),
            "fold": lambda: compare_fold(bench),
            "sizes": lambda: compare_sizes(bench, wanted.sizes),
            "hand-in": lambda: make_hand_in(bench, wanted.names),
            "mixed": lambda: run_mixed(bench, wanted.minutes),
        }
        for name, step in steps.items():
            if wanted.only in (None, name):
                step()
    if report.short:
        report.write(f"\nShort of what is wished for: {', '.join(report.short)}")


if __name__ == "__main__":
    main()
