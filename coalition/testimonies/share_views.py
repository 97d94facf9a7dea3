"""Telling what happened: the way in, the text, the choices, a last look, the code.

The form keeps everything that was typed in itself, from page to page: nothing is kept here before
it is saved or sent, and one that was opened a week ago still works.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.statements.closing import current_closing
from coalition.statements.queries import current_campaign
from coalition.testimonies import actions
from coalition.testimonies.actions import Begun, Stale
from coalition.testimonies.codes import (
    TOLD_AGAIN,
    Ticket,
    codes_in,
    grouped,
    new_ticket,
    read_ticket,
    renewed_ticket,
)
from coalition.testimonies.forms import USE_NAMES, TellForm
from coalition.testimonies.identifiers import find_identifiers
from coalition.testimonies.models import (
    ANSWER_LIFETIME,
    DECLINED_LIFETIME,
    DRAFT_LIFETIME,
    WITHDRAWN_LIFETIME,
)
from coalition.testimonies.passes import (
    OWN_CODE,
    find_with_limit,
    holds_own_code,
    make_pass,
    read_pass,
)
from coalition.testimonies.queries import find_testimony
from coalition.testimonies.states import NotPossible, State
from coalition.testimonies.status_page import status_page
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.errors import error_page, form_again, log_failure
from coalition.web.limits import limit_writes
from coalition.web.uploads import takes_long_texts

blueprint = Blueprint("testimonies_share", __name__, url_prefix="/testimonies")
blueprint.app_context_processor(
    lambda: {
        "draft_days": DRAFT_LIFETIME.days,
        "answer_days": ANSWER_LIFETIME.days,
        "declined_days": DECLINED_LIFETIME.days,
        "withdrawn_days": WITHDRAWN_LIFETIME.days,
    }
)
LONGEST_BODY = 4 * 1024 * 1024  # bytes: what is too long comes back to be shortened
FILE_PURPOSE = "testimonies.code-file"
PAGES = {
    "write": "testimonies/write.html",
    "choices": "testimonies/choices.html",
    "check": "testimonies/check.html",
    "save": "testimonies/save.html",
}
# Pages that no step leads to by itself.
OTHER_PAGES = {
    "again": "testimonies/again.html",
    "conflict": "testimonies/conflict.html",
}
# What has to be right before the page of each step is shown.
NEEDED = {
    "write": (),
    "choices": TellForm.WORDS,
    "save": TellForm.WORDS,
    "check": (*TellForm.WORDS, *TellForm.CHOICES),
    "send": (*TellForm.WORDS, *TellForm.CHOICES, "code_is_meant", "nickname"),
    "keep": (*TellForm.WORDS, "email", "consent", "nickname"),
}

View = str | BaseResponse | tuple[str, int]


@blueprint.get("/share")
@open_to(Access.PUBLIC)
@public_page
def share() -> str:
    """What everybody should know before a word is written."""
    return render_template("testimonies/share.html")


@blueprint.post("/share")
@open_to(Access.PUBLIC)
@limit_writes
@takes_long_texts(LONGEST_BODY)
def tell() -> View:
    """The next page of the form, or what becomes of it."""
    form = TellForm(request.form)
    step = request.form.get("step", "write")
    if step not in NEEDED:
        step = "write"
    if current_closing() and not form.key.data:
        return _closed_page(form)
    if not current_campaign().telling.is_open:
        return form_page("write", form, shut=True), 409
    if step == "keep" and not form.use.data:
        form.use.data = "count"  # a draft says nothing yet; the least is assumed
    if not form.check_only(*NEEDED[step]):
        return form_page(_where_wrong(form, step), form), 422
    return form_page(step, form) if step in PAGES else _take(step, form)


def _take(step: str, form: TellForm) -> View:
    """What becomes of a form that is whole: it is sent, or kept as a draft."""
    if step == "send" and not form.knows_rule_of(current_campaign().telling):
        return form_page("check", form, rule_changed=True), 409
    if form.key.data:
        return _rewrite(form, sends=step == "send")
    ticket = read_ticket(form.ticket.data or "", clock.utc_now())
    if ticket is None or not (ticket.is_fresh(clock.utc_now()) or _is_kept(ticket)):
        return form_page("check" if step == "send" else "save", form, stale=True), 422
    return _keep(form, ticket, sends=step == "send")


def _is_kept(ticket: Ticket) -> bool:
    return find_testimony(db.session(), ticket.testimony_id) is not None


def _is_unsent(testimony_id: uuid.UUID) -> bool:
    kept = find_testimony(db.session(), testimony_id)
    return kept is not None and kept.state in (State.DRAFT, State.WITHDRAWN)


def _closed_page(form: TellForm, *, is_draft: bool = False) -> View:
    """Nothing new is taken once the petition is closed; what was typed comes back to be copied."""
    page = "testimonies/closed.html"
    return render_template(page, typed=form.typed(), is_draft=is_draft), 410


def _where_wrong(form: TellForm, step: str) -> str:
    """The page on which the first field that has to be mended stands."""
    if form.text.errors:
        return "write"
    if step == "keep" and not form.email.errors:
        return "save"
    return "choices" if any(form[name].errors for name in TellForm.CHOICES) else "check"


def form_page(step: str, form: TellForm, **values: Any) -> str:
    """A page of the form, with all that was typed on the others in it."""
    if not values.get("refused"):  # the database may be what failed
        form.ticket.data = _ticket_for_next_page(form.ticket.data or "")
    telling = current_campaign().telling
    if values.get("rule_changed"):
        form.rules.data = str(telling.version_id)
    form.labels.choices = [(each.slug, each.words) for each in telling.labels]
    text = form.text.data or ""
    return render_template(
        {**PAGES, **OTHER_PAGES}[step],
        form=form,
        found=find_identifiers(text) if step == "check" else [],
        codes=codes_in(text) if step == "check" else [],
        use_names={use.value: name for use, name in USE_NAMES.items()},
        **values,
    )


def _ticket_for_next_page(sealed: str) -> str:
    """Made as of now for as long as nothing is kept under it. Afterwards it stays as old as it is:
    whoever finds the form in a tab's history must not be shown the code."""
    now = clock.utc_now()
    ticket = read_ticket(sealed, now)
    if ticket is None:
        return new_ticket(now)
    if _is_kept(ticket):
        return sealed
    return renewed_ticket(ticket, now)


def _keep(form: TellForm, ticket: Ticket, *, sends: bool) -> View:
    now = clock.utc_now()
    told = form.told(current_campaign().telling)
    with transaction() as session:
        begun = actions.begin(session, ticket, told, sends=sends, now=now)
    if begun is Begun.OTHER:
        return render_template("testimonies/received.html", form=form, other=True), 409
    if begun is Begun.SAME and not ticket.tells_code(now):
        return render_template("testimonies/received.html", form=form, other=False), 409
    return render_template(
        "testimonies/code.html",
        code=grouped(ticket.code),
        sealed=keyring().seal(FILE_PURPOSE, ticket.code),
        sent=sends,
        use=told.choices.use,
    )


def _rewrite(form: TellForm, *, sends: bool) -> View:
    """Change what is kept already, as its writer, who has typed the code."""
    now = clock.utc_now()
    testimony_id = read_pass(form.key.data or "", now)
    typed = request.form.get("code", "")
    if testimony_id is None and typed:
        found = find_with_limit(typed)
        testimony_id = found.id if found else None
    if testimony_id is None:
        return form_page("again", form, wrong=bool(typed)), 401
    for field, page in ((form.text, "write"), (form.name, "choices")):
        if holds_own_code(testimony_id, field.data or ""):
            field.errors = [OWN_CODE]
            return form_page(page, form), 422
    form.key.data = make_pass(testimony_id, now)
    revision = form.revision.data or ""
    seen = int(revision) if re.fullmatch(r"[0-9]{1,9}", revision) else 0
    told = form.told(current_campaign().telling)
    if current_closing() and sends and _is_unsent(testimony_id):
        return _closed_page(form, is_draft=True)
    try:
        with transaction() as session:
            actions.rewrite(session, testimony_id, told, revision=seen, sends=sends, now=now)
    except Stale:
        kept = find_testimony(db.session(), testimony_id)
        form.revision.data = str(kept.revision) if kept else ""
        return form_page("conflict", form, kept=kept, sends=sends), 409
    except NotPossible as error:
        return status_page(
            testimony_id, refused=f"Nothing was changed: {error}.", typed=form.text.data or ""
        )
    return status_page(testimony_id, done="Sent." if sends else "Saved.")


@blueprint.post("/note")
@open_to(Access.PUBLIC)
@limit_writes
def code_file() -> View:
    """The code as a file whose name and words say nothing of what it is for."""
    try:
        sealed = request.form.get("sealed", "")
        code = str(keyring().unseal(FILE_PURPOSE, sealed, clock.utc_now(), TOLD_AGAIN))
    except (TokenInvalid, TokenExpired):
        return render_template("testimonies/code_gone.html"), 410
    response = make_response(f"{grouped(code)}\n\nKeep this. Show it to nobody.\n")
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = 'attachment; filename="note.txt"'
    return response


@blueprint.get("/note")
@open_to(Access.PUBLIC)
def code_file_by_address() -> BaseResponse:
    return redirect(url_for("testimonies_share.share"), 303)


@blueprint.errorhandler(TooManyRequests)
@blueprint.errorhandler(InternalServerError)
def keep_the_form(error: HTTPException) -> Response:
    """Refused or failed: say so, with everything that was typed still in the form."""
    if request.endpoint == "testimonies_share.tell":
        step = request.form.get("step", "")
        page = {"send": "check", "keep": "save"}.get(step, "write")
        return form_again(
            error, TellForm, lambda form, refused: form_page(page, form, refused=refused)
        )
    if isinstance(error, InternalServerError):
        log_failure(error)
    return error_page(error)
