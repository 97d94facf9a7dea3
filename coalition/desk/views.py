"""The desk's first page: what waits, for how long, what is mine. Nothing is shown unasked."""

from __future__ import annotations

from flask import Blueprint, render_template

from coalition import clock
from coalition.accounts.guard import EVERYBODY, current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.db import db
from coalition.desk.queries import organisations_waiting
from coalition.desk.testimony_queue import offered

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.get("")
@for_roles(*EVERYBODY)
def home() -> str:
    moderator = current_moderator()
    may_decide = moderator.may(Role.MODERATOR, Role.ADMINISTRATOR)
    waiting = (
        organisations_waiting(db.session(), moderator, now=clock.utc_now()) if may_decide else []
    )
    return render_template(
        "desk/home.html",
        moderator=moderator,
        may_decide=may_decide,
        waiting=waiting,
        reads=moderator.may(Role.MODERATOR),
        testimonies=offered(db.session(), moderator, now=clock.utc_now())
        if moderator.may(Role.MODERATOR)
        else [],
        mine=[line for line in waiting if line.is_mine],
        now=clock.utc_now(),
    )
