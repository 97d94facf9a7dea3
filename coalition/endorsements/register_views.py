"""An organisation registers its endorsement: the form, the check, the mail, the button."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.endorsements import actions, queries
from coalition.endorsements.actions import Agreed, Confirmation
from coalition.endorsements.forms import STAMP_PURPOSE, EndorseForm, PublicDetailsForm
from coalition.endorsements.logos import LARGEST_FILE, LogoRefused, draw_logo
from coalition.endorsements.models import (
    LOOSE_LOGO_LIFETIME,
    UNCONFIRMED_LIFETIME,
    Endorsement,
    EndorsementStatus,
)
from coalition.endorsements.views import logo_response
from coalition.mail import codes
from coalition.mail.actions import block_address
from coalition.mail.address import address_digests, likely_meant
from coalition.mail.forms import CodeForm, EmailForm
from coalition.mail.limits import spend_on_address
from coalition.mail.private_links import (
    LinkExpired,
    Purpose,
    exchange_token,
    make_token,
    read_token,
)
from coalition.statements.queries import current_campaign
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.errors import error_page, form_again, log_failure, what_was_typed
from coalition.web.forms import STAMP_LIFETIME, make_stamp, read_stamp
from coalition.web.limits import limit_writes, spend
from coalition.web.uploads import BoundedFile, takes_files

blueprint = Blueprint("endorsements", __name__, url_prefix="/supporters")
blueprint.app_context_processor(
    lambda: {
        "unconfirmed_days": UNCONFIRMED_LIFETIME.days,
        "loose_logo_days": LOOSE_LOGO_LIFETIME.days,
    }
)
LARGEST_BODY = 48 * 1024 * 1024  # bytes; of a larger file the form cannot be given back
SEAL = "endorsements.check-email"
SEAL_LIFETIME = timedelta(hours=2)  # whoever uses this browser next must not read it there
LOGO_SEAL = "endorsements.logo"
FORM_ID = "endorsements.form-id"
NOBODY = uuid.UUID(int=0)  # whose code is computed where there is nobody: it takes as long

View = str | BaseResponse | tuple[str, int]


def stamp_now() -> str:
    campaign = current_campaign()
    versions = [campaign.statement.version_id, campaign.consent.version_id]
    return make_stamp(STAMP_PURPOSE, versions, clock.utc_now())


def _form_page(form: EndorseForm, **values: Any) -> str:
    return render_template(
        "endorsements/endorse.html",
        form=form,
        stamp=stamp_now(),
        **values,
    )


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
    valid = form.validate()
    valid = take_logo(form) and valid
    step = request.form.get("step")
    if step == "change":
        return _form_page(form)
    if not valid:
        return _form_page(form), 422
    now = clock.utc_now()
    agreed = read_stamp(STAMP_PURPOSE, form.stamp.data or "", now)
    if agreed is None:
        return _form_page(form, stale=True), 422
    endorsement_id = _form_id(form.form_id.data or "")
    if step != "send" or endorsement_id is None:
        return _check_page(form)
    spend_on_address(form.email.data)
    with transaction() as session:
        actions.register_endorsement(
            session,
            endorsement_id,
            form.public_details(read_logo(form.logo.data)),
            form.contact(),
            Agreed(*agreed),
            now=now,
        )
    registered = queries.find_endorsement(db.session(), endorsement_id)
    if registered is None or registered.contact_email != form.email.data:
        return _check_page(form)  # the page was sent before, with another address
    return to_check_email(endorsement_id, form.email.data)


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


def take_logo(form: PublicDetailsForm) -> bool:
    """Keep the logo that came with a form, and put it into the form's hidden field, so that
    it outlives whatever else is wrong. Returns whether it, or its absence, is right."""
    if form.no_logo.data:
        form.logo.data, form.no_logo.data = "", False
    if form.logo.data and read_logo(form.logo.data) is None:
        form.logo.data = ""
        form.logo_file.errors = ["We no longer have the logo that you sent. Choose it again"]
        return False
    upload = request.files.get("logo_file")
    if upload is None or not upload.filename:
        return True
    try:
        form.logo.data = _kept(upload.stream)
    except LogoRefused as error:
        form.logo_file.errors = [str(error)]
        return False
    return True


def _kept(stream: Any) -> str:
    too_large = isinstance(stream, BoundedFile) and stream.is_too_large
    data = b"\0" * (LARGEST_FILE + 1) if too_large else stream.read()
    drawn = draw_logo(data)
    with transaction() as session:
        logo_id = actions.keep_logo(session, drawn, now=clock.utc_now())
    return seal_logo(logo_id)


def seal_logo(logo_id: uuid.UUID) -> str:
    return keyring().seal(LOGO_SEAL, logo_id.hex)


def read_logo(sealed: str | None) -> uuid.UUID | None:
    """The id of a logo that is kept; None where there is none."""
    if not sealed:
        return None
    try:
        logo_id = uuid.UUID(
            hex=keyring().unseal(LOGO_SEAL, sealed, clock.utc_now(), STAMP_LIFETIME)
        )
    except (TokenInvalid, TokenExpired):
        return None
    return logo_id if queries.find_logo(db.session(), logo_id) else None


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
        return form_again(error, EndorseForm, _form_page)
    if isinstance(error, InternalServerError):
        log_failure(error)
    return error_page(error)


def to_check_email(
    endorsement_id: uuid.UUID | None, email: str, again: int | None = None
) -> BaseResponse:
    kept = {"id": endorsement_id.hex if endorsement_id else None, "email": email}
    sealed = keyring().seal(SEAL, kept)
    return redirect(url_for("endorsements.check_email", sealed=sealed, again=again), 303)


def _unseal(sealed: str) -> tuple[uuid.UUID | None, str] | None:
    try:
        kept = keyring().unseal(SEAL, sealed, clock.utc_now(), SEAL_LIFETIME)
    except (TokenInvalid, TokenExpired):
        return None
    return uuid.UUID(hex=kept["id"]) if kept["id"] else None, kept["email"]


@blueprint.get("/check-email/<sealed>")
@open_to(Access.TOKEN)
def check_email(sealed: str) -> str:
    """Where to look for the mail, and what to do when it does not come."""
    endorsement_id, email = _unseal(sealed) or (None, None)
    return render_template(
        "endorsements/check_email.html",
        sealed=sealed if email else None,
        email=email,
        asked_for_link=endorsement_id is None,
        meant=likely_meant(email) if email else None,
        again="again" in request.args,
        code_form=CodeForm(formdata=None),
    )


@blueprint.get("/correct/<sealed>")
@open_to(Access.TOKEN)
def correct(sealed: str) -> View:
    """The form once more, filled in as it was sent, as long as nobody has confirmed it."""
    endorsement_id, _ = _unseal(sealed) or (None, None)
    endorsement = endorsement_id and queries.find_endorsement(db.session(), endorsement_id)
    entry = endorsement_id and queries.find_entry(db.session(), endorsement_id)
    if not endorsement or not entry or endorsement.status is not EndorsementStatus.AWAITING:
        return redirect(url_for("endorsements.endorse"), 303)
    return _form_page(
        EndorseForm(
            formdata=None,
            data={
                **vars(entry),
                "organisation_website": entry.website,
                "logo": seal_logo(entry.logo_id) if entry.logo_id else "",
                "contact_name": endorsement.contact_name,
                "contact_role": endorsement.contact_role,
                "email": endorsement.contact_email,
                "authority": True,
                "consent": True,
            },
        ),
        correcting=True,
    )


@blueprint.post("/resend")
@open_to(Access.PUBLIC)
@limit_writes
def resend() -> View:
    """Send the mail again, or the private links. The answer is the same for every address."""
    kept = _unseal(request.form.get("sealed", ""))
    if kept is None:
        form = EmailForm(request.form)
        if not form.validate():
            return render_template("endorsements/link.html", form=form), 422
        kept = None, form.email.data
        again = None
    else:
        again = 1
    endorsement_id, email = kept
    endorsement = queries.find_endorsement(db.session(), endorsement_id) if endorsement_id else None
    # The mail goes to the address on record, whatever this page was told.
    spend_on_address((endorsement and endorsement.contact_email) or email)
    with transaction() as session:
        if endorsement_id:
            actions.renew_link(session, endorsement_id, now=clock.utc_now())
        else:
            actions.request_links(session, email, now=clock.utc_now())
    return to_check_email(endorsement_id, email, again)


@blueprint.route("/code", methods=["GET", "POST"])
@open_to(Access.PUBLIC)
@limit_writes
def code() -> View:
    """Type the code from the mail, instead of following its link."""
    if request.method != "POST":
        return render_template("endorsements/code.html", form=CodeForm(formdata=None))
    form = CodeForm(request.form)
    if not form.validate():
        return render_template("endorsements/code.html", form=form), 422
    spend("LIMIT_CODE", address_digests(form.email.data)[0])
    now = clock.utc_now()
    waiting = queries.waiting_ids(db.session(), form.email.data, now=now)
    right = [
        each for each in waiting or [NOBODY] if codes.is_right(keyring(), each, form.code.data)
    ]
    if waiting and right:
        token = make_token(Purpose.ENDORSE_CONFIRM, right[0], now)
        return redirect(url_for("endorsements.confirm", token=token), 303)
    form.code.errors = [
        "This code does not belong to this address, or it was used. Check both against the mail. "
        f"A code works for {UNCONFIRMED_LIFETIME.days} days. You can have a new mail sent, below"
    ]
    return render_template("endorsements/code.html", form=form), 422


@blueprint.errorhandler(TokenInvalid)
def link_invalid(error: TokenInvalid) -> View:
    """The link is damaged: say so, and offer a new one."""
    form = EmailForm(formdata=None)
    return render_template("endorsements/link.html", form=form, invalid=True), 404


@blueprint.errorhandler(LinkExpired)
def link_expired(error: LinkExpired) -> View:
    """The link is too old: offer a new one, where there is something that it could lead to."""
    renewable = (Purpose.ENDORSE_CONFIRM, Purpose.ENDORSE_DISOWN, Purpose.ENDORSE_MANAGE)
    found = queries.find_by_contact(db.session(), error.subject_id)
    if error.purpose not in renewable or found is None:
        return gone()
    return render_template(
        "mail/expired.html",
        room="supporters",
        token=(request.view_args or {})["token"],
        purpose=error.purpose.value,
        kept=what_was_typed(),
    ), 410


def gone() -> tuple[str, int]:
    return render_template("endorsements/gone.html"), 410


@blueprint.route("/confirm/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def confirm(token: str) -> View:
    """Look at what will be sent to the moderators; press the button. Looking changes nothing."""
    now = clock.utc_now()
    contact_id = read_token(Purpose.ENDORSE_CONFIRM, token, now)
    endorsement = queries.find_by_contact(db.session(), contact_id)
    entry = queries.find_entry(db.session(), endorsement.id) if endorsement else None
    if endorsement is None or entry is None:
        return gone()
    if request.method == "POST":
        endorsement_id = endorsement.id
        with transaction() as session:
            outcome = actions.confirm_endorsement(session, endorsement_id, now=now)
        if outcome is Confirmation.GONE:
            return gone()
        done = "confirmed" if outcome is Confirmation.CONFIRMED else None
        manage = make_token(Purpose.ENDORSE_MANAGE, contact_id, now)
        return redirect(url_for("your_entry.show", token=manage, done=done), 303)
    return render_template(
        "endorsements/confirm.html",
        endorsement=endorsement,
        entry=entry,
        logo=seal_logo(entry.logo_id) if entry.logo_id else None,
        token=token,
        waits_until=endorsement.registered_at + UNCONFIRMED_LIFETIME,
        manage_token=exchange_token(Purpose.ENDORSE_CONFIRM, token, Purpose.ENDORSE_MANAGE, now),
    )


@blueprint.route("/not-me/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def disown(token: str) -> View:
    """Somebody else typed this address: delete what they sent, at one press."""
    now = clock.utc_now()
    contact_id = read_token(Purpose.ENDORSE_DISOWN, token, now)
    endorsement = queries.find_by_contact(db.session(), contact_id)
    blocked = "block" in request.form
    if request.method == "POST" and endorsement is not None:
        endorsement_id, email = endorsement.id, endorsement.contact_email
        with transaction() as session:
            if actions.disown_endorsement(session, endorsement_id):
                if blocked and email:
                    block_address(session, email, now=now)
                return render_template("endorsements/disown.html", done=True, blocked=blocked)
    endorsement = queries.find_by_contact(db.session(), contact_id)
    return render_template(
        "endorsements/disown.html",
        token=token,
        gone=endorsement is None,
        manage_token=_manage_instead(endorsement, token),
    )


def _manage_instead(endorsement: Endorsement | None, token: str) -> str | None:
    """The way to withdraw, for what was confirmed and can no longer be disowned."""
    if endorsement is None or endorsement.status is EndorsementStatus.AWAITING:
        return None
    return exchange_token(Purpose.ENDORSE_DISOWN, token, Purpose.ENDORSE_MANAGE, clock.utc_now())


@blueprint.post("/renew/<purpose>/<token>")
@open_to(Access.TOKEN)
@limit_writes
def renew(purpose: str, token: str) -> View:
    """A new mail in place of a link that ran out. It goes to the address that is on record."""
    now = clock.utc_now()
    try:
        contact_id = read_token(Purpose(purpose), token, now)
    except ValueError:
        raise TokenInvalid from None
    except LinkExpired as error:
        contact_id = error.subject_id
    endorsement = queries.find_by_contact(db.session(), contact_id)
    if endorsement is None or endorsement.address_digest is None:
        return gone()
    endorsement_id = endorsement.id
    spend("LIMIT_ADDRESS", endorsement.address_digest)
    with transaction() as session:
        actions.renew_link(session, endorsement_id, now=now)
    return render_template("endorsements/renewed.html")


@blueprint.route("/change/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def change(token: str) -> View:
    """Confirm another contact, at the mailbox of the one or of the other."""
    now = clock.utc_now()
    try:
        change_id, is_new = read_token(Purpose.CHANGE_NEW, token, now), True
    except TokenInvalid:
        change_id, is_new = read_token(Purpose.CHANGE_OLD, token, now), False
    if request.method == "POST":
        with transaction() as session:
            outcome = actions.confirm_contact_change(session, change_id, is_new=is_new, now=now)
        if outcome is Confirmation.GONE:
            return gone()
        done = outcome is Confirmation.CONFIRMED
        return render_template("endorsements/changed.html", done=done, is_new=is_new)
    found = queries.find_change(db.session(), change_id)
    entry = queries.find_entry(db.session(), found.endorsement_id) if found else None
    if found is None or entry is None:
        return gone()
    return render_template(
        "endorsements/change.html", token=token, change=found, entry=entry, is_new=is_new
    )
