"""A real SMTP server that keeps what it receives."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = Callable[[Envelope], str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """Everything that was delivered. `answer` may refuse a mail by its reply."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answer: Answer = lambda envelope: "250 OK"
        self.port = free_port()
        self.connections = 0

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.answer(envelope)
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            parser = BytesParser(EmailMessage, policy=policy.default)
            self.received.append(parser.parsebytes(envelope.content))
            self.recipients += envelope.rcpt_tos
        return reply

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Mailbox]:
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True, ready_timeout=20
        )
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def wait_for(self, count: int, seconds: float = 20) -> EmailMessage:
        """The newest mail, once `count` have come."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} mails of {count} came"
            time.sleep(0.05)
        return self.received[-1]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def link_in(mail: EmailMessage, place: str) -> str:
    """The link of a mail whose path holds `place`, without the host."""
    found = re.search(rf"https?://[^/\s]+(/\S*{re.escape(place)}/\S+)", text_of(mail))
    assert found, f"no link to {place} in: {text_of(mail)}"
    return found[1]


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"code: (\d{4} \d{4})", text_of(mail))
    assert found, text_of(mail)
    return found[1]
