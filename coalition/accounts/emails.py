"""The mails to those who run the campaign."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.accounts.links import make_password_token
from coalition.accounts.models import (
    INVITATION_LIFETIME,
    PASSWORD_LINK_LIFETIME,
    RESET_LIFETIME,
    Moderator,
)
from coalition.accounts.queries import find_moderator
from coalition.mail.messages import Email, write_email
from coalition.mail.models import OutboxMessage
from coalition.web.links import page_url

INVITATION = "accounts.invitation"
PASSWORD_LINK = "accounts.password_link"  # noqa: S105 (the name of a mail)
PASSWORD_CHANGED = "accounts.password_changed"  # noqa: S105
PROOF_CHANGED = "accounts.proof_changed"
RESET_ASKED = "accounts.reset_asked"
RESET_DONE = "accounts.reset_done"
ROLE_GIVEN = "accounts.role_given"
STARTED_OVER = "accounts.started_over"

Writer = Callable[[Session, OutboxMessage, datetime], Email | None]


def _about(template: str, is_true: Callable[[Moderator], bool] = lambda _: True) -> Writer:
    def write(session: Session, message: OutboxMessage, now: datetime) -> Email | None:
        moderator = find_moderator(session, message.reference) if message.reference else None
        if moderator is None or not moderator.active or not is_true(moderator):
            return None
        return write_email(
            moderator.email,
            f"accounts/{template}",
            moderator=moderator,
            **(json.loads(message.payload) if message.payload else {}),
            password_link=page_url("accounts.password", token=make_password_token(moderator, now)),
            desk_link=page_url("desk.home"),
            sessions_link=page_url("accounts.you"),
            invitation_days=INVITATION_LIFETIME.days,
            password_hours=int(PASSWORD_LINK_LIFETIME.total_seconds() // 3600),
            reset_hours=int(RESET_LIFETIME.total_seconds() // 3600),
        )

    return write


WRITERS: dict[str, Writer] = {
    INVITATION: _about("invitation", lambda moderator: moderator.password is None),
    PASSWORD_LINK: _about("password_link", lambda moderator: moderator.password is not None),
    PASSWORD_CHANGED: _about("password_changed"),
    PROOF_CHANGED: _about("proof_changed"),
    RESET_ASKED: _about("reset_asked"),
    RESET_DONE: _about("reset_done"),
    ROLE_GIVEN: _about("role_given"),
    STARTED_OVER: _about("started_over", lambda moderator: moderator.password is None),
}
