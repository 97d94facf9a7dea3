"""What stands in for the code, once it was typed; and how often wrong ones may be tried."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db
from coalition.testimonies.codes import is_among, possible_codes
from coalition.testimonies.models import Testimony
from coalition.testimonies.queries import find_by_code, find_testimony
from coalition.web.limits import refuse_if_spent, spend, visitor_network

PASS_LIFETIME = timedelta(hours=2)  # whoever uses this browser next must not come in by it
PASS_PURPOSE, TRIES_PURPOSE = "testimonies.pass", "testimonies.tries"
OWN_CODE = "Your own code stands in this. Whoever reads it could use it: take it out"


def make_pass(testimony_id: uuid.UUID, now: datetime) -> str:
    """A sealed pass to one testimony, for the hidden fields of its writer's pages."""
    return keyring().seal(PASS_PURPOSE, testimony_id.hex)


def read_pass(sealed: str, now: datetime) -> uuid.UUID | None:
    """Whose pass this is; None where it has run out, or is none of ours."""
    try:
        return uuid.UUID(hex=keyring().unseal(PASS_PURPOSE, sealed, now, PASS_LIFETIME))
    except (TokenInvalid, TokenExpired, ValueError, TypeError):
        return None


def find_with_limit(typed: str) -> Testimony | None:
    """Whose code this is. A wrong one counts against the visitor's network; right ones do not, for
    a day centre may be one network.

    Raises LimitReached, a 429, once too many were wrong, whether or not this one is right.
    """
    network = keyring().digest(TRIES_PURPOSE, visitor_network())
    refuse_if_spent("LIMIT_RECEIPT", network)
    found = find_by_code(db.session(), typed)
    if found is None:
        spend("LIMIT_RECEIPT", network)
    return found


def holds_own_code(testimony_id: uuid.UUID, text: str) -> bool:
    """Whether a testimony's own code stands in what its writer wrote."""
    kept = find_testimony(db.session(), testimony_id)
    return kept is not None and is_among(db.session(), kept.code_digest, possible_codes(text))
