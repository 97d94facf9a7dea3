"""Networks that may send more, and general limits that were changed, without a restart."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from coalition import clock
from coalition.db import db, transaction
from coalition.web.limit_models import LimitOverride, NetworkRule
from coalition.web.limit_rules import (
    REMEMBERED,
    forget_rules,
    limits_of,
    limits_of_network,
    longest_window,
    parse_limits,
    parse_network,
)
from tests.conftest import run_command
from tests.engines import on_both
from tests.signing import sign
from tests.test_cli import NEW, OLD, application, with_keys
from tests.visitor import visitor_of

MakeApp = Callable[..., Flask]


def trust(network: str, **values: Any) -> None:
    with transaction() as session:
        session.add(
            NetworkRule(
                **{
                    "id": uuid.uuid4(),
                    "network": str(parse_network(network)),
                    "factor": None,
                    "limits": None,
                    "note": "Ward 4",
                    "set_by": "moderator one",
                    "set_at": clock.utc_now(),
                    **values,
                }
            )
        )
    forget_rules()


def override(name: str, limits: str) -> None:
    with transaction() as session:
        session.add(LimitOverride(name=name, limits=limits, set_by="m", set_at=clock.utc_now()))
    forget_rules()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Enter a network"),
        ("ward four", "Enter a network"),
        ("203.0.113", "Enter a network"),
        ("203.0.113.256", "Enter a network"),
        ("203.0.113.7/33", "Enter a network"),
        ("203.0.113.7 203.0.113.8", "Enter a network"),
        ("2001:db8::/129", "Enter a network"),
        ("fe80::1%eth0", "Enter a network"),
        ("203.0.113.7/24", "Did you mean 203.0.113.0/24"),
        ("2001:db8::1/48", "Did you mean 2001:db8::/48"),
        ("0.0.0.0/0", "too wide"),
        ("10.0.0.0/8", "too wide"),
        ("::/0", "too wide"),
        ("2001::/16", "too wide"),
        ("::ffff:203.0.113.7", "short form"),
    ],
)
def test_what_is_no_network_of_a_place_is_refused_with_words(typed: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_network(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/96", "2001:db8:1:2::/64"),
        ("2001:db8:1::/48", "2001:db8:1::/48"),
    ],
)
def test_a_network_is_kept_as_visitors_are_limited(typed: str, kept: str) -> None:
    assert str(parse_network(typed)) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "often", "0 per hour", "-1 per hour", "3 per fortnight", "5 per 2 days", "1 per month",
     "30 per minute; often", "1 per hour; " * 40],
)  # fmt: skip
def test_what_says_no_limits_is_refused_with_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"Enter limits|within a day|characters"):
        parse_limits(typed)


def test_limits_are_kept_tidy() -> None:
    assert parse_limits(" 30  per minute;\n300 per hour ") == "30 per minute; 300 per hour"


def test_a_trusted_network_may_send_more_at_once(make_app: MakeApp) -> None:
    app = make_app(LIMIT_NETWORK="1 per minute")
    ward, other = visitor_of(app, "203.0.113.7"), visitor_of(app, "198.51.100.1")
    assert [sign(ward, email=f"a{n}@example.org").status for n in range(2)] == [200, 429]
    with app.app_context():
        trust("203.0.113.0/24", factor=3)
    assert [sign(ward, email=f"b{n}@example.org").status for n in range(4)] == [200, 200, 200, 429]
    assert [sign(other, email=f"c{n}@example.org").status for n in range(2)] == [200, 429]


def test_another_process_knows_within_five_seconds(make_app: MakeApp) -> None:
    first, second = make_app(), make_app()
    with second.app_context():
        assert limits_of_network("203.0.113.7") == "10000 per minute"
    assert REMEMBERED == 5
    with first.app_context():
        trust("203.0.113.7", limits="5 per hour")
    with second.app_context():
        assert limits_of_network("203.0.113.7") == "10000 per minute"
        second.extensions["limit_rules"].asked_at -= REMEMBERED
        assert limits_of_network("203.0.113.7") == "5 per hour"


def test_the_narrowest_network_decides(make_app: MakeApp) -> None:
    with make_app(LIMIT_NETWORK="3 per minute; 10 per 2 hours").app_context():
        trust("203.0.0.0/16", factor=2)
        trust("203.0.113.0/24", limits="9 per hour")
        trust("2001:db8:1::/48", factor=4)
        assert limits_of_network("203.0.113.7") == "9 per hour"
        assert limits_of_network("203.0.5.7") == "6 per 1 minute; 20 per 2 hour"
        assert limits_of_network("2001:db8:1:2::/64") == "12 per 1 minute; 40 per 2 hour"
        for stranger in ("198.51.100.1", "2001:db8:2:2::/64", "unknown"):
            assert limits_of_network(stranger) == "3 per minute; 10 per 2 hours"


def test_a_general_limit_is_overridden_and_reset(make_app: MakeApp) -> None:
    app = make_app(LIMIT_ADDRESS="1 per hour")
    with app.app_context():
        override("LIMIT_ADDRESS", "2 per hour")
        assert limits_of("LIMIT_ADDRESS") == "2 per hour"
    visitors = [visitor_of(app, f"203.0.113.{n}") for n in range(3)]
    assert [sign(each).status for each in visitors] == [200, 200, 429]
    with app.app_context():
        with transaction() as session:
            session.delete(session.get_one(LimitOverride, "LIMIT_ADDRESS"))
        forget_rules()
        assert limits_of("LIMIT_ADDRESS") == "1 per hour"


def test_the_privacy_notice_tells_the_longest_counter_of_all(app: Flask) -> None:
    assert longest_window("LIMIT_NETWORK") == 60
    trust("203.0.113.7", limits="500 per day")
    assert longest_window("LIMIT_NETWORK") == 86_400
    assert "within 24 hours" in visitor_of(app).get("/privacy").text


def test_while_the_rules_cannot_be_read_the_last_known_ones_stay_good(app: Flask) -> None:
    trust("203.0.113.7", limits="5 per hour")
    assert limits_of_network("203.0.113.7") == "5 per hour"
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE network_rules RENAME TO hidden"))
    app.extensions["limit_rules"].asked_at = float("-inf")
    assert limits_of_network("203.0.113.7") == "5 per hour"
    assert visitor_of(app, "203.0.113.7").get("/petition").status == 200


@on_both
def test_whose_network_it_is_cannot_be_read_in_the_database(app: Flask) -> None:
    trust("203.0.113.7", factor=2, note="Ward 4 of some hospital")
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT network, note FROM network_rules")).one()
    assert b"203.0" not in bytes(row.network)
    assert b"Ward" not in bytes(row.note)


@on_both
def test_trusted_networks_outlive_a_change_of_keys(database_url: str) -> None:
    with application(with_keys(database_url, OLD)):
        trust("203.0.113.7", limits="5 per hour")
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)):
        assert limits_of_network("203.0.113.7") == "5 per hour"
