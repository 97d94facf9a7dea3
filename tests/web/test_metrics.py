"""Figures for whoever watches the site: open to few, right over all processes, about nobody."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
import redis
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.mail.actions import queue_message
from coalition.mail.models import MailPulse, MessageState, OutboxMessage
from coalition.mail.private_links import Purpose, make_token
from coalition.pages import metrics_views
from coalition.petition.models import SignatureStatus, TallyState
from coalition.petition.tally import fold
from coalition.web.watch import METHODS, NO_ROUTE, OTHER_METHOD
from tests.conftest import serving
from tests.engines import on_both, on_sqlite
from tests.factories import make_signature
from tests.leaks import Marks
from tests.mailbox import Mailbox, free_port
from tests.processes import web_processes_of
from tests.storing import running_redis
from tests.visitor import Page, Visitor, visitor_of

MakeApp = Callable[..., Flask]
TOKEN = "a-token-for-metrics-that-is-long-enough"
PUBLIC = "https://petition.example.org"
FAR = "203.0.113.9"
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(page: Page) -> Figures:
    assert page.status == 200, page.text
    return {
        (sample.name.removeprefix("coalition_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def read(visitor: Visitor) -> Figures:
    return figures(visitor.get("/metrics"))


def value(found: Figures, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def total(found: Figures, name: str, **labels: str) -> float:
    wanted = labels.items()
    return sum(each for (own, has), each in found.items() if own == name and wanted <= has)


@pytest.fixture
def never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_views, "REMEMBERED", -1.0)


# Who may read it


@on_sqlite
@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (FAR, {}),
        ("::ffff:203.0.113.9", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"Host": "petition.example.org"}),
        (FAR, {"Host": "127.0.0.1"}),
        (FAR, {"Authorization": "Bearer "}),
        (FAR, {"Authorization": f"Bearer {TOKEN[:-1]}"}),
        (FAR, {"Authorization": f"Bearer {TOKEN}x"}),
        (FAR, {"Authorization": f"Bearer {TOKEN.upper()}"}),
        (FAR, {"Authorization": f"Basic {TOKEN}"}),
        (FAR, {"Authorization": TOKEN}),
        (FAR, {"Authorization": "Bearer tökén"}),
        ("127.0.0.1", {"Authorization": "Bearer wrong", "Host": "127.0.0.1"}),
    ],
)
@pytest.mark.parametrize("proxies", ["0", "1"])
def test_to_all_others_there_is_no_such_page(
    make_app: MakeApp, address: str, headers: dict[str, str], proxies: str
) -> None:
    app = make_app(SITE_URL=PUBLIC, METRICS_TOKEN=TOKEN, TRUSTED_PROXIES=proxies)
    page = visitor_of(app, address).get("/metrics", **headers)
    assert page.status == 404
    assert "coalition_" not in page.text
    assert "This page is not here" in page.text


@on_sqlite
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer None", "Bearer x"])
def test_without_a_token_of_its_own_the_site_takes_none(make_app: MakeApp, given: str) -> None:
    visitor = visitor_of(make_app(SITE_URL=PUBLIC), FAR)
    assert visitor.get("/metrics", Authorization=given).status == 404


@on_sqlite
@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (FAR, {"Authorization": f"Bearer {TOKEN}"}),
        (FAR, {"Authorization": f"bearer {TOKEN}", "Host": "10.1.2.3:8000"}),
        ("127.0.0.1", {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": FAR}),
        ("127.0.0.1", {"Host": "127.0.0.1:8000"}),
        ("127.0.0.1", {"Host": "localhost"}),
        ("::1", {"Host": "localhost:8000"}),
    ],
)
def test_the_token_opens_it_from_anywhere_and_this_machine_needs_none(
    make_app: MakeApp, address: str, headers: dict[str, str]
) -> None:
    page = visitor_of(make_app(SITE_URL=PUBLIC, METRICS_TOKEN=TOKEN), address).get(
        "/metrics", **headers
    )
    assert page.status == 200
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert value(figures(page), "database_up") == 1


# What is away


@on_both
def test_it_answers_while_the_database_does_not(
    app: Flask, visitor: Visitor, never_remembered: None
) -> None:
    visitor.get("/petition")
    assert "signatures" in {name for name, _ in read(visitor)}
    db.session.execute(text("ALTER TABLE daily_tally RENAME TO lost"))
    db.session.commit()
    found = read(visitor)
    assert value(found, "database_up") == 0
    assert total(found, "requests_total", route="/petition") == 1
    # Old figures would look well.
    assert not {"signatures", "fold_lag_seconds"} & {name for name, _ in found}
    db.session.execute(text("ALTER TABLE lost RENAME TO daily_tally"))
    db.session.commit()
    assert value(read(visitor), "database_up") == 1


@on_sqlite
def test_limits_without_redis_are_counted_in_memory_until_it_is_back(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    port = free_port()
    settings = {"LIMIT_NETWORK": "1000 per minute", "REDIS_URL": f"redis://127.0.0.1:{port}"}

    def told(visitor: Visitor) -> tuple[float, float]:
        found = read(visitor)
        return value(found, "redis_up"), value(found, "limits_in_memory", store="redis")

    def sign_in_every_process(visitor: Visitor) -> None:
        for each in range(20):
            began = time.monotonic()
            assert sign(visitor, each).status == 200
            assert time.monotonic() - began < 3

    with serving(database_url, mailbox, tmp_path / "log", **settings) as site:
        with running_redis(tmp_path, port):
            sign_in_every_process(site.visitor)
            assert told(site.visitor) == (1, 0)
        sign_in_every_process(site.visitor)
        assert told(site.visitor) == (0, 2)
        with running_redis(tmp_path, port):
            deadline = time.monotonic() + 30
            while told(site.visitor) != (1, 0):
                assert time.monotonic() < deadline
                sign_in_every_process(site.visitor)
                time.sleep(0.5)


@on_sqlite
def test_a_redis_that_hangs_holds_nobody_up(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    with (
        running_redis(tmp_path, port),
        serving(database_url, mailbox, tmp_path / "log", REDIS_URL=url, WEB_PROCESSES="1") as site,
    ):
        assert sign(site.visitor, 0).status == 200
        with redis.Redis(port=port) as client:
            server = client.info()["process_id"]
        os.kill(server, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert [sign(site.visitor, each).status for each in range(1, 5)] == [200] * 4
            assert value(read(site.visitor), "redis_up") == 0
            assert time.monotonic() - began < 8
        finally:
            os.kill(server, signal.SIGCONT)


# What is counted


def sign(visitor: Visitor, number: int = 0) -> Page:
    filled = {"name": "Ada", "email": f"person{number}@example.org", "consent": "yes"}
    return visitor.submit(visitor.get("/petition"), "/petition/sign", **filled)


@pytest.mark.parametrize("kept", ["0", "10"])
def test_every_request_is_counted_by_its_route(make_app: MakeApp, kept: str) -> None:
    visitor = visitor_of(make_app(PAGE_CACHE=kept))
    for _ in range(3):
        visitor.get("/petition")
    visitor.get("/nowhere")
    visitor.get("/petition/counted/x")
    visitor.request("DELETE", "/petition", {}, b"", follow=False)
    visitor.request("ADA", "/petition", {}, b"", follow=False)
    visitor.get("/", Host="evil.example.org")
    found = read(visitor)
    counted = {
        tuple(dict(labels)[each] for each in ("route", "method", "status")): number
        for (name, labels), number in found.items()
        if name == "requests_total"
    }
    assert counted == {
        ("/petition", "GET", "200"): 3,
        (NO_ROUTE, "GET", "404"): 1,
        ("/petition/counted/<token>", "GET", "404"): 1,
        (NO_ROUTE, "DELETE", "405"): 1,
        (NO_ROUTE, OTHER_METHOD, "405"): 1,
        ("/", "GET", "400"): 1,
    }
    assert value(found, "request_seconds_count", route="/petition") == 3
    assert value(found, "request_seconds_bucket", route="/petition", le="+Inf") == 3
    assert 0 < value(found, "request_seconds_sum", route="/petition") < 10


def test_what_breaks_is_counted_as_500(app: Flask, visitor: Visitor) -> None:
    page = visitor.get("/petition")
    db.session.execute(text("ALTER TABLE signatures RENAME TO lost"))
    db.session.commit()
    visitor.submit(page, "/petition/sign", name="A", email="a@example.org", consent="yes")
    assert total(read(visitor), "requests_total", route="/petition/sign", status="500") == 1


def test_each_limit_is_counted_by_its_name(make_app: MakeApp) -> None:
    narrow = {"LIMIT_ADDRESS": "1 per hour", "LIMIT_DOMAIN": "2 per hour"}
    app = make_app(LIMIT_NETWORK="4 per minute", **narrow)
    visitor = visitor_of(app)
    assert [sign(visitor, each).status for each in (0, 0, 1, 2, 3)] == [200, 429, 200, 429, 429]
    found = read(visitor)
    hit = {dict(labels)["limit"]: n for (name, labels), n in found.items() if "_hit_total" in name}
    assert hit == {"address": 1, "domain": 1, "network": 1}


# What the site itself says


def test_signatures_are_told_by_state(
    app: Flask, visitor: Visitor, session: Session, never_remembered: None
) -> None:
    wanted = {"awaiting_verification": 1, "verified": 2, "held": 3, "removed": 4, "withdrawn": 5}
    with transaction():
        for state, number in wanted.items():
            for _ in range(number):
                make_signature(session, status=SignatureStatus(state))
        assert set(wanted) == {str(each) for each in SignatureStatus}
    with transaction():
        fold(session, now=clock.utc_now())
    found = read(visitor)
    assert {each: value(found, "signatures", state=each) for each in wanted} == wanted


def test_what_waits_to_be_counted_is_told_by_its_age(
    app: Flask,
    visitor: Visitor,
    session: Session,
    never_remembered: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = clock.utc_now()
    assert value(read(visitor), "fold_lag_seconds") == 0
    with transaction():
        make_signature(session, now=now)
    assert value(read(visitor), "fold_lag_seconds") < 86_400 + 60  # of its day alone
    with transaction():
        fold(session, now=now)
    assert value(read(visitor), "fold_lag_seconds") == 0
    with transaction():
        make_signature(session, now=now)
    later = now + timedelta(seconds=90)
    monkeypatch.setattr(clock, "utc_now", lambda: later)
    found = read(visitor)
    assert value(found, "fold_lag_seconds") == 90
    assert value(found, "worker_heartbeat_age_seconds", job="count") == 90
    with transaction():
        fold(session, now=later)
    assert session.get(TallyState, 1)
    found = read(visitor)
    assert value(found, "fold_lag_seconds") == 0
    assert value(found, "worker_heartbeat_age_seconds", job="count") == 0


def test_mails_are_told_by_what_became_of_them(
    app: Flask, visitor: Visitor, session: Session, never_remembered: None
) -> None:
    now = clock.utc_now()
    with transaction():
        for _ in range(9):
            queue_message(session, "test", reference=None, details={}, now=now - timedelta(hours=1))
        mails = session.query(OutboxMessage).all()
        mails[0].failure = mails[1].failure = "450"
        for mail, state in zip(mails[2:6], ("sent", "sent", "failed", "not_needed"), strict=True):
            mail.state, mail.finished_at = MessageState(state), now - timedelta(minutes=9)
        mails[6].state, mails[6].finished_at = MessageState.FAILED, now - timedelta(minutes=11)
        mails[7].due_at = now + timedelta(days=1)
    found = read(visitor)
    assert value(found, "outbox_waiting", **{"try": "new"}) == 2
    assert value(found, "outbox_waiting", **{"try": "again"}) == 2
    lately = {each: value(found, "outbox_finished", state=each) for each in ("sent", "failed")}
    assert lately == {"sent": 2, "failed": 1}
    assert value(found, "outbox_finished", state="not_needed") == 1
    assert 3600 <= value(found, "outbox_oldest_due_seconds") < 3660


def test_a_worker_that_never_was_is_infinitely_late(
    app: Flask, visitor: Visitor, session: Session, never_remembered: None
) -> None:
    assert value(read(visitor), "worker_heartbeat_age_seconds", job="mail") == float("inf")
    with transaction():
        session.add(MailPulse(id=1, beat_at=clock.utc_now() - timedelta(minutes=5)))
    age = value(read(visitor), "worker_heartbeat_age_seconds", job="mail")
    assert 300 <= age < 330


def test_the_database_is_asked_once_in_a_while(visitor: Visitor, session: Session) -> None:
    assert value(read(visitor), "signatures", state="awaiting_verification") == 0
    with transaction():
        make_signature(session, status=SignatureStatus.AWAITING)
    assert value(read(visitor), "signatures", state="awaiting_verification") == 0


# Nothing of anybody


@on_sqlite
def test_no_label_says_anything_of_anybody(make_app: MakeApp) -> None:
    app = make_app(LIMIT_NETWORK="2 per minute", TRUSTED_PROXIES="1", PAGE_CACHE="10")
    marks = Marks()
    far = marks.add("198.51.100.77", "address")
    name = marks.add("Wilhelmina", "name")
    mail = marks.add("wilhelmina@fictional.example.org", "mail")
    with app.app_context(), transaction() as session:
        signature = make_signature(session, email=mail, name=name)
    with app.app_context():
        token = marks.add(make_token(Purpose.MANAGE, signature.id, clock.utc_now()), "token")
    visitor = visitor_of(app)
    given = {"X-Forwarded-For": far, "X-Request-ID": name, "User-Agent": name}
    for path in (f"/{name}", f"/petition?source={name}", f"/petition/signature/{token}"):
        visitor.get(path, **given)
        visitor.request(name.upper(), path, given, b"", follow=False)
    for _ in range(3):
        filled = {"name": name, "email": mail, "consent": "yes"}
        visitor.post("/petition/sign", filled, follow=False, **given)
    page = visitor.get("/metrics")
    assert not marks.found_in(page.data)
    allowed = {
        "route": {rule.rule for rule in app.url_map.iter_rules()} | {NO_ROUTE},
        "method": {*METHODS, OTHER_METHOD},
        "status": {str(each) for each in HTTPStatus},
        "limit": {"network"},
        "state": {*map(str, SignatureStatus), *map(str, MessageState)},
        "try": {"new", "again"},
        "job": {"mail", "count"},
        "store": {"redis"},
    }
    for own, labels in figures(page):
        for label, told in labels:
            assert label == "le" or told in allowed[label], (own, label, told)


# Over all processes


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where servers make the folders in which their processes write figures."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    assert not list(folder.glob("coalition-metrics-*")), "the server left its folder behind"


@on_sqlite
def test_the_figures_are_those_of_all_processes_even_of_one_that_was_killed(
    database_url: str, mailbox: Mailbox, tmp_path: Path, folders: Path
) -> None:
    def asked() -> float:
        return total(read(site.visitor), "requests_total", route="/healthz", status="200")

    with serving(database_url, mailbox, tmp_path / "log", WEB_PROCESSES="2") as site:
        before = web_processes_of(site)
        assert len(before) == 2
        (folder,) = folders.glob("coalition-metrics-*")
        assert folder.stat().st_mode & 0o077 == 0

        def wrote(process: int) -> bool:
            return (folder / f"counter_{process}.db").exists()

        number = 0
        while number < 100 or not all(map(wrote, before)):
            site.visitor.get("/healthz")
            number += 1
            assert number < 5000
        assert {asked() for _ in range(10)} == {number}
        found = read(site.visitor)
        assert total(found, "request_seconds_count", route="/healthz") == number

        os.kill(before[0], signal.SIGKILL)
        # As a process leaves it that is killed while it begins.
        (folder / "counter_999999.db").touch()
        deadline = time.monotonic() + 20
        while len(now := web_processes_of(site)) < 2 or before[0] in now:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for _ in range(50):
            site.visitor.get("/healthz")
        assert {asked() for _ in range(10)} == {number + 50}
        assert total(read(site.visitor), "limits_in_memory") == 0
