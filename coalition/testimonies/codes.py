"""The receipt code: what its writer has, and nobody else, to come back to a testimony.

16 digits, 53 bits. Of the code itself only an Argon2id hash is kept, and a keyed digest to find
the row by. Neither tells the code to who has the database alone; who has the secrets as well can
try codes against the digest, of which there are 10 to the power of 16.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.crypto import KEY_BYTES, TokenExpired, TokenInvalid, keyring
from coalition.db import is_postgresql
from coalition.testimonies.models import LookupKey

CODE_DIGITS = 16
GROUP = 4
TICKET_LIFETIME = timedelta(days=30)  # a form that was opened a week ago still submits
# For which a form that is sent once more, by a double press or a lost answer, tells its code again.
TOLD_AGAIN = timedelta(hours=1)
# A form that lay open longer is made anew before it is kept, so that there is time to send it again.
FRESH = TOLD_AGAIN / 2
TICKET_PURPOSE = "testimonies.ticket"
LOOKUP_ID = 1
# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane; some 20 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# In groups as it is shown, whatever stands between them; or in any groups, with little between.
_SIXTEEN_DIGITS = re.compile(
    r"(?<!\d)(?:\d{4}[\W_]{0,4}){3}\d{4}(?!\d)"
    r"|(?<!\d)(?:\d[ \t.\u00a0\u202f-]{0,2}){15}\d(?!\d)"
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
LONGEST_TYPED = 2_000  # characters: the code, and whatever stands between its digits
_DIGITS_IN_A_ROW = re.compile(r"\d(?:[\W_]*\d){15,}")


@dataclass(frozen=True)
class Ticket:
    """What a new form carries: from it come its testimony's id and code, the same each time that
    the form is sent. Kept nowhere but in the form."""

    nonce: str
    made_at: datetime

    @property
    def testimony_id(self) -> uuid.UUID:
        digest = hashlib.sha256(f"testimony {self.nonce}".encode()).digest()
        return uuid.UUID(bytes=digest[:16], version=4)

    @property
    def code(self) -> str:
        digest = hashlib.sha256(f"code {self.nonce}".encode()).digest()
        return f"{int.from_bytes(digest) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"

    def is_fresh(self, now: datetime) -> bool:
        """Whether the form can be kept now, with time left for its answer to be lost."""
        return now - self.made_at <= FRESH

    def tells_code(self, now: datetime) -> bool:
        """Whether the page that this form makes may show the code once more."""
        return now - self.made_at <= TOLD_AGAIN


def new_ticket(now: datetime) -> str:
    """A ticket for a form, sealed."""
    return renewed_ticket(Ticket(secrets.token_hex(KEY_BYTES), now), now)


def renewed_ticket(ticket: Ticket, now: datetime) -> str:
    """The same ticket for the next page, sealed as made now."""
    made_at = now.replace(microsecond=0)
    return keyring().seal(TICKET_PURPOSE, [ticket.nonce, made_at.isoformat()])


def read_ticket(sealed: str, now: datetime) -> Ticket | None:
    """The ticket of a form; None where it is none of ours, or older than TICKET_LIFETIME."""
    try:
        nonce, made_at = keyring().unseal(TICKET_PURPOSE, sealed, now, timedelta.max)
    except (TokenInvalid, TokenExpired):
        return None
    ticket = Ticket(str(nonce), datetime.fromisoformat(made_at))
    return ticket if now - ticket.made_at <= TICKET_LIFETIME else None


def grouped(code: str) -> str:
    """1234567890123456 as "1234 5678 9012 3456"."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def normal_code(typed: str) -> str:
    """The digits of what was typed, whatever stands between them; empty where it is no code."""
    if len(typed) > LONGEST_TYPED:
        return ""
    plain = re.sub(r"[\W_]", "", _with_plain_digits(typed))
    return plain if re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", plain) else ""


def _with_plain_digits(text: str) -> str:
    """`text` in NFKC, made so a character at a time: as a whole, a chapter of nothing but accents
    takes hours, for they are sorted. No digit is made of two characters."""
    return _BEYOND_ASCII.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def codes_in(text: str) -> list[str]:
    """What looks like a receipt code in a text, as it stands there."""
    return [found.group() for found in _SIXTEEN_DIGITS.finditer(_with_plain_digits(text))]


def possible_codes(text: str) -> Iterator[str]:
    """Every code that `normal_code` would read out of some part of a text: 16 digits, with nothing
    but spaces and marks between them."""
    for row in _DIGITS_IN_A_ROW.finditer(_with_plain_digits(text)):
        digits = re.sub(r"[\W_]", "", row.group())
        for start in range(len(digits) - CODE_DIGITS + 1):
            yield digits[start : start + CODE_DIGITS]


def hash_code(code: str) -> str:
    """The Argon2id hash of a code."""
    return _hasher.hash(code)


def is_code(code_hash: str, code: str) -> bool:
    """Whether this is the code of that hash, in time that tells nothing."""
    try:
        return _hasher.verify(code_hash, code)
    except VerificationError:
        return False


def make_code_digest(session: Session, code: str) -> bytes:
    """The keyed digest under which the testimony of a new code will be found, 32 bytes.

    Its key is random, kept encrypted, and stays when the site's secrets change: nobody could make
    the digest of an old code anew. It is made with the first code.
    """
    return _digest(_lookup_key(session) or _make_lookup_key(session), code)


def code_digest(session: Session, code: str) -> bytes | None:
    """The digest of a code that somebody brings; None as long as nobody was given one."""
    key = _lookup_key(session)
    return _digest(key, code) if key else None


def is_among(session: Session, digest: bytes | None, codes: Iterable[str]) -> bool:
    """Whether one of these codes is that of the digest."""
    key = _lookup_key(session)
    return key is not None and any(_digest(key, code) == digest for code in codes)


def _digest(key: bytes, code: str) -> bytes:
    return hashlib.blake2b(code.encode(), key=key, digest_size=32).digest()


def _lookup_key(session: Session) -> bytes | None:
    return session.scalar(select(LookupKey.key).where(LookupKey.id == LOOKUP_ID))


def _make_lookup_key(session: Session) -> bytes:
    insert = (postgresql if is_postgresql(session) else sqlite).insert(LookupKey)
    session.execute(
        insert.values(id=LOOKUP_ID, key=secrets.token_bytes(KEY_BYTES)).on_conflict_do_nothing()
    )
    return session.scalars(select(LookupKey.key).where(LookupKey.id == LOOKUP_ID)).one()
