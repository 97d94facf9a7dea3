"""An organisation registers its endorsement: the form, the check, the sending."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.endorsements import actions, queries
from coalition.endorsements.forms import (
    EndorseForm,
    filled_with_entry,
    make_form_stamp,
    read_form_stamp,
)
from coalition.endorsements.link_views import link_invalid, read_sent, to_check_email
from coalition.endorsements.logo_fields import read_logo, seal_logo, take_logo
from coalition.endorsements.models import (
    DECIDED_LIFETIME,
    LOOSE_LOGO_LIFETIME,
    UNCONFIRMED_LIFETIME,
    EndorsementStatus,
)
from coalition.endorsements.views import logo_response
from coalition.mail.limits import spend_on_address
from coalition.statements.closing import current_closing
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.errors import error_page, form_again, log_failure
from coalition.web.forms import STAMP_LIFETIME
from coalition.web.limits import limit_writes
from coalition.web.uploads import takes_files

blueprint = Blueprint("endorsements", __name__, url_prefix="/supporters")
blueprint.register_error_handler(TokenInvalid, link_invalid)
blueprint.app_context_processor(
    lambda: {
        "unconfirmed_days": UNCONFIRMED_LIFETIME.days,
        "loose_logo_days": LOOSE_LOGO_LIFETIME.days,
        "decided_days": DECIDED_LIFETIME.days,
    }
)
LARGEST_BODY = 16 * 1024 * 1024  # bytes; of a larger file the form cannot be given back
FORM_ID = "endorsements.form-id"

View = str | BaseResponse | tuple[str, int]


def _form_page(form: EndorseForm, **values: Any) -> str:
    stamp = make_form_stamp(clock.utc_now())
    return render_template("endorsements/endorse.html", form=form, stamp=stamp, **values)


@blueprint.get("/endorse")
@open_to(Access.PUBLIC)
@public_page
def endorse() -> str:
    return _form_page(EndorseForm(formdata=None))


@blueprint.post("/endorse")
@open_to(Access.PUBLIC)
@takes_files(LARGEST_BODY)
@limit_writes
def register() -> View:
    """Take the form: back to its writer while something is wrong, then to the check, then in."""
    form = EndorseForm(request.form)
    if current_closing():
        return _form_page(form, typed=form.typed()), 410
    return _take(form)


def _take(form: EndorseForm) -> View:
    valid = form.validate()
    valid = take_logo(form) and valid
    step = request.form.get("step")
    if step == "change":
        return _form_page(form)
    if not valid:
        return _form_page(form), 422
    now = clock.utc_now()
    agreed = read_form_stamp(form.stamp.data, now)
    if agreed is None:
        return _form_page(form, stale=True), 422
    endorsement_id = _form_id(form.form_id.data or "")
    if step != "send" or endorsement_id is None:
        return _check_page(form)
    spend_on_address(form.email.data)
    replaced = _sent_before(form.replaces.data or "")
    with transaction() as session:
        if replaced is not None and replaced != endorsement_id:
            actions.disown_endorsement(session, replaced)
        actions.register_endorsement(
            session,
            endorsement_id,
            form.public_details(read_logo(form.logo.data)),
            form.contact(),
            agreed,
            now=now,
        )
    registered = queries.find_endorsement(db.session(), endorsement_id)
    if registered is None or registered.contact_email != form.email.data:
        return _check_page(form)  # the page was sent before, with another address
    return to_check_email(endorsement_id, form.email.data)


def _sent_before(sealed: str) -> uuid.UUID | None:
    """What the form was sent as before its address was corrected."""
    sent = read_sent(sealed)
    return sent[0] if sent else None


def _check_page(form: EndorseForm) -> str:
    """What will be public and what stays private, before anything is kept."""
    # Another one each time: what is changed and sent again is another endorsement.
    form.form_id.data = keyring().sign_token(FORM_ID, uuid.uuid4().hex, clock.utc_now())
    return render_template(
        "endorsements/check.html",
        form=form,
        details=form.public_details(read_logo(form.logo.data)),
        contact=form.contact(),
    )


def _form_id(token: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=keyring().read_token(FORM_ID, token, clock.utc_now(), STAMP_LIFETIME))
    except (TokenInvalid, TokenExpired):
        return None


@blueprint.get("/preview/<sealed>")
@open_to(Access.TOKEN)
def preview(sealed: str) -> Response:
    """A logo that is not public yet, for whoever sent it."""
    logo_id = read_logo(sealed)
    if logo_id is None:
        raise TokenInvalid
    return logo_response(logo_id, "no-store")


@blueprint.errorhandler(TooManyRequests)
@blueprint.errorhandler(InternalServerError)
def keep_the_form(error: HTTPException) -> Response:
    """Refused or failed: say so, with everything that was typed still in the form."""
    if request.endpoint == "endorsements.register":
        return form_again(error, EndorseForm, _form_without_file)
    if isinstance(error, InternalServerError):
        log_failure(error)
    return error_page(error)


def _form_without_file(form: EndorseForm, refused: int) -> str:
    """Nothing was taken, and a browser does not keep which file was chosen."""
    upload = request.files.get("logo_file")
    if upload is not None and upload.filename:
        form.logo_file.errors = ["Choose the logo once more: it could not be taken this time"]
    return _form_page(form, refused=refused)


@blueprint.get("/correct/<sealed>")
@open_to(Access.TOKEN)
def correct(sealed: str) -> View:
    """The form once more, filled in as it was sent, as long as nobody has confirmed it."""
    endorsement_id, _ = read_sent(sealed) or (None, None)
    endorsement = endorsement_id and queries.find_endorsement(db.session(), endorsement_id)
    entry = endorsement_id and queries.find_entry(db.session(), endorsement_id)
    if not endorsement or not entry or endorsement.status is not EndorsementStatus.AWAITING:
        return redirect(url_for("endorsements.endorse"), 303)
    form = EndorseForm(
        formdata=None,
        data={
            **filled_with_entry(entry),
            "logo": seal_logo(entry.logo_id) if entry.logo_id else "",
            "contact_name": endorsement.contact_name,
            "contact_role": endorsement.contact_role,
            "email": endorsement.contact_email,
            "authority": True,
            "consent": True,
            "replaces": sealed,
        },
    )
    return _form_page(form, correcting=True)
