"""Publishing texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.db import is_postgresql
from coalition.statements.campaign import new_problems, told
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import latest_versions
from coalition.statements.tables import CampaignInvalid

TEXTS_LOCK = 0x74657874  # any fixed number: one publishes at a time


def lock_texts(session: Session) -> None:
    """Wait until nobody else writes texts or drafts, and keep others waiting till the end of the
    transaction: what was checked against the other texts still holds when it is written.
    """
    if is_postgresql(session):
        session.execute(sql("SELECT pg_advisory_xact_lock(:key)"), {"key": TEXTS_LOCK})


def publish_texts(
    session: Session,
    texts: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
    note: str = "",
    loaded: bool = True,
) -> list[DocumentVersion]:
    """Publish those of `texts` (by slug) that changed, each as a new version; `note` says to
    readers what changed, `loaded` that the texts come from files.

    Returns the new versions; none when nothing changed. Raises CampaignInvalid when any of
    the texts cannot be used, by itself or beside the others, and then publishes nothing.
    """
    lock_texts(session)
    latest = latest_versions(session)
    problems = new_problems({slug: row.text for slug, row in latest.items()}, texts)
    if problems:
        raise CampaignInvalid(told(problems))
    published = []
    for slug, text in texts.items():
        current = latest.get(slug)
        if current and current.text == text:
            continue
        version = DocumentVersion(
            slug=slug,
            version=current.version + 1 if current else 1,
            text=text,
            published_at=now,
            change_note=note if current else "",
            published_by=actor,
            loaded=loaded,
        )
        session.add(version)
        published.append(version)
        record(
            session,
            actor=actor,
            action="text published",
            subject=f"{slug} version {version.version}",
            reason=note,
            now=now,
        )
    session.flush()
    return published
