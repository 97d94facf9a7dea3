"""Limits and trusted networks are set at the desk, and are in effect at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.web.limit_models import LimitOverride, NetworkRule
from coalition.web.limit_rules import limits_of, limits_of_network
from tests.desking import signed_in
from tests.signing import sign
from tests.visitor import Page, Visitor, visitor_of

WARD = {"note": "Ward 4", "network": "203.0.113.7", "factor": "3", "limits": ""}


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    return signed_in(app, Role.ADMINISTRATOR)


def add(visitor: Visitor, **answers: str) -> Page:
    return visitor.submit(visitor.get("/desk/limits"), "/networks/set", **{**WARD, **answers})


def log(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(line.action, line.subject) for line in lines if line.action.startswith("limits")]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"network": ""}, "Enter a network address"),
        ({"network": "ward four"}, "Enter a network address"),
        ({"network": "203.0.113.7/24"}, "Did you mean 203.0.113.0/24"),
        ({"network": "0.0.0.0/0"}, "too wide"),
        ({"network": "1" * 2_500}, "Enter one network address"),
        ({"factor": "1"}, "whole number from 2"),
        ({"factor": "1000"}, "whole number from 2"),
        ({"factor": "1.5"}, "whole number from 2"),
        ({"factor": ""}, "Fill in one of the two"),
        ({"limits": "200 per hour"}, "Fill in one of the two"),
        ({"factor": "", "limits": "often"}, "Enter limits such as"),
        ({"factor": "", "limits": "5 per month"}, "within a day"),
        ({"note": ""}, "Say whose network"),
    ],
)
def test_a_network_that_cannot_be_is_refused_at_its_field_and_kept(
    app: Flask, administrator: Visitor, session: Session, answers: dict[str, str], told: str
) -> None:
    page = add(administrator, **answers)
    assert page.status == 422
    assert "<title>Error: " in page.text
    assert told in page.text
    assert page.form("/networks/set").values.items() >= {**WARD, **answers}.items()
    assert session.scalars(select(NetworkRule)).all() == []


@pytest.mark.parametrize("typed", ["", "often", "0 per minute", "5 per year"])
def test_a_general_limit_that_cannot_be_is_refused_at_its_field_and_kept(
    app: Flask, administrator: Visitor, session: Session, typed: str
) -> None:
    page = administrator.get("/desk/limits")
    answers = {"limit-address-limits": typed}
    refused = administrator.submit(page, "/general/LIMIT_ADDRESS", **answers)
    assert refused.status == 422
    assert refused.form("/general/LIMIT_ADDRESS").values["limit-address-limits"] == typed
    assert 'href="#limit-address-limits"' in refused.text
    assert session.scalars(select(LimitOverride)).all() == []


def test_what_is_no_general_limit_cannot_be_set(app: Flask, administrator: Visitor) -> None:
    form = administrator.get("/desk/limits").form("/general/LIMIT_NETWORK")
    for name in ("LIMIT_CODE", "MAIL_FROM", "x"):
        for path in (f"/desk/limits/general/{name}", f"/desk/limits/general/{name}/reset"):
            assert administrator.post(path, form.values).status == 404


def test_a_moderator_does_not_set_limits(app: Flask) -> None:
    assert signed_in(app, Role.MODERATOR).get("/desk/limits").status == 403


def test_a_trusted_network_sends_more_at_once_and_no_more_once_it_is_removed(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(LIMIT_NETWORK="2 per minute")
    administrator, ward = signed_in(app, Role.ADMINISTRATOR), visitor_of(app, "203.0.113.7")

    def allowed() -> int:
        statuses = [sign(ward, email=f"{number}@example.org").status for number in range(10)]
        return statuses.count(200)

    assert allowed() == 2
    page = add(administrator, network="203.0.113.0/24", factor="", limits="5 per minute")
    assert "In effect everywhere within 5 seconds" in page.text
    assert allowed() == 5
    changed = add(administrator, network="203.0.113.0/24", note="Ward 5", factor="4")
    assert "Ward 4" not in changed.text
    assert allowed() == 8
    removed = administrator.submit(changed, "/remove")
    assert "Ward 5" not in removed.text
    assert allowed() == 0
    assert [action for action, _ in log(session)] == [
        "limits: network set", "limits: network set", "limits: network removed",
    ]  # fmt: skip
    assert "203.0" not in str(log(session))
    assert "Ward" not in str(log(session))


def test_a_general_limit_is_changed_and_set_back(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(LIMIT_ADDRESS="3 per hour")
    administrator = signed_in(app, Role.ADMINISTRATOR)
    page = administrator.get("/desk/limits")
    answers = {"limit-address-limits": "5  per hour"}
    changed = administrator.submit(page, "/general/LIMIT_ADDRESS", **answers)
    assert "Mo Fictional" in changed.text
    with app.app_context():
        assert limits_of("LIMIT_ADDRESS") == "5 per hour"
    values = changed.form("/general/LIMIT_ADDRESS").values
    back = administrator.post("/desk/limits/general/LIMIT_ADDRESS/reset", values)
    assert "The setting holds again" in back.text
    assert back.form("LIMIT_ADDRESS").values["limit-address-limits"] == "3 per hour"
    with app.app_context():
        assert limits_of("LIMIT_ADDRESS") == "3 per hour"
    assert log(session) == [
        ("limits: limit set", "LIMIT_ADDRESS: 5 per hour"),
        ("limits: limit reset", "LIMIT_ADDRESS"),
    ]


def test_what_is_removed_twice_is_gone_once(app: Flask, administrator: Visitor) -> None:
    page = add(administrator)
    assert limits_of_network("203.0.113.7") == "30000 per 1 minute"
    for _ in range(2):
        assert administrator.submit(page, "/remove").status == 200
    assert limits_of_network("203.0.113.7") == "10000 per minute"
