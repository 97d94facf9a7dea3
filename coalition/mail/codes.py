"""The short code in a verification mail, for those who would rather type than follow a link.

Not stored: it is computed from the random id of what it confirms (a signature, an endorsement) under a key of its own, so that
every mail about it tells the same code. It is good while that waits;
tries are limited (`COALITION_LIMIT_CODE`): at 20 a day for 7 days, the chance to guess one is
140 in 100,000,000.
"""

import hmac
import re
import unicodedata
import uuid

from coalition.crypto import Keyring

CODE_DIGITS = 8
LONGEST_TYPED = 200  # characters; what is longer is no code, and could take minutes to normalise
PURPOSE = "mail.code"


def codes_for(ring: Keyring, subject_id: uuid.UUID) -> tuple[str, ...]:
    """The code under each key, newest first, each of CODE_DIGITS digits."""
    digests = ring.digests(PURPOSE, subject_id.hex)
    return tuple(
        f"{int.from_bytes(digest[:16]) % 10**CODE_DIGITS:0{CODE_DIGITS}d}" for digest in digests
    )


def normal_code(typed: str) -> str:
    """What was typed, less the spaces, dashes and dots that people put between groups."""
    if len(typed) > LONGEST_TYPED:
        return ""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed))


def is_right(ring: Keyring, subject_id: uuid.UUID, typed: str) -> bool:
    """Whether `typed` is the code of this subject, in time that tells nothing."""
    given = normal_code(typed).encode(errors="replace")
    return any(hmac.compare_digest(code.encode(), given) for code in codes_for(ring, subject_id))


def grouped(code: str) -> str:
    """12345678 as "1234 5678"."""
    return f"{code[:4]} {code[4:]}"
