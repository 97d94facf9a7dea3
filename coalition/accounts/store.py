"""What Flask-Security is given of ours: how it finds moderators, by the digest of their address;
which codes and passkeys it takes."""

from __future__ import annotations

import base64
import io
from typing import Any

import qrcode
from flask_security import (
    SQLAlchemyUserDatastore,
    Totp,
    UserMixin,
    WebAuthnMixin,
    WebauthnUtil,
)
from passlib.totp import TotpMatch
from sqlalchemy import select
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from coalition import clock
from coalition.accounts.actions import note_proof_changed
from coalition.accounts.models import Moderator, ModeratorRole, Passkey
from coalition.accounts.queries import find_by_address
from coalition.db import db


class OneTimeCodes(Totp):
    """Codes of an app that work once: RFC 6238, 5.2. Its key as a picture weighs little."""

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        super().__init__(secrets, issuer)
        # The library would hash a password sixteen thousand times to wrap a key in it. This one is
        # no secret: it is the column that is encrypted.
        self._totp.wallet.encrypt_cost = 0

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
    """Flask-Security's datastore over our own tables. Whatever changes how somebody proves who
    they are is written to the log and told to them, whichever page it came from."""

    def __init__(self) -> None:
        super().__init__(db, Moderator, ModeratorRole, Passkey)

    def tf_set(
        self,
        user: UserMixin,
        primary_method: str,
        totp_secret: str | None = None,
        phone: str | None = None,
    ) -> None:
        """Called at each sign-in with a code, too, with the secret as it is."""
        if totp_secret and user.tf_totp_secret != totp_secret:
            _note(user, "set up an app with codes")
        super().tf_set(user, primary_method, totp_secret, phone)

    def create_webauthn(self, user: UserMixin, *values: Any, **named: Any) -> None:
        super().create_webauthn(user, *values, **named)
        _note(user, "add a passkey")

    def delete_webauthn(self, webauthn: WebAuthnMixin) -> None:
        _note(self.find_user_from_webauthn(webauthn), "delete a passkey")
        super().delete_webauthn(webauthn)

    def mf_set_recovery_codes(self, user: UserMixin, rcs: list[str] | None) -> None:
        super().mf_set_recovery_codes(user, rcs)
        _note(user, "make new recovery codes")

    def mf_delete_recovery_code(self, user: UserMixin, idx: int) -> bool:
        """Flask-Security changes the list in place, which an encrypted column does not notice."""
        codes = user.mf_recovery_codes or []
        if idx >= len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        _note(user, "sign in with a recovery code")
        return True

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> Moderator | None:
        ((name, value),) = wanted.items()
        if name == "email":
            return find_by_address(db.session(), str(value))
        column = getattr(Moderator, name)
        return db.session.scalars(select(Moderator).where(column == value)).one_or_none()


def _note(moderator: Any, what: str) -> None:
    note_proof_changed(db.session(), moderator, what, now=clock.utc_now())
