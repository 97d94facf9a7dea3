"""The private links of a signature: signed, each for one purpose, good for seven days."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from coalition.crypto import TokenExpired, TokenInvalid, keyring

LINK_LIFETIME = timedelta(days=7)  # privacy notice, "how long"


class Purpose(StrEnum):
    """What a link is for; a token made for one is invalid for any other."""

    CONFIRM = "petition.confirm"
    DISOWN = "petition.disown"
    MANAGE = "petition.manage"


class LinkExpired(Exception):
    """The link is genuine but older than LINK_LIFETIME."""

    def __init__(self, purpose: Purpose, signature_id: uuid.UUID) -> None:
        super().__init__("link expired")
        self.purpose = purpose
        self.signature_id = signature_id


def make_token(purpose: Purpose, signature_id: uuid.UUID, now: datetime) -> str:
    """A token that proves its bearer reads the signature's mailbox."""
    return keyring().sign_token(purpose.value, signature_id.hex, now)


def read_token(purpose: Purpose, token: str, now: datetime) -> uuid.UUID:
    """The signature that a token is about. Raises TokenInvalid or LinkExpired."""
    try:
        payload = keyring().read_token(purpose.value, token, now, LINK_LIFETIME)
    except TokenExpired as error:
        raise LinkExpired(purpose, _signature_id(error.payload)) from None
    return _signature_id(payload)


def exchange_token(given: Purpose, token: str, wanted: Purpose, now: datetime) -> str:
    """A token for another purpose in place of one that was given, and just as old.

    So that following one link after another prolongs nothing. Raises as `read_token` does.
    """
    signature_id = read_token(given, token, now)
    _, made_at = keyring().open_token(given.value, token, now, LINK_LIFETIME)
    return make_token(wanted, signature_id, made_at)


def _signature_id(payload: object) -> uuid.UUID:
    try:
        return uuid.UUID(hex=str(payload))
    except ValueError:
        raise TokenInvalid from None
