"""`/metrics`: figures for Prometheus; none of them about anybody.

Open to this very machine, and to whoever brings the token; to all others there is no such page.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from flask import Blueprint, Response, abort, current_app, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db
from coalition.mail.queries import finished_lately, oldest_due, pulse, waiting_for_try
from coalition.petition.queries import signatures_by_state
from coalition.petition.tally import fold_lag, last_fold
from coalition.replica import current_replica
from coalition.settings import LOOPBACK_NAMES, Settings
from coalition.web.access import Access, from_this_machine, open_to
from coalition.web.limits import counts_in_memory, shared_store_answers
from coalition.web.metrics import current_metrics

REMEMBERED = 5.0  # seconds for which a process does not ask the database again
NEVER = float("inf")  # seconds since what has not happened yet: alarms go off, as they should

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@open_to(Access.MONITOR)
def metrics() -> Response:
    """All figures in Prometheus' text format. Whatever else is away, it answers."""
    if not _may_read():
        abort(404)
    counted = current_metrics()
    counted.tell_limits_in_memory(counts_in_memory())
    registry = CollectorRegistry()
    registry.register(counted.collector())
    registry.register(_Given(_store() + _replica() + _site()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read() -> bool:
    """A token decides alone, on this machine too. Without one, whoever asks must be on this
    machine and know it by such a name: a proxy may ask for others without a word, and a page from
    elsewhere may have a browser ask under the name of that page."""
    if "Authorization" not in request.headers:
        name = request.host.rsplit(":", 1)[0].strip("[]")
        return from_this_machine() and name in LOOPBACK_NAMES
    settings: Settings = current_app.extensions["settings"]
    given = request.authorization
    if settings.metrics_token is None or given is None or given.type != "bearer":
        return False
    return hmac.compare_digest((given.token or "").encode(), settings.metrics_token.encode())


@dataclass(eq=False)  # the library keeps collectors in a dictionary
class _Given(Collector):
    """Figures that were asked for already."""

    found: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.found


def _store() -> list[Metric]:
    answers = shared_store_answers()
    if answers is None:
        return []
    return [
        _gauge("redis_up", "Whether Redis, where processes count limits together, answers", answers)
    ]


def _replica() -> list[Metric]:
    replica = current_replica()
    if replica is None:
        return []
    return [
        _gauge(
            "replica_up", "Whether the replica, where pages are read, answers", replica.answers()
        )
    ]


@dataclass
class _Memory:
    figures: list[Metric] = field(default_factory=list)
    asked_at: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


def _site() -> list[Metric]:
    """What the database says, at most REMEMBERED seconds old. Old figures are not told while it is
    away: an age that stands still would look well."""
    memory: _Memory = current_app.extensions.setdefault("site_figures", _Memory())
    with memory.lock:
        if monotonic() - memory.asked_at > REMEMBERED:
            help_text = "Whether the database answers"
            try:
                found = _read(db.session(), clock.utc_now())
                memory.figures = [_gauge("database_up", help_text, 1), *found]
            except SQLAlchemyError:
                db.session.rollback()
                memory.figures = [_gauge("database_up", help_text, 0)]
            memory.asked_at = monotonic()
        return memory.figures


def _read(session: Session, now: datetime) -> list[Metric]:
    beats = {"mail": pulse(session, now=now).beat_at, "count": last_fold(session)}
    return [
        _by("signatures", "Signatures, by state", "state", signatures_by_state(session)),
        _by(
            "outbox_waiting",
            'Mails that wait to be sent: "new", or "again" after a server refused them for now',
            "try",
            dict(zip(("new", "again"), waiting_for_try(session), strict=True)),
        ),
        _by(
            "outbox_finished",
            "Mails that were sent, failed for good or needed no sending, in the last 10 minutes",
            "state",
            finished_lately(session, now=now),
        ),
        _gauge(
            "outbox_oldest_due_seconds",
            "How long the mail that waits longest has been due",
            oldest_due(session, now=now).total_seconds(),
        ),
        _gauge(
            "fold_lag_seconds",
            "No change waits longer than this to be in the public count",
            fold_lag(session, now=now).total_seconds(),
        ),
        _by(
            "worker_heartbeat_age_seconds",
            "How long ago any worker last did this: looked for mail; brought the count up to date",
            "job",
            {job: _age(beat, now) for job, beat in beats.items()},
        ),
    ]


def _age(moment: datetime | None, now: datetime) -> float:
    return NEVER if moment is None else max(timedelta(), now - moment).total_seconds()


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"coalition_{name}", help_text, value)


def _by(
    name: str, help_text: str, label: str, numbers: dict[str, float] | dict[str, int]
) -> Metric:
    family = GaugeMetricFamily(f"coalition_{name}", help_text, labels=[label])
    for each, number in numbers.items():
        family.add_metric([each], number)
    return family
