"""`coalition keys`: make a secret, and move everything to the newest one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import flag_modified

from coalition import clock
from coalition.accounts.models import DeskSession, Moderator
from coalition.audit.actions import record
from coalition.audit.cli import reseal_everything
from coalition.audit.proof import AuditBroken
from coalition.db import db, transaction
from coalition.desk.reading_actions import move_readings
from coalition.desk.reading_models import Reading, ReadingPreference
from coalition.endorsements.models import ContactChange, Endorsement
from coalition.mail.address import address_digests
from coalition.mail.bounce_actions import move_bounces
from coalition.mail.models import BlockedAddress, Bounce, OutboxMessage
from coalition.petition.actions import leave_aside, set_status
from coalition.petition.fingerprints import domain_digest
from coalition.petition.hand_in_models import HandInChunk
from coalition.petition.models import (
    BulkDecision,
    Cause,
    ReviewedAddress,
    Signature,
    SignatureStatus,
)
from coalition.testimonies.complaint_models import Complaint
from coalition.testimonies.models import Edition, LookupKey, PublishedTestimony, Testimony
from coalition.testimonies.safeguarding_models import SafeguardingFlag
from coalition.web.limit_models import NetworkRule

SECRET_BYTES = 48
ROWS_AT_ONCE = 500

key_commands = AppGroup("keys", help="The secrets that every key is derived from.")


@key_commands.command("new", with_appcontext=False)
def new() -> None:
    """Print a new secret for COALITION_SECRET_KEYS."""
    click.echo(secrets.token_urlsafe(SECRET_BYTES))


@key_commands.command("rotate")
@with_appcontext
def rotate() -> None:
    """Encrypt and digest everything under the newest secret, so that older ones can go."""
    _rewrite(Signature.id, _rewrite_signature)
    _rewrite(BlockedAddress.address_digest, _rewrite_blocked_address)
    _rewrite(Endorsement.id, _rewrite_endorsement)
    _rewrite(ContactChange.endorsement_id, _rewrite_contact_change)
    _rewrite(OutboxMessage.id, _rewrite_message)
    _rewrite(Moderator.id, _rewrite_moderator)
    _rewrite(DeskSession.id, _rewrite_desk_session)
    _rewrite(Bounce.id, _rewrite_bounce)
    _rewrite(BulkDecision.id, _rewrite_bulk_decision)
    _rewrite(NetworkRule.id, _rewrite_network_rule)
    _rewrite(HandInChunk.id, _rewrite_chunk)
    _rewrite(Testimony.id, _rewrite_testimony)
    _rewrite(Edition.id, _rewrite_edition)
    _rewrite(PublishedTestimony.slug, _rewrite_published)
    _rewrite(LookupKey.id, _rewrite_lookup_key)
    _rewrite(SafeguardingFlag.id, _rewrite_flag)
    _rewrite(Complaint.id, _rewrite_complaint)
    _rewrite(Reading.id, _rewrite_reading)
    _rewrite(ReadingPreference.reader, _rewrite_preference)
    with transaction() as session:
        record(
            session,
            actor="command line",
            action="keys rotated",
            subject="every encrypted column",
            now=clock.utc_now(),
        )
    try:
        click.echo(f"audit_entries: {reseal_everything()} lines sealed under the newest secret")
    except AuditBroken as error:
        raise click.ClickException(
            f"everything else is done, but the audit log does not hold: {error}. Keep the older "
            "secrets until that is cleared up"
        ) from error


def _rewrite(key: InstrumentedAttribute[Any], rewrite: Callable[[Session, Any], None]) -> None:
    """Rewrite every row of the table of `key`, some at a time, so that signing goes on."""
    table = key.class_
    keys: Sequence[Any] = db.session.scalars(select(key).order_by(key)).all()
    for start in range(0, len(keys), ROWS_AT_ONCE):
        wanted = keys[start : start + ROWS_AT_ONCE]
        with transaction() as session:
            rows = session.scalars(
                select(table).where(key.in_(wanted)).order_by(key).with_for_update()
            ).all()
            for row in rows:
                rewrite(session, row)
                session.flush()
    click.echo(f"{table.__tablename__}: {len(keys)} rows under the newest secret")


def _rewrite_signature(session: Session, signature: Signature) -> None:
    newest = address_digests(signature.email)[0]
    twin = session.scalar(
        select(Signature).where(Signature.address_digest == newest, Signature.id != signature.id)
    )
    _move_review(session, signature.address_digest, newest)
    if twin:
        signature = _merge(session, signature, twin)
    signature.address_digest = newest
    move_bounces(session, signature.email)
    signature.domain_digest = domain_digest(signature.email)
    # Nobody knows its network any more, so its digest cannot be made anew; and whoever has the
    # older secret could try all networks until one fits.
    signature.network_digest = None
    for column in ("email", "name", "appeal"):
        flag_modified(signature, column)


def _move_review(session: Session, digest: bytes, newest: bytes) -> None:
    """Keep an address under review under its newest digest, once."""
    review = session.get(ReviewedAddress, digest)
    if review and digest != newest:
        if session.get(ReviewedAddress, newest) is None:
            session.add(ReviewedAddress(address_digest=newest, decided_at=review.decided_at))
        session.delete(review)
        session.flush()


def _merge(session: Session, one: Signature, other: Signature) -> Signature:
    """Make one signature of two that were given with one address while two processes had
    different secrets. The one that counts stays, else the older.
    """
    kept, dropped = sorted(
        (one, other),
        key=lambda each: (each.status is not SignatureStatus.VERIFIED, each.signed_at),
    )
    now = clock.utc_now()
    if dropped.status is SignatureStatus.VERIFIED:
        set_status(session, dropped, SignatureStatus.REMOVED, Cause.REMOVED, now=now)
    leave_aside(session, dropped, now=now)
    session.delete(dropped)
    session.flush()
    return kept


def _rewrite_blocked_address(session: Session, blocked: BlockedAddress) -> None:
    newest: bytes = address_digests(blocked.email)[0]
    twin = session.get(BlockedAddress, newest)
    if twin and twin is not blocked:
        session.delete(blocked)  # blocked twice, under two secrets
        return
    blocked.address_digest = newest
    flag_modified(blocked, "email")


def _rewrite_endorsement(session: Session, endorsement: Endorsement) -> None:
    if endorsement.contact_email is not None:
        endorsement.address_digest = address_digests(endorsement.contact_email)[0]
        move_bounces(session, endorsement.contact_email)
    for column in ("contact_email", "contact_name", "contact_role", "appeal"):
        flag_modified(endorsement, column)


def _rewrite_contact_change(session: Session, change: ContactChange) -> None:
    for column in ("email", "name", "role"):
        flag_modified(change, column)


def _rewrite_bounce(session: Session, bounce: Bounce) -> None:
    flag_modified(bounce, "diagnostic")


def _rewrite_message(session: Session, message: OutboxMessage) -> None:
    flag_modified(message, "payload")


def _rewrite_moderator(session: Session, moderator: Moderator) -> None:
    digests = address_digests(moderator.email)
    if moderator.address_digest in digests:  # else a newer account has the address
        moderator.address_digest = digests[0]
    move_readings(session, moderator.id)
    for column in ("email", "name", "tf_totp_secret", "recovery_codes"):
        flag_modified(moderator, column)


def _rewrite_desk_session(session: Session, begun: DeskSession) -> None:
    flag_modified(begun, "browser")


def _rewrite_bulk_decision(session: Session, decision: BulkDecision) -> None:
    flag_modified(decision, "search")


def _rewrite_network_rule(session: Session, rule: NetworkRule) -> None:
    for column in ("network", "note"):
        flag_modified(rule, column)


def _rewrite_chunk(session: Session, chunk: HandInChunk) -> None:
    flag_modified(chunk, "data")


def _rewrite_testimony(session: Session, testimony: Testimony) -> None:
    # What its code is found by stays: nobody has the code to make it anew.
    for column in ("text", "stored_choices", "contact", "decision_words", "answer"):
        flag_modified(testimony, column)


def _rewrite_edition(session: Session, edition: Edition) -> None:
    for column in ("stored_spans", "stored_front", "text", "colleague_words"):
        flag_modified(edition, column)


def _rewrite_published(session: Session, published: PublishedTestimony) -> None:
    for column in ("stored_front", "text"):
        flag_modified(published, column)


def _rewrite_lookup_key(session: Session, lookup: LookupKey) -> None:
    flag_modified(lookup, "key")


def _rewrite_reading(session: Session, reading: Reading) -> None:
    flag_modified(reading, "weight")


def _rewrite_preference(session: Session, preference: ReadingPreference) -> None:
    flag_modified(preference, "stored")


def _rewrite_flag(session: Session, flag: SafeguardingFlag) -> None:
    for column in ("words", "done"):
        flag_modified(flag, column)


def _rewrite_complaint(session: Session, complaint: Complaint) -> None:
    for column in ("stored_details", "decision_words"):
        flag_modified(complaint, column)
