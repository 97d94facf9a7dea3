"""Mail addresses: what is one, when two are the same, and likely slips of the keyboard."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from coalition.crypto import keyring

LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
LONGEST_TYPED = 2_000  # characters; what is longer could take minutes to normalise
PURPOSE = "signatures.address"  # label of the keys that digest canonical addresses
DOMAIN_PURPOSE = "signatures.domain"

# Providers that deliver a.b@ and ab@ to the same mailbox.
IGNORE_DOTS = frozenset({"gmail.com"})
SAME_PROVIDER = {"googlemail.com": "gmail.com"}
# Where so many people have their mail that a limit for one domain would stop a crowd.
LARGE_PROVIDERS = frozenset(
    {
        "aol.com", "blueyonder.co.uk", "btinternet.com", "doctors.org.uk", "fastmail.com",
        "gmail.com", "gmx.co.uk", "gmx.com", "gmx.de", "gmx.net", "hotmail.co.uk",
        "hotmail.com", "icloud.com", "live.co.uk", "live.com", "mac.com", "mail.com", "me.com",
        "msn.com", "nhs.net", "ntlworld.com", "outlook.com", "pm.me", "proton.me",
        "protonmail.com", "rocketmail.com", "sky.com", "talktalk.net", "tiscali.co.uk",
        "virginmedia.com", "yahoo.co.uk", "yahoo.com", "ymail.com", "zoho.com",
    }
)  # fmt: skip

SLIPS = {
    slip: meant
    for meant, slips in {
        "btinternet.com": "btinernet.com btinterent.com btinternet.co btinternet.con btinternt.com",
        "gmail.com": "gamil.com gmai.com gmail.cm gmail.co gmail.con gmail.cmo gmail.om "
        "gmaill.com gmal.com gmial.com gmil.com gnail.com",
        "googlemail.com": "googlemail.co googlemail.con goolemail.com",
        "hotmail.com": "homail.com hotmai.com hotmail.con hotmal.com hotmial.com hotnail.com "
        "htomail.com",
        "hotmail.co.uk": "hotmail.co.ku hotmail.couk hotmial.co.uk",
        "icloud.com": "iclod.com icloud.co icloud.con icoud.com",
        "outlook.com": "outllok.com outlok.com outloo.com outlook.co outlook.con",
        "yahoo.com": "yaho.com yahoo.con yahooo.com yhaoo.com",
        "yahoo.co.uk": "yaho.co.uk yahoo.co.ku yahoo.couk yahooo.co.uk",
    }.items()
    for slip in slips.split()
}


class NotAnAddress(ValueError):
    """The text is not a mail address; the message says why, to its writer."""


class Address(str):
    """A mail address that was looked at already, as it is written to. `canonical` is the one form
    that all spellings of its mailbox share."""

    __slots__ = ("canonical",)
    canonical: str


def parse_address(text: str) -> Address:
    """The address as it is written to: trimmed, in Unicode NFC, its domain in lower case.

    Raises NotAnAddress.
    """
    if isinstance(text, Address):  # to look at one takes as long as to encrypt it
        return text
    valid = _validate(text)
    address = Address(valid.normalized)
    address.canonical = _canonical(valid)
    return address


def _validate(text: str) -> ValidatedEmail:
    if len(text) > LONGEST_TYPED:
        raise NotAnAddress("It is too long")
    trimmed = unicodedata.normalize("NFC", text.strip())
    try:
        # Reserved names such as .test are judged by whether mail to them arrives, not here.
        return validate_email(
            trimmed, check_deliverability=False, test_environment=True, strict=True
        )
    except (EmailNotValidError, UnicodeError) as error:
        raise NotAnAddress(str(error)) from error


def _canonical(address: ValidatedEmail) -> str:
    domain = address.ascii_domain.lower()
    domain = SAME_PROVIDER.get(domain, domain)
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", address.local_part).lower())
    untagged = local.partition("+")[0] or local
    if domain in IGNORE_DOTS:
        untagged = untagged.replace(".", "") or untagged
    return f"{untagged}@{domain}"


def canonical_address(text: str) -> str:
    """The one form that all spellings of a mailbox share.

    Unicode NFC, IDNA domain, lower case, without `+tag`, without dots where the provider
    ignores them, googlemail.com as gmail.com. Used only to tell duplicates; mail goes to the
    address as it was given. Raises NotAnAddress.
    """
    return parse_address(text).canonical


def address_digests(text: str) -> tuple[bytes, ...]:
    """What an address is found by, under each key, newest first. Raises NotAnAddress."""
    return keyring().digests(PURPOSE, canonical_address(text))


def domain_of(canonical: str) -> str:
    """The domain of a canonical address."""
    return canonical.rpartition("@")[2]


def likely_meant(address: str) -> str | None:
    """The address that was probably meant, where its domain is a known slip of the keyboard.

    A closed list: a domain that is merely like another may be somebody's own, and one press
    on the hint would send a stranger their link.
    """
    local, _, domain = address.rpartition("@")
    meant = SLIPS.get(domain)
    return f"{local}@{meant}" if meant else None
