"""Requests that no browser and no client library would send, through a real socket to the server
that serves the site."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT, serving
from tests.mailbox import Mailbox

PATIENCE = 5  # seconds; the site answers in a hundredth of one
CRLF = b"\r\n"
SECRETS = (
    b"root:x:",
    b"[project]",
    b"def create_app",
    b"COALITION_",
    b"SQLite format",
    b"Traceback",
)


@dataclass
class Line:
    """A connection to the site, for one thing to be said."""

    host: str
    port: int
    log: Path

    def say(self, sent: bytes, *, hang_up: bool = False) -> bytes:
        """All that is answered until the site lets go."""
        with socket.create_connection((self.host, self.port), timeout=PATIENCE) as line:
            try:
                line.sendall(sent)
                if hang_up:
                    line.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: line.recv(65_536), b""))
            except (ConnectionResetError, BrokenPipeError):
                return b""  # it would not even hear it out

    def ask(
        self, first: bytes, *headers: bytes, body: bytes = b"", hang_up: bool = False
    ) -> list[int]:
        """The status of each answer to this request line, with these headers."""
        host = f"Host: {self.host}:{self.port}".encode()
        given = [] if any(each.lower().startswith(b"host") for each in headers) else [host]
        lines = [first, *given, *headers, b"Connection: close", b"", body]
        return statuses(self.say(CRLF.join(lines), hang_up=hang_up))

    def hidden(self) -> bytes:
        """A whole request, to stand where a body should be."""
        return f"GET /healthz HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n".encode()


def statuses(answer: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d\d\d)", answer)]


@pytest.fixture(scope="module")
def line(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("raw")
    shutil.copy(prepared_sqlite, folder / "site.db")
    with (
        Mailbox().running() as mailbox,
        serving(
            f"sqlite:///{folder / 'site.db'}", mailbox, folder / "log", WEB_PROCESSES="1"
        ) as site,
    ):
        address = urlsplit(site.url)
        yield Line(str(address.hostname), int(address.port or 0), site.log)
        assert "Traceback" not in site.log.read_text()
        assert site.visitor.get("/healthz").status == 200


POST = b"POST /petition/sign HTTP/1.1"
FORM = b"Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "lengths",
    [
        (b"Content-Length: 4", b"Content-Length: 80"),
        (b"Content-Length: 4, 80",),
        (b"Content-Length: 4, 4",),
        (b"Content-Length: +4",),
        (b"Content-Length: -4",),
        (b"Content-Length: 0x4",),
        (b"Content-Length: 4 4",),
        (b"Content-Length: 99999999999999999999",),
        (b"Content-Length : 4",),
        (b"Transfer-Encoding: xchunked", b"Content-Length: 4"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        (b"Transfer-Encoding : chunked", b"Content-Length: 4"),
        (b"Transfer-Encoding: chunked, identity",),
        (b"Transfer-Encoding:\x0bchunked",),
        (b"X: y\rTransfer-Encoding: chunked",),
    ],
    ids=repr,
)  # fmt: skip
def test_a_body_whose_length_is_told_in_two_ways_is_refused(
    line: Line, lengths: tuple[bytes, ...]
) -> None:
    assert line.ask(POST, FORM, *lengths, body=b"a=b&" + line.hidden()) == [400]


def test_no_request_is_smuggled_in_a_body(line: Line) -> None:
    """Chunked wins, as RFC 9112 (6.3) says; what follows is not read as another request."""
    both = (b"Content-Length: 5", b"Transfer-Encoding: chunked")
    assert line.ask(POST, FORM, *both, body=b"0\r\n\r\n" + line.hidden()) in ([400], [422])
    inside = line.hidden()
    length = f"Content-Length: {len(inside)}".encode()
    assert line.ask(b"GET / HTTP/1.1", length, body=inside) == [200]


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
     b"4;" + b"x" * 100_000 + b"\r\na=b&\r\n0\r\n\r\n", b"4\r\na=b&c=d\r\n0\r\n\r\n", b"4\r\na"],
    ids=range(6),
)  # fmt: skip
def test_a_body_in_broken_chunks_breaks_nothing(line: Line, chunks: bytes) -> None:
    told = line.ask(
        POST, FORM, b"Transfer-Encoding: chunked", body=chunks, hang_up=chunks.endswith(b"a")
    )
    assert all(status in (400, 413, 422) for status in told), told


def test_a_large_body_is_not_read_however_its_length_is_told(line: Line) -> None:
    """Of a body in chunks nothing is read: no browser sends a form so, and proxies gather them."""
    chunks = b"".join(b"10000\r\n" + b"a" * 65_536 + CRLF for _ in range(16)) + b"0\r\n\r\n"
    assert line.ask(POST, FORM, b"Transfer-Encoding: chunked", body=chunks) == [422]
    assert line.ask(POST, FORM, b"Content-Length: 10000000000", body=b"a=b") == [413]
    short = line.ask(POST, FORM, b"Content-Length: 400", body=b"a=b", hang_up=True)
    assert short in ([], [400], [422])


@pytest.mark.parametrize(
    "first",
    [
        b"GET /", b"GET / HTTP/9.9", b"GET  / HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /a\x00b HTTP/1.1",
        b"GET /\xc0\xae\xff HTTP/1.1", b"G\x00T / HTTP/1.1", b"/ GET HTTP/1.1", b"\x16\x03\x01\x02\x00\x01",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2", b"GET http:// HTTP/1.1", b"GET \\\\evil\\a HTTP/1.1",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
    ],
    ids=lambda each: repr(each[:30]),
)  # fmt: skip
def test_what_is_no_request_is_answered_as_such(line: Line, first: bytes) -> None:
    told = line.ask(first)
    assert all(400 <= status < 500 for status in told), told


@pytest.mark.parametrize(
    "headers",
    [(b"X-A: a\x00b",), (b"X A: a",), (b"X-A: a\r\n folded",), (b"X-A: a\rX-B: b",), (b": a",),
     (b"no colon",), tuple(f"X-{number}: a".encode() for number in range(200)),
     (b"X-A: " + b"a" * 1_000_000,)],
    ids=lambda each: repr(each[0][:20]),
)  # fmt: skip
def test_broken_and_boundless_headers_are_refused(line: Line, headers: tuple[bytes, ...]) -> None:
    told = line.ask(b"GET / HTTP/1.1", *headers)
    assert told in ([], [400], [431])


def test_a_header_of_a_hundred_kilobytes_is_answered(line: Line) -> None:
    assert line.ask(b"GET / HTTP/1.1", b"X-A: " + b"a" * 100_000) in ([200], [431])


@pytest.mark.parametrize(
    ("first", "hosts"),
    [
        (b"GET / HTTP/1.1", (b"Host: OURS", b"Host: evil.example.org")),
        (b"GET / HTTP/1.1", (b"Host: evil.example.org", b"Host: OURS")),
        (b"GET / HTTP/1.1", (b"Host: OURS@evil.example.org",)),
        (b"GET / HTTP/1.1", (b"Host: evil.example.org#OURS",)),
        (b"GET / HTTP/1.1", (b"Host: OURS:80:80",)),
        (b"GET / HTTP/1.1", (b"Host: OURS evil.example.org",)),
        (b"GET / HTTP/1.1", (b"Host: ",)),
        (b"GET http://OURS/ HTTP/1.1", (b"Host: evil.example.org",)),
        (b"GET / HTTP/1.0", (b"Hostile: OURS",)),
    ],
)
def test_under_a_name_that_is_not_ours_nothing_is_answered(
    line: Line, first: bytes, hosts: tuple[bytes, ...]
) -> None:
    ours = f"{line.host}:{line.port}".encode()
    lines = [first.replace(b"OURS", ours), *(each.replace(b"OURS", ours) for each in hosts)]
    answer = line.say(CRLF.join([*lines, b"Connection: close", b"", b""]))
    assert statuses(answer) == [400]
    assert b"evil" not in answer


def test_a_whole_address_in_place_of_a_path_changes_no_link(line: Line) -> None:
    ours = f"Host: {line.host}:{line.port}\r\nConnection: close\r\n\r\n".encode()
    answer = line.say(b"GET http://evil.example.org/petition HTTP/1.1\r\n" + ours)
    assert b"evil" not in answer
    for method in (b"TRACE", b"CONNECT", b"BREW"):
        answer = line.say(method + b" / HTTP/1.1\r\nX-Secret: q7x\r\n" + ours)
        assert statuses(answer)[0] in (400, 404, 405)
        assert b"q7x" not in answer


def test_no_other_protocol_is_spoken(line: Line) -> None:
    for upgrade in (b"websocket", b"h2c", b"TLS/1.0"):
        told = line.ask(b"GET / HTTP/1.1", b"Upgrade: " + upgrade, b"HTTP2-Settings: AAMAAABk")
        assert 101 not in told
    assert 200 not in statuses(line.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))


STEPS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..\\", "..%5c", "%252e%252e%252f", "..;/", "....//",
         "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/", ".%00./", "..%00/", "./../", "//../", "%u002e%u002e/")  # fmt: skip
BELOW = ("/static/", "/static/css/", "/press/", "/press/releases/", "/press/releases/2026-11-16/",
         "/press/charts/", "/supporters/logo/", "/")  # fmt: skip
WANTED = ("pyproject.toml", "coalition/app.py", "etc/passwd", "site.db", "proc/self/environ",
          "templates/errors/404.html")  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_no_path_leads_to_a_file_that_is_not_for_the_public(line: Line, step: str) -> None:
    assert (ROOT / "pyproject.toml").is_file()
    host = f" HTTP/1.1\r\nHost: {line.host}:{line.port}\r\nConnection: close\r\n\r\n".encode()
    for below in BELOW:
        for wanted in WANTED:
            for up in (1, 2, 8):
                answer = line.say(f"GET {below}{step * up}{wanted}".encode() + host)
                assert statuses(answer)[0] in (308, 400, 404), (below, step, up, wanted)
                assert not any(secret in answer for secret in SECRETS)


@pytest.mark.parametrize(
    "path",
    ["//evil.example.org", "//evil.example.org/..", "//evil.example.org/%2e%2e", "/\\evil.example.org",
     "/%5cevil.example.org/", "//evil.example.org//petition", "/petition//", "//petition",
     "/http://evil.example.org", "/desk//\\evil.example.org", "/.//evil.example.org"],
)  # fmt: skip
def test_nobody_is_led_to_another_site(line: Line, path: str) -> None:
    ours = f"{line.host}:{line.port}"
    ended = f" HTTP/1.1\r\nHost: {ours}\r\nConnection: close\r\n\r\n"
    answer = line.say(f"GET {path}{ended}".encode())
    assert statuses(answer)[0] in (200, 303, 308, 400, 404)
    for target in re.findall(rb"(?im)^location: *(\S+)", answer):
        assert re.match(rb"/[^/\\]|http://" + re.escape(ours.encode()) + rb"/", target), target


@pytest.mark.parametrize("path", ["//desk", "/./desk", "/desk//people", "//desk/people", "/DESK", "/desk/people;x", "/x/..//desk", "/%64esk", "/desk%2fpeople", "/desk/.", "/desk?"])  # fmt: skip
def test_no_spelling_of_its_address_opens_the_desk(line: Line, path: str) -> None:
    ended = f" HTTP/1.1\r\nHost: {line.host}:{line.port}\r\nConnection: close\r\n\r\n"
    assert statuses(line.say(f"GET {path}{ended}".encode()))[0] in (303, 308, 400, 404)
