"""From a feature's words to the bytes that a mail server takes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

import idna
from flask import current_app, render_template

# Stands in the mails that the desk shows before they go, in place of private links and codes:
# whoever had those could act as the mail's reader.
HIDDEN = "[the reader’s private link or code]"


@dataclass(frozen=True)
class Email:
    """A mail as a feature writes it: the same content as text and as HTML."""

    to: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Envelope:
    """A mail as a server takes it."""

    sender: str
    recipient: str
    content: bytes  # with CRLF line ends

    @property
    def is_ascii(self) -> bool:
        return self.recipient.isascii()


def write_email(to: str, template: str, **values: Any) -> Email:
    """Fill in `emails/<template>.txt` and `.html`; the text's first line is the subject."""
    text = render_template(f"emails/{template}.txt", **values)
    subject, _, body = text.partition("\n")
    html = render_template(f"emails/{template}.html", subject=subject.strip(), **values)
    return Email(to=to, subject=subject.strip(), text=body.strip() + "\n", html=html)


def envelope_address(address: str) -> str:
    """`address` with its domain as the mail system writes it (RFC 5890)."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain).decode()}"


def build(email: Email, message_id: uuid.UUID, now: datetime) -> Envelope:
    """The finished message, under a Message-ID that is the same at every try."""
    mail_from: str = current_app.config["MAIL_FROM"]
    sender = parseaddr(mail_from)[1]
    recipient = envelope_address(email.to)
    message = EmailMessage(policy=policy.SMTP if recipient.isascii() else policy.SMTPUTF8)
    message["From"] = mail_from
    message["To"] = recipient
    message["Subject"] = email.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id.hex}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes back to us
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    # What cannot be delivered goes back to the envelope's sender; answers go to the From.
    bounces_to: str = current_app.config["BOUNCE_ADDRESS"] or sender
    return Envelope(bounces_to, recipient, message.as_bytes())
