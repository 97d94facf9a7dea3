"""The lines that supporters copy, on a site of another origin, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sites import Sites
from tests.browser.visits import Visit, visiting


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def visit(request: pytest.FixtureRequest, browser: Browser, sites: Sites) -> Iterator[Visit]:
    with visiting(browser, sites.main.url, java_script_enabled=request.param) as here:
        yield here


@contextmanager
def supporter_with(line: str) -> Iterator[str]:
    """The site of a supporter with this line on it. Returns its address, of another origin."""
    body = f"<!doctype html><title>Fictional Friends</title>{line}".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def copied(page: Page, number: int) -> str:
    """The line that the page of lines shows to be copied."""
    page.goto("/embed")
    line = page.locator("textarea").nth(number).input_value()
    assert line.startswith("<iframe ")
    assert line.endswith("></iframe>")
    return line


def test_the_count_stands_on_another_site_and_leads_to_the_form(visit: Visit, sites: Sites) -> None:
    page = visit.page
    with supporter_with(copied(page, 0)) as address:
        page.goto(address)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    with page.expect_popup() as opened:
        frame.get_by_role("link", name="Sign the petition").click()
    assert opened.value.url == f"{sites.main.url}/petition#sign"
    expect(opened.value.get_by_label("Your name", exact=True)).to_be_visible()


def test_signing_on_another_site_goes_on_in_a_window_of_ours(visit: Visit, sites: Sites) -> None:
    page = visit.page
    with supporter_with(copied(page, 1)) as address:
        page.goto(address)
    frame = page.frame_locator("iframe")
    frame.get_by_label("Your name", exact=True).fill("Ada Fictional")
    with page.expect_popup() as refused:
        frame.get_by_role("button", name="Sign the petition").click()
    summary = refused.value.get_by_role("alert")
    expect(summary).to_contain_text("Enter your email address")
    expect(refused.value.get_by_label("Your name", exact=True)).to_have_value("Ada Fictional")
    frame.get_by_label("Email", exact=True).fill("ada.framed@example.org")
    frame.locator("#consent").check()
    with page.expect_popup() as opened:
        frame.get_by_role("button", name="Sign the petition").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Check your email")
    assert page.url == address
    assert page.context.cookies() == []


def test_no_other_page_of_ours_shows_in_a_frame(visit: Visit, sites: Sites) -> None:
    with supporter_with(f'<iframe src="{sites.main.url}/petition"></iframe>') as address:
        visit.page.goto(address)
    visit.page.wait_for_timeout(500)
    assert not visit.page.frame_locator("iframe").get_by_role("main").is_visible()
    assert any("frame-ancestors" in each for each in visit.complaints) or visit.failed
