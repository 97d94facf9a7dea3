"""Mail: what waits, what failed and why, what came back. No address is shown unasked."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.audit.actions import record
from coalition.db import db, transaction
from coalition.desk.forms import SendAgainForm
from coalition.desk.mails import ADDRESS_NEVER_SHOWN, KIND_NAMES, as_it_would_go, in_words
from coalition.mail import queries
from coalition.mail.failures import explain, explain_status
from coalition.mail.models import MessageState
from coalition.mail.sending_again import NotPossible, send_again
from coalition.petition.queries import waiting_but_bounced

blueprint = Blueprint("desk_mail", __name__, url_prefix="/desk/mail")

View = str | BaseResponse | tuple[str, int]
_GONE = "it is no longer there: what is finished is deleted after some days"


@blueprint.get("")
@for_roles(Role.MODERATOR, Role.ADMINISTRATOR)
def overview() -> str:
    return _page()


def _page(refused: str | None = None) -> str:
    session, now = db.session(), clock.utc_now()
    return render_template(
        "desk/mail.html",
        health=queries.health(session, now=now),
        waiting=queries.waiting_by_kind(session),
        stuck=queries.stuck_messages(session),
        failed=queries.failed_messages(session),
        failed_number=queries.number_of(session, MessageState.FAILED),
        bounces=queries.recent_bounces(session),
        bounced_signatures=waiting_but_bounced(session),
        may_send=current_moderator().may(Role.ADMINISTRATOR),
        kind_names=KIND_NAMES,
        explain=explain,
        explain_status=explain_status,
        in_words=in_words,
        done=request.args.get("done"),
        refused=refused,
        now=now,
    )


@blueprint.post("/<uuid:message_id>/send-again")
@for_roles(Role.ADMINISTRATOR)
def again(message_id: uuid.UUID) -> View:
    """Send a mail again: once, however often the button is pressed."""
    form = SendAgainForm(request.form)
    if not form.validate():
        abort(400)
    try:
        with transaction() as session:
            sent = send_again(
                session,
                message_id,
                attempts=form.attempts.data,
                actor=current_moderator().actor,
                now=clock.utc_now(),
            )
    except NotPossible as error:
        return _page(f"It was not sent again: {error}."), 409
    return redirect(url_for("desk_mail.overview", done="again" if sent else "due"), 303)


@blueprint.post("/<uuid:message_id>/open")
@for_roles(Role.ADMINISTRATOR)
def open_message(message_id: uuid.UUID) -> View:
    """Whom a mail goes to, and why it failed. Looking is written to the log, unless the address
    is one that is never shown."""
    now = clock.utc_now()
    with transaction() as session:
        message = queries.find_message(session, message_id)
        if message is not None and message.kind not in ADDRESS_NEVER_SHOWN:
            _note_look(f"mail {message_id}")
    if message is None:
        return _page(f"It cannot be opened: {_GONE}."), 404
    return render_template(
        "desk/mail_opened.html",
        message=message,
        never_shown=message.kind in ADDRESS_NEVER_SHOWN,
        email=as_it_would_go(db.session(), message, now=now),
        kind=KIND_NAMES.get(message.kind, message.kind),
        told=explain(message.failure) if message.failure else None,
    )


@blueprint.post("/bounces/<uuid:bounce_id>/open")
@for_roles(Role.ADMINISTRATOR)
def open_bounce(bounce_id: uuid.UUID) -> View:
    """What came back, in the other server's words, which name the address. Looking is written
    to the log. Of an address that is never shown, only why is told."""
    with transaction() as session:
        bounce = queries.find_bounce(session, bounce_id)
        if bounce is not None and bounce.mail_kind not in ADDRESS_NEVER_SHOWN:
            _note_look(f"bounce {bounce_id}")
    if bounce is None:
        return _page("It cannot be opened: it is no longer there."), 404
    return render_template(
        "desk/bounce_opened.html",
        bounce=bounce,
        never_shown=bounce.mail_kind in ADDRESS_NEVER_SHOWN,
        kind=KIND_NAMES.get(bounce.mail_kind, bounce.mail_kind),
        told=explain_status(bounce.status),
    )


def _note_look(subject: str) -> None:
    record(
        db.session(),
        actor=current_moderator().actor,
        action="mail: address read",
        subject=subject,
        now=clock.utc_now(),
    )
