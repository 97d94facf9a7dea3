"""How many mails one address, and one mail domain, may cause."""

from coalition.crypto import keyring
from coalition.mail.address import (
    DOMAIN_PURPOSE,
    LARGE_PROVIDERS,
    address_digests,
    canonical_address,
    domain_of,
)
from coalition.web.limits import spend_all


def spend_on_address(email: str) -> None:
    """Count one mail against the limits of its address and of its domain.

    Raises LimitReached, a 429.
    """
    uses = [("LIMIT_ADDRESS", address_digests(email)[0])]
    domain = domain_of(canonical_address(email))
    if domain not in LARGE_PROVIDERS:
        uses.append(("LIMIT_DOMAIN", keyring().digest(DOMAIN_PURPOSE, domain)))
    spend_all(uses)
