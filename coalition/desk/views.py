"""The desk's first page: what waits, for how long, what is mine. Nothing is shown unasked."""

from __future__ import annotations

from flask import Blueprint, render_template

from coalition import clock
from coalition.accounts.guard import EVERYBODY, current_moderator, for_roles
from coalition.db import db
from coalition.desk.mails import in_words
from coalition.desk.queries import taken_by
from coalition.desk.waiting import what_waits

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.get("")
@for_roles(*EVERYBODY)
def home() -> str:
    session, moderator, now = db.session(), current_moderator(), clock.utc_now()
    return render_template(
        "desk/home.html",
        moderator=moderator,
        waiting=what_waits(session, moderator, now=now),
        mine=taken_by(session, moderator, now=now),
        in_words=in_words,
        now=now,
    )
