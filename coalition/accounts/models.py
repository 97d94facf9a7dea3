"""Moderators, what they may do, how they prove who they are, and where they are signed in."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_security import RoleMixin, UserMixin, WebAuthnMixin
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from coalition.crypto import DIGEST_BYTES, EncryptedText
from coalition.db import Base, UtcDateTime, enum_column

LONGEST_SESSION = timedelta(hours=12)
LONGEST_IDLE = timedelta(minutes=30)
# To change a proof, somebody must have proved lately that it is still them (OWASP ASVS 5.0, 7.5.1).
FRESH_PROOF = timedelta(minutes=10)
LONGEST_SET_UP = timedelta(minutes=30)  # for which that is good once something is begun
SEEN_EVERY = timedelta(minutes=1)  # a session is not written to more often
INVITATION_LIFETIME = timedelta(days=7)
PASSWORD_LINK_LIFETIME = timedelta(hours=2)
RESET_LIFETIME = timedelta(days=2)  # in which the second administrator must agree
ENDED_SESSION_LIFETIME = timedelta(days=30)  # for which its owner can see that it was there


class Role(StrEnum):
    MODERATOR = "moderator"
    SAFEGUARDING = "safeguarding-lead"
    PRESS = "press-officer"
    EDITOR = "editor"
    ADMINISTRATOR = "administrator"


ROLE_NAMES = {
    Role.MODERATOR: "Moderator: reads and decides",
    Role.SAFEGUARDING: "Safeguarding lead: is told of people in danger",
    Role.PRESS: "Press officer: figures and downloads",
    Role.EDITOR: "Editor: writes and publishes the texts",
    Role.ADMINISTRATOR: "Administrator: people, limits, mail and the log",
}
READERS = (Role.MODERATOR, Role.SAFEGUARDING)  # who come to read what people told


class ModeratorRole(Base, RoleMixin):
    """One role of one moderator."""

    __tablename__ = "moderator_roles"

    moderator_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderators.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[Role] = mapped_column(enum_column(Role, "desk_role"), primary_key=True)


class Moderator(Base, UserMixin):
    """Somebody who may sign in at the desk. The log knows them by their id alone.

    The names of what Flask-Security reads and writes are Flask-Security's.
    """

    __tablename__ = "moderators"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)  # type: ignore[assignment]
    address_digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_BYTES), unique=True)
    email: Mapped[str] = mapped_column(EncryptedText("accounts.email"))
    name: Mapped[str] = mapped_column(EncryptedText("accounts.name"))
    active: Mapped[bool]
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password: Mapped[str | None] = mapped_column(String(255))  # an Argon2 hash
    # Another one ends every session, and every link that was sent.
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(EncryptedText("accounts.totp"))
    last_code: Mapped[int | None] = mapped_column(BigInteger)  # the step of the code used last
    tf_phone_number: Mapped[str | None] = mapped_column(String(1))  # Flask-Security asks for it
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)  # type: ignore[assignment]
    recovery_codes: Mapped[str | None] = mapped_column(EncryptedText("accounts.recovery"))

    roles: Mapped[list[ModeratorRole]] = relationship(  # type: ignore[assignment]
        cascade="all, delete-orphan", lazy="selectin", order_by=ModeratorRole.name
    )
    webauthn: Mapped[list[Passkey]] = relationship(  # type: ignore[assignment]
        cascade="all, delete-orphan", order_by="Passkey.name"
    )

    @property
    def mf_recovery_codes(self) -> list[str] | None:
        return json.loads(self.recovery_codes) if self.recovery_codes else None

    @mf_recovery_codes.setter
    def mf_recovery_codes(self, codes: list[str] | None) -> None:
        self.recovery_codes = json.dumps(codes) if codes else None

    @property
    def role_names(self) -> set[Role]:
        return {role.name for role in self.roles}

    def may(self, *roles: Role) -> bool:
        """Whether they have one of these roles."""
        return not self.role_names.isdisjoint(roles)

    @property
    def has_second_factor(self) -> bool:
        return self.tf_primary_method is not None or bool(self.webauthn)

    @property
    def actor(self) -> str:
        """Who they are in the log."""
        return f"moderator {self.id}"


class Passkey(Base, WebAuthnMixin):
    """A passkey or security key (WebAuthn)."""

    __tablename__ = "passkeys"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)  # type: ignore[assignment]
    moderator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("moderators.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    transport_names: Mapped[str] = mapped_column(String(200))
    backup_state: Mapped[bool]
    device_type: Mapped[str] = mapped_column(String(64))
    extensions: Mapped[str | None] = mapped_column(String(255))
    lastuse_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(String(64))
    usage: Mapped[str] = mapped_column(String(64))  # first factor, or second

    @property
    def transports(self) -> list[str]:
        return self.transport_names.split()

    @transports.setter
    def transports(self, names: list[str] | None) -> None:
        self.transport_names = " ".join(names or [])

    def get_user_mapping(self) -> dict[str, Any]:
        """How Flask-Security finds whose it is."""
        return {"id": self.moderator_id}


class DeskSession(Base):
    """One browser in which a moderator is signed in."""

    __tablename__ = "desk_sessions"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    moderator_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderators.id", ondelete="CASCADE"), index=True
    )
    browser: Mapped[str] = mapped_column(EncryptedText("accounts.browser"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def is_open(self, now: datetime) -> bool:
        return (
            self.ended_at is None
            and now - self.started_at < LONGEST_SESSION
            and now - self.seen_at < LONGEST_IDLE
        )


class SecondFactorReset(Base):
    """Somebody lost their second factor: two administrators agree to take it away."""

    __tablename__ = "second_factor_resets"

    moderator_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("moderators.id", ondelete="CASCADE"), primary_key=True
    )
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("moderators.id", ondelete="CASCADE"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
