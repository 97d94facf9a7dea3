"""Hand-in: the count by nation, and the list of those who agreed to be named, as files.

The files are made by the worker; whoever asked for them downloads them here. Each look at names
is a line in the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.clock import day_in_uk
from coalition.db import db, one_moment, transaction
from coalition.desk.hand_in_forms import AskForm
from coalition.petition import hand_in_actions as actions
from coalition.petition.hand_in import agreed_sentences, read_hand_in_count
from coalition.petition.hand_in_actions import UNFINISHED, HandInFile
from coalition.petition.hand_in_models import CSV_FILE, HAND_IN_LIFETIME, HandIn, HandInState

blueprint = Blueprint("hand_in", __name__, url_prefix="/desk/hand-in")

View = str | BaseResponse | tuple[str, int]


@blueprint.get("")
@for_roles(Role.ADMINISTRATOR, Role.PRESS)
def overview() -> str:
    return _overview(AskForm(db.session(), formdata=None))


def _overview(form: AskForm) -> str:
    now, you = clock.utc_now(), current_moderator()
    with one_moment() as reading:
        count = read_hand_in_count(reading, now=now)
        sentences = agreed_sentences(reading)
    may_ask = you.may(Role.ADMINISTRATOR)
    return render_template(
        "desk/hand_in.html",
        count=count,
        sentences=sentences,
        may_ask=may_ask,
        form=form,
        lists=[
            (each, actions.of_which_text(db.session(), each))
            for each in (actions.hand_ins(db.session(), now=now) if may_ask else [])
        ],
        you=you.actor,
        days=HAND_IN_LIFETIME.days,
        deleted="deleted" in request.args,
    )


@blueprint.post("/ask")
@for_roles(Role.ADMINISTRATOR)
def ask() -> View:
    form = AskForm(db.session(), formdata=request.form)
    if not form.validate():
        form.version.errors = ["Choose one of the versions that are there, or all of them"]
        return _overview(form), 422
    with transaction() as session:
        hand_in = actions.ask_hand_in(
            session, form.version_id(), actor=current_moderator().actor, now=clock.utc_now()
        )
    return redirect(url_for("hand_in.progress", hand_in_id=hand_in.id), 303)


@blueprint.get("/<uuid:hand_in_id>")
@for_roles(Role.ADMINISTRATOR)
def progress(hand_in_id: uuid.UUID) -> View:
    session, now = db.session(), clock.utc_now()
    hand_in = actions.find_hand_in(session, hand_in_id, now=now)
    if hand_in is None:
        return _gone("gone", 404)
    return render_template(
        "desk/hand_in_list.html",
        hand_in=hand_in,
        text=actions.of_which_text(session, hand_in),
        files=actions.files_of(session, hand_in),
        is_yours=hand_in.asked_by == current_moderator().actor,
        is_unfinished=hand_in.state in UNFINISHED,
        has_failed=hand_in.state is HandInState.FAILED,
        ends_at=hand_in.asked_at + HAND_IN_LIFETIME,
        csv_file=CSV_FILE,
    )


def _gone(why: str, status: int) -> tuple[str, int]:
    return render_template("desk/hand_in_gone.html", why=why, days=HAND_IN_LIFETIME.days), status


@blueprint.post("/<uuid:hand_in_id>/download")
@for_roles(Role.ADMINISTRATOR)
def download(hand_in_id: uuid.UUID) -> View:
    """A POST, for it leaves a line in the log: no link that is merely followed does."""
    you, now = current_moderator().actor, clock.utc_now()
    with transaction() as session:
        hand_in = actions.find_hand_in(session, hand_in_id, now=now)
        if hand_in is None:
            return _gone("gone", 404)
        if hand_in.asked_by != you:
            return _gone("foreign", 403)
        wanted = request.form.get("file")
        found = [each for each in actions.files_of(session, hand_in) if each.name == wanted]
        if not found:
            return _gone("gone", 404)
        words = f"{wanted}, {actions.in_numbers(session, hand_in)}"
        actions.note(session, hand_in, actions.DOWNLOADED, what=words, actor=you, now=now)
    return _streamed(hand_in, found[0])


def _streamed(hand_in: HandIn, file: HandInFile) -> Response:
    kind = "text/csv" if file.name == CSV_FILE else "application/pdf"
    response = Response(stream_with_context(_pieces(hand_in.id, file.name)), mimetype=kind)
    response.content_length = file.size
    day = day_in_uk(hand_in.as_at or hand_in.asked_at).isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="{day}-{file.name}"'
    return response


def _pieces(hand_in_id: uuid.UUID, file: str) -> Iterator[bytes]:
    number = 1
    while piece := actions.read_chunk(db.session(), hand_in_id, file, number):
        # However slowly it is taken, no connection of the database waits meanwhile.
        db.session.rollback()
        yield piece
        number += 1


@blueprint.post("/<uuid:hand_in_id>/delete")
@for_roles(Role.ADMINISTRATOR)
def delete(hand_in_id: uuid.UUID) -> View:
    now = clock.utc_now()
    with transaction() as session:
        hand_in = actions.find_hand_in(session, hand_in_id, now=now)
        if hand_in is None:
            return _gone("gone", 404)
        actions.delete_hand_in(session, hand_in, actor=current_moderator().actor, now=now)
    return redirect(url_for("hand_in.overview", deleted=1), 303)
