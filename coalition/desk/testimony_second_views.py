"""A second reader's work: the edited version first, the original only on a deliberate press."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask import Blueprint, request
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Moderator
from coalition.db import db, transaction
from coalition.desk.in_hand import own_claim
from coalition.desk.testimony_checklist import boxes_of, checklist_of
from coalition.desk.testimony_desk import (
    ROLES,
    View,
    act,
    in_hand,
    refused,
    sent_turn,
    to_queue,
    to_show,
)
from coalition.desk.testimony_edit_views import beside
from coalition.desk.testimony_queue import KIND
from coalition.desk.testimony_views import page_in_hand
from coalition.testimonies import decisions
from coalition.testimonies.moving import edition_of
from coalition.testimonies.states import NotPossible, State

blueprint = Blueprint("desk_testimony_second", __name__, url_prefix="/desk/testimonies")


@blueprint.post("/<uuid:testimony_id>/original")
@for_roles(*ROLES)
def original(testimony_id: uuid.UUID) -> View:
    """What was written, beside what is to be public. That it was opened is written to the log."""
    if in_hand(testimony_id, State.SECOND_READING) is None:
        return to_show(testimony_id)
    try:
        with transaction() as session:
            decisions.note_reading(
                session, testimony_id, current_moderator(), "read the original",
                now=clock.utc_now(),
            )  # fmt: skip
    except NotPossible as error:
        return refused(testimony_id, str(error))
    testimony = in_hand(testimony_id, State.SECOND_READING)
    return beside(testimony) if testimony else to_show(testimony_id)


@blueprint.post("/<uuid:testimony_id>/approve")
@for_roles(*ROLES)
def approve(testimony_id: uuid.UUID) -> View:
    """Let it go to its writer, or to the public at once, as they chose."""
    testimony, claim = in_hand(testimony_id, State.SECOND_READING), own_claim(KIND, testimony_id)
    if testimony is not None and claim is not None and testimony.turn == sent_turn():
        lines = boxes_of(edition_of(db.session(), testimony), request.form)
        if any(box.problem for box in lines):
            return page_in_hand(testimony, claim.until, problem=True)
    after = State.APPROVED

    def do(session: Session, moderator: Moderator, now: datetime) -> None:
        nonlocal after
        after = decisions.approve(
            session, testimony_id, moderator, checklist_of(request.form),
            edition_id=_edition_id(), turn=sent_turn(), now=now,
        )  # fmt: skip

    failed = act(testimony_id, do)
    return failed or to_queue("published" if after is State.PUBLISHED else "approved")


def _edition_id() -> uuid.UUID:
    try:
        return uuid.UUID(hex=request.form.get("edition_id", ""))
    except ValueError:
        raise NotPossible("the form does not say what you read; open it again") from None
