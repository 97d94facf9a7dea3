"""Ways out: an SMTP server over one kept connection, or a folder in maildir format."""

from __future__ import annotations

import mailbox
import re
import smtplib
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from coalition.mail.messages import Envelope
from coalition.settings import MailServer

SMTP_TIMEOUT = 30  # seconds without an answer, after which the server counts as gone
TAKING_TIMEOUT = 90  # the same, for a mail that it has got; well within the end of a lease


class DeliveryFailure(Exception):
    """Delivery failed. `code` says how without naming anybody, such as "SMTP 550"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PermanentFailure(DeliveryFailure):
    """This mail can never be delivered."""


class TemporaryFailure(DeliveryFailure):
    """This mail cannot be delivered now."""


class ServerUnavailable(DeliveryFailure):
    """No mail can be delivered now: the server does not answer, or refuses us."""


class Transport(Protocol):
    def send(self, envelope: Envelope) -> None:
        """Deliver one mail. Raises one of the failures above."""

    def close(self) -> None:
        """Let go of the connection; the next send makes a new one."""


class _Patient(smtplib.SMTP):
    """Waits longer for the word that a whole mail was taken: whoever goes away before that word
    sends the mail again, and again, and each time it may arrive (RFC 5321, 4.5.3.2.6)."""

    def data(self, msg: Any) -> tuple[int, bytes]:
        if self.sock:
            self.sock.settimeout(TAKING_TIMEOUT)
        try:
            return super().data(msg)
        finally:
            if self.sock:
                self.sock.settimeout(SMTP_TIMEOUT)


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte on."""


class SmtpTransport:
    """Sends over one connection that is kept from mail to mail."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._connection: smtplib.SMTP | None = None

    def send(self, envelope: Envelope) -> None:
        kept = self._connection is not None
        try:
            self._send(envelope)
        except smtplib.SMTPServerDisconnected:
            self.close()
            if not kept:
                raise ServerUnavailable("disconnected") from None
            # Servers close idle connections: that says nothing about this mail.
            self._retry(envelope)

    def check(self) -> None:
        """Connect and sign in, and send nothing. Raises ServerUnavailable."""
        try:
            self._connect()
        except smtplib.SMTPResponseException as error:
            raise ServerUnavailable(f"SMTP {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnavailable(type(error).__name__) from None

    def _retry(self, envelope: Envelope) -> None:
        try:
            self._send(envelope)
        except smtplib.SMTPServerDisconnected:
            self.close()
            raise ServerUnavailable("disconnected") from None

    def _send(self, envelope: Envelope) -> None:
        try:
            connection = self._connection or self._connect()
            options: tuple[str, ...] = ()
            if not envelope.is_ascii:
                if not connection.has_extn("smtputf8"):
                    raise PermanentFailure("server without SMTPUTF8")
                options = ("SMTPUTF8", "BODY=8BITMIME")
            connection.sendmail(
                envelope.sender,
                [envelope.recipient],
                envelope.content,
                mail_options=options,
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _refusal(code, answer) from None
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPResponseException as error:
            # Greeting, sign-in or sender refused: that is about us, not about this mail.
            self.close()
            raise ServerUnavailable(f"SMTP {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ServerUnavailable(type(error).__name__) from None

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        connection: smtplib.SMTP
        if server.scheme == "smtps":
            connection = _PatientTls(
                server.host,
                server.port,
                timeout=SMTP_TIMEOUT,
                context=ssl.create_default_context(),
            )
        else:
            connection = _Patient(server.host, server.port, timeout=SMTP_TIMEOUT)
        try:
            if server.scheme == "smtp+starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(server.username, server.password)
            connection.ehlo_or_helo_if_needed()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()


# What is wrong with the mailbox itself (RFC 3463), and not with us: 5.1.7 and 5.1.8 are about
# the sender.
MAILBOX_IS_WRONG = re.compile(rb"5\.(1\.(?!7\b|8\b)|2\.)\d+\b")
MAILBOX_CODES = frozenset({550, 551, 553})  # the same, of servers that say no more (RFC 5321)
OUR_FAULT_CODES = frozenset({421, 530, 535, 538})  # closing down; sign in first


def _refusal(code: int, answer: bytes | str) -> DeliveryFailure:
    """What a server's refusal of one mail means.

    Only an answer about the mailbox is final. A server that relays nothing, or has us on a
    list, refuses every mail alike: those must outlive its mistake, or ours.
    """
    told = f"SMTP {code}"
    words = answer.encode() if isinstance(answer, str) else answer
    if code in OUR_FAULT_CODES:
        return ServerUnavailable(told)
    enhanced = re.match(rb"[245]\.\d+\.\d+", words)
    final = MAILBOX_IS_WRONG.match(words) if enhanced else code in MAILBOX_CODES
    return PermanentFailure(told) if final else TemporaryFailure(told)


class MaildirTransport:
    """Puts mails into a folder, for a machine without a mail server."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._maildir = mailbox.Maildir(path, create=True)

    def send(self, envelope: Envelope) -> None:
        try:
            self._maildir.add(envelope.content)
        except OSError as error:
            raise ServerUnavailable(type(error).__name__) from None

    def close(self) -> None:
        self._maildir.close()


def make_transport(server: MailServer) -> Transport:
    """The transport for `COALITION_MAIL_URL`."""
    return MaildirTransport(server.path) if server.is_maildir else SmtpTransport(server)
