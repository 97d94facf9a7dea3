"""Log lines: enough to find what went wrong, and nothing of anybody."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from coalition import clock
from coalition.db import transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.settings import Settings
from coalition.web import watch
from coalition.web.logs import JsonFormatter, TextFormatter
from coalition.web.watch import NO_ROUTE
from tests.conftest import Site, serving
from tests.engines import on_sqlite
from tests.factories import make_signature
from tests.leaks import Marks
from tests.mailbox import Mailbox
from tests.visitor import visitor_of

MakeApp = Callable[..., Flask]
NUMBER = re.compile(r"\d{4}-\d{4}-\d{4}")
FROM_PROXY = "4bf92f3577b34da6a3ce929d0e0e4736"


def lines_of(site: Site) -> list[dict[str, Any]]:
    """What the site logged; what it says to whoever started it stands on the standard output."""
    told = site.log.read_text().splitlines()
    return [json.loads(line) for line in told if not line.startswith(("Open http", "Stopped."))]


def of_requests(site: Site) -> list[dict[str, Any]]:
    lines = (each for each in lines_of(site) if each["logger"] == watch.ACCESS_LOGGER)
    return [each for each in lines if each["route"] != "/readyz"]


# The number of a request


@on_sqlite
@pytest.mark.parametrize("kept", ["0", "10"])
def test_every_answer_carries_a_number_of_its_own(make_app: MakeApp, kept: str) -> None:
    visitor = visitor_of(make_app(PAGE_CACHE=kept))
    paths = ["/petition", "/petition", "/nowhere", "/static/css/print.css", "/press/counts.csv"]
    given = [visitor.get(path).headers["x-request-id"] for path in paths]
    assert all(map(NUMBER.fullmatch, given))
    assert len(set(given)) == len(paths)


@on_sqlite
@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [
        ("0", FROM_PROXY, False),
        ("1", FROM_PROXY, True),
        ("2", "6f1d9f0a-1c1e-4f0e-9c5c-0b8f6a1f5a11", True),
        ("1", "short", False),
        ("1", "a" * 65, False),
        ("1", "ada@example.org", False),
        ("1", "203.0.113.9", False),
        ("1", "two words of them", False),
        ("1", f"{FROM_PROXY}, {FROM_PROXY}", False),
        ("1", "<script>alert(1)</script>", False),
        ("1", "x-ümläuted-x", False),
        ("1", "", False),
    ],
)
def test_a_number_is_taken_from_trusted_proxies_only_and_only_if_it_is_one(
    make_app: MakeApp, proxies: str, given: str, taken: bool
) -> None:
    visitor = visitor_of(make_app(TRUSTED_PROXIES=proxies))
    answer = visitor.get("/petition", **{"X-Request-ID": given}).headers["x-request-id"]
    assert answer == given if taken else NUMBER.fullmatch(answer)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_failure_is_found_by_the_number_that_its_page_shows(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path, log_format: str
) -> None:
    log, token = tmp_path / "log", make_token(Purpose.MANAGE, uuid4(), clock.utc_now())
    with serving(database_url, mailbox, log, LOG_FORMAT=log_format) as site:
        sign = site.visitor.get("/petition")
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE signatures RENAME TO lost"))
        engine.dispose()
        filled = {"name": "Wilhelmina", "email": "wilhelmina@example.org", "consent": "yes"}
        form = site.visitor.submit(sign, "/petition/sign", **filled)
        page = site.visitor.get(f"/petition/signature/{token}")
    told = log.read_text()
    for answer, words in ((form, "name the number"), (page, "name this number")):
        assert answer.status == 500
        number = answer.headers["x-request-id"]
        assert words in answer.text
        assert number in answer.text
        line = next(line for line in told.splitlines() if number in line and " failed: " in line)
        if log_format == "json":
            assert json.loads(line)["request_id"] == number
            assert json.loads(line)["level"] == "error"
        else:
            assert f"ERROR coalition.web.errors [{number}]: " in line
    assert "ilhelmina" not in told


# One object a line


@on_sqlite
def test_each_request_is_one_line_and_says_nothing_of_who_sent_it(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    marks = Marks()
    far = marks.add("198.51.100.77", "address")
    network = marks.add("2001:db8:77:66::1", "network")
    name = marks.add("Wilhelmina", "name")
    mail = marks.add("wilhelmina@fictional.example.net", "mail")
    agent = marks.add("Peculiar/1.0", "browser")
    with transaction() as session:
        signature = make_signature(session, email=mail, name=name)
    token = marks.add(make_token(Purpose.MANAGE, signature.id, clock.utc_now()), "token")
    settings = {"LOG_FORMAT": "json", "TRUSTED_PROXIES": "1", "PAGE_CACHE": "10"}
    with serving(database_url, mailbox, tmp_path / "log", **settings) as site:
        visitor = site.visitor
        given = {"X-Forwarded-For": far, "User-Agent": agent, "Referer": f"http://{name}.example"}
        paths = (
            f"/petition/signature/{token}",
            f"/petition?source={name}",
            f"/petition?source={name}",
            f"/{name}",
        )
        numbers = [visitor.get(each, **given).headers["x-request-id"] for each in paths]
        del given["Referer"]  # or else it is a page of another site that writes
        visitor.request(name.upper(), "/petition", given, b"", follow=False)
        signing = {"name": name, "email": mail, "consent": "yes"}
        given = {"X-Forwarded-For": network, "X-Request-ID": FROM_PROXY}
        visitor.post("/petition/sign", signing, follow=False, **given)
    assert not marks.found_in(site.log.read_bytes())
    lines = of_requests(site)
    assert [(each["route"], each["method"], each["status"]) for each in lines[:5]] == [
        ("/petition/signature/<token>", "GET", 200),
        ("/petition", "GET", 200),
        ("/petition", "GET", 200),
        (NO_ROUTE, "GET", 404),
        (NO_ROUTE, "other", 405),
    ]
    assert [each["request_id"] for each in lines[:4]] == numbers
    assert (lines[5]["route"], lines[5]["request_id"]) == ("/petition/sign", FROM_PROXY)
    for line in lines:
        assert set(line) == {
            *("time", "level", "logger", "message"),
            *("request_id", "route", "method", "status", "milliseconds"),
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
        assert 0 <= line["milliseconds"] < 10_000


@on_sqlite
def test_as_text_no_request_has_a_line(database_url: str, mailbox: Mailbox, tmp_path: Path) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        site.visitor.get("/petition")
        site.visitor.get("/nowhere")
    assert re.fullmatch(r"Open http[^\n]+\nStopped\.\n", site.log.read_text())


@on_sqlite
def test_the_worker_logs_in_the_same_format(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE count_events RENAME TO lost"))
    engine.dispose()
    with serving(database_url, mailbox, tmp_path / "log", LOG_FORMAT="json") as site:
        while "the worker met a fault" not in site.log.read_text():
            site.visitor.get("/healthz")
    line = next(each for each in lines_of(site) if each["logger"] == "coalition.worker")
    assert line["message"] == "the worker met a fault, and goes on: OperationalError"
    assert "request_id" not in line


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_the_text_of_an_error_is_in_no_line(formatter: logging.Formatter) -> None:
    """Whoever logs it: libraries do, and an error's text may hold what somebody typed."""
    try:
        try:
            raise KeyError("Wilhelmina")
        except KeyError as cause:
            raise ValueError("wilhelmina@example.org") from cause
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "it %s", ("broke",), sys.exc_info())
    line = formatter.format(record)
    assert "ilhelmina" not in line
    assert "it broke" in line
    assert "ValueError at " in line
    assert "test_logs.py" in line


def test_a_line_is_one_line_whatever_stands_in_it() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, 'one\ntwo \u2028"three"', (), None)
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == 'one\ntwo \u2028"three"'


def test_the_format_is_text_unless_it_is_said() -> None:
    assert Settings.__dataclass_fields__["log_format"].default == "text"
