"""Limits slow a crowd, and lose nothing of what it typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from flask import Flask

from coalition import clock
from coalition.accounts.sessions import is_desk
from coalition.db import transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import SignatureStatus
from coalition.web.limits import limiter, network_of
from tests.conftest import serving
from tests.factories import make_signature
from tests.mailbox import Mailbox, free_port
from tests.storing import running_redis
from tests.visitor import Page, Visitor, visitor_of

MakeApp = Callable[..., Flask]


def sign(visitor: Visitor, number: int = 0, **answers: str) -> Page:
    filled = {"name": "Ada", "email": f"person{number}@example.org", "consent": "yes", **answers}
    return visitor.submit(visitor.get("/petition"), "/petition/sign", **filled)


def assert_refused_and_kept(page: Page, **typed: str) -> None:
    assert page.status == 429
    assert 1 <= int(page.headers["retry-after"]) <= 3600
    values = next(form.values for form in page.forms if typed.keys() <= form.values.keys())
    for name, value in typed.items():
        assert values[name] == value


def test_a_network_over_its_limit_keeps_the_filled_form(make_app: MakeApp) -> None:
    app = make_app(LIMIT_NETWORK="2 per minute")
    visitor = visitor_of(app)
    assert [sign(visitor, number).status for number in range(2)] == [200, 200]
    refused = sign(visitor, 2, name="Ada Fictional", region="wales", show_name="yes")
    assert_refused_and_kept(
        refused,
        name="Ada Fictional",
        email="person2@example.org",
        region="wales",
        show_name="yes",
        consent="yes",
    )
    assert "wait a little" in refused.text
    assert sign(visitor_of(app, "203.0.113.9"), 2).status == 200


def test_reading_is_never_limited(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_NETWORK="1 per minute"))
    assert {visitor.get("/petition").status for _ in range(20)} == {200}


def test_a_ward_signs_within_the_limits_that_are_the_default(make_app: MakeApp) -> None:
    visitor = visitor_of(make_app(LIMIT_NETWORK="", LIMIT_ADDRESS="", LIMIT_DOMAIN=""))
    assert {sign(visitor, number).status for number in range(30)} == {200}
    assert sign(visitor, 31).status == 429


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"], [200, 429, 200]),
        (["203.0.113.1", "::ffff:203.0.113.1", "203.0.113.2"], [200, 429, 200]),
    ],
)
def test_one_visitor_is_one_network_in_either_version_of_the_protocol(
    make_app: MakeApp, addresses: list[str], statuses: list[int]
) -> None:
    app = make_app(LIMIT_NETWORK="1 per minute")
    got = [sign(visitor_of(app, each), n).status for n, each in enumerate(addresses)]
    assert got == statuses


def test_the_network_of_an_unreadable_address_is_one_for_all() -> None:
    assert network_of("x") == network_of(None) == "unknown"


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_a_forged_forwarding_header_evades_no_limit(make_app: MakeApp, proxies: int) -> None:
    visitor = visitor_of(make_app(LIMIT_NETWORK="1 per minute", TRUSTED_PROXIES=str(proxies)))
    page = visitor.get("/petition")
    trusted = ", 203.0.113.7" + ", 10.0.0.1" * (proxies - 1) if proxies else ""
    statuses = []
    for number in range(3):
        headers = {"X-Forwarded-For": f"198.51.100.{number}{trusted}"}
        values = {**page.form("/sign").values, "name": "A", "email": f"a{number}@example.org"}
        values["consent"] = "yes"
        statuses.append(visitor.post("/petition/sign", values, follow=False, **headers).status)
    assert statuses == [303, 429, 429]


def test_one_address_gets_only_so_many_mails(make_app: MakeApp) -> None:
    app = make_app(LIMIT_ADDRESS="")
    spellings = ["ada@gmail.com", "a.da@gmail.com", "ada+x@googlemail.com", "ADA@gmail.com"]
    statuses = [
        sign(visitor_of(app, f"203.0.113.{n}"), email=email).status
        for n, email in enumerate(spellings)
    ]
    assert statuses == [200, 200, 200, 429]
    page = visitor_of(app).get("/petition/your-signature")
    refused = visitor_of(app).submit(page, "/petition/resend", email="ada@gmail.com")
    assert_refused_and_kept(refused, email="ada@gmail.com")


def test_one_unknown_domain_is_slowed_and_a_large_provider_is_not(make_app: MakeApp) -> None:
    app = make_app(LIMIT_DOMAIN="2 per hour")
    visitor = visitor_of(app)
    small = [sign(visitor, email=f"p{n}@flood.example.org").status for n in range(3)]
    large = [sign(visitor, email=f"p{n}@gmail.com").status for n in range(3)]
    assert (small, large) == ([200, 200, 429], [200, 200, 200])


def test_codes_cannot_be_tried_at_will(make_app: MakeApp) -> None:
    app = make_app(LIMIT_CODE="")
    with app.app_context(), transaction() as session:
        make_signature(session, email="ada@example.org", status=SignatureStatus.AWAITING)
    statuses = []
    for number in range(6):
        visitor = visitor_of(app, f"203.0.113.{number}")
        page = visitor.get("/petition/code")
        last = visitor.submit(page, "/petition/code", email="ada@example.org", code="12345678")
        statuses.append(last.status)
    assert statuses == [422] * 5 + [429]
    assert_refused_and_kept(last, email="ada@example.org", code="12345678")


def test_what_was_written_in_an_appeal_survives_the_limit(make_app: MakeApp) -> None:
    app = make_app(LIMIT_NETWORK="1 per minute")
    visitor = visitor_of(app)
    with app.app_context():
        with transaction() as session:
            signature = make_signature(session, status=SignatureStatus.HELD)
        token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    sign(visitor)
    words = "We are a day centre,\n\nand share one computer. <b>Please look again.</b>"
    refused = visitor.post(f"/petition/signature/{token}/appeal", {"words": words})
    assert_refused_and_kept(refused, words=words)
    assert "<b>Please" not in refused.text


def test_every_public_route_that_writes_is_limited(
    make_app: MakeApp,
) -> None:
    app = make_app(LIMIT_NETWORK="1 per minute")
    visitor = visitor_of(app)
    sign(visitor)
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or set()) and not is_desk(rule.rule):
            path = rule.rule.replace("<token>", "x").replace("<purpose>", "x")
            assert visitor.post(path, {}).status == 429, rule.rule


def test_with_redis_processes_share_their_limits(make_app: MakeApp, redis_url: str) -> None:
    first, second = (make_app(LIMIT_NETWORK="2 per minute", REDIS_URL=redis_url) for _ in range(2))
    assert sign(visitor_of(first, "203.0.113.20"), 1).status == 200
    assert sign(visitor_of(second, "203.0.113.20"), 2).status == 200
    assert sign(visitor_of(first, "203.0.113.20"), 3).status == 429
    with redis.Redis.from_url(redis_url) as client:
        keys = " ".join(key.decode() for key in client.scan_iter())
    assert "LIMIT_NETWORK" in keys
    assert "example.org" not in keys
    assert "203.0.113" not in keys


def test_two_who_find_redis_gone_at_once_both_sign(
    make_app: MakeApp, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visitor_of(make_app(REDIS_URL=redis_url))

    def is_gone_and_somebody_else_noticed(*_: object, **__: object) -> None:
        monkeypatch.setattr(limiter, "_storage_dead", True)
        raise redis.exceptions.ConnectionError

    monkeypatch.setattr(limiter._storage, "check", lambda: False)
    monkeypatch.setattr(limiter._storage.storage, "eval", is_gone_and_somebody_else_noticed)
    assert "Check your email" in sign(visitor).text
    assert limiter._storage_dead


def test_signing_goes_on_when_redis_is_gone(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with running_redis(tmp_path, free_port()) as url:
        one_process = {"WEB_PROCESSES": "1", "LIMIT_NETWORK": "3 per minute", "REDIS_URL": url}
        with serving(database_url, mailbox, tmp_path / "log", **one_process) as site:
            assert sign(site.visitor, 1).status == 200
            with redis.Redis.from_url(url) as client:
                client.shutdown(nosave=True)
            statuses = [sign(site.visitor, number).status for number in range(2, 6)]
            assert statuses == [200, 200, 200, 429]
