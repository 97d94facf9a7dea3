"""What a mail server's refusal means in plain words, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coalition.mail.transports import MAILBOX_IS_WRONG


@dataclass(frozen=True)
class Explanation:
    """Two short phrases, to be read by somebody who runs no mail server."""

    why: str
    what_to_do: str


_WAIT = "Nothing: it is tried again by itself, for four days."
_ASK = "Ask the person for another address, if you can reach them. Sending again will not help."
_OURS = "Ask whoever runs the mail server. Then send it again."
_SETTINGS = "Check COALITION_MAIL_URL, with `coalition doctor`. Nothing is lost meanwhile."

_NO_MAILBOX = Explanation("there is no such mailbox", _ASK)
_FULL = Explanation(
    "the mailbox is full", "Wait some days, then send it again, or ask for another address."
)
_REFUSED = Explanation("the other side refuses our mail, as unwanted or unknown to it", _OURS)
_LATER = Explanation("the other side asked us to come back later", _WAIT)
_TOO_LONG = Explanation("the mail was too large for the other side", _OURS)
_NO_WAY = Explanation("the other side could not be reached in time", "Wait a day, then send again.")
_SIGN_IN = Explanation("our mail server refuses our sign-in", _SETTINGS)
_AWAY = Explanation("our mail server could not be reached", _SETTINGS)

_REPLIES = {
    421: Explanation("our mail server is closing down or too busy", _WAIT),
    450: _LATER,
    451: _LATER,
    452: Explanation("the other side has no room, or takes no more mail now", _WAIT),
    454: _SIGN_IN,
    530: _SIGN_IN,
    534: _SIGN_IN,
    535: _SIGN_IN,
    538: _SIGN_IN,
    550: _NO_MAILBOX,
    551: Explanation("the person has moved to another mailbox", _ASK),
    552: _FULL,
    553: Explanation("the other side cannot read the address", _ASK),
    554: _REFUSED,
}
_FAULTS = {
    "disconnected": Explanation("our mail server broke off the connection", _SETTINGS),
    "server without SMTPUTF8": Explanation(
        "our mail server cannot write to addresses with letters beyond A to Z",
        "Ask whoever runs the mail server for SMTPUTF8. Then send it again.",
    ),
    "ConnectionRefusedError": _AWAY,
    "ConnectionResetError": _AWAY,
    "TimeoutError": Explanation("our mail server did not answer in time", _SETTINGS),
    "gaierror": Explanation("the name of our mail server is not known", _SETTINGS),
    "SSLCertVerificationError": Explanation("our mail server could not prove who it is", _SETTINGS),
    "SSLError": Explanation("our mail server speaks no TLS that we accept", _SETTINGS),
    "OSError": _AWAY,
}
_UNKNOWN = Explanation(
    "our own program could not write it",
    "Tell whoever runs the site, with the code. Then send it again.",
)


def explain(failure: str) -> Explanation:
    """What is meant by the `failure` of a mail, such as "SMTP 550" or "TimeoutError"."""
    reply = re.fullmatch(r"SMTP ([0-9]{3})", failure)
    if not reply:
        return _FAULTS.get(failure, _UNKNOWN)
    code = int(reply[1])
    return _REPLIES.get(code) or (_LATER if code < 500 else _REFUSED)


# RFC 3463, 3.2 to 3.8: the longest beginning that fits is what counts.
_STATUSES = {
    "5": Explanation("it could not be delivered; the other side says no more", _ASK),
    "5.1": _NO_MAILBOX,
    "5.1.7": _REFUSED,
    "5.1.8": _REFUSED,
    "5.1.3": _REPLIES[553],
    "5.1.6": _REPLIES[551],
    "5.2": Explanation("the mailbox takes no mail", _ASK),
    "5.2.2": _FULL,
    "5.2.3": _TOO_LONG,
    "5.3": Explanation("the other side's mail system takes no mail", _OURS),
    "5.3.4": _TOO_LONG,
    "5.4": _NO_WAY,
    "5.5": Explanation("the two mail systems did not understand each other", _OURS),
    "5.6": Explanation("the other side could not read the mail's form", _OURS),
    "5.7": _REFUSED,
    "4": Explanation("it is late, or was given up after days of trying", _WAIT),
    "4.2": _FULL,
    "4.4": _NO_WAY,
    "4.7": _LATER,
}


def explain_status(status: str) -> Explanation:
    """What is meant by the status of a bounce, such as "5.1.1"."""
    parts = status.split(".")
    for length in range(len(parts), 0, -1):
        found = _STATUSES.get(".".join(parts[:length]))
        if found:
            return found
    return _STATUSES["5"]


def is_about_mailbox(status: str) -> bool:
    """Whether a permanent bounce says that the mailbox itself is the fault, or says no more.

    One that refuses us, as unwanted, says nothing against the mailbox: once that is cleared up,
    mail to it may be sent again.
    """
    return bool(MAILBOX_IS_WRONG.match(status.encode())) or status == "5.0.0"
