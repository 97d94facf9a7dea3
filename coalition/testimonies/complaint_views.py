"""Complaining about a published text. Nothing is kept before it is sent."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.mail.limits import spend_on_address
from coalition.testimonies import complaint_actions
from coalition.testimonies.complaint_clocks import clocks_of
from coalition.testimonies.complaint_forms import FIELD_NAMES, LABELS, ComplaintForm
from coalition.testimonies.complaint_models import CLOSED_COMPLAINT_LIFETIME, GROUND_NAMES, Ground
from coalition.testimonies.queries import find_published
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.errors import Typed, error_page, form_again, log_failure
from coalition.web.forms import STAMP_LIFETIME
from coalition.web.limits import limit_writes
from coalition.web.uploads import takes_long_texts

blueprint = Blueprint("complaints", __name__, url_prefix="/testimonies")
blueprint.app_context_processor(lambda: {"complaint_days": CLOSED_COMPLAINT_LIFETIME.days})
FORM_ID = "complaints.form-id"
LARGEST_BODY = 1024 * 1024  # bytes; so that a text that is too long comes back to its writer

View = str | BaseResponse | tuple[str, int]


@blueprint.get("/<slug>/complain")
@open_to(Access.PUBLIC)
@public_page
def begin(slug: str) -> View:
    """Choose what it is about."""
    return _gone(slug) or _page(slug, ComplaintForm(formdata=None))


@blueprint.post("/<slug>/complain")
@open_to(Access.PUBLIC)
@takes_long_texts(LARGEST_BODY)
@limit_writes
def send(slug: str) -> View:
    """Back to its writer while something is wrong, then in."""
    form = ComplaintForm(request.form)
    gone = _gone(slug, form)
    if gone is not None:
        return gone
    step, ground = request.form.get("step"), form.chosen
    if step != "send" or ground is None:
        if step != "change" and ground is None:
            form.ground.errors = ["Choose what it is about"]
            return _page(slug, form), 422
        return _page(slug, form, changing=step == "change")
    if not form.validate():
        return _page(slug, form), 422
    form_id = _form_id(form.form_id.data or "")
    if form_id is None:
        return _page(slug, form, stale=True), 422
    details, now = form.details(), clock.utc_now()
    if "email" in details:
        spend_on_address(details["email"])
    with transaction() as session:
        complaint_id = complaint_actions.complain(session, form_id, slug, ground, details, now=now)
    complaint = complaint_actions.find_complaint(db.session(), complaint_id)
    return render_template(
        "testimonies/complained.html",
        complaint=complaint,
        slug=slug,
        clocks=clocks_of(ground, complaint.received_at if complaint else now),
        ground_names=GROUND_NAMES,
    )


def _page(slug: str, form: ComplaintForm, *, changing: bool = False, **values: Any) -> str:
    ground = None if changing else form.chosen
    if ground is not None:
        form.words.label.text = LABELS[ground]
        if _form_id(form.form_id.data or "") is None:
            form.form_id.data = keyring().sign_token(FORM_ID, uuid.uuid4().hex, clock.utc_now())
    return render_template(
        "testimonies/complain.html",
        form=form,
        slug=slug,
        ground=ground,
        grounds=Ground,
        ground_names=GROUND_NAMES,
        **values,
    )


def _form_id(token: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=keyring().read_token(FORM_ID, token, clock.utc_now(), STAMP_LIFETIME))
    except (TokenInvalid, TokenExpired):
        return None


def _gone(slug: str, form: ComplaintForm | None = None) -> View | None:
    """What is off the site already; what was typed about it is given back, to copy."""
    published = find_published(db.session(), slug)
    if published is None:
        abort(404)
    if published.is_public:
        return None
    typed = [
        Typed(name, str(form[name].data), words)
        for name, words in FIELD_NAMES.items()
        if form is not None and form[name].data
    ]
    return render_template("testimonies/complain_gone.html", kept=typed), 410


@blueprint.errorhandler(TooManyRequests)
@blueprint.errorhandler(InternalServerError)
def keep_the_form(error: HTTPException) -> Response:
    """Refused or failed: say so, with everything that was typed still in the form."""
    slug = (request.view_args or {}).get("slug", "")
    if request.endpoint == "complaints.send":
        return form_again(
            error, ComplaintForm, lambda form, refused: _page(slug, form, refused=refused)
        )
    if isinstance(error, InternalServerError):
        log_failure(error)
    return error_page(error)
