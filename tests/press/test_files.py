"""Files over HTTP: unhappy requests first, by the standards (RFC 9110, 9111, 9457, 4180)."""

from __future__ import annotations

import hashlib
import json
import re
import time
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask
from sqlalchemy import text

from coalition.db import transaction
from coalition.press.formats import FORMATS
from coalition.press.schemas import SCHEMAS
from coalition.press.views import is_file_path
from tests.conftest import Site
from tests.pressing import FILES, MONDAY, WEEK, at, count, fold_at, freeze_week, problem
from tests.visitor import Page, Visitor

FOLDER = f"/press/releases/{MONDAY}"
NOW = [f"/press/{name}.{ending}" for name in SCHEMAS for ending in FORMATS] + [
    "/press/datapackage.json", "/press/openapi.json", "/press/releases.json",
]  # fmt: skip
FROZEN = [f"{FOLDER}/{each}" for each in (*FILES, "datapackage.json", "sha256sums.txt")]
LONG = "/press/daily.csv"


@pytest.fixture
def frozen(app: Flask) -> None:
    count(at(MONDAY - WEEK).date(), 50)
    freeze_week()


def send(visitor: Visitor, method: str, path: str, **headers: str) -> Page:
    return visitor.request(method, path, headers, b"", follow=False)


# What does not exist ---------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["pdf", "CSV", "csv.gz", "xls", "csv%00", "%2e%2e"])
def test_a_format_that_does_not_exist_is_told_with_those_that_do(
    visitor: Visitor, ending: str
) -> None:
    told = problem(visitor, f"/press/counts.{ending}", 404)
    assert "/press/counts.csv" in told.get("formats", told.get("files"))


def test_figures_that_do_not_exist_are_told_with_those_that_do(visitor: Visitor) -> None:
    told = problem(visitor, "/press/voters.csv", 404)
    for address in told["files"]:
        assert visitor.get(address).status == 200


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("banana", "not a date"),
        ("2026-13-01", "not a date"),
        ("2026-02-30", "not a date"),
        ("0000-00-00", "not a date"),
        ("20261102", "not a date"),
        ("2026-W45-1", "not a date"),
        ("٢٠٢٦-١١-٠٢", "not a date"),
        ("2026-11-02%00", "not a date"),
        ("1999-01-04", "before the first"),
        ("0001-01-01", "before the first"),
        ("2026-10-26", "before the first"),
        ("2026-11-04", "on Mondays"),
        ("2026-11-09", "on Mondays"),
        ("9999-12-31", "not come yet"),
    ],
)
@pytest.mark.usefixtures("frozen")
def test_a_day_without_copies_is_told_with_the_days_that_have_some(
    visitor: Visitor, day: str, words: str
) -> None:
    told = problem(visitor, f"/press/releases/{day}/counts.csv", 404)
    assert words in told["detail"]
    assert (told["first"], told["last"]) == (MONDAY.isoformat(), MONDAY.isoformat())
    assert visitor.get(told["list"]).status == 200


def test_before_the_first_copies_every_day_says_so(visitor: Visitor) -> None:
    told = problem(visitor, f"{FOLDER}/counts.csv", 404)
    assert "Nothing was frozen yet" in told["detail"]
    assert told["first"] is told["last"] is None


@pytest.mark.parametrize(
    "name", ["voters.csv", "counts.pdf", "organisations.csv", "a.b.c", "%00.csv", "x" * 300 + ".csv"]
)  # fmt: skip
@pytest.mark.usefixtures("frozen")
def test_a_copy_that_does_not_exist_is_told_with_those_that_do(visitor: Visitor, name: str) -> None:
    told = problem(visitor, f"{FOLDER}/{name}", 404)
    assert sorted(told["files"]) == sorted(FROZEN)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/press/counts.csv", f"{FOLDER}/counts.csv"])
def test_files_can_only_be_read(visitor: Visitor, method: str, path: str) -> None:
    answer = send(visitor, method, path)
    assert answer.status == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert "GET" in json.loads(answer.text)["detail"]


@pytest.mark.parametrize("query", ["?", "?a=b", "?%ff%fe", "?format=pdf&&=&;", "?" + "x" * 3_000])
def test_whatever_stands_after_a_question_mark_the_file_is_the_same(
    visitor: Visitor, query: str
) -> None:
    assert visitor.get(LONG + query).data == visitor.get(LONG).data


def test_without_a_campaign_the_figures_say_when_to_ask_again(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM document_versions"))
    told = problem(visitor, "/press/counts.csv", 503)
    assert "Nothing is lost" in told["detail"]
    assert visitor.get("/press/counts.csv").headers["retry-after"] == "60"


@pytest.mark.parametrize(
    ("table", "path"),
    [("daily_tally", "/press/counts.csv"), ("press_files", f"{FOLDER}/daily.csv")],
)
@pytest.mark.usefixtures("frozen")
def test_while_the_database_fails_no_word_of_why_is_told(
    visitor: Visitor, table: str, path: str
) -> None:
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO gone"))
    told = problem(visitor, path, 503)
    assert told.keys() == {"type", "title", "status", "detail"}
    assert table not in json.dumps(told)
    with transaction() as session:
        session.execute(text(f"ALTER TABLE gone RENAME TO {table}"))
    assert visitor.get(path).status == 200


def test_while_the_database_is_away_the_last_figures_stay(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coalition.press.views.REMEMBERED", -1.0)
    before = visitor.get("/press/counts.csv")
    with transaction() as session:
        session.execute(text("ALTER TABLE daily_tally RENAME TO gone"))
    assert visitor.get("/press/counts.csv").data == before.data


def test_a_fault_of_ours_is_told_without_its_words(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: object) -> None:
        raise ValueError("somebody@example.org")

    monkeypatch.setattr("coalition.press.views.data_package", fail)
    told = problem(visitor, "/press/datapackage.json", 500)
    assert "somebody" not in json.dumps(told)
    assert "Nothing is lost" in told["detail"]


def test_a_page_that_does_not_exist_is_told_to_people(visitor: Visitor) -> None:
    for path in ("/press/nowhere", "/press/releases/nowhere", "/nowhere.csv"):
        assert not is_file_path(path)
        page = visitor.get(path)
        assert page.status == 404
        assert "This page is not here" in page.text


# Caches, parts, conditions ---------------------------------------------------------------------


@pytest.mark.parametrize("path", NOW)
def test_a_file_of_today_may_be_kept_for_a_short_while(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=10, stale-while-revalidate=60"
    check_file(answer, path)


@pytest.mark.parametrize("path", FROZEN)
@pytest.mark.usefixtures("frozen")
def test_a_frozen_file_may_be_kept_for_ever(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["last-modified"] == "Mon, 02 Nov 2026 01:00:00 GMT"
    check_file(answer, path)


def check_file(answer: Page, path: str) -> None:
    headers = answer.headers
    assert re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"])
    assert parsedate_to_datetime(headers["last-modified"]).tzinfo
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["accept-ranges"] == "bytes"
    assert headers["vary"] == "Accept-Encoding"
    assert headers["x-content-type-options"] == "nosniff"
    assert int(headers["content-length"]) == len(answer.data)
    assert "set-cookie" not in headers
    assert "x-robots-tag" not in headers
    kinds = {
        "csv": "text/csv; charset=utf-8",
        "json": "application/json",
        "txt": "text/plain; charset=utf-8",
        "xlsx": FORMATS["xlsx"].media_type,
    }
    name = path.rpartition("/")[2]
    ending = name.rpartition(".")[2]
    assert headers["content-type"] == kinds[ending]
    if ending in ("csv", "xlsx"):
        assert headers["content-disposition"] == f'attachment; filename="{name}"'


def test_what_is_known_already_is_not_sent_again(visitor: Visitor) -> None:
    first = visitor.get(LONG)
    etag, since = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f"W/{etag}"},
        {"If-None-Match": f'"other", {etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": since},
        {"If-None-Match": etag, "Range": "bytes=0-3"},  # conditions come first
    ):
        answer = visitor.get(LONG, **headers)
        assert answer.status == 304, headers
        assert answer.data == b""
        assert answer.headers["etag"] == etag
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"other"'},
        {"If-None-Match": "junk"},
        {"If-Modified-Since": "Mon, 02 Nov 1998 01:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
        {"If-None-Match": '"other"', "If-Modified-Since": "Mon, 02 Nov 2099 01:00:00 GMT"},
        {"Range": "bytes=0-3", "If-Range": '"other"'},
        {"Range": "lines=0-3"},
        {"Range": "bytes=0-3,8-9"},
        {"Range": "bytes=x"},
        {"Range": "junk"},
        {"Accept-Encoding": "gzip, br"},
        {"Accept-Encoding": "br;q=1.0, identity;q=0"},
        {"Accept": "image/png"},
    ],
)
def test_whatever_cannot_be_answered_otherwise_is_answered_in_full(
    visitor: Visitor, headers: dict[str, str]
) -> None:
    whole = visitor.get(LONG)
    answer = visitor.get(LONG, **headers)
    assert answer.status == 200
    assert answer.data == whole.data
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "part"),
    [("0-3", slice(0, 4)), ("5-", slice(5, None)), ("-4", slice(-4, None)), ("0-99999", slice(0, None))],
)  # fmt: skip
def test_a_part_is_sent_where_one_is_asked_for(visitor: Visitor, asked: str, part: slice) -> None:
    whole = visitor.get(LONG)
    for more in ({}, {"If-Range": whole.headers["etag"]}):
        answer = visitor.get(LONG, Range=f"bytes={asked}", **more)
        assert answer.status == 206
        assert answer.data == whole.data[part]
        first = range(len(whole.data))[part][0]
        last = first + len(answer.data) - 1
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole.data)}"
        assert answer.headers["content-length"] == str(len(answer.data))
        assert answer.headers["etag"] == whole.headers["etag"]


def test_a_part_behind_the_end_is_refused_with_the_length(visitor: Visitor) -> None:
    length = len(visitor.get(LONG).data)
    problem(visitor, LONG, 416, Range=f"bytes={length}-")
    answer = visitor.get(LONG, Range=f"bytes={length}-")
    assert answer.headers["content-range"] == f"bytes */{length}"


def test_a_file_that_is_not_the_one_that_was_named_is_refused(visitor: Visitor) -> None:
    etag = visitor.get(LONG).headers["etag"]
    assert visitor.get(LONG, **{"If-Match": etag}).status == 200
    problem(visitor, LONG, 412, **{"If-Match": '"other"'})


def test_head_tells_the_same_without_the_file(visitor: Visitor) -> None:
    for headers in ({}, {"Range": "bytes=0-3"}):
        whole = visitor.get(LONG)
        answer = send(visitor, "HEAD", LONG, **headers)
        assert answer.status == 200
        assert answer.data == b""
        for name in ("etag", "last-modified", "content-length", "content-type", "cache-control"):
            assert answer.headers[name] == whole.headers[name]
    missing = send(visitor, "HEAD", "/press/counts.pdf")
    assert (missing.status, missing.data) == (404, b"")


def test_a_page_of_another_site_may_ask_with_conditions(visitor: Visitor) -> None:
    answer = send(
        visitor, "OPTIONS", LONG, Origin="https://paper.example.com",
        **{"Access-Control-Request-Method": "GET",
           "Access-Control-Request-Headers": "if-none-match, range"},
    )  # fmt: skip
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert {"if-none-match", "range"} <= set(allowed.split(", "))
    read = visitor.get(LONG, Origin="https://paper.example.com", **{"Sec-Fetch-Site": "cross-site"})
    assert read.status == 200
    assert "ETag" in read.headers["access-control-expose-headers"]


def test_the_etag_moves_with_the_figures_and_with_nothing_else(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coalition.press.views.REMEMBERED", -1.0)
    day = at(MONDAY).date()
    count(day, 5)
    fold_at(at(MONDAY + WEEK))
    first = visitor.get(LONG)
    time.sleep(1.1)  # longer than Last-Modified can tell
    fold_at(at(MONDAY + WEEK, 5))  # "as at" moves, the days that have ended do not
    same = visitor.get(LONG)
    assert same.headers["etag"] == first.headers["etag"]
    assert same.headers["last-modified"] == first.headers["last-modified"]
    count(day, 1)
    fold_at(at(MONDAY + WEEK, 6))
    assert visitor.get(LONG).headers["etag"] != first.headers["etag"]


@pytest.mark.usefixtures("frozen")
def test_the_list_of_copies_leads_to_each_with_its_sum(visitor: Visitor) -> None:
    count(at(MONDAY).date(), 50)
    freeze_week(MONDAY + WEEK)
    releases = json.loads(visitor.get("/press/releases.json").text)["releases"]
    assert [each["day"] for each in releases] == [str(MONDAY + WEEK), str(MONDAY)]
    for each in releases:
        assert len(each["files"]) == len(FROZEN)
        for file in each["files"]:
            data = visitor.get(file["address"].removeprefix(visitor.origin)).data
            assert len(data) == file["bytes"]
            assert hashlib.sha256(data).hexdigest() == file["sha256"]


def test_through_a_real_server_it_is_all_the_same(site: Site) -> None:
    visitor = site.visitor
    whole = visitor.get(LONG)
    assert whole.status == 200
    head = send(visitor, "HEAD", LONG)
    assert (head.status, head.data) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.data))
    part = visitor.get(LONG, Range="bytes=0-3")
    assert (part.status, part.data) == (206, b"date")
    assert visitor.get(LONG, **{"If-None-Match": whole.headers["etag"]}).status == 304
    assert problem(visitor, "/press/counts.pdf", 404)["formats"]
    assert send(visitor, "DELETE", LONG).status == 405
