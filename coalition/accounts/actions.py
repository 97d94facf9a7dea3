"""What is done with accounts: invite, change roles, remove, sign in and out, start afresh."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from coalition.accounts import emails
from coalition.accounts.models import (
    ENDED_SESSION_LIFETIME,
    LONGEST_SESSION,
    READERS,
    RESET_LIFETIME,
    ROLE_NAMES,
    SEEN_EVERY,
    DeskSession,
    Moderator,
    ModeratorRole,
    Role,
    SecondFactorReset,
)
from coalition.accounts.queries import (
    find_by_address,
    find_moderator,
    find_reset,
    has_role,
    hold_with_role,
    id_with_password,
    other_administrators,
    with_role,
)
from coalition.audit.actions import record
from coalition.crypto import DIGEST_BYTES
from coalition.db import sweep
from coalition.mail.actions import queue_many, queue_message
from coalition.mail.address import address_digests, parse_address


class NotAllowed(Exception):
    """This cannot be done; the message says why, to whoever tried."""


def invite_moderator(
    session: Session, email: str, name: str, roles: Iterable[Role], *, actor: str, now: datetime
) -> Moderator:
    """Make an account without a password, and send the link that sets one.

    One who was removed comes as somebody new, with these roles alone: what the old account did
    stays under its id, and nobody acts under that again. Raises NotAnAddress, and NotAllowed
    where somebody active has the address.
    """
    former = find_by_address(session, email)
    if former is not None and former.active:
        raise NotAllowed("somebody with this address is here already")
    if former is not None:
        former.address_digest = secrets.token_bytes(DIGEST_BYTES)  # of no address any more
        session.flush()
    moderator = Moderator(
        id=uuid.uuid4(),
        address_digest=address_digests(email)[0],
        email=parse_address(email),
        name=name,
        active=True,
        invited_at=now,
        fs_uniquifier=uuid.uuid4().hex,
        roles=[ModeratorRole(name=role) for role in sorted(set(roles))],
    )
    session.add(moderator)
    session.flush()
    queue_message(session, emails.INVITATION, reference=moderator.id, now=now)
    given = ", ".join(sorted(set(roles)))
    _record(session, moderator, "invite", actor=actor, reason=given, now=now)
    _tell_of_readers(session, moderator, moderator.role_names, now=now)
    return moderator


def send_invitation_again(
    session: Session, moderator: Moderator, *, actor: str, now: datetime
) -> None:
    """A new link for somebody who has not set a password. Raises NotAllowed once they have."""
    if moderator.password is not None or not moderator.active:
        raise NotAllowed("only somebody who was invited, and has not come yet, can be asked again")
    moderator.invited_at = now
    queue_message(session, emails.INVITATION, reference=moderator.id, now=now)
    _record(session, moderator, "invite again", actor=actor, now=now)


def change_roles(
    session: Session, moderator: Moderator, roles: Iterable[Role], *, actor: str, now: datetime
) -> None:
    """Give somebody these roles and no other; in effect at once.

    Raises NotAllowed for one's own where there is another administrator, where nobody would be
    an administrator any more, and for somebody who was removed.
    """
    if not moderator.active:
        raise NotAllowed("they were removed: invite them again")
    if actor == moderator.actor and other_administrators(session, moderator):
        raise NotAllowed("nobody changes their own roles: ask another administrator")
    wanted = set(roles)
    new = wanted - moderator.role_names
    if Role.ADMINISTRATOR not in wanted:
        _refuse_last_administrator(session, moderator)
    moderator.roles = [ModeratorRole(name=role) for role in sorted(wanted)]
    session.flush()
    given = ", ".join(sorted(wanted)) or "none"
    _record(session, moderator, "change roles", actor=actor, reason=given, now=now)
    _tell_of_readers(session, moderator, new, now=now)


def _tell_of_readers(
    session: Session, moderator: Moderator, new: set[Role], *, now: datetime
) -> None:
    """Tell everybody else who reads testimonies, or runs the desk, that somebody was given a role
    with which testimonies are read: nobody is to come to read them unseen."""
    given = [ROLE_NAMES[role].partition(":")[0] for role in READERS if role in new]
    if not given:
        return
    others = session.scalars(
        select(Moderator.id).where(
            has_role(*READERS, Role.ADMINISTRATOR),
            Moderator.id != moderator.id,
            Moderator.password.is_not(None),
        )
    ).all()
    details = {"name": moderator.name, "given": given}
    queue_many(session, emails.ROLE_GIVEN, others, details=details, now=now)


def remove_moderator(session: Session, moderator: Moderator, *, actor: str, now: datetime) -> None:
    """Take away every way in, and end every session at once.

    What they decided stays theirs in the log. Raises NotAllowed for the last administrator.
    """
    _refuse_last_administrator(session, moderator)
    moderator.active = False
    moderator.password = None
    moderator.roles = []
    _forget_second_factor(moderator)
    _end_links_and_sessions(session, moderator, now)
    session.flush()
    _record(session, moderator, "remove", actor=actor, now=now)


def _refuse_last_administrator(session: Session, moderator: Moderator) -> None:
    """Whoever was invited and has not come yet may never come: they are no administrator whom
    one who can sign in could leave it to."""
    hold_with_role(session, Role.ADMINISTRATOR)
    all_of_them = with_role(session, Role.ADMINISTRATOR)
    others = [each for each in all_of_them if each.id != moderator.id]
    is_one = len(others) < len(all_of_them)
    can_sign_in = moderator.password is not None
    if is_one and not any(each.password is not None or not can_sign_in for each in others):
        raise NotAllowed(
            "this is the last administrator who can sign in: make somebody else one first"
        )


def set_password(
    session: Session, moderator: Moderator, password_hash: str, *, now: datetime
) -> None:
    """Set a password; every link that was sent, and every session, ends with it."""
    was_invited = moderator.password is None
    moderator.password = password_hash
    _end_links_and_sessions(session, moderator, now)
    session.flush()
    action = "accept the invitation" if was_invited else "set a new password"
    _record(session, moderator, action, actor=moderator.actor, now=now)
    if not was_invited:
        queue_message(session, emails.PASSWORD_CHANGED, reference=moderator.id, now=now)


def request_password_link(session: Session, email: str, *, now: datetime) -> None:
    """Queue a mail with a link to set a password.

    Where nobody is to get it, the same is done for nobody: how long the answer takes must not
    tell whose address is known here.
    """
    reference = id_with_password(session, email) or uuid.uuid4()
    queue_message(session, emails.PASSWORD_LINK, reference=reference, now=now)


def begin_session(
    session: Session, moderator: Moderator, browser: str, via: str, *, now: datetime
) -> DeskSession:
    """Note that a moderator has signed in with both factors, and with which."""
    begun = DeskSession(
        id=uuid.uuid4(), moderator_id=moderator.id, browser=browser, started_at=now, seen_at=now
    )
    session.add(begun)
    session.flush()
    _record(session, moderator, "sign in", actor=moderator.actor, reason=via, now=now)
    return begun


def note_use(session: Session, session_id: uuid.UUID, *, now: datetime) -> None:
    """Note that a session is in use, once in SEEN_EVERY."""
    session.execute(
        update(DeskSession)
        .where(DeskSession.id == session_id, DeskSession.seen_at <= now - SEEN_EVERY)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end_session(
    session: Session, session_id: uuid.UUID, moderator: Moderator, *, now: datetime
) -> None:
    """End one session of a moderator; nothing where it is not theirs."""
    found = session.get(DeskSession, session_id)
    if found is not None and found.moderator_id == moderator.id and found.ended_at is None:
        found.ended_at = now
        session.flush()
        _record(session, moderator, "sign out", actor=moderator.actor, now=now)


def end_sessions(session: Session, moderator: Moderator, *, actor: str, now: datetime) -> None:
    """Sign somebody out everywhere."""
    _end_links_and_sessions(session, moderator, now)
    session.flush()
    _record(session, moderator, "sign out everywhere", actor=actor, now=now)


def _end_links_and_sessions(session: Session, moderator: Moderator, now: datetime) -> None:
    moderator.fs_uniquifier = uuid.uuid4().hex
    session.execute(
        update(DeskSession)
        .where(DeskSession.moderator_id == moderator.id, DeskSession.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def ask_reset(session: Session, moderator: Moderator, asker: Moderator, *, now: datetime) -> None:
    """Ask that somebody's second factor be taken away; another administrator has to agree.

    Raises NotAllowed for one's own, which somebody else must ask for.
    """
    if moderator.id == asker.id:
        raise NotAllowed("ask another administrator: nobody resets their own second factor")
    session.execute(delete(SecondFactorReset).where(SecondFactorReset.moderator_id == moderator.id))
    session.add(SecondFactorReset(moderator_id=moderator.id, asked_by=asker.id, asked_at=now))
    session.flush()
    queue_message(session, emails.RESET_ASKED, reference=moderator.id, now=now)
    _record(session, moderator, "ask for a new second factor", actor=asker.actor, now=now)


def agree_reset(
    session: Session, moderator: Moderator, second: Moderator, *, now: datetime
) -> None:
    """Take a second factor away, as two administrators want it. Its owner sets up another at the
    next sign-in. Raises NotAllowed unless somebody else asked, lately, and is one still."""
    asked = find_reset(session, moderator.id, now=now)
    if asked is None:
        raise NotAllowed("nobody has asked for this, or too long ago")
    if second.id in (asked.asked_by, moderator.id):
        raise NotAllowed("a second administrator has to agree, and it is not yours to agree to")
    first = find_moderator(session, asked.asked_by)
    if first is None or not first.active or not first.may(Role.ADMINISTRATOR):
        raise NotAllowed("whoever asked for it is no administrator any more: ask for it anew")
    session.delete(asked)
    reset_second_factor(session, moderator, actor=second.actor, now=now)


def reset_second_factor(
    session: Session, moderator: Moderator, *, actor: str, now: datetime
) -> None:
    """Take somebody's second factor away, end their sessions, and tell them."""
    _forget_second_factor(moderator)
    _end_links_and_sessions(session, moderator, now)
    session.flush()
    queue_message(session, emails.RESET_DONE, reference=moderator.id, now=now)
    _record(session, moderator, "take the second factor away", actor=actor, now=now)


def _forget_second_factor(moderator: Moderator) -> None:
    moderator.tf_primary_method = moderator.tf_totp_secret = None
    moderator.last_code = moderator.mf_recovery_codes = None
    moderator.webauthn = []


def start_over(session: Session, *, actor: str, now: datetime) -> int:
    """Forget how anybody at the desk proves who they are, end every session and every link, and
    send each a link to begin anew: for when all of that may be known to somebody else. Returns
    how many they are.
    """
    everybody = session.scalars(
        select(Moderator)
        .where(Moderator.active)
        .order_by(Moderator.id)
        .with_for_update(of=Moderator)
    ).all()
    for moderator in everybody:
        moderator.password = None
        moderator.invited_at = now
        _forget_second_factor(moderator)
        _end_links_and_sessions(session, moderator, now)
        session.flush()
        queue_message(session, emails.STARTED_OVER, reference=moderator.id, now=now)
        _record(session, moderator, "start over", actor=actor, now=now)
    return len(everybody)


def note_proof_changed(session: Session, moderator: Moderator, what: str, *, now: datetime) -> None:
    """Write down that a moderator changed how they prove who they are, and tell them by mail: a
    thief who makes a way in of their own is not to stay unseen. `what` begins with a verb."""
    _record(session, moderator, what, actor=moderator.actor, now=now)
    queue_message(
        session, emails.PROOF_CHANGED, reference=moderator.id, details={"what": what}, now=now
    )


def delete_past_sessions(session: Session, *, now: datetime) -> int:
    """Delete what nobody needs of sessions that are over. Returns how many."""
    past = now - LONGEST_SESSION - ENDED_SESSION_LIFETIME
    return sweep(session, DeskSession, DeskSession.started_at < past)


def delete_past_resets(session: Session, *, now: datetime) -> int:
    """Delete resets of a second factor to which nobody agreed in time. Returns how many."""
    return sweep(session, SecondFactorReset, SecondFactorReset.asked_at < now - RESET_LIFETIME)


def _record(
    session: Session,
    moderator: Moderator,
    action: str,
    *,
    actor: str,
    reason: str = "",
    now: datetime,
) -> None:
    record(
        session,
        actor=actor,
        action=f"account: {action}",
        subject=f"moderator {moderator.id}",
        reason=reason,
        now=now,
    )
