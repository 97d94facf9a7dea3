"""What Flask-Security is given of ours: how it finds moderators, by the digest of their address;
which codes and passkeys it takes."""

from __future__ import annotations

import base64
import io
from typing import Any

import qrcode
from flask_security import SQLAlchemyUserDatastore, Totp, UserMixin, WebauthnUtil
from passlib.totp import TotpMatch
from sqlalchemy import select
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from coalition.accounts.models import Moderator, ModeratorRole, Passkey
from coalition.accounts.queries import find_by_address
from coalition.db import db


class OneTimeCodes(Totp):
    """Codes of an app that work once: RFC 6238, 5.2. Its key as a picture weighs little."""

    def generate_qrcode(self, username: str, totp: str) -> str:
        picture = io.BytesIO()
        qrcode.make(self.get_totp_uri(username, totp), box_size=5).save(picture)
        return f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"

    def get_last_counter(self, user: UserMixin) -> int | None:
        counter: int | None = user.last_code  # type: ignore[attr-defined]
        return counter

    def set_last_counter(self, user: UserMixin, tmatch: TotpMatch) -> None:
        user.last_code = tmatch.counter  # type: ignore[attr-defined]


class Passkeys(WebauthnUtil):
    """Passkeys that prove both: the device, and by a touch or a number whose it is. So each is
    enough to sign in with, and any kind will do."""

    def authenticator_selection(
        self, user: UserMixin, usage: str
    ) -> AuthenticatorSelectionCriteria:
        return AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )

    def user_verification(
        self, user: UserMixin | None, usage: list[str]
    ) -> UserVerificationRequirement:
        return UserVerificationRequirement.REQUIRED


class ModeratorStore(SQLAlchemyUserDatastore):
    """Flask-Security's datastore over our own tables."""

    def __init__(self) -> None:
        super().__init__(db, Moderator, ModeratorRole, Passkey)

    def mf_delete_recovery_code(self, user: UserMixin, idx: int) -> bool:
        """Flask-Security changes the list in place, which an encrypted column does not notice."""
        codes = user.mf_recovery_codes or []
        if idx >= len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        return True

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> Moderator | None:
        ((name, value),) = wanted.items()
        if name == "email":
            return find_by_address(db.session(), str(value))
        column = getattr(Moderator, name)
        return db.session.scalars(select(Moderator).where(column == value)).one_or_none()
