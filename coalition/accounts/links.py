"""The links that let somebody set a password: each works once, and not for long."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.accounts.models import INVITATION_LIFETIME, PASSWORD_LINK_LIFETIME, Moderator
from coalition.accounts.queries import find_moderator
from coalition.crypto import TokenExpired, TokenInvalid, keyring

PURPOSE = "accounts.password"


def make_password_token(moderator: Moderator, now: datetime) -> str:
    """A token that sets this moderator's password, until it is set."""
    return keyring().sign_token(PURPOSE, [moderator.id.hex, moderator.fs_uniquifier], now)


def read_password_token(session: Session, token: str, now: datetime) -> Moderator | None:
    """Whose password the token sets; None once it was used, replaced, or is too old.

    An invitation is good for longer than a link to somebody who has a password.
    """
    try:
        (number, uniquifier), made_at = keyring().open_token(
            PURPOSE, token, now, INVITATION_LIFETIME
        )
    except (TokenInvalid, TokenExpired):
        return None
    moderator = find_moderator(session, uuid.UUID(hex=number))
    if moderator is None or not moderator.active or moderator.fs_uniquifier != uniquifier:
        return None
    if moderator.password is not None and now - made_at > PASSWORD_LINK_LIFETIME:
        return None
    return moderator
