"""The site behind nginx and Caddy, with the configurations that come with it."""

from __future__ import annotations

import gzip
import http.client
import os
import shutil
import signal
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Site, serving
from tests.deploy.proxies import NAME, VISITOR, Proxy, proxied
from tests.mailbox import Mailbox, free_port, link_in
from tests.signing import sign

KINDS = ("nginx", "caddy")
BESIDES = 12  # slow bodies at once: more than the threads of the site
TOO_LARGE = 18 * 1024 * 1024  # bytes
IDLE = 10.5  # seconds; the site closes a connection that was idle for 10


@dataclass
class Front:
    """A site, the proxy before it, and the mail that it sends."""

    site: Site
    proxy: Proxy
    mailbox: Mailbox

    def connect(self) -> http.client.HTTPSConnection:
        return self.proxy.connect()


@contextmanager
def served(kind: str, prepared: Path, folder: Path, **changes: str) -> Iterator[Front]:
    """A site behind a proxy, with settings of choice."""
    database = folder / "site.db"
    shutil.copy(prepared, database)
    settings = {"SITE_URL": f"https://{NAME}", "TRUSTED_PROXIES": "1", **changes}
    with ExitStack() as stack:
        mailbox = stack.enter_context(Mailbox().running())
        log = folder / "site.log"
        site = stack.enter_context(serving(f"sqlite:///{database}", mailbox, log, **settings))
        port = urlsplit(site.url).port
        assert port
        proxy = stack.enter_context(proxied(kind, port, folder / kind))
        yield Front(site, proxy, mailbox)


@pytest.fixture(scope="module", params=KINDS)
def front(
    request: pytest.FixtureRequest, prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp(request.param)
    with served(request.param, prepared_sqlite, folder) as running:
        yield running


@pytest.fixture(params=KINDS)
def before_nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    """A proxy whose site has stopped."""
    with proxied(request.param, free_port(), tmp_path / request.param) as proxy:
        yield proxy


def test_somebody_signs_and_is_counted(front: Front) -> None:
    visitor = front.proxy.visitor
    assert "Check your email" in sign(visitor, email="through@example.org").text
    link = link_in(front.mailbox.wait_for(1), "confirm")
    page = visitor.submit(visitor.get(link), "/petition/confirm")
    assert page.status == 200
    assert "through@example.org" not in front.proxy.written()
    assert link not in front.proxy.written()


@pytest.mark.parametrize("kind", KINDS)
def test_no_header_of_a_visitor_gives_another_network(
    kind: str, prepared_sqlite: Path, tmp_path: Path
) -> None:
    names = ("X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-IP", "X-Client-IP")
    with served(kind, prepared_sqlite, tmp_path, LIMIT_NETWORK="1 per hour") as front:
        visitor = front.proxy.visitor
        answers = [
            visitor.post("/petition/sign", {}, **{name: f"203.0.113.{last}"}).status
            for last, name in enumerate(("Accept-Language", *names))
        ]
    assert answers == [422, *[429] * len(names)]


def test_slow_bodies_hold_nobody_up(front: Front) -> None:
    slow = [front.connect() for _ in range(BESIDES)]
    try:
        for each in slow:
            each.putrequest("POST", "/petition/sign")
            each.putheader("Content-Type", "application/x-www-form-urlencoded")
            each.putheader("Content-Length", "1000")
            each.endheaders(b"name=Ada")
        began = time.monotonic()
        assert front.proxy.visitor.get("/petition?slow").status == 200
        assert time.monotonic() - began < 5
    finally:
        for each in slow:
            each.close()


def test_a_connection_that_was_idle_breaks_for_nobody(front: Front) -> None:
    assert front.proxy.visitor.get("/petition?idle=1").status == 200
    time.sleep(IDLE)
    assert front.proxy.visitor.post("/petition/sign", {}).status == 422


def test_figures_of_the_machine_are_for_nobody_outside(front: Front) -> None:
    assert front.proxy.visitor.get("/metrics").status == 404


def test_pages_are_compressed_and_the_desk_is_not(front: Front) -> None:
    page = front.proxy.visitor.get("/petition", **{"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert b"<h1" in gzip.decompress(page.data)
    desk = front.proxy.visitor.get("/desk/sign-in", **{"Accept-Encoding": "gzip"})
    assert desk.status == 200
    assert "content-encoding" not in desk.headers


def test_every_answer_asks_for_https_from_now_on(front: Front) -> None:
    assert "max-age=" in front.proxy.visitor.get("/").headers["strict-transport-security"]


def test_http_leads_to_https(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.proxy.plain_port, timeout=10)
    connection.request("GET", "/petition", headers={"Host": NAME})
    answer = connection.getresponse()
    connection.close()
    assert answer.status in (301, 308)
    assert answer.headers["Location"].startswith(f"https://{NAME}")


def test_a_form_that_is_too_large_for_the_site_is_answered_by_the_site(front: Front) -> None:
    page = front.proxy.visitor.post("/petition/sign", {"name": "a" * 70_000})
    assert page.status == 413
    assert "/static/css/" in page.text


def test_while_the_site_is_away_a_visitor_is_told_so_in_words(before_nothing: Proxy) -> None:
    for page in (
        before_nothing.visitor.get("/petition/signature/a-private-link?code=secret"),
        before_nothing.visitor.post("/petition/sign", {"name": "Ada Fictional"}),
    ):
        assert page.status == 502
        assert "cannot answer just now" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["retry-after"] == "60"


def test_no_log_of_the_proxy_holds_an_address_or_a_path(before_nothing: Proxy) -> None:
    before_nothing.visitor.get("/petition/signature/a-private-link?code=secret")
    before_nothing.visitor.post("/petition/sign", {"name": "Ada Fictional"})
    written = before_nothing.written()
    for each in ("a-private-link", "secret", "/petition", "Ada", VISITOR):
        assert each not in written, written


@pytest.fixture
def nginx(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Front]:
    with served("nginx", prepared_sqlite, tmp_path) as running:
        yield running


def test_nginx_keeps_public_pages_and_nothing_else(nginx: Front) -> None:
    def numbers(path: str) -> set[str]:
        pages = [nginx.proxy.visitor.get(path) for _ in range(3)]
        return {page.headers["x-request-id"] for page in pages}

    assert len(numbers("/petition")) == 1
    assert len(numbers("/press/counts.csv")) == 1
    for path in ("/desk/sign-in", "/petition/signature/none", "/nowhere"):
        assert len(numbers(path)) == 3, path
    kept = [
        each.read_bytes() for each in (nginx.proxy.folder / "cache").rglob("*") if each.is_file()
    ]
    assert len(kept) == 2


def test_nginx_shows_pages_while_the_site_is_away_but_none_that_may_be_taken_back(
    nginx: Front,
) -> None:
    visitor = nginx.proxy.visitor
    assert visitor.get("/petition").status == 200
    assert visitor.get("/testimonies").status == 200
    os.killpg(nginx.site.group, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while visitor.get("/readyz").status != 502:
        assert time.monotonic() < deadline
    while visitor.get("/testimonies").status != 502:  # it may be kept for ten seconds
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert visitor.get("/petition").status == 200


def test_nginx_refuses_a_body_that_no_form_takes_in_words(nginx: Front) -> None:
    with closing(nginx.connect()) as connection:
        connection.putrequest("POST", "/supporters/endorse")
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", str(TOO_LARGE))
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413
        assert "file is too large" in answer.read().decode()


def test_nginx_stops_a_machine_that_sends_form_after_form(nginx: Front) -> None:
    def send_in_a_row(many: int) -> list[tuple[int, str]]:
        with closing(nginx.connect()) as connection:
            answers = []
            for _ in range(many):
                connection.request("POST", "/nowhere")
                answer = connection.getresponse()
                answers.append((answer.status, answer.read().decode()))
            return answers

    with ThreadPoolExecutor(4) as senders:
        answers = [each for row in senders.map(send_in_a_row, [100] * 4) for each in row]
    refused = [text for status, text in answers if status == 429]
    assert "Too much came from your network" in refused[0]
    assert sum(status == 404 for status, _ in answers) >= 60


def test_nginx_answers_under_no_other_name(nginx: Front) -> None:
    with pytest.raises(ssl.SSLError):
        nginx.proxy.connect("elsewhere.example.org")
