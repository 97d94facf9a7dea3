"""Lists to hand in, asked for and made as the desk and the worker do it."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime
from threading import Event

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.mail.address import address_digests
from coalition.petition import hand_in_actions as actions
from coalition.petition.hand_in_job import make_next_hand_in
from coalition.petition.hand_in_models import HandIn, HandInState
from coalition.petition.models import Signature, SignatureStatus
from tests.factories import agreed_now
from tests.printed import Printed, read_pdf

ACTOR = "moderator 1"


def ask(
    version_id: int | None = None, *, actor: str = ACTOR, now: datetime | None = None
) -> HandIn:
    with transaction() as session:
        return actions.ask_hand_in(session, version_id, actor=actor, now=now or clock.utc_now())


def make(version_id: int | None = None) -> HandIn:
    """Ask for a list and have it made."""
    hand_in = ask(version_id)
    assert make_next_hand_in(Event())
    made = look(hand_in.id)
    assert made is not None
    assert made.state is HandInState.DONE
    return made


def look(hand_in_id: uuid.UUID) -> HandIn | None:
    """The request as it stands now."""
    db.session.rollback()
    return db.session.get(HandIn, hand_in_id, populate_existing=True)


def content(hand_in: HandIn, file: str) -> bytes:
    pieces, number = b"", 1
    while piece := actions.read_chunk(db.session(), hand_in.id, file, number):
        pieces, number = pieces + piece, number + 1
    return pieces


def rows(hand_in: HandIn) -> list[dict[str, str]]:
    """The lines of the CSV file."""
    text = content(hand_in, "names.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def names(hand_in: HandIn) -> list[str]:
    return [row["name"] for row in rows(hand_in)]


def printed(hand_in: HandIn) -> Printed:
    return read_pdf(content(hand_in, "petition.pdf"))


def file_names(hand_in: HandIn) -> list[str]:
    return [each.name for each in actions.files_of(db.session(), hand_in)]


def sign_many(session: Session, number: int) -> None:
    """So many verified signatures of people who agreed to be named, without count events."""
    now, agreed = clock.utc_now(), agreed_now()
    known = session.scalars(select(Signature.id).limit(1)).first()
    assert known is None
    for start in range(0, number, 1_000):
        session.execute(
            insert(Signature),
            [
                {
                    "id": uuid.uuid4(),
                    "address_digest": address_digests(f"many{each}@example.org")[0],
                    "email": f"many{each}@example.org",
                    "name": f"Fictional Person {each}",
                    "show_name": True,
                    "wants_updates": False,
                    "status": SignatureStatus.VERIFIED,
                    "signed_at": now,
                    "verified_at": now,
                    "status_changed_at": now,
                    "revision": 1,
                    **vars(agreed),
                    "choices_version_id": agreed.consent_version_id,
                }
                for each in range(start, min(start + 1_000, number))
            ],
        )
