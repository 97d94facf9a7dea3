"""How many mails one address, and one mail domain, may cause."""

from coalition.crypto import keyring
from coalition.mail.address import (
    DOMAIN_PURPOSE,
    LARGE_PROVIDERS,
    address_digests,
    canonical_address,
    domain_of,
)
from coalition.web.limits import Use, spend_all, use_by


def uses_of_address(email: str) -> list[Use]:
    """One mail, by its address and by its domain. Raises NotAnAddress."""
    uses = [use_by("LIMIT_ADDRESS", address_digests(email)[0])]
    domain = domain_of(canonical_address(email))
    if domain not in LARGE_PROVIDERS:
        uses.append(use_by("LIMIT_DOMAIN", keyring().digest(DOMAIN_PURPOSE, domain)))
    return uses


def spend_on_address(email: str) -> None:
    """Count one mail against the limits of its address and of its domain.

    Raises LimitReached, a 429.
    """
    spend_all(uses_of_address(email))
