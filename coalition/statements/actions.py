"""Publishing texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.statements.campaign import check_texts
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import latest_versions
from coalition.statements.tables import CampaignInvalid


def publish_texts(
    session: Session, texts: Mapping[str, str], *, actor: str, now: datetime, note: str = ""
) -> list[DocumentVersion]:
    """Publish those of `texts` (by slug) that changed, each as a new version; `note` says to
    readers what changed.

    Returns the new versions; none when nothing changed. Raises CampaignInvalid when any of
    the texts cannot be used, and then publishes nothing.
    """
    problems = check_texts(texts)
    if problems:
        raise CampaignInvalid(problems)
    latest = latest_versions(session)
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
