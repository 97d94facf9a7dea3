"""Somebody guesses codes and passwords, or sends forms without end, and pretends to be many: on a
served site of two processes that count together in Redis, behind one proxy."""

from __future__ import annotations

import ipaddress
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from coalition.web.limits import network_of
from tests.conftest import Site, serving
from tests.desking import give_password, make_moderator
from tests.engines import on_sqlite
from tests.mailbox import Mailbox, free_port
from tests.storing import running_redis
from tests.visitor import visitor_of

MakeApp = Callable[..., Flask]
SENT = 6  # forms a minute from one network


@pytest.fixture(scope="module")
def served(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("evading")
    shutil.copy(prepared_sqlite, folder / "site.db")
    with running_redis(folder, free_port()) as redis_url, Mailbox().running() as mailbox:
        settings = {
            "WEB_PROCESSES": "2", "REDIS_URL": redis_url, "TRUSTED_PROXIES": "1",
            "LIMIT_NETWORK": f"{SENT} per minute", "LIMIT_CODE": "", "LIMIT_ADDRESS": "",
        }  # fmt: skip
        with serving(
            f"sqlite:///{folder / 'site.db'}", mailbox, folder / "log", **settings
        ) as site:
            yield site


def post(site: Site, path: str, values: dict[str, str], *forwarding: tuple[str, str]) -> int:
    """The status of a form with these headers, each in a line of its own, in this order."""
    connection = HTTPConnection(site.url.removeprefix("http://"), timeout=30)
    body = urlencode(values).encode()
    connection.putrequest("POST", path)
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(body)))
    for name, value in forwarding:
        connection.putheader(name, value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


def guess(site: Site, path: str, email: str, number: int) -> int:
    source = ("X-Forwarded-For", f"198.51.{number // 250}.{number % 250}")
    return post(site, path, {"email": email, "code": f"{number:08}"}, source)


def test_many_sources_at_once_try_no_more_codes_than_one(served: Site) -> None:
    with ThreadPoolExecutor(8) as crowd:
        told = crowd.map(
            lambda number: guess(served, "/petition/code", "ada@example.org", number), range(80)
        )
    assert Counter(told) == {422: 5, 429: 75}


def test_a_code_is_not_tried_more_often_at_another_door_or_in_another_spelling(
    served: Site,
) -> None:
    spellings = ("Eve@gmail.com", "e.ve@gmail.com", "eve+a@googlemail.com", "EVE@GMAIL.COM")
    told = [
        guess(served, f"/{room}/code", spelling, 1_000 + number)
        for number, (room, spelling) in enumerate(
            [(room, each) for each in spellings for room in ("petition", "supporters")]
        )
    ]
    assert told == [422] * 5 + [429] * 3


def from_one(site: Site, *forwarding: tuple[str, str]) -> list[int]:
    """Twice as many forms as one network may send, each with these headers; N is their number."""
    return [
        post(site, "/petition/sign", {}, *((name, value.replace("N", str(number)))
                                           for name, value in forwarding))
        for number in range(2 * SENT)
    ]  # fmt: skip


FOR = "X-Forwarded-For"
REFUSED = [422] * SENT + [429] * SENT


@pytest.mark.parametrize(
    "forwarding",
    [
        # What the proxy saw is the last; it adds to the line, or a line of its own.
        [(FOR, "198.51.100.N, 203.0.113.1")],
        [(FOR, "198.51.100.N"), (FOR, "203.0.113.2")],
        [(FOR, "198.51.100.N, 198.51.101.N"), (FOR, "203.0.113.3")],
        [(FOR, "203.0.113.4"), ("Forwarded", "for=198.51.100.N"), ("X-Real-IP", "198.51.100.N")],
        [(FOR, "203.0.113.5"), ("X-Client-IP", "198.51.100.N"), ("True-Client-IP", "198.51.100.N")],
        [(FOR, "198.51.100.N,,,   203.0.113.6")],
        [(FOR, "\"198.51.100.N\", 203.0.113.7")],
        [(FOR, "::ffff:203.0.113.8")],
        [(FOR, "::ffff:cb00:7109")],
        [(FOR, "2001:db8:1:1:N::N")],
        [(FOR, "2001:0DB8:0001:0002:00N:0000:0000:0001")],
        [(FOR, "2001:db8:1:3::1%N")],
    ],
    ids=str,
)  # fmt: skip
def test_no_forged_header_makes_many_of_one(
    served: Site, forwarding: list[tuple[str, str]]
) -> None:
    assert from_one(served, *forwarding) == REFUSED


def test_what_cannot_be_read_is_limited_as_one(served: Site) -> None:
    """However it is written: as long as a proxy writes it, it is a fault of the proxy's."""
    nonsense = (
        "unknown",
        "_hidden",
        "203.0.113.9:N",
        "[2001:db8::9]:N",
        "1e3",
        "0x7f.1",
        "a b",
        "N",
    )
    told = []
    for number in range(2):
        for each in nonsense:
            value = each.replace("N", str(number))
            told.append(post(served, "/petition/sign", {}, (FOR, value)))
    assert told == [422] * SENT + [429] * (len(told) - SENT)


def test_a_header_that_is_not_ascii_makes_nobody_one_of_this_machine(served: Site) -> None:
    """The server hands it on empty, with all that the proxy added to it."""
    host = served.url.removeprefix("http://")
    assert from_one(served, (FOR, "198.51.100.\xb2, 203.0.113.77")) == REFUSED
    for path in ("/metrics", "/dev/components"):
        connection = HTTPConnection(host, timeout=30)
        connection.putrequest("GET", path)
        connection.putheader(FOR, "\xb2, 203.0.113.77")
        connection.endheaders()
        assert connection.getresponse().status == 404
        connection.close()


def test_addresses_within_one_64_are_one_network_and_those_of_a_48_are_not() -> None:
    chance = random.Random(1)
    wide = ipaddress.ip_network("2001:db8:7::/48")
    narrow = ipaddress.ip_network("2001:db8:7:5::/64")
    within = {network_of(str(narrow[chance.getrandbits(64)])) for _ in range(1_000)}
    across = {network_of(str(wide[chance.getrandbits(80)])) for _ in range(1_000)}
    assert within == {"2001:db8:7:5::/64"}
    assert len(across) > 950


def signed_from(app: Flask, source: str, email: str) -> int:
    visitor = visitor_of(app, source)
    page = visitor.get("/petition")
    answers = {"name": "Ada", "email": email, "consent": "yes"}
    return visitor.submit(page, "/petition/sign", follow=False, **answers).status


@on_sqlite
def test_whoever_has_a_48_is_held_by_the_limits_of_domain_and_address(make_app: MakeApp) -> None:
    """What docs/security.md says of it: the network's limit is 65,536 times as wide for them."""
    app = make_app(
        LIMIT_NETWORK="1 per hour", LIMIT_DOMAIN="3 per hour", LIMIT_ADDRESS="2 per hour"
    )
    sources = [f"2001:db8:7:{number:x}::1" for number in range(8)]
    flood = [signed_from(app, each, f"p{n}@flood.example.org") for n, each in enumerate(sources)]
    assert flood == [303] * 3 + [429] * 5
    again = [signed_from(app, f"{each}1", "ada@gmail.com") for each in sources]
    assert again == [429] * 8
    others = [f"2001:db8:8:{number:x}::1" for number in range(8)]
    assert [signed_from(app, each, "ada@gmail.com") for each in others] == [303] * 2 + [429] * 6


@on_sqlite
def test_passwords_are_not_tried_more_often_in_other_spellings(make_app: MakeApp) -> None:
    app = make_app(LIMIT_SIGN_IN="3 per hour")
    with app.app_context():
        give_password(app, make_moderator(app, email="mo@gmail.com"))
    spellings = [
        "mo@gmail.com",
        "MO@gmail.com",
        "m.o@gmail.com",
        "mo+x@gmail.com",
        " mo@gmail.com ",
    ]
    told = []
    for number, email in enumerate(spellings):
        visitor = visitor_of(app, f"2001:db8:9:{number:x}::1")
        values = visitor.get("/desk/sign-in").form("/desk/sign-in").values
        typed = {**values, "email": email, "password": "wrong password"}
        told.append(visitor.post("/desk/sign-in", typed).status)
    assert told == [422] * 3 + [429] * 2
