"""Signing, from the petition's page to the counted signature."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenInvalid
from coalition.db import db, single_statement, transaction
from coalition.mail.actions import block_address
from coalition.mail.address import likely_meant
from coalition.mail.forms import CodeForm, EmailForm
from coalition.mail.limits import spend_on_address, uses_of_address
from coalition.mail.link_pages import (
    expired_page,
    owner_of_code,
    read_old_token,
    seal_sent,
    unseal_sent,
)
from coalition.mail.private_links import (
    LINK_LIFETIME,
    LinkExpired,
    Purpose,
    exchange_token,
    make_token,
    read_token,
)
from coalition.petition import actions, queries
from coalition.petition.actions import Agreed, Verification
from coalition.petition.forms import (
    SignForm,
    make_stamp,
    read_source,
    read_stamp,
)
from coalition.petition.hand_in_models import HAND_IN_LIFETIME
from coalition.petition.models import (
    KIND_NAMES,
    NETWORK_LIFETIME,
    REGION_NAMES,
    UNVERIFIED_LIFETIME,
    SignatureStatus,
)
from coalition.statements.closing import current_closing, forget_closing
from coalition.statements.queries import current_campaign
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.data import open_data
from coalition.web.errors import error_page, form_again, log_failure
from coalition.web.limits import known_network, limit_writes, spend, spend_all, use_by_visitor
from coalition.web.page_cache import keep_page

blueprint = Blueprint("petition", __name__)
blueprint.app_context_processor(
    lambda: {
        "region_names": REGION_NAMES,
        "kind_names": KIND_NAMES,
        "unverified_days": UNVERIFIED_LIFETIME.days,
        "network_days": NETWORK_LIFETIME.days,
        "link_days": LINK_LIFETIME.days,
        "hand_in_days": HAND_IN_LIFETIME.days,
    }
)
ROOM = "petition"
COUNT_SECONDS = 5  # for which a copy of count.json may be kept

View = str | BaseResponse | tuple[str, int]


def form_context(form: SignForm | None = None) -> dict[str, Any]:
    """What the sign form's template needs, on whatever page it stands. Whoever comes by way of
    another site brings its tag in the address."""
    now = clock.utc_now()
    source = read_source(request.args.get("source"))
    return {
        "form": form or SignForm(formdata=None, data={"source": source}),
        "source": source,
        "stamp": make_stamp(agreed_on_page(), now),
        "count": queries.current_count(now),
        "typed": form.typed() if form and current_closing() else [],
    }


def agreed_on_page() -> Agreed:
    """The versions of the texts that a page shows when it is made now."""
    campaign = current_campaign()
    return Agreed(campaign.petition.version_id, campaign.consent.version_id)


def _petition_page(form: SignForm | None = None, **values: Any) -> str:
    return render_template("petition/petition.html", **form_context(form), **values)


@blueprint.get("/petition")
@open_to(Access.PUBLIC)
@public_page
def petition() -> str:
    return _petition_page()


@blueprint.get("/petition/sign")
@open_to(Access.PUBLIC)
def sign_by_address() -> BaseResponse:
    """Whoever reloads or bookmarks the address that the form is sent to finds the form."""
    return redirect(url_for("petition.petition", _anchor="sign"), 303)


@blueprint.post("/petition/sign")
@open_to(Access.PUBLIC)
def sign() -> View:
    """Take a signature. The answer is the same for every address."""
    form = SignForm(request.form)
    now = clock.utc_now()
    is_valid, closed = form.validate(), current_closing()
    agreed = read_stamp(form.stamp.data or "", now) if is_valid and not closed else None
    spend_all([use_by_visitor(), *(uses_of_address(form.email.data) if agreed else [])])
    if closed:
        return _petition_page(form, came_late=True), 410
    if not is_valid:
        return _petition_page(form), 422
    if agreed is None:
        return _petition_page(form, stale=True), 422
    with single_statement() as connection:
        actions.sign_petition(
            connection,
            form.email.data,
            form.personal(),
            agreed,
            network=known_network(),
            source=form.source.data or None,
            now=now,
        )
    return _to_check_email(form.kept())


def _to_check_email(kept: dict[str, Any], again: int | None = None) -> BaseResponse:
    sealed = seal_sent(ROOM, kept)
    return redirect(url_for("petition.check_email", sealed=sealed, again=again), 303)


@blueprint.errorhandler(TooManyRequests)
@blueprint.errorhandler(InternalServerError)
def keep_the_form(error: HTTPException) -> Response:
    """Refused or failed: say so, with everything that was typed still in the form."""
    if request.endpoint == "petition.sign":
        return form_again(error, SignForm, _petition_page)
    if isinstance(error, InternalServerError):
        log_failure(error)
    return error_page(error)


@blueprint.get("/petition/check-email/<sealed>")
@open_to(Access.TOKEN)
def check_email(sealed: str) -> View:
    """Where to look for the mail, and what to do when it does not come."""
    kept = unseal_sent(ROOM, sealed, clock.utc_now())
    email = kept["email"] if kept else None
    # Only an address was given: it asked for the private link, and signed nothing.
    asked_for_link = kept is not None and "name" not in kept
    return render_template(
        "petition/link_sent.html" if asked_for_link else "petition/check_email.html",
        sealed=sealed if kept else None,
        email=email,
        meant=likely_meant(email) if email else None,
        again="again" in request.args,
        form=EmailForm(formdata=None),
        code_form=CodeForm(formdata=None),
    )


@blueprint.get("/petition/correct/<sealed>")
@open_to(Access.TOKEN)
def correct(sealed: str) -> View:
    """The form once more, filled in as it was sent."""
    kept = unseal_sent(ROOM, sealed, clock.utc_now())
    if kept is None:
        return redirect(url_for("petition.petition", _anchor="sign"), 303)
    if "meant" in request.args:
        kept["email"] = likely_meant(kept["email"]) or kept["email"]
    return _petition_page(SignForm(formdata=None, data=kept), correcting=True)


@blueprint.post("/petition/resend")
@open_to(Access.PUBLIC)
@limit_writes
def resend() -> View:
    """Send the mail again. The answer is the same for every address."""
    kept = unseal_sent(ROOM, request.form.get("sealed", ""), clock.utc_now())
    again = 1 if kept else None
    if kept is None:
        form = EmailForm(request.form)
        if not form.validate():
            return render_template("petition/link.html", form=form), 422
        kept = {"email": form.email.data}
    spend_on_address(kept["email"])
    with transaction() as session:
        actions.request_link(session, kept["email"], now=clock.utc_now())
    return _to_check_email(kept, again)


@blueprint.route("/petition/code", methods=["GET", "POST"])
@open_to(Access.PUBLIC)
@limit_writes
def code() -> View:
    """Type the code from the mail, instead of following its link."""
    if request.method != "POST":
        return render_template("petition/code.html", form=CodeForm(formdata=None))
    form = CodeForm(request.form)
    if not form.validate():
        return render_template("petition/code.html", form=form), 422
    now = clock.utc_now()
    waiting = queries.waiting_id(db.session(), form.email.data, now=now)
    owner = owner_of_code(form, [waiting] if waiting else [])
    if owner:
        token = make_token(Purpose.CONFIRM, owner, now)
        return redirect(url_for("petition.confirm", token=token), 303)
    form.code.errors = [
        "This code does not belong to this address, or it was used. Check both against the mail. "
        f"A code works for {UNVERIFIED_LIFETIME.days} days, until the signature is confirmed. "
        "You can have a new mail sent, below"
    ]
    return render_template("petition/code.html", form=form), 422


@blueprint.errorhandler(TokenInvalid)
def link_invalid(error: TokenInvalid) -> View:
    """The link is damaged: say so, and offer a new one."""
    return render_template("petition/link.html", form=EmailForm(formdata=None), invalid=True), 404


@blueprint.errorhandler(LinkExpired)
def link_expired(error: LinkExpired) -> View:
    """The link is too old: offer a new one at the press of a button, where there is something
    that it could lead to.
    """
    if queries.find_signature(db.session(), error.subject_id) is None:
        return render_template("petition/gone.html"), 410
    return expired_page(ROOM, error)


@blueprint.route("/petition/confirm/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def confirm(token: str) -> View:
    """Look at what will be counted; press the button; it is counted. Looking changes nothing."""
    now = clock.utc_now()
    signature_id = read_token(Purpose.CONFIRM, token, now)
    if request.method == "POST":
        revision = request.form.get("revision", "")
        shown = int(revision) if re.fullmatch(r"[0-9]{1,9}", revision) else 0
        outcome = _verify(signature_id, shown, now)
        if outcome is Verification.TOO_LATE:
            forget_closing()  # the page says when, even if it happened a moment ago
            return render_template("petition/too_late.html", is_deleted=True), 410
        if outcome in (Verification.COUNTED, Verification.ALREADY_COUNTED):
            already = outcome is Verification.ALREADY_COUNTED
            manage = (
                exchange_token(Purpose.CONFIRM, token, Purpose.MANAGE, now)
                if already  # an old link, found later, prolongs nothing
                else make_token(Purpose.MANAGE, signature_id, now)
            )
            return redirect(
                url_for("petition.counted", token=manage, already=1 if already else None), 303
            )
    signature = queries.find_signature(db.session(), signature_id)
    if signature is None:
        return render_template("petition/gone.html"), 410
    waits_until = signature.signed_at + UNVERIFIED_LIFETIME
    if signature.status is SignatureStatus.AWAITING and current_closing():
        disown = exchange_token(Purpose.CONFIRM, token, Purpose.DISOWN, now)
        page = "petition/too_late.html"
        return render_template(page, disown_token=disown, waits_until=waits_until), 410
    return render_template(
        "petition/confirm.html",
        signature=signature,
        token=token,
        waits_until=waits_until,
        manage_token=exchange_token(Purpose.CONFIRM, token, Purpose.MANAGE, now),
        changed=request.method == "POST" and signature.status is SignatureStatus.AWAITING,
    )


def _verify(signature_id: uuid.UUID, revision: int, now: datetime) -> Verification:
    with single_statement() as connection:
        if actions.count_at_once(connection, signature_id, revision, now=now):
            return Verification.COUNTED
    with transaction() as session:
        return actions.verify_signature(session, signature_id, revision, now=now)


@blueprint.get("/petition/counted/<token>")
@open_to(Access.TOKEN)
def counted(token: str) -> View:
    """It is counted: what happens next, how to share it, the private link."""
    signature_id = read_token(Purpose.MANAGE, token, clock.utc_now())
    signature = queries.find_signature(db.session(), signature_id)
    if signature is None or signature.status is not SignatureStatus.VERIFIED:
        return redirect(url_for("your_signature.show", token=token), 303)
    return render_template(
        "petition/counted.html",
        signature=signature,
        token=token,
        already="already" in request.args,
    )


@blueprint.route("/petition/not-me/<token>", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def disown(token: str) -> View:
    """Somebody else typed this address: delete what they sent, at one press."""
    now = clock.utc_now()
    signature_id = read_token(Purpose.DISOWN, token, now)
    signature = queries.find_signature(db.session(), signature_id)
    blocked = "block" in request.form
    if request.method == "POST" and signature is not None:
        email = signature.email
        with transaction() as session:
            if actions.disown_signature(session, signature_id):
                if blocked:
                    block_address(session, email, now=now)
                return render_template("petition/disown.html", done=True, blocked=blocked)
    signature = queries.find_signature(db.session(), signature_id)
    manage = None
    if signature and (request.method == "POST" or signature.status is not SignatureStatus.AWAITING):
        manage = exchange_token(Purpose.DISOWN, token, Purpose.MANAGE, now)
    return render_template(
        "petition/disown.html", token=token, gone=signature is None, manage_token=manage
    )


@blueprint.post("/petition/renew/<purpose>/<token>")
@open_to(Access.TOKEN)
@limit_writes
def renew(purpose: str, token: str) -> View:
    """A new mail in place of a link that ran out. It goes to the address that is on record."""
    now = clock.utc_now()
    signature_id = read_old_token(purpose, token, now)
    signature = queries.find_signature(db.session(), signature_id)
    if signature is None:
        return render_template("petition/gone.html"), 410
    spend("LIMIT_ADDRESS", signature.address_digest)
    with transaction() as session:
        actions.renew_link(session, signature_id, now=now)
    return render_template("petition/renewed.html")


@blueprint.get("/petition/count.json")
@open_to(Access.PUBLIC)
def count_json() -> Response:
    """The count, for any page of any site."""
    count = queries.current_count(clock.utc_now())
    if count is None:
        return make_response(jsonify(error="the count cannot be had just now"), 503)
    closing = current_closing()
    closed = {"closed_at": _moment(closing.at)} if closing else {}
    response = jsonify(count=count.signatures, as_at=_moment(count.as_at), **closed)
    response.headers["Cache-Control"] = f"public, max-age={COUNT_SECONDS}"
    response.add_etag()
    keep_page()
    return open_data(response).make_conditional(request)  # type: ignore[return-value]


def _moment(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
