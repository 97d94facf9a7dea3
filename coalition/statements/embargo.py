"""Links that open a press release before its embargo ends, for desks that were given one."""

from __future__ import annotations

from datetime import datetime, timedelta

from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.statements.press import Release
from coalition.statements.queries import current_campaign

PURPOSE = "press.embargo"
LINK_LIFETIME = timedelta(days=60)  # an embargo that is longer needs another link


def sign_link(release: Release, now: datetime) -> str:
    """The secret part of a link to this release."""
    return keyring().sign_token(PURPOSE, release.slug, now)


def read_link(token: str, now: datetime) -> Release | None:
    """The release that a link opens; None for what is not ours, too old, or gone."""
    try:
        slug = keyring().read_token(PURPOSE, token, now, LINK_LIFETIME)
    except (TokenInvalid, TokenExpired):
        return None
    return current_campaign().press.find_release(slug)
