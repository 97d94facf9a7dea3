"""Reading mails in the browser, where no mail server is configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.mail import actions
from coalition.mail.transports import make_transport
from coalition.mail.worker import Pace, deliver_batch
from coalition.petition import emails
from coalition.settings import Settings
from tests.visitor import visitor_of

MakeApp = Callable[..., Flask]


def test_the_page_does_not_exist_with_a_mail_server(app: Flask) -> None:
    assert visitor_of(app).get("/dev/mail").status == 404


def test_the_mails_of_the_folder_can_be_read(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(MAIL_URL=f"maildir:{tmp_path / 'mail'}")
    assert "No mail yet" in visitor_of(app).get("/dev/mail").text
    with app.app_context():
        with transaction() as session:
            details = {"address": "ada@example.org"}
            actions.queue_message(session, emails.ERASED, now=clock.utc_now(), details=details)
        settings: Settings = app.extensions["settings"]
        transport = make_transport(settings.mail_url)
        deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=Event())
    page = visitor_of(app).get("/dev/mail")
    assert "No mail server is configured" in page.text
    assert "Erased, as you asked" in page.text
    assert "ada@example.org" in page.text


@pytest.mark.parametrize("address", ["203.0.113.5", "10.0.0.1", "2001:db8::1", ""])
def test_no_other_machine_reads_them(make_app: MakeApp, tmp_path: Path, address: str) -> None:
    app = make_app(MAIL_URL=f"maildir:{tmp_path / 'mail'}")
    assert visitor_of(app, address).get("/dev/mail").status == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_nobody_behind_a_proxy_on_this_machine_reads_them(
    make_app: MakeApp, tmp_path: Path, header: str
) -> None:
    app = make_app(MAIL_URL=f"maildir:{tmp_path / 'mail'}")
    assert visitor_of(app).get("/dev/mail", **{header: "127.0.0.1"}).status == 404
