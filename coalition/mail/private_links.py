"""Private links: each proves that its bearer reads a mailbox, for one purpose, for seven days.

The subject of a link is the id of what it is about: a signature, an endorsement.
"""

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
    ENDORSE_CONFIRM = "endorsements.confirm"
    ENDORSE_DISOWN = "endorsements.disown"
    ENDORSE_MANAGE = "endorsements.manage"
    CHANGE_OLD = "endorsements.change-old"  # of contact, at the mailbox that goes
    CHANGE_NEW = "endorsements.change-new"  # and at the one that comes


class LinkExpired(Exception):
    """The link is genuine but older than LINK_LIFETIME."""

    def __init__(self, purpose: Purpose, subject_id: uuid.UUID) -> None:
        super().__init__("link expired")
        self.purpose = purpose
        self.subject_id = subject_id


def make_token(purpose: Purpose, subject_id: uuid.UUID, now: datetime) -> str:
    """A token that proves its bearer reads the mailbox that belongs to the subject."""
    return keyring().sign_token(purpose.value, subject_id.hex, now)


def read_token(purpose: Purpose, token: str, now: datetime) -> uuid.UUID:
    """The subject that a token is about. Raises TokenInvalid or LinkExpired."""
    try:
        payload = keyring().read_token(purpose.value, token, now, LINK_LIFETIME)
    except TokenExpired as error:
        raise LinkExpired(purpose, _subject_id(error.payload)) from None
    return _subject_id(payload)


def exchange_token(given: Purpose, token: str, wanted: Purpose, now: datetime) -> str:
    """A token for another purpose in place of one that was given, and just as old.

    So that following one link after another prolongs nothing. Raises as `read_token` does.
    """
    subject_id = read_token(given, token, now)
    _, made_at = keyring().open_token(given.value, token, now, LINK_LIFETIME)
    return make_token(wanted, subject_id, made_at)


def _subject_id(payload: object) -> uuid.UUID:
    try:
        return uuid.UUID(hex=str(payload))
    except ValueError:
        raise TokenInvalid from None
