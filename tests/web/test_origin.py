"""Writes that another site's page sends are refused."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.visitor import Visitor, visitor_of

OURS = "http://127.0.0.1:8000"
OTHER = "https://other.example.org"


def post(visitor: Visitor, **headers: str) -> int:
    """The status of a post with just these headers; 422 is the form's own answer."""
    given = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return visitor.request("POST", "/petition/sign", given, b"name=Ada", follow=False).status


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": OURS, "Referer": OURS},
        {"Origin": "null"},
        {"Origin": OTHER},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://127.0.0.1:8000.other.example.org"},
        {"Origin": "http://[broken"},
        {"Origin": OTHER, "Referer": f"{OURS}/petition"},
        {"Referer": f"{OTHER}/{OURS}"},
        {"Referer": "nonsense"},
        {"Referer": f"http://127.0.0.1:8000@{OTHER[8:]}/"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    assert post(visitor, **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": OURS},
        {"Referer": f"{OURS}/petition"},
        {"Origin": OURS, "Referer": OTHER},
        {},
    ],
    ids=str,
)
def test_a_form_from_here_is_taken(visitor: Visitor, headers: dict[str, str]) -> None:
    assert post(visitor, **headers) == 422


def test_reading_is_open_to_links_from_everywhere(visitor: Visitor) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": OTHER}
    assert visitor.request("GET", "/", headers, b"", follow=False).status == 200


def test_the_refusal_says_what_to_do(visitor: Visitor) -> None:
    page = visitor.post("/petition/sign", {}, **{"Sec-Fetch-Site": "cross-site"})
    assert "came from another website" in page.text
    assert "Open the petition again" in page.text


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org", "a b", ""])
def test_the_site_answers_under_its_own_name_only(app: Flask, host: str) -> None:
    client = app.test_client()
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert b"evil" not in answer.data
    assert client.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200


def test_no_address_on_a_page_comes_from_the_request(app: Flask) -> None:
    answer = app.test_client().get(
        "/petition/counted/x",
        base_url="http://localhost:8000",
        headers={"X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "https"},
    )
    assert b"evil" not in answer.data


def test_a_visitor_of_the_same_machine_may_use_another_of_its_names(app: Flask) -> None:
    visitor = visitor_of(app)
    answer = app.test_client().post(
        "/petition/sign",
        base_url="http://localhost:8000",
        headers={"Origin": "http://localhost:8000"},
    )
    assert answer.status_code == 422
    assert visitor.get("/").status == 200
