"""Mail addresses: what is one, when two are the same, and likely slips of the keyboard."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
PURPOSE = "signatures.address"  # label of the keys that digest canonical addresses
DOMAIN_PURPOSE = "signatures.domain"

# Providers that deliver a.b@ and ab@ to the same mailbox.
IGNORE_DOTS = frozenset({"gmail.com"})
SAME_PROVIDER = {"googlemail.com": "gmail.com"}
# Where so many people have their mail that a limit for one domain would stop a crowd.
LARGE_PROVIDERS = frozenset(
    {
        "aol.com", "btinternet.com", "doctors.org.uk", "gmail.com", "gmx.com", "hotmail.co.uk",
        "hotmail.com", "icloud.com", "live.co.uk", "live.com", "me.com", "msn.com", "nhs.net",
        "ntlworld.com", "outlook.com", "proton.me", "protonmail.com", "sky.com",
        "talktalk.net", "virginmedia.com", "yahoo.co.uk", "yahoo.com",
    }
)  # fmt: skip


class NotAnAddress(ValueError):
    """The text is not a mail address; the message says why, to its writer."""


def parse_address(text: str) -> str:
    """The address as it is written to: trimmed, in Unicode NFC, its domain in lower case.

    Raises NotAnAddress.
    """
    return str(_validate(text).normalized)


def _validate(text: str) -> ValidatedEmail:
    trimmed = unicodedata.normalize("NFC", text.strip())
    try:
        # Reserved names such as .test are judged by whether mail to them arrives, not here.
        return validate_email(trimmed, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise NotAnAddress(str(error)) from error


def canonical_address(text: str) -> str:
    """The one form that all spellings of a mailbox share.

    Unicode NFC, IDNA domain, lower case, without `+tag`, without dots where the provider
    ignores them, googlemail.com as gmail.com. Used only to tell duplicates; mail goes to the
    address as it was given. Raises NotAnAddress.
    """
    address = _validate(text)
    domain = address.ascii_domain.lower()
    domain = SAME_PROVIDER.get(domain, domain)
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", address.local_part).lower())
    untagged = local.partition("+")[0] or local
    if domain in IGNORE_DOTS:
        untagged = untagged.replace(".", "") or untagged
    return f"{untagged}@{domain}"


def domain_of(canonical: str) -> str:
    """The domain of a canonical address."""
    return canonical.rpartition("@")[2]


def likely_meant(address: str) -> str | None:
    """The address that was probably meant, where its domain looks like a slip of the keyboard."""
    local, _, domain = address.rpartition("@")
    if domain in LARGE_PROVIDERS or domain in SAME_PROVIDER:
        return None
    close = get_close_matches(domain, sorted(LARGE_PROVIDERS), n=1, cutoff=0.85)
    return f"{local}@{close[0]}" if close else None
