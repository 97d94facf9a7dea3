"""The private "your signature" page: see, correct, download, withdraw, erase, appeal."""

from __future__ import annotations

import uuid
from typing import Any

from flask import (
    Blueprint,
    Response,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenInvalid
from coalition.db import db, transaction
from coalition.mail.forms import EmailForm
from coalition.mail.private_links import LinkExpired, Purpose, read_token
from coalition.petition import actions, queries
from coalition.petition.forms import AppealForm, PersonalForm, make_stamp, read_stamp
from coalition.petition.models import NETWORK_LIFETIME, Signature
from coalition.petition.views import agreed_on_page, link_expired, link_invalid
from coalition.statements.models import DocumentVersion
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.limits import limit_writes

blueprint = Blueprint("your_signature", __name__, url_prefix="/petition")
blueprint.register_error_handler(TokenInvalid, link_invalid)
blueprint.register_error_handler(LinkExpired, link_expired)

View = str | BaseResponse | tuple[str, int]


class SignatureGone(Exception):
    """The link is good, but what it was for is deleted."""


@blueprint.errorhandler(SignatureGone)
def signature_gone(error: SignatureGone) -> View:
    return render_template("petition/gone.html"), 410


def _signature_id(token: str) -> uuid.UUID:
    return read_token(Purpose.MANAGE, token, clock.utc_now())


def _signature(token: str) -> Signature:
    signature = queries.find_signature(db.session(), _signature_id(token))
    if signature is None:
        raise SignatureGone
    return signature


def _page(token: str, signature: Signature, **forms: Any) -> str:
    values = {
        "form": PersonalForm(
            formdata=None,
            data={
                **vars(signature),
                "region": signature.region or "",
                "kind": signature.kind or "",
                "kind_consent": signature.kind is not None,
            },
        ),
        "appeal_form": AppealForm(formdata=None),
        "stamp": make_stamp(agreed_on_page(), clock.utc_now()),
        **forms,
    }
    return render_template(
        "petition/your_signature.html",
        token=token,
        signature=signature,
        done=request.args.get("done"),
        **values,
    )


def _back(token: str, done: str) -> BaseResponse:
    return redirect(url_for("your_signature.show", token=token, done=done), 303)


@blueprint.get("/your-signature")
@open_to(Access.PUBLIC)
@public_page
def ask() -> str:
    """Ask for the private link by mail."""
    return render_template("petition/link.html", form=EmailForm(formdata=None))


@blueprint.get("/signature/<token>")
@open_to(Access.TOKEN)
def show(token: str) -> View:
    """Everything that is held, and everything that can be done with it."""
    return _page(token, _signature(token))


@blueprint.post("/signature/<token>/details")
@open_to(Access.TOKEN)
@limit_writes
def change_details(token: str) -> View:
    signature = _signature(token)
    form = PersonalForm(request.form)
    now = clock.utc_now()
    if not form.validate():
        return _page(token, signature, form=form), 422
    agreed = read_stamp(form.stamp.data or "", now)
    if agreed is None:
        return _page(token, signature, form=form, stale=True), 422
    signature_id = signature.id
    with transaction() as session:
        actions.correct_signature(
            session, signature_id, form.personal(), agreed.consent_version_id, now=now
        )
    return _back(token, "details")


@blueprint.post("/signature/<token>/withdraw")
@open_to(Access.TOKEN)
@limit_writes
def withdraw(token: str) -> View:
    signature_id = _signature(token).id
    with transaction() as session:
        actions.withdraw_signature(session, signature_id, now=clock.utc_now())
    return _back(token, "withdrawn")


@blueprint.route("/signature/<token>/erase", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def erase(token: str) -> View:
    """Delete everything, after saying what that means."""
    signature = _signature(token)
    if request.method != "POST":
        return render_template("petition/erase.html", token=token, signature=signature)
    signature_id = signature.id
    with transaction() as session:
        actions.erase_signature(session, signature_id, now=clock.utc_now())
    return redirect(url_for("your_signature.erased"), 303)


@blueprint.get("/erased")
@open_to(Access.PUBLIC)
@public_page
def erased() -> str:
    return render_template("petition/erased.html")


@blueprint.post("/signature/<token>/appeal")
@open_to(Access.TOKEN)
@limit_writes
def appeal(token: str) -> View:
    signature = _signature(token)
    form = AppealForm(request.form)
    if not form.validate():
        return _page(token, signature, appeal_form=form), 422
    signature_id = signature.id
    with transaction() as session:
        actions.appeal_decision(session, signature_id, form.words.data, now=clock.utc_now())
    return _back(token, "appeal")


@blueprint.get("/signature/<token>/download.json")
@open_to(Access.TOKEN)
def download(token: str) -> Response:
    """Everything held about this signature, in a form that other software reads."""
    signature = _signature(token)
    versions = {
        row.id: {
            "version": row.version,
            "published_at": row.published_at,
            "text": row.text,
        }
        for row in db.session.scalars(
            select(DocumentVersion).where(
                DocumentVersion.id.in_(
                    (
                        signature.petition_version_id,
                        signature.consent_version_id,
                        signature.choices_version_id,
                    )
                )
            )
        )
    }
    response = jsonify(
        name=signature.name,
        email=signature.email,
        region=signature.region,
        kind=signature.kind,
        source=signature.source,
        show_name=signature.show_name,
        wants_updates=signature.wants_updates,
        status=signature.status,
        signed_at=signature.signed_at.isoformat(),
        verified_at=signature.verified_at.isoformat() if signature.verified_at else None,
        status_changed_at=signature.status_changed_at.isoformat(),
        decision_reason=signature.decision_reason,
        appeal=signature.appeal,
        network_fingerprint_until=(
            (signature.signed_at + NETWORK_LIFETIME).isoformat()
            if signature.network_digest
            else None
        ),
        appealed_at=signature.appealed_at.isoformat() if signature.appealed_at else None,
        petition_text=versions[signature.petition_version_id],
        consent_text=versions[signature.consent_version_id],
        choices_consent_text=versions[signature.choices_version_id],
    )
    response.headers["Content-Disposition"] = 'attachment; filename="signature.json"'
    return response
