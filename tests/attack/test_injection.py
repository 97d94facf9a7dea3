"""Words that are typed into a form and go out in a mail, a header or a file must stay words."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from flask import Flask

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.actions import record
from coalition.db import transaction
from coalition.petition.models import SignatureStatus
from coalition.web.access import Access
from tests.attack.routes import routes
from tests.desking import signed_in
from tests.endorsing import check, send
from tests.engines import on_sqlite
from tests.factories import make_endorsement, make_signature
from tests.handing_in import content, make
from tests.mailbox import Mailbox, html_of, text_of
from tests.signing import sign
from tests.telling import open_the_form, write
from tests.visitor import Visitor

pytestmark = on_sqlite
Work = Callable[[], object]
OURS = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted",
    "x-auto-response-suppress", "precedence", "reply-to", "content-transfer-encoding",
}  # fmt: skip
# Ends of lines as mail, HTTP, Unicode and terminals know them, and what decodes to one.
ENDS = ("\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "%0d%0a", "\\r\\n",
        "=0D=0A", "=?utf-8?q?=0D=0A?=", "\u560d\u560a", "\r\n\r\n", "\n.\r\n")  # fmt: skip
HEADER = "Bcc: eve@example.net"


def headers_of(mail: EmailMessage) -> set[str]:
    return {name.lower() for name in mail} | {
        name.lower() for part in mail.iter_parts() for name in part
    }


def assert_harmless(mailbox: Mailbox) -> None:
    for mail in mailbox.received:
        strange = {name for name in headers_of(mail) if not name.startswith("x-")} - OURS
        assert strange <= {"received", "return-path", "list-unsubscribe", "list-unsubscribe-post"}
        for header in ("To", "Subject", "From"):
            assert "\n" not in str(mail[header])
            assert "\r" not in str(mail[header])
        assert "eve@example.net" not in str(mail["To"])
    assert "eve@example.net" not in mailbox.recipients


@pytest.mark.parametrize("end", ENDS, ids=ascii)
def test_no_name_and_no_address_adds_a_line_to_a_mail(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox, end: str
) -> None:
    words = f"Ada{end}{HEADER}"
    sign(visitor, name=words)
    sign(visitor, name="Ada", email=f"ada@example.org{end}{HEADER}")
    sign(visitor, name="Ada", email=f"ada{end}@example.org")
    for field in ("name", "contact_name", "contact_role", "email", "organisation_website"):
        page = check(
            visitor, **{field: words if field != "email" else f"ada@example.org{end}{HEADER}"}
        )
        if any(("step", "send") in form.buttons for form in page.forms):
            send(visitor, page)
    for path in ("/petition/resend", "/supporters/resend", "/desk/forgotten"):
        visitor.post(path, {"email": f"ada@example.org{end}{HEADER}"})
    work()
    assert_harmless(mailbox)


@pytest.mark.parametrize("words", ["<b>Ada</b><img src=//evil>", "http://evil.example", "www.evil.example",
                                   "[Ada](http://evil.example)", "{{ 7 * 7 }}{% raw %}", "%(name)s {name}"])  # fmt: skip
def test_nothing_in_a_mail_is_a_stranger_s_link_or_markup(
    app: Flask, visitor: Visitor, work: Work, mailbox: Mailbox, words: str
) -> None:
    """Whoever types somebody else's address has our mail sent to them, with words of their own."""
    sign(visitor, name=words, email="victim@example.org")
    for field in ("name", "contact_name", "contact_role"):
        page = check(visitor, **{field: words, "email": "victim@example.org"})
        if any(("step", "send") in form.buttons for form in page.forms):
            send(visitor, page)
    work()
    for mail in mailbox.received:
        assert not re.search(r"(://|www\.)evil", text_of(mail))
        links = re.findall(r'(?:href|src)="([^"]*)"', html_of(mail))
        assert not [each for each in links if "evil" in each]
        assert "<b>Ada" not in html_of(mail)
        assert "49" not in str(mail["Subject"])


@pytest.mark.parametrize("end", ["%0d%0a", "%E5%98%8A%E5%98%8D", "%C2%85"])
def test_nothing_in_an_address_adds_a_header_to_an_answer(
    app: Flask, visitor: Visitor, end: str
) -> None:
    typed = f"x{end}Set-Cookie:%20evil=1{end}{end}<script>"
    for route in routes(app, "GET"):
        for path in (f"{route.path}?next={typed}&source={typed}&again={typed}", route.path + typed):
            page = visitor.get(path, follow=False)
            assert page.status < 500, path
            assert "evil=1" not in page.headers.get("set-cookie", "")
            assert not any("\n" in value or "\r" in value for value in page.headers.values())


def test_no_form_adds_a_header_to_an_answer(app: Flask, visitor: Visitor) -> None:
    open_the_form(app)
    typed = "x@example.org\r\nSet-Cookie: evil=1\r\n\r\n<script>"
    values = dict.fromkeys(
        ("name", "email", "next", "sealed", "step", "key", "source", "slug"), typed
    )
    for route in routes(app, "POST"):
        if route.access is not Access.DESK:
            page = visitor.post(route.path, values, follow=False)
            assert page.status < 500
            assert "evil=1" not in page.headers.get("set-cookie", "")
            assert "\n" not in page.headers.get("location", "")
    assert "evil=1" not in str(write(visitor, text=typed).headers)


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＠A1",
    "=cmd|' /C calc'!A0",
)
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def tables(app: Flask, visitor: Visitor) -> Iterator[tuple[str, bytes]]:
    """Every file with rows that comes out of the site, found by its type."""
    names = ("counts", "daily", "regions", "kinds", "organisations")
    listed = [f"/press/{name}.{ending}" for name in names for ending in ("csv", "xlsx")]
    for path in [route.path for route in routes(app, "GET")] + listed:
        page = visitor.get(path, follow=False)
        if "csv" in page.headers.get("content-type", "") or path.endswith(".xlsx"):
            assert page.status == 200, path
            yield path, page.data
    desk = signed_in(app, *Role)
    log = desk.submit(desk.get("/desk/audit"), "/desk/audit/export")
    assert "csv" in log.headers["content-type"]
    yield "/desk/audit/export", log.data
    yield "names.csv", content(make(), "names.csv")


def test_no_cell_of_any_table_runs_in_a_spreadsheet(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        for words in FORMULAS:
            make_endorsement(session, name=words, words=words)
            make_signature(session, name=words, show_name=True, status=SignatureStatus.VERIFIED)
            record(
                session, actor=words, action=words, subject=words, reason=words, now=clock.utc_now()
            )
    seen = 0
    for path, data in tables(app, visitor):
        if path.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                sheets = [book.read(each) for each in book.namelist() if each.startswith("xl/")]
            assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets), path
            continue
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
            for cell in row:
                seen += "1" in cell and cell.startswith("'")
                is_number = re.fullmatch(r"-?[0-9.]+", cell) is not None
                assert is_number or not cell.startswith(STARTS), (path, cell)
    assert seen > 20
