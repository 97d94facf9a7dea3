"""Moderators who write texts."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import cast

from flask import Flask, current_app

from coalition import clock
from coalition.accounts.models import Role
from coalition.db import db, transaction
from coalition.statements import drafts
from coalition.statements.queries import latest_versions
from tests.desking import make_moderator


def make_writer() -> uuid.UUID:
    """A moderator, by their number."""
    return make_moderator(cast("Flask", current_app), Role.EDITOR)


def text_of(slug: str) -> str:
    """The text that is public now."""
    db.session.rollback()
    return latest_versions(db.session())[slug].text


def save(
    moderator_id: uuid.UUID,
    text: str,
    *,
    slug: str = "statement",
    base_version: int = 1,
    revision: uuid.UUID | None = None,
    now: datetime | None = None,
) -> uuid.UUID | None:
    """Save a draft; its revision, or None where nothing was kept."""
    with transaction() as session:
        draft = drafts.save_draft(
            session,
            slug,
            moderator_id,
            text=text,
            note="",
            base_version=base_version,
            revision=revision,
            now=now or clock.utc_now(),
        )
        return draft and draft.revision


def publish(
    moderator_id: uuid.UUID,
    revision: uuid.UUID | None,
    *,
    slug: str = "statement",
    note: str = "Something changed.",
) -> None:
    with transaction() as session:
        drafts.publish_draft(
            session,
            slug,
            moderator_id,
            revision=revision,
            note=note,
            actor=f"moderator {moderator_id}",
            now=clock.utc_now(),
        )
