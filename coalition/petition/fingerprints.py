"""Keyed digests by which floods are found: of mail domains and of networks."""

from __future__ import annotations

from coalition.crypto import keyring
from coalition.mail.address import DOMAIN_PURPOSE, canonical_address, domain_of

NETWORK_PURPOSE = "signatures.network"


def domain_digest(email: str) -> bytes:
    """The digest of an address's domain, under the newest key. Raises NotAnAddress."""
    return keyring().digest(DOMAIN_PURPOSE, domain_of(canonical_address(email)))


def domain_digests(domain: str) -> tuple[bytes, ...]:
    """What a mail domain is found by, under each key, newest first. Raises NotAnAddress."""
    return keyring().digests(DOMAIN_PURPOSE, normal_domain(domain))


def normal_domain(text: str) -> str:
    """A domain as it stands in canonical addresses. Raises NotAnAddress."""
    return domain_of(canonical_address(f"anybody@{text.strip().removeprefix('@')}"))


def network_digest(network: str) -> bytes:
    """The digest of a visitor's network, under the newest key.

    Only the newest: networks are compared with one another, never looked up by what they
    are, and `coalition keys rotate` deletes what is left of them.
    """
    return keyring().digest(NETWORK_PURPOSE, network)
