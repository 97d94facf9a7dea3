"""Reads of the campaign's texts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from flask import current_app
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from coalition.db import db
from coalition.statements import markdown
from coalition.statements.campaign import FILES, Campaign, Document, Logo
from coalition.statements.easy_read import parse_easy_read
from coalition.statements.models import DocumentVersion, Draft
from coalition.statements.press import parse_press
from coalition.statements.records import (
    parse_consent,
    parse_demands,
    parse_details,
    parse_evidence,
    parse_helplines,
    parse_replies,
    parse_sides,
    parse_updates,
)
from coalition.statements.telling import parse_telling

REMEMBERED = 2.0  # seconds for which a process does not ask the database again


class NoCampaign(Exception):
    """No campaign has been loaded yet."""


def latest_versions(session: Session) -> dict[str, DocumentVersion]:
    """The newest version of every text, by slug."""
    newest = select(func.max(DocumentVersion.id)).group_by(DocumentVersion.slug)
    rows = session.scalars(select(DocumentVersion).where(DocumentVersion.id.in_(newest)))
    return {row.slug: row for row in rows}


def read_campaign(session: Session) -> Campaign:
    """The campaign as it is published now. Raises NoCampaign before the first is loaded."""
    latest = latest_versions(session)
    if FILES.keys() - latest.keys():
        raise NoCampaign
    return campaign_of(latest)


def campaign_of(latest: Mapping[str, DocumentVersion]) -> Campaign:
    """The campaign that these versions make, one for each slug of FILES.

    Raises CampaignInvalid where one cannot be read.
    """
    consent, telling = latest["consent"], latest["testimonies"]
    return Campaign(
        details=parse_details(latest["campaign"].text),
        consent=parse_consent(consent.text, consent.id, consent.version),
        telling=parse_telling(telling.text, telling.id, telling.version),
        helplines=parse_helplines(latest["helplines"].text),
        demands=parse_demands(latest["demands"].text),
        evidence=parse_evidence(latest["evidence"].text),
        replies=parse_replies(latest["replies"].text),
        sides=parse_sides(latest["sides"].text),
        updates=parse_updates(latest["updates"].text),
        press=parse_press(latest["press"].text),
        easy_read=parse_easy_read(latest["easy-read"].text),
        logo=Logo(latest["logo"].version, latest["logo"].text),
        reasons=as_document(latest["reasons"]),
        petition=as_document(latest["petition"]),
        statement=as_document(latest["statement"]),
        questions=as_document(latest["questions"]),
        about=as_document(latest["about"]),
        support=as_document(latest["support"]),
        privacy=as_document(latest["privacy"]),
    )


def as_document(row: DocumentVersion) -> Document:
    """A version of a Markdown text, ready to be shown."""
    return Document(
        version_id=row.id,
        version=row.version,
        published_at=row.published_at,
        change_note=row.change_note,
        html=Markup(markdown.render(row.text)),  # noqa: S704 (render() cleans it)
        headings=tuple(markdown.headings(row.text)),
    )


def find_version(session: Session, slug: str, version: int) -> DocumentVersion | None:
    """This version of this text, if there is one."""
    return session.scalars(
        select(DocumentVersion).where(
            DocumentVersion.slug == slug, DocumentVersion.version == version
        )
    ).one_or_none()


def history(session: Session, slug: str) -> list[DocumentVersion]:
    """All versions of a text, the newest first."""
    return list(
        session.scalars(
            select(DocumentVersion)
            .where(DocumentVersion.slug == slug)
            .order_by(DocumentVersion.version.desc())
        )
    )


def find_draft(session: Session, slug: str, moderator_id: uuid.UUID) -> Draft | None:
    """What this moderator is writing for this text, as the database has it now."""
    return session.get(Draft, (slug, moderator_id), populate_existing=True)


def drafts_of(session: Session, moderator_id: uuid.UUID) -> dict[str, Draft]:
    """What this moderator is writing, by slug."""
    rows = session.scalars(select(Draft).where(Draft.moderator_id == moderator_id))
    return {row.slug: row for row in rows}


def count_drafts(session: Session, moderator_id: uuid.UUID) -> tuple[int, datetime | None]:
    """How many texts this moderator is writing, and when the oldest draft was last saved."""
    row = session.execute(
        select(func.count(), func.min(Draft.updated_at)).where(Draft.moderator_id == moderator_id)
    ).one()
    return row[0], row[1]


def others_writing(session: Session, slug: str, moderator_id: uuid.UUID) -> int:
    """How many others have a draft of this text."""
    others = select(func.count()).where(Draft.slug == slug, Draft.moderator_id != moderator_id)
    return session.scalar(others) or 0


def changed_at_desk(session: Session) -> dict[str, DocumentVersion]:
    """The newest versions, by slug, that were written at the desk and say something else than
    what was last loaded from files."""
    last = (
        select(func.max(DocumentVersion.id))
        .where(DocumentVersion.loaded)
        .group_by(DocumentVersion.slug)
    )
    rows = session.scalars(select(DocumentVersion).where(DocumentVersion.id.in_(last)))
    loaded = {row.slug: row.text for row in rows}
    return {
        slug: row
        for slug, row in latest_versions(session).items()
        if not row.loaded and row.text != loaded.get(slug)
    }


@dataclass
class _Memory:
    campaign: Campaign | None = None
    newest_id: int | None = None
    asked_at: float = float("-inf")


def _memory() -> _Memory:
    memory: _Memory = current_app.extensions.setdefault("campaign", _Memory())
    return memory


def remembered_campaign() -> Campaign | None:
    """The campaign as this process last read it, without asking the database."""
    return _memory().campaign


def forget_campaign() -> None:
    """Let this process ask the database again before it next shows the campaign."""
    _memory().asked_at = float("-inf")


def current_campaign() -> Campaign:
    """The published campaign, at most REMEMBERED seconds old.

    While the database is away the last one that was read stays good. Raises NoCampaign when
    none was ever loaded.
    """
    memory = _memory()
    if monotonic() - memory.asked_at > REMEMBERED:
        try:
            newest_id = db.session.scalar(select(func.max(DocumentVersion.id)))
            if newest_id != memory.newest_id or memory.campaign is None:
                memory.campaign = read_campaign(db.session())
                memory.newest_id = newest_id
        except SQLAlchemyError:
            db.session.rollback()
            if memory.campaign is None:
                raise
        memory.asked_at = monotonic()
    if memory.campaign is None:
        raise NoCampaign
    return memory.campaign
