"""Writing at the desk: a draft is saved as often as one likes, and published once."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from coalition.db import sweep
from coalition.statements.actions import lock_texts, publish_texts
from coalition.statements.campaign import Fault, new_problems
from coalition.statements.models import DRAFT_LIFETIME, DocumentVersion, Draft
from coalition.statements.queries import find_draft, latest_versions


class DraftChanged(Exception):
    """The draft was saved from another window since the form was opened."""


class NoDraft(Exception):
    """There is no draft: it was published or discarded, or never saved."""


class NothingChanged(Exception):
    """The draft says what is public already."""


class Overtaken(Exception):
    """Another version was published since the draft was begun."""


def tidy_text(text: str) -> str:
    """A text as it is kept: the ends of its lines are one character, and what nobody can see,
    nor PostgreSQL store, is gone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    seen = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "", lines)
    return seen.strip("\n").rstrip() + "\n"


def same_text(first: str, second: str) -> bool:
    return tidy_text(first) == tidy_text(second)


def save_draft(
    session: Session,
    slug: str,
    moderator_id: uuid.UUID,
    *,
    text: str,
    note: str,
    base_version: int,
    revision: uuid.UUID | None,
    now: datetime,
) -> Draft | None:
    """Keep what a moderator wrote for a text; nothing is published.

    `revision` is that of the draft which the form was filled in from, None where there was
    none; `base_version` the version that the writing began from. Returns None where nothing
    was written: the text is the public one, and there is no draft. Raises DraftChanged where
    another window has saved something else meanwhile, and then keeps what that saved.
    """
    lock_texts(session)
    text, note = tidy_text(text), " ".join(tidy_text(note).split())
    newest = latest_versions(session)[slug]
    draft = find_draft(session, slug, moderator_id)
    if draft is None:
        if same_text(text, newest.text) and not note:
            return None
        draft = Draft(slug=slug, moderator_id=moderator_id)
        session.add(draft)
    elif (draft.text, draft.note, draft.base_version) == (text, note, base_version):
        return draft
    elif draft.revision != revision:
        raise DraftChanged
    draft.text, draft.note = text, note
    draft.base_version = min(max(1, base_version), newest.version)
    draft.revision, draft.updated_at = uuid.uuid4(), now
    session.flush()
    return draft


def publish_draft(
    session: Session,
    slug: str,
    moderator_id: uuid.UUID,
    *,
    revision: uuid.UUID | None,
    note: str,
    actor: str,
    now: datetime,
) -> DocumentVersion:
    """Make a draft the next version of its text, just as its writer saw it in `revision`.

    Raises NoDraft, DraftChanged, NothingChanged, Overtaken where another version was published
    since the draft was begun, and CampaignInvalid; each leaves the draft and the text as they
    are.
    """
    lock_texts(session)
    draft = find_draft(session, slug, moderator_id)
    if draft is None:
        raise NoDraft
    if draft.revision != revision:
        raise DraftChanged
    newest = latest_versions(session)[slug]
    if same_text(draft.text, newest.text):
        raise NothingChanged
    if draft.base_version != newest.version:
        raise Overtaken
    texts = {slug: draft.text}
    (version,) = publish_texts(session, texts, actor=actor, now=now, note=note, loaded=False)
    session.delete(draft)
    session.flush()
    return version


def draft_problems(session: Session, draft: Draft) -> list[Fault]:
    """What keeps a draft from being published: with its own text, or with others beside it."""
    present = {slug: row.text for slug, row in latest_versions(session).items()}
    return new_problems(present, {draft.slug: draft.text})


def discard_draft(
    session: Session, slug: str, moderator_id: uuid.UUID, *, revision: uuid.UUID | None
) -> None:
    """Delete a draft. Raises DraftChanged where another window has saved it meanwhile; one that
    is gone already is no error."""
    lock_texts(session)
    draft = find_draft(session, slug, moderator_id)
    if draft is None:
        return
    if draft.revision != revision:
        raise DraftChanged
    session.delete(draft)
    session.flush()


def delete_old_drafts(session: Session, *, now: datetime) -> int:
    """Delete the drafts that nobody has saved for DRAFT_LIFETIME. Returns how many."""
    return sweep(session, Draft, Draft.updated_at < now - DRAFT_LIFETIME)
