"""Reads what a mail system sends back: which mail of ours did not arrive, and why.

Delivery status notifications (RFC 3464) and, as far as they are plain, the older bounces that
are text. Nothing is believed here: whether a Message-ID that a bounce names is of a mail that we
sent is asked of the outbox.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from itertools import islice

from coalition.mail.models import BounceKind

# Bytes of a bounce that are read: what says why stands at its beginning, and the mail that it
# returns is ours, of some kilobytes. Anybody can send one.
LARGEST = 256 * 1024
LONGEST_DIAGNOSTIC = 500  # characters; privacy notice
MOST_IDS = 20
MOST_RECIPIENTS = 100  # that a notification tells of; ours go to one each
NO_STATUS = {BounceKind.PERMANENT: "5.0.0", BounceKind.TEMPORARY: "4.0.0"}  # RFC 3463: no more said

_OUR_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>")
_RETURNED_ID = re.compile(r"^[> \t]*Message-ID:\s*<([0-9a-f]{32})@[^<>\s]+>", re.I | re.M)
_STATUS = re.compile(r"\b([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![.0-9])")
_REPLY = re.compile(r"(?<![0-9.])([45])[0-9]{2}(?:[ \-]|$)", re.M)
# Where a bounce that is text goes over into the mail that it returns.
_RETURNED = re.compile(
    r"^-+ ?(?:this is a copy|below this line is a copy|original message|the header of the original"
    r"|returned message|message header follows)|^(?:return-path|received|message-id):",
    re.I | re.M,
)
_MAILERS = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon)$", re.I)


class NotAMail(ValueError):
    """What came is no mail at all."""


@dataclass(frozen=True)
class Report:
    """What a bounce says, unproved."""

    message_ids: tuple[uuid.UUID, ...]  # that it names, likely ones first
    kind: BounceKind
    status: str  # RFC 3463, such as 5.1.1
    diagnostic: str  # whom it names, and why, in the other server's words


def read_bounce(data: bytes) -> Report | None:
    """What a mail reports, or None when it is no bounce: an answer of a person or a machine, or
    the news that a mail arrived.

    Raises NotAMail.
    """
    mail = message_from_bytes(data[:LARGEST], policy=policy.compat32)
    if not mail.keys():
        raise NotAMail
    if mail.get_content_type() == "multipart/report":
        if _plain(mail.get_param("report-type")).lower() != "delivery-status":
            return None  # that somebody read it, or complained: not that it did not arrive
        return _from_notification(mail)
    return _from_text(mail)


def _from_notification(mail: Message) -> Report | None:
    recipients = (
        block
        for part in mail.walk()
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        for block in _blocks(part)
        if block["Action"] or block["Status"]
    )
    ids = _ids(mail)
    told = islice(recipients, MOST_RECIPIENTS)
    reports = [report for each in told if (report := _about(each, ids))]
    # Of a mail that was passed on to several, the worst is what matters.
    reports.sort(key=lambda report: report.kind is not BounceKind.PERMANENT)
    return reports[0] if reports else None


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    # Sent in base64, as a few do: the parser did not look into it.
    text = _text(part).replace("\r\n", "\n")
    return [message_from_bytes(block.encode()) for block in re.split(r"\n\s*\n", text)]


def _about(recipient: Message, ids: tuple[uuid.UUID, ...]) -> Report | None:
    action = _header(recipient, "Action").lower()
    code = _header(recipient, "Diagnostic-Code")
    status = _status_in(_header(recipient, "Status"))
    if status is None or status.endswith(".0.0"):
        status = _status_in(code) or status
    failed = action == "failed" or (not action and (status or "").startswith("5"))
    if not failed and action != "delayed":
        return None
    reply = _REPLY.search(code)
    sort = status or (f"{reply[1]}.0.0" if reply else "5.0.0")
    # Given up after days of trying says nothing against the mailbox.
    permanent = failed and sort.startswith("5")
    kind = BounceKind.PERMANENT if permanent else BounceKind.TEMPORARY
    whom = _header(recipient, "Final-Recipient") or _header(recipient, "Original-Recipient")
    address = whom.partition(";")[2].strip() or whom
    return Report(ids, kind, status or NO_STATUS[kind], _cut(f"{address}: {code}"))


def _from_text(mail: Message) -> Report | None:
    """A bounce of a server that writes no notifications, where that is beyond doubt: it comes
    from a mailer, returns our mail, and says why by a code of SMTP or by a header of its own.
    """
    failed = _header(mail, "X-Failed-Recipients")
    sender = parseaddr(_header(mail, "From"))[1].partition("@")[0]
    if not failed and not _MAILERS.match(sender):
        return None
    ids = _ids(mail)
    said = "\n".join(_text(part) for part in mail.walk() if part.get_content_type() == "text/plain")
    returned = _RETURNED.search(said)
    why = said[: returned.start()] if returned else said
    status, reply = _status_in(why), _REPLY.search(why)
    if not ids or not (failed or status or reply):
        return None
    sort = status or (f"{reply[1]}.0.0" if reply else "5.0.0")
    kind = BounceKind.PERMANENT if sort.startswith("5") else BounceKind.TEMPORARY
    return Report(ids, kind, status or NO_STATUS[kind], _cut(f"{failed}: {_reason_in(why)}"))


def _reason_in(text: str) -> str:
    """The line that names the code, with those after it; or the last lines."""
    found = _STATUS.search(text) or _REPLY.search(text)
    start = text.rfind("\n", 0, found.start()) + 1 if found else max(0, len(text) - 300)
    return text[start:]


def _ids(mail: Message) -> tuple[uuid.UUID, ...]:
    """The Message-IDs in the form of ours that a bounce names: in the mail that it returns, or
    as what it answers."""
    found = list(dict.fromkeys(_find_ids(mail)))
    return tuple(uuid.UUID(hex=each) for each in found[:MOST_IDS])


def _find_ids(mail: Message) -> Iterator[str]:
    for part in mail.walk():
        kind = part.get_content_type()
        if kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers") or (
            kind.startswith("text/") and part.get_content_disposition() != "attachment"
        ):
            yield from _RETURNED_ID.findall(_text(part))
        if part is not mail:
            yield from _OUR_ID.findall(_header(part, "Message-ID"))
    for name in ("In-Reply-To", "References"):
        yield from _OUR_ID.findall(_header(mail, name))


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "replace")
    inner = part.get_payload()
    return "\n".join(str(each) for each in inner) if isinstance(inner, list) else ""


def _header(mail: Message, name: str) -> str:
    return " ".join(_plain(mail[name]).split())


def _plain(value: object) -> str:
    text = str(value[2]) if isinstance(value, tuple) else str(value or "")
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError):
        return text


def _status_in(text: str) -> str | None:
    found = _STATUS.search(text)
    return found[1] if found and found[1][0] in "45" else None


def _cut(text: str) -> str:
    """One line that can be shown and is not too long."""
    showable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(showable.split()).strip(": ")[:LONGEST_DIAGNOSTIC]
