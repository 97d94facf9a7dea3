"""From a feature's words to the bytes that a mail server takes."""

from __future__ import annotations

import binascii
import uuid
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
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
    rules = policy.SMTP if recipient.isascii() else policy.SMTPUTF8
    headers = {
        "From": mail_from,
        "To": recipient,
        "Subject": email.subject,
        "Date": format_datetime(now),
        "Message-ID": f"<{message_id.hex}@{sender.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday notes back to us
    }
    content = b"".join(
        (
            *(_header(name, value, rules) for name, value in headers.items()),
            _alternatives(message_id, {"plain": email.text, "html": email.html}),
        )
    )
    # What cannot be delivered goes back to the envelope's sender; answers go to the From.
    bounces_to: str = current_app.config["BOUNCE_ADDRESS"] or sender
    return Envelope(bounces_to, recipient, content)


@lru_cache(maxsize=64)
def _header(name: str, value: str, rules: EmailPolicy) -> bytes:
    """A header as the library folds it. Raises ValueError where it would be more than one."""
    return rules.fold_binary(*rules.header_store_parse(name, value))


# The library takes twenty times as long to put together what never differs: docs/adr/0010-running.md.
def _alternatives(message_id: uuid.UUID, texts: dict[str, str]) -> bytes:
    """The rest of a message that says the same in each of `texts`, by subtype (RFC 2046, 5.1.4)."""
    boundary = f"=_{message_id.hex}"  # stands in no quoted text (RFC 2045, 6.7)
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n'
    parts = [
        f'\r\n--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        + _quoted(text)
        for subtype, text in texts.items()
    ]
    return b"".join((head.encode(), *parts, f"\r\n--{boundary}--\r\n".encode()))


def _quoted(text: str) -> bytes:
    """`text` as quoted-printable, every end of a line as CRLF: a bare CR may end a mail early for
    one server, and not for the next."""
    return binascii.b2a_qp(b"\r\n".join(text.encode().splitlines()) + b"\r\n", istext=True)
