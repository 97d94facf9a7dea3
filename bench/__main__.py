"""`make bench`: what the site carries, as ratios to its limits, in one table.

Every figure and its limit are measured in turns, on the same machine, with the load beside them:
they are comparisons, not capacities.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import mean, median
from typing import Any

from bench import measures
from bench.load import Load, drive
from bench.parts import Parts, Sink, free_port, make_site, run_module, running, running_parts
from coalition.db import db

FAR = 0.02  # seconds for each answer of a mail server that is not on the same machine
ROUNDS = 3  # in which a figure and its limit are measured, one after the other


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
    """One run: its parts, how long each load lasts, and the Python that the servers run on."""

    parts: Parts
    report: Report
    seconds: float
    python: str

    def beside(self, *loads: Callable[[], Load]) -> list[Load]:
        """Of each load the round of the median rate, all measured in turns: a machine may be twice
        as fast in one minute as in the next."""
        rounds = [[load() for load in loads] for _ in range(ROUNDS)]
        return [_median(turns) for turns in zip(*rounds, strict=True)]

    def load(self, url: str, *words: str, connections: int = 16) -> Load:
        found = drive(url, *words, connections=connections, seconds=self.seconds)
        if found.failed:
            self.report.write(f"  {found.failed} answers of {url} failed")
            self.report.short.append(f"answers of {url}")
        return found

    @contextmanager
    def site(self, name: str, *, worker: bool = False) -> Iterator[measures.Place]:
        """The site as it is deployed, with or without its worker, on a database of its own."""
        port = free_port()
        settings = self.parts.settings(self.parts.database(name), port)
        app = make_site(settings)
        url = f"http://127.0.0.1:{port}"
        words = ["-m", "coalition.cli", "serve", "--port", str(port)]
        words += [] if worker else ["--no-worker"]
        with (
            running(words, settings, f"{url}/readyz", python=self.python) as process,
            app.app_context(),
        ):
            yield measures.Place(url, settings, app, process)
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def other(self, target: str, **settings: str) -> Iterator[str]:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        words = ["-m", "bench.server", target, str(port)]
        with running(words, settings, url, python=self.python):
            yield url


def _median(turns: Iterable[Load]) -> Load:
    ordered = sorted(turns, key=lambda load: load.rate)
    return ordered[len(ordered) // 2]


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
            page, limit = bench.beside(
                lambda: bench.load(f"{place.url}/petition"), lambda: bench.load(constant)
            )
            report.write(f"wrk took {page.generator:.0%} of a core for {per_second(page)}\n")
            report.line(
                f"petition page, {int(size) / 1000:.0f} KB", per_second(page),
                f"bytes {per_second(limit)}", page.rate / limit.rate, ">= 0.7",
            )  # fmt: skip
            compare_first_visits(bench, place)
            sign, post = ("sign", form), ("post", form)
            for many in (16, 64):
                signed, empty = bench.beside(
                    partial(bench.load, f"{place.url}/petition/sign", *sign, connections=many),
                    partial(bench.load, constant, *post, connections=many),
                )
                report.line(
                    f"sign, {many} clients, p99 {signed.p99:.0f} ms", per_second(signed),
                    f"empty post {per_second(empty)}", signed.rate / empty.rate, ">= 0.25",
                )  # fmt: skip
        compare_with_tutorial(bench, place, plain, "sign")
        far = {**tutorial, "BENCH_SMTP_PORT": str(Sink(FAR).port)}
        with bench.other("bench.tutorial:app", **far) as plain_and_far:
            what = f"sign, mail server {FAR * 1e3:.0f} ms away"
            compare_with_tutorial(bench, place, plain_and_far, what)
        confirmed, theirs = bench.beside(
            lambda: measures.confirm(place, bench.load),
            lambda: measures.confirm_there(plain, tutorial_database, bench.load),
        )
        report.line(
            "confirm", per_second(confirmed), f"tutorial {per_second(theirs)}",
            confirmed.rate / theirs.rate, ">= 4",
        )  # fmt: skip


def compare_first_visits(bench: Bench, place: measures.Place) -> None:
    """A page with all that it loads, for those who have nothing of it yet."""
    paths = measures.first_visit(place)
    with measures.written(paths) as lines:
        visits, page = bench.beside(
            lambda: bench.load(place.url, "paths", lines),
            lambda: bench.load(f"{place.url}/petition"),
        )
    bench.report.line(
        f"first visit, {len(paths)} answers", f"{visits.rate / len(paths):,.0f} visits/s",
        f"page alone {per_second(page)}", visits.rate / page.rate, ">= 0.7",
    )  # fmt: skip


def compare_with_tutorial(bench: Bench, place: measures.Place, plain: str, what: str) -> None:
    """Signing, beside the tutorial's application that runs at `plain`."""
    form = measures.sign_form(place)
    signed, theirs = bench.beside(
        lambda: bench.load(f"{place.url}/petition/sign", "sign", form),
        lambda: bench.load(f"{plain}/sign", "sign", "x=y"),
    )
    bench.report.line(
        what, per_second(signed), f"tutorial {per_second(theirs)}",
        signed.rate / theirs.rate, ">= 6",
    )  # fmt: skip


def compare_mail(bench: Bench) -> None:
    with bench.site("mail") as place:
        turns = [measures.mail_rates(place, bench.parts.sink, number=2_000) for _ in range(ROUNDS)]
    ours, limit = map(median, zip(*turns, strict=True))
    bench.report.line(
        "mail worker", f"{ours:,.0f}/s", f"smtplib {limit:,.0f}/s", ours / limit, ">= 0.6"
    )


def compare_sizes(bench: Bench, sizes: list[int]) -> None:
    """Every page, press file and form with ever more signatures present."""
    fewest, *more = sizes
    with ExitStack() as stack:
        sites = [stack.enter_context(bench.site(f"size_{size}")) for size in sizes]
        for size, place in zip(sizes, sites, strict=True):
            measures.fill(place, size)
        asked = [measures.everything(place, bench.load) for place in sites]
        for what in asked[0]:
            base, *others = bench.beside(*(each[what] for each in asked))
            for size, found in zip(more, others, strict=True):
                bench.report.line(
                    f"{what}, {size:,}", f"{1e3 / found.rate:.2f} ms",
                    f"with {fewest:,} {1e3 / base.rate:.2f} ms", base.rate / found.rate, "<= 1.2",
                )  # fmt: skip


def compare_fold(bench: Bench) -> None:
    with bench.site("fold") as place:
        turns = [measures.fold_seconds(place, events=100_000) for _ in range(ROUNDS)]
    ours, limit = map(median, zip(*turns, strict=True))
    bench.report.line(
        "fold of 100,000 events", f"{ours * 1e3:.0f} ms", f"aggregate {limit * 1e3:.0f} ms",
        ours / limit, "<= 5",
    )  # fmt: skip


def make_hand_in(bench: Bench, names: int) -> None:
    with bench.site("hand_in", worker=True) as place:
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

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process, self._over = process, threading.Event()
        self.seen: list[float] = []

    def run(self) -> None:
        while not self._over.wait(self.INTERVAL):
            self.seen.append(measures.memory(self._process))

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
    with bench.site("mixed", worker=True) as place:
        form = measures.sign_form(place)
        before = bench.parts.sink.taken
        watch = MemoryWatch(place.process)
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
    parser.add_argument("--seconds", type=float, default=4, help="of each load, three times")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--names", type=int, default=1_000_000, help="of the list to hand in")
    parser.add_argument("--minutes", type=float, default=10, help="of the mixed run")
    parser.add_argument("--python", default=sys.executable, help="that the servers run on")
    parser.add_argument("--only", choices=["forms", "mail", "fold", "sizes", "hand-in", "mixed"])
    return parser.parse_args()


def main() -> None:
    wanted = _arguments()
    report = Report()
    version = subprocess.run(
        [wanted.python, "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    report.write(f"{version}, {platform.machine()}, PostgreSQL 18, Redis")
    report.write(f"{'what':<44} {'figure':>22} {'limit':>22} {'ratio':>7} {'reach':>8}")
    with running_parts() as parts:
        bench = Bench(parts, report, wanted.seconds, wanted.python)
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
