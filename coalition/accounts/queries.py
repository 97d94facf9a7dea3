"""Reads of moderators and of where they are signed in."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from coalition.accounts.models import (
    RESET_LIFETIME,
    DeskSession,
    Moderator,
    ModeratorRole,
    Role,
    SecondFactorReset,
)
from coalition.mail.address import NotAnAddress, address_digests


def find_by_address(session: Session, address: str) -> Moderator | None:
    """Whose address this is, whatever its spelling; nobody's if it is none."""
    try:
        digests = address_digests(address)
    except NotAnAddress:
        return None
    return session.scalars(
        select(Moderator).where(Moderator.address_digest.in_(digests))
    ).one_or_none()


def id_with_password(session: Session, address: str) -> uuid.UUID | None:
    """Who has a password and this address, and is still at the desk. Raises NotAnAddress.

    Reads nothing that is encrypted and nothing of any other table, so that it takes as long for an
    address as for another.
    """
    return session.scalar(
        select(Moderator.id).where(
            Moderator.address_digest.in_(address_digests(address)),
            Moderator.active,
            Moderator.password.is_not(None),
        )
    )


def find_moderator(session: Session, moderator_id: uuid.UUID) -> Moderator | None:
    return session.get(Moderator, moderator_id)


def find_by_uniquifier(session: Session, uniquifier: str) -> Moderator | None:
    """Whom a cookie of Flask-Security names; nobody once every session was ended since."""
    return session.scalars(
        select(Moderator).where(Moderator.fs_uniquifier == uniquifier)
    ).one_or_none()


def hold_by_uniquifier(session: Session, uniquifier: str) -> None:
    """Let nobody else change this moderator until the transaction ends."""
    session.execute(
        select(Moderator.id).where(Moderator.fs_uniquifier == uniquifier).with_for_update()
    )


def everybody(session: Session) -> list[Moderator]:
    """All moderators by name, those who were removed last."""
    found = session.scalars(select(Moderator)).all()
    return sorted(found, key=lambda each: (not each.active, each.name.casefold()))


def has_role(*roles: Role) -> ColumnElement[bool]:
    """The condition that a moderator is active and has one of these roles."""
    return and_(Moderator.roles.any(ModeratorRole.name.in_(roles)), Moderator.active.is_(True))


def with_role(session: Session, *roles: Role) -> Sequence[Moderator]:
    """The active moderators who have one of these roles."""
    return session.scalars(select(Moderator).where(has_role(*roles))).all()


def other_administrators(session: Session, moderator: Moderator) -> list[Moderator]:
    """The administrators, by name, other than this moderator. Whoever was invited and has not
    come yet may never come, and is none of them."""
    found = [
        each
        for each in with_role(session, Role.ADMINISTRATOR)
        if each.id != moderator.id and each.password is not None
    ]
    return sorted(found, key=lambda each: each.name.casefold())


def hold_with_role(session: Session, role: Role) -> None:
    """Let nobody else change whoever has this role until the transaction ends."""
    session.execute(
        select(Moderator.id)
        .where(Moderator.roles.any(ModeratorRole.name == role))
        .order_by(Moderator.id)
        .with_for_update()
    )


def find_actor(session: Session, actor: str) -> Moderator | None:
    """The moderator who is an actor of the log; None for the worker or the command line."""
    number = _number_of(actor)
    return find_moderator(session, number) if number else None


def name_of(session: Session, actor: str) -> str:
    """Who an actor of the log is, in words: a moderator's name, or the actor as it stands."""
    if _number_of(actor) is None:
        return actor
    found = find_actor(session, actor)
    return found.name if found else "somebody who was deleted"


def _number_of(actor: str) -> uuid.UUID | None:
    kind, _, number = actor.partition(" ")
    try:
        return uuid.UUID(number) if kind == "moderator" else None
    except ValueError:
        return None


def open_sessions(session: Session, moderator_id: uuid.UUID, *, now: datetime) -> list[DeskSession]:
    """Where a moderator is signed in now, the latest used first."""
    found = session.scalars(
        select(DeskSession)
        .where(DeskSession.moderator_id == moderator_id, DeskSession.ended_at.is_(None))
        .order_by(DeskSession.seen_at.desc())
    )
    return [each for each in found if each.is_open(now)]


def resets_for(
    session: Session, moderator: Moderator, *, now: datetime
) -> Sequence[SecondFactorReset]:
    """Resets of a second factor to which this administrator can agree, the oldest first."""
    return session.scalars(
        select(SecondFactorReset)
        .where(
            SecondFactorReset.asked_at > now - RESET_LIFETIME,
            SecondFactorReset.asked_by != moderator.id,
            SecondFactorReset.moderator_id != moderator.id,
        )
        .order_by(SecondFactorReset.asked_at)
    ).all()


def find_reset(
    session: Session, moderator_id: uuid.UUID, *, now: datetime
) -> SecondFactorReset | None:
    """The reset of a second factor that waits for a second administrator."""
    found = session.get(SecondFactorReset, moderator_id)
    return found if found and now - found.asked_at < RESET_LIFETIME else None
