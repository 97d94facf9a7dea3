"""What the rooms share that send links and codes: the page that says to look for the mail, the
code in place of a link, the link that ran out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request

from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.mail import codes
from coalition.mail.address import address_digests
from coalition.mail.forms import CodeForm
from coalition.mail.private_links import LinkExpired, Purpose, read_token
from coalition.web.errors import what_was_typed
from coalition.web.limits import spend

SEAL_LIFETIME = timedelta(hours=2)  # whoever uses this browser next must not read it there
NOBODY = uuid.UUID(int=0)  # whose code is computed where there is nobody: it takes as long


def seal_sent(room: str, kept: dict[str, Any]) -> str:
    """What somebody sent, for the address of the page that tells them to look for our mail."""
    return keyring().seal(f"{room}.check-email", kept)


def unseal_sent(room: str, sealed: str, now: datetime) -> dict[str, Any] | None:
    """What was sent, as long as the page that was sealed with it is not too old."""
    try:
        kept: dict[str, Any] = keyring().unseal(f"{room}.check-email", sealed, now, SEAL_LIFETIME)
    except (TokenInvalid, TokenExpired):
        return None
    return kept


def owner_of_code(form: CodeForm, waiting: Sequence[uuid.UUID]) -> uuid.UUID | None:
    """Which of those that wait under the form's address its code belongs to.

    Counts the try against the limit of the address, and takes as long where nothing waits.
    Raises LimitReached, a 429.
    """
    spend("LIMIT_CODE", address_digests(form.email.data)[0])
    right = [
        each for each in waiting or [NOBODY] if codes.is_right(keyring(), each, form.code.data)
    ]
    return right[0] if waiting and right else None


def read_old_token(purpose: str, token: str, now: datetime) -> uuid.UUID:
    """What a link is about, even one that ran out. Raises TokenInvalid."""
    try:
        return read_token(Purpose(purpose), token, now)
    except ValueError:
        raise TokenInvalid from None
    except LinkExpired as error:
        return error.subject_id


def expired_page(room: str, error: LinkExpired) -> tuple[str, int]:
    """The link is too old: offer a new one at the press of a button. `room` begins its path."""
    return render_template(
        "mail/expired.html",
        room=room,
        token=(request.view_args or {})["token"],
        purpose=error.purpose.value,
        kept=what_was_typed(),
    ), 410
