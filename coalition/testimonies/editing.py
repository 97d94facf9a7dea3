"""What a first reader takes out of a text, and puts back, a place at a time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator
from coalition.testimonies.decisions import save_edition
from coalition.testimonies.models import Edition
from coalition.testimonies.moving import edition_of, locked
from coalition.testimonies.redaction import Span, added, without


def take_out(
    session: Session,
    testimony_id: uuid.UUID,
    reader: Moderator,
    spans: Sequence[Span],
    *,
    turn: int,
) -> Edition:
    """Take these places out, besides what is out. Raises NotPossible."""
    kept = _spans(session, testimony_id)
    return save_edition(session, testimony_id, reader, turn=turn, spans=added(kept, spans))


def put_back(
    session: Session, testimony_id: uuid.UUID, reader: Moderator, start: int, end: int, *, turn: int
) -> Edition:
    """Put back whatever was taken out between these places. Raises NotPossible."""
    kept = without(_spans(session, testimony_id), start, end)
    return save_edition(session, testimony_id, reader, turn=turn, spans=kept)


def _spans(session: Session, testimony_id: uuid.UUID) -> list[Span]:
    """What is out now; nobody changes it until the end of the transaction."""
    edition = edition_of(session, locked(session, testimony_id))
    return edition.spans if edition else []
