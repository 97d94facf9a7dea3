"""Mails that were put into a folder, readable in the browser of the same machine.

Exists only when no mail server is configured.
"""

from __future__ import annotations

import ipaddress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from flask import Blueprint, abort, current_app, render_template, request

from coalition.web.access import Access, open_to

blueprint = Blueprint("dev_mail", __name__)
NEWEST = 50
FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


def from_this_machine() -> bool:
    """Whether a browser on this machine asks, and not a proxy on this machine for somebody."""
    if any(name in request.headers for name in FORWARDING):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


@blueprint.get("/dev/mail")
@open_to(Access.LOOPBACK)
def mails() -> str:
    """The newest mails, newest first, as text."""
    if not from_this_machine():
        abort(404)
    return render_template("mail/dev_mail.html", mails=_read(current_app.config["MAILDIR"]))


def _read(path: Path) -> list[EmailMessage]:
    files = sorted(
        (file for folder in ("new", "cur") for file in (path / folder).glob("*")),
        key=lambda file: file.stat().st_mtime_ns,
        reverse=True,
    )
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [parser.parsebytes(file.read_bytes()) for file in files[:NEWEST]]
