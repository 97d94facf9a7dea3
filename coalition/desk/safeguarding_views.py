"""Flags: a reader raises one; the safeguarding lead reads it and closes it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.accounts.queries import name_of
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.desk import reading_actions
from coalition.desk.mails import in_words
from coalition.desk.models import LEASE
from coalition.desk.reading_rules import weight_of
from coalition.desk.safeguarding_forms import ClosingForm, FlagForm
from coalition.desk.testimony_passages import asked_for, passages
from coalition.desk.testimony_queue import is_own
from coalition.statements.queries import current_campaign
from coalition.testimonies import safeguarding
from coalition.testimonies.models import Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.queries import find_testimony, labels_of
from coalition.testimonies.safeguarding_models import (
    CLOSED_FLAG_LIFETIME,
    TOLD_NAMES,
    SafeguardingFlag,
)
from coalition.testimonies.states import CLOSED_TO_DESK, NotPossible

blueprint = Blueprint("safeguarding", __name__)
READERS = (Role.MODERATOR, Role.SAFEGUARDING)

View = str | BaseResponse | tuple[str, int]


@dataclass(frozen=True)
class FlagPanel:
    """What components/safeguarding_form.html shows to a reader."""

    form: FlagForm
    raised: list[datetime]


def flag_panel(testimony_id: uuid.UUID) -> FlagPanel:
    """The form, and since when what this reader raised before is with the lead. No more."""
    kept: FlagForm | None = g.get("flag_form")
    form = kept or FlagForm(formdata=None, data={"flag_id": uuid.uuid4().hex})
    raised = safeguarding.raised_by(db.session(), testimony_id, current_moderator())
    return FlagPanel(form, [each.raised_at for each in raised])


blueprint.app_context_processor(
    lambda: {"flag_panel": flag_panel, "flag_days": CLOSED_FLAG_LIFETIME.days}
)


@blueprint.get("/desk/testimonies/<uuid:testimony_id>/flag")
@for_roles(*READERS)
def flagging(testimony_id: uuid.UUID) -> str:
    return _flag_page(testimony_id, FlagForm(formdata=None, data={"flag_id": uuid.uuid4().hex}))


def _flag_page(testimony_id: uuid.UUID, form: FlagForm, refused: str | None = None) -> str:
    g.flag_form = form
    return render_template(
        "desk/safeguarding_flag.html", testimony_id=testimony_id, form=form, refused=refused
    )


@blueprint.post("/desk/testimonies/<uuid:testimony_id>/flag")
@for_roles(*READERS)
def flag(testimony_id: uuid.UUID) -> View:
    """Tell the lead. What becomes of the testimony is decided apart from this."""
    form = FlagForm(request.form)
    if not form.validate():
        return _flag_page(testimony_id, form), 422
    try:
        flag_id = uuid.UUID(hex=form.flag_id.data or "")
    except ValueError:
        flag_id = uuid.uuid4()
    try:
        with transaction() as session:
            safeguarding.raise_flag(
                session,
                flag_id,
                testimony_id,
                current_moderator(),
                form.flag_words.data,
                now=clock.utc_now(),
            )
    except NotPossible as error:
        return _flag_page(testimony_id, form, f"The lead was not told: {error}."), 409
    return redirect(url_for("safeguarding.flagging", testimony_id=testimony_id), 303)


@blueprint.get("/desk/safeguarding")
@for_roles(Role.SAFEGUARDING)
def listing() -> str:
    """What waits, and for how long; not a word of it."""
    session, now = db.session(), clock.utc_now()
    return render_template(
        "desk/safeguarding.html",
        flags=[(flag, in_words(now - flag.raised_at)) for flag in safeguarding.open_flags(session)],
        closed=safeguarding.closed_flags(session),
        done=request.args.get("done"),
    )


def _found(flag_id: uuid.UUID) -> SafeguardingFlag:
    """The flag, unless the writer of what was flagged left the address of whoever asks."""
    found = safeguarding.find_flag(db.session(), flag_id)
    if found is None:
        abort(404)
    testimony = _testimony(found)
    if testimony is not None and is_own(current_moderator(), testimony.contact):
        abort(403, description="own account")
    return found


def _testimony(flag: SafeguardingFlag) -> Testimony | None:
    """What was flagged, unless its writer has taken it back."""
    found = find_testimony(db.session(), flag.testimony_id) if flag.testimony_id else None
    return None if found is None or found.state in CLOSED_TO_DESK else found


def _labels(testimony: Testimony | None) -> tuple[str, ...]:
    return labels_of(testimony, edition_of(db.session(), testimony)) if testimony else ()


def _is_open(flag: SafeguardingFlag) -> bool:
    """Whether this lead opened it so short a time ago that they read on."""
    found = db.session.scalars(
        select(AuditEntry.id)
        .where(
            AuditEntry.action == "safeguarding: read",
            AuditEntry.actor == current_moderator().actor,
            AuditEntry.subject == f"flag {flag.id}",
            AuditEntry.at > clock.utc_now() - LEASE,
        )
        .limit(1)
    )
    return found.first() is not None


@blueprint.get("/desk/safeguarding/<uuid:flag_id>")
@for_roles(Role.SAFEGUARDING)
def show(flag_id: uuid.UUID) -> str:
    """The rule beside a flag, and what it is about; once it is opened, the text as far as it is
    asked for."""
    found = _found(flag_id)
    return _page(found, opened=_is_open(found))


def _page(
    flag: SafeguardingFlag,
    *,
    opened: bool,
    form: ClosingForm | None = None,
    refused: str | None = None,
) -> str:
    session = db.session()
    rule, testimony = safeguarding.rule_of(session, flag), _testimony(flag)
    text = (safeguarding.text_of(session, flag) if opened else None) or ""
    parts = passages(text)
    return render_template(
        "desk/safeguarding_case.html",
        flag=flag,
        rule=rule,
        opened=opened,
        is_gone=testimony is None,
        is_changed=safeguarding.is_changed(session, flag),
        labels_of_it=_labels(testimony),
        text=text,
        parts=parts,
        shown=asked_for(parts, request.args.get("to", "")),
        raised_by=name_of(session, f"moderator {flag.raised_by}"),
        form=form or ClosingForm(rule, formdata=None),
        told_names=TOLD_NAMES,
        refused=refused,
    )


@blueprint.post("/desk/safeguarding/<uuid:flag_id>/open")
@for_roles(Role.SAFEGUARDING)
def read(flag_id: uuid.UUID) -> BaseResponse:
    """Open it: the log says so, and it counts among what this person reads today. A flag does not
    wait for another day, so nothing holds it back."""
    found, now = _found(flag_id), clock.utc_now()
    testimony = _testimony(found)
    counts = testimony is not None and not _is_open(found)
    weight = weight_of(_labels(testimony), current_campaign().telling)
    with transaction() as session:
        safeguarding.read_flag(session, flag_id, current_moderator(), now=now)
        if counts:
            reading_actions.note_reading(session, current_moderator(), weight, now=now)
    return redirect(url_for("safeguarding.show", flag_id=flag_id), 303)


@blueprint.post("/desk/safeguarding/<uuid:flag_id>/close")
@for_roles(Role.SAFEGUARDING)
def close(flag_id: uuid.UUID) -> View:
    found = _found(flag_id)
    form = ClosingForm(safeguarding.rule_of(db.session(), found), request.form)
    if not form.validate():
        return _page(found, opened=False, form=form), 422
    try:
        with transaction() as session:
            safeguarding.close_flag(
                session, flag_id, current_moderator(), form.closing(), now=clock.utc_now()
            )
    except NotPossible as error:
        refused = f"Nothing was changed: {error}."
        return _page(_found(flag_id), opened=False, form=form, refused=refused), 409
    return redirect(url_for("safeguarding.listing", done="closed"), 303)
