"""What holds for every page and every route."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from inspect import iscoroutinefunction

import pytest
from flask import Flask
from sqlalchemy import text

from coalition import clock
from coalition.db import transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import Signature, SignatureStatus
from coalition.schema import HALF
from coalition.web.access import Access
from tests.conftest import ROOT
from tests.factories import make_signature
from tests.visitor import Visitor, visitor_of

PUBLIC = [
    "/", "/petition", "/statement", "/statement/versions/1", "/statement/easy-read", "/demands",
    "/evidence", "/replies", "/supporters", "/supporters/endorse", "/supporters/your-entry",
    "/supporters/code", "/testimonies", "/testimonies/share", "/updates", "/updates/nsun-supports-us", "/questions", "/about",
    "/help", "/privacy", "/accessibility", "/petition/your-signature", "/petition/code",
]  # fmt: skip
# What a browser loads with a page; a link that only names another page is not loaded.
LOADED = re.compile(
    r'<(?:link rel="(?:stylesheet|icon|preload)"|script|img|iframe|use)[^>]*(?:href|src)="([^"#]+)'
)
LARGEST_PAGE = 100 * 1024  # bytes, in all: experience.md, "Everywhere"


def private_paths(app: Flask) -> list[str]:
    now = clock.utc_now()
    with transaction() as session:
        waiting = make_signature(session, status=SignatureStatus.AWAITING)
        counted = make_signature(session)
    confirm = make_token(Purpose.CONFIRM, waiting.id, now)
    disown = make_token(Purpose.DISOWN, waiting.id, now)
    manage = make_token(Purpose.MANAGE, counted.id, now)
    return [
        f"/petition/confirm/{confirm}", f"/petition/not-me/{disown}",
        f"/petition/counted/{manage}", f"/petition/signature/{manage}",
        f"/petition/signature/{manage}/erase", f"/petition/signature/{manage}/download.json",
        "/petition/check-email/x",
    ]  # fmt: skip


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            view = app.view_functions[rule.endpoint]
            assert isinstance(getattr(view, "access", None), Access), rule.endpoint


def test_every_view_and_every_hook_is_a_plain_function(app: Flask) -> None:
    """The application does not look for others: see coalition.app.Site."""
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    called = [each for place in hooks for some in place.values() for each in some]
    called += [*app.view_functions.values(), *app.teardown_appcontext_funcs]
    assert len(called) > len(app.view_functions)
    assert [each for each in called if iscoroutinefunction(each)] == []


def test_asking_with_head_changes_nothing_anywhere(app: Flask, visitor: Visitor) -> None:
    paths = private_paths(app)
    with transaction() as session:
        before = session.execute(text("SELECT * FROM signatures")).all()
    for path in paths + PUBLIC:
        answer = visitor.request("HEAD", path, {}, b"", follow=False)
        assert answer.status == 200, path
        assert answer.text == ""
    with transaction() as session:
        assert session.execute(text("SELECT * FROM signatures")).all() == before
        assert not session.execute(text("SELECT * FROM count_events WHERE change < 0")).all()


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_sets_no_cookie_and_loads_nothing_from_elsewhere(
    visitor: Visitor, path: str
) -> None:
    page = visitor.get(path)
    assert page.status == 200
    assert "set-cookie" not in page.headers
    loaded = LOADED.findall(page.text)
    assert loaded
    assert all(address.startswith("/") for address in loaded)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL) == [""]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PUBLIC)
def test_a_page_weighs_little_with_all_that_it_loads(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    weight = len(page.text.encode())
    for address in set(LOADED.findall(page.text)):
        weight += len(visitor.get(address).text.encode()) if "font" not in address else 0
    weight += sum(file.stat().st_size for file in (ROOT / "static/fonts").glob("*.woff2"))
    assert weight <= LARGEST_PAGE


@pytest.mark.parametrize("path", ["/", "/petition", "/help", "/privacy"])
def test_shared_caches_may_keep_a_public_page_for_a_short_while(
    visitor: Visitor, path: str
) -> None:
    page = visitor.get(path)
    assert page.headers["cache-control"] == "public, max-age=10, stale-while-revalidate=60"
    again = visitor.get(path, **{"If-None-Match": page.headers["etag"]})
    assert again.status == 304
    assert "x-robots-tag" not in page.headers


def test_pages_that_carry_a_token_are_kept_by_nobody_and_found_by_no_search(
    app: Flask, visitor: Visitor
) -> None:
    for path in private_paths(app):
        page = visitor.get(path)
        assert page.status == 200, path
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex"
        assert "set-cookie" not in page.headers


def test_every_link_on_every_page_leads_somewhere(app: Flask, visitor: Visitor) -> None:
    todo, seen = [*PUBLIC, *private_paths(app)], set()
    while todo:
        path = todo.pop().partition("#")[0]
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        page = visitor.get(path)
        assert page.status == 200, path
        if "html" not in page.headers["content-type"]:
            continue
        anchors = set(re.findall(r'id="([^"]+)"', page.text))
        for link in page.links:
            if link.startswith("#"):
                assert link[1:] in anchors, f"{link} on {path}"
        todo += page.links
        for form in page.forms:
            assert form.method == "post"
            adapter = app.url_map.bind("")
            assert adapter.match(form.action, method="POST"), form.action
    assert len(seen) > 12


@pytest.mark.parametrize("path", PUBLIC)
def test_help_and_the_way_out_stand_on_every_page(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert "Need support now?" in page.text
    assert page.text.count("Leave this page") >= 2
    assert page.text.count("<h1") == 1
    assert re.findall(r"<title>[^<]+</title>", page.text)


@pytest.mark.parametrize(
    ("path", "method", "status", "words"),
    [
        ("/nowhere", "GET", 404, "This page is not here"),
        ("/petition/%2e%2e/etc", "GET", 404, "This page is not here"),
        ("/petition", "POST", 405, "That does not work here"),
        ("/petition/count.json", "DELETE", 405, "That does not work here"),
    ],
)
def test_errors_speak_in_the_voice_of_the_site(
    visitor: Visitor, path: str, method: str, status: int, words: str
) -> None:
    page = visitor.request(method, path, {}, b"", follow=False)
    assert page.status == status
    assert words in page.text
    assert "<title>Error: " in page.text
    assert "Need support now?" in page.text
    assert page.headers["cache-control"] == "no-store"
    if status == 405:
        assert "GET" in page.headers["allow"]


def test_a_failure_of_ours_keeps_the_form_and_logs_no_word_of_it(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = visitor_of(app)
    page = visitor.get("/petition")
    with transaction() as session:
        session.execute(text("ALTER TABLE outbox_messages RENAME TO gone"))
    failed = visitor.submit(
        page, "/petition/sign", name="Ada Fictional", email="ada@example.org", consent="yes",
        region="london",
    )  # fmt: skip
    assert failed.status == 500
    kept = failed.form("/petition/sign").values
    assert (kept["name"], kept["email"], kept["region"]) == (
        "Ada Fictional",
        "ada@example.org",
        "london",
    )
    assert "petition.sign failed: " in caplog.text
    assert "Ada" not in caplog.text
    assert "ada@" not in caplog.text
    with transaction() as session:
        session.execute(text("ALTER TABLE gone RENAME TO outbox_messages"))
        assert session.query(Signature).count() == 0
    assert visitor.submit(failed, "/petition/sign").status == 200


def test_a_failure_on_any_other_form_keeps_what_was_typed(app: Flask) -> None:
    visitor = visitor_of(app)
    page = visitor.get("/petition/your-signature")
    with transaction() as session:
        session.execute(text("ALTER TABLE outbox_messages RENAME TO gone"))
    failed = visitor.submit(page, "/petition/resend", email="ada@example.org")
    assert failed.status == 500
    with transaction() as session:
        session.execute(text("ALTER TABLE gone RENAME TO outbox_messages"))
    assert failed.form("/petition/resend").values["email"] == "ada@example.org"
    assert "Check your email" in visitor.submit(failed, "/petition/resend").text


def test_without_a_campaign_the_site_says_that_it_is_not_open(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM document_versions"))
    for path in ("/", "/petition", "/help", "/privacy"):
        page = visitor.get(path)
        assert page.status == 503
        assert "Not open yet" in page.text
    ready = visitor.get("/readyz")
    assert ready.status == 503
    assert json.loads(ready.text)["problems"] == ["no campaign is loaded"]
    assert visitor.get("/healthz").status == 200


def set_version(version: str) -> None:
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": version})


def test_the_version_before_serves_on_after_an_upgrade_and_none_serves_before(
    app: Flask, visitor: Visitor
) -> None:
    set_version("9999_of_the_next_version")
    assert visitor.get("/readyz").status == 200
    for behind in ("0014_flagged_revision", HALF):
        set_version(behind)
        assert "coalition db upgrade" in visitor.get("/readyz").text


def test_the_site_is_not_ready_while_mail_waits_or_the_schema_is_old(
    app: Flask, visitor: Visitor
) -> None:
    assert visitor.get("/readyz").status == 200
    from datetime import timedelta

    from coalition.mail.actions import queue_message

    with transaction() as session:
        long_ago = clock.utc_now() - timedelta(hours=1)
        queue_message(session, "petition.erased", now=long_ago, details={"address": "a@b.c"})
    assert "does a worker run" in visitor.get("/readyz").text
    set_version("0001_signatures")
    assert "coalition db upgrade" in visitor.get("/readyz").text


def test_the_count_can_be_read_by_any_page_of_any_site(
    app: Flask, visitor: Visitor, work: Callable[[], object]
) -> None:
    with transaction() as session:
        make_signature(session)
    work()
    answer = visitor.get("/petition/count.json")
    data = json.loads(answer.text)
    assert data.keys() == {"count", "as_at"}
    assert data["count"] == 1
    assert datetime.fromisoformat(data["as_at"].replace("Z", "+00:00")).tzinfo
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["as_at"])
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = visitor.get("/petition/count.json", **{"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    assert again.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("path", "lasting"),
    [
        ("/static/css/page.css", "public, max-age=86400"),
        ("/static/css/page.css?v=wrong", "public, max-age=86400"),
        ("/theme.css?v=ffffff000000", "public, max-age=10"),
    ],
)
def test_only_the_right_version_of_a_file_is_kept_for_ever(
    visitor: Visitor, path: str, lasting: str
) -> None:
    assert visitor.get(path).headers["cache-control"] == lasting
    page = visitor.get("/")
    name = path.partition("?")[0]
    versioned = re.findall(rf'href="({re.escape(name)}\?v=[^"]+)"', page.text)[0]
    assert "immutable" in visitor.get(versioned).headers["cache-control"]


def test_an_https_site_asks_browsers_to_stay_on_https(make_app: Callable[..., Flask]) -> None:
    app = make_app(SITE_URL="https://petition.example.org")
    assert "max-age=31536000" in visitor_of(app).get("/").headers["strict-transport-security"]
