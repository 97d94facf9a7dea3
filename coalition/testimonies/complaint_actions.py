"""Taking a complaint in, finding it, and deleting it a year after it is closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from coalition.db import changed_rows, is_postgresql, sweep
from coalition.mail.actions import queue_message
from coalition.testimonies import complaint_emails
from coalition.testimonies.complaint_models import (
    CLOSED_COMPLAINT_LIFETIME,
    Complaint,
    ComplaintState,
    Ground,
)


def complain(
    session: Session,
    form_id: uuid.UUID,
    slug: str,
    ground: Ground,
    details: dict[str, str],
    *,
    now: datetime,
) -> uuid.UUID:
    """Keep a complaint, and write to whoever sent it that it is here. Returns its id.

    The same form with the same words makes one complaint, however often it is sent.
    """
    stored = json.dumps(details, sort_keys=True)
    complaint_id = uuid.uuid5(form_id, f"{slug} {ground} {stored}")
    insert = (postgresql if is_postgresql(session) else sqlite).insert(Complaint)
    inserted = session.execute(
        insert.values(
            id=complaint_id,
            slug=slug,
            ground=ground,
            stored_details=stored,
            received_at=now,
            state=ComplaintState.OPEN,
        ).on_conflict_do_nothing()
    )
    if changed_rows(inserted) and details.get("email"):
        queue_message(session, complaint_emails.RECEIVED, reference=complaint_id, now=now)
    return complaint_id


def find_complaint(session: Session, complaint_id: uuid.UUID) -> Complaint | None:
    """The complaint as the database has it now."""
    return session.get(Complaint, complaint_id, populate_existing=True)


def open_complaints(session: Session) -> Sequence[Complaint]:
    """Complaints that are not decided."""
    return session.scalars(
        select(Complaint).where(Complaint.state == ComplaintState.OPEN).order_by(Complaint.id)
    ).all()


def delete_past_complaints(session: Session, *, now: datetime) -> int:
    """Delete complaints that were closed longer ago than CLOSED_COMPLAINT_LIFETIME, and who sent
    them. Returns how many."""
    return sweep(session, Complaint, Complaint.closed_at < now - CLOSED_COMPLAINT_LIFETIME)
