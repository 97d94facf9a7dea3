"""Mails that were put into a folder, readable in the browser of the same machine.

Exists only when no mail server is configured.
"""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from flask import Blueprint, current_app, render_template

from coalition.web.access import Access, open_to, refuse_other_machines

blueprint = Blueprint("dev_mail", __name__)
NEWEST = 50


@blueprint.get("/dev/mail")
@open_to(Access.LOOPBACK)
def mails() -> str:
    """The newest mails, newest first, as text."""
    refuse_other_machines()
    return render_template("mail/dev_mail.html", mails=_read(current_app.config["MAILDIR"]))


def _read(path: Path) -> list[EmailMessage]:
    files = sorted(
        (file for folder in ("new", "cur") for file in (path / folder).glob("*")),
        key=lambda file: file.stat().st_mtime_ns,
        reverse=True,
    )
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [parser.parsebytes(file.read_bytes()) for file in files[:NEWEST]]
