"""What a moderator should look at before deciding. A flag never refuses anything.

User-led groups use free mail and share names with others: none of these is a fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from coalition.mail.address import LARGE_PROVIDERS, canonical_address, domain_of

CLOSE = 0.87  # ratio of difflib at which two names look alike
MANY = 3  # organisations of one contact
# Words that do not tell one organisation from another.
_EMPTY_WORDS = frozenset(
    {"the", "a", "ltd", "limited", "cic", "cio", "plc", "llp", "inc", "org", "uk", "and"}
)


@dataclass(frozen=True)
class Known:
    """Another organisation, as far as names are compared."""

    name: str
    website: str


def name_key(name: str) -> str:
    """What two spellings of one name share: no accents, case, marks, legal forms or "the"."""
    plain = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    # C.I.C. and CIC are one word.
    joined = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", letters).replace("'", "").replace("’", "")
    words = re.sub(r"[\W_]+", " ", joined).split()
    return " ".join(word for word in words if word not in _EMPTY_WORDS) or " ".join(words)


def host_of(website: str) -> str:
    """The host of a website in lower case, without `www.`."""
    return (urlsplit(website).hostname or "").removeprefix("www.")


def flags_for(
    name: str, website: str, email: str | None, others: Iterable[Known], same_contact: int
) -> list[str]:
    """Lines for the moderator, most telling first.

    `others` are the organisations that are there; `same_contact` is how many of them were
    registered with the same mail address.
    """
    found = _flags_of_names(name, website, list(others)) + _flags_of_website(website)
    if email:
        found += _flags_of_address(website, email)
    if same_contact >= MANY:
        found.append(f"The same mail address stands for {same_contact} other organisations.")
    return found


def _flags_of_names(name: str, website: str, others: list[Known]) -> list[str]:
    key, host = name_key(name), host_of(website)
    found = []
    for other in others:
        if name_key(other.name) == key:
            found.append(f"“{other.name}” is there already, under the same name.")
        elif SequenceMatcher(None, name_key(other.name), key).ratio() >= CLOSE:
            found.append(f"The name is close to “{other.name}”, which is there.")
        elif host and host_of(other.website) == host:
            found.append(f"“{other.name}”, which is there, has the same website.")
    return found


def _flags_of_website(website: str) -> list[str]:
    if any(label.startswith("xn--") for label in host_of(website).split(".")):
        shown = _shown(host_of(website))
        return [f"The website’s name has letters that can look like others: {shown}."]
    return []


def _shown(host: str) -> str:
    try:
        return f"{host.encode().decode('idna')} ({host})"
    except UnicodeError:
        return host


def _flags_of_address(website: str, email: str) -> list[str]:
    domain, host = domain_of(canonical_address(email)), host_of(website)
    if domain in LARGE_PROVIDERS:
        return ["The mail address is with a large provider, not the organisation’s own."]
    if (
        host
        and domain != host
        and not domain.endswith(f".{host}")
        and not host.endswith(f".{domain}")
    ):
        return [f"The mail address is at {domain}, and the website at {host}."]
    return []
