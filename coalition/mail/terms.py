"""How long what is kept, as the privacy notice says it."""

from __future__ import annotations

from typing import Any

from coalition.db import BACKUP_LIFETIME
from coalition.mail.actions import GIVE_UP_AFTER, KEPT_AFTER_SENDING
from coalition.mail.bounce_actions import BOUNCES_KEPT
from coalition.web.caching import PAGE_SECONDS
from coalition.web.limit_rules import longest_window


def mail_terms() -> dict[str, Any]:
    """The figures of the privacy notice, by their names in its template: days, and seconds."""
    return {
        "mail_days": KEPT_AFTER_SENDING.days,
        "give_up_days": GIVE_UP_AFTER.days,
        "bounce_days": BOUNCES_KEPT.days,
        "backup_days": BACKUP_LIFETIME.days,
        "page_seconds": PAGE_SECONDS,
        "limit_seconds": longest_window("LIMIT_NETWORK"),
    }
