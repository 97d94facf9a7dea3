"""Where the mails about endorsements lead: confirm, type a code, disown, have a link sent again."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenInvalid
from coalition.db import db, transaction
from coalition.endorsements import actions, queries
from coalition.endorsements.actions import Confirmation
from coalition.endorsements.forms import AgreeForm, make_form_stamp, read_form_stamp
from coalition.endorsements.logo_fields import seal_logo
from coalition.endorsements.models import (
    UNCONFIRMED_LIFETIME,
    Endorsement,
    EndorsementStatus,
    Origin,
)
from coalition.mail.actions import block_address
from coalition.mail.address import likely_meant
from coalition.mail.forms import CodeForm, EmailForm
from coalition.mail.limits import spend_on_address
from coalition.mail.link_pages import (
    expired_page,
    owner_of_code,
    read_old_token,
    seal_sent,
    unseal_sent,
)
from coalition.mail.private_links import (
    LinkExpired,
    Purpose,
    exchange_token,
    make_token,
    read_token,
)
from coalition.statements.closing import current_closing
from coalition.web.access import Access, open_to
from coalition.web.limits import limit_writes, spend

blueprint = Blueprint("endorsement_links", __name__, url_prefix="/supporters")
ROOM = "supporters"

View = str | BaseResponse | tuple[str, int]


def to_check_email(
    endorsement_id: uuid.UUID | None, email: str, again: int | None = None
) -> BaseResponse:
    kept = {"id": endorsement_id.hex if endorsement_id else None, "email": email}
    sealed = seal_sent(ROOM, kept)
    return redirect(url_for("endorsement_links.check_email", sealed=sealed, again=again), 303)


def read_sent(sealed: str) -> tuple[uuid.UUID | None, str] | None:
    """Which endorsement was sent, if one was, and from which address."""
    kept = unseal_sent(ROOM, sealed, clock.utc_now())
    if kept is None:
        return None
    return uuid.UUID(hex=kept["id"]) if kept["id"] else None, kept["email"]


@blueprint.get("/check-email/<sealed>")
@open_to(Access.TOKEN)
def check_email(sealed: str) -> str:
    """Where to look for the mail, and what to do when it does not come."""
    endorsement_id, email = read_sent(sealed) or (None, None)
    return render_template(
        "endorsements/check_email.html",
        sealed=sealed if email else None,
        email=email,
        asked_for_link=endorsement_id is None,
        meant=likely_meant(email) if email else None,
        again="again" in request.args,
        code_form=CodeForm(formdata=None),
    )


@blueprint.post("/resend")
@open_to(Access.PUBLIC)
@limit_writes
def resend() -> View:
    """Send the mail again, or the private links. The answer is the same for every address."""
    kept = read_sent(request.form.get("sealed", ""))
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
    now = clock.utc_now()
    owner = owner_of_code(form, queries.waiting_ids(db.session(), form.email.data, now=now))
    if owner:
        token = make_token(Purpose.ENDORSE_CONFIRM, owner, now)
        return redirect(url_for("endorsement_links.confirm", token=token), 303)
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
    return expired_page(ROOM, error)


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
    if endorsement is None:
        return gone()
    if endorsement.status is EndorsementStatus.AWAITING and current_closing():
        return _too_late_page(token, endorsement)
    form = AgreeForm(request.form if request.method == "POST" else None)
    if request.method != "POST" or not _is_agreed(form, _must_agree(endorsement), now):
        return _confirm_page(token, endorsement, form)
    endorsement_id = endorsement.id
    with transaction() as session:
        outcome = actions.confirm_endorsement(
            session, endorsement_id, agreed=read_form_stamp(form.stamp.data, now), now=now
        )
    if outcome is Confirmation.GONE:
        return gone()
    if outcome is Confirmation.CONFIRMED:
        manage, done = make_token(Purpose.ENDORSE_MANAGE, contact_id, now), "confirmed"
    else:  # an old link, found later, prolongs nothing
        manage, done = _manage_token(Purpose.ENDORSE_CONFIRM, token), None
    return redirect(url_for("your_entry.show", token=manage, done=done), 303)


def _is_agreed(form: AgreeForm, is_asked: bool, now: datetime) -> bool:
    return form.is_agreed(now) if is_asked else True


def _must_agree(endorsement: Endorsement) -> bool:
    """Whoever registered has agreed on the form; of one that the coalition recorded, nobody has."""
    return endorsement.verified_at is None and endorsement.origin is Origin.RECORDED


def _too_late_page(token: str, endorsement: Endorsement) -> View:
    page = render_template(
        "endorsements/too_late.html",
        disown_token=exchange_token(
            Purpose.ENDORSE_CONFIRM, token, Purpose.ENDORSE_DISOWN, clock.utc_now()
        ),
        waits_until=endorsement.registered_at + UNCONFIRMED_LIFETIME,
    )
    return page, 410


def _confirm_page(token: str, endorsement: Endorsement, form: AgreeForm) -> View:
    entry = queries.find_entry(db.session(), endorsement.id)
    if entry is None:
        return gone()
    page = render_template(
        "endorsements/confirm.html",
        endorsement=endorsement,
        entry=entry,
        logo=seal_logo(entry.logo_id) if entry.logo_id else None,
        token=token,
        form=form,
        must_agree=_must_agree(endorsement),
        stamp=make_form_stamp(clock.utc_now()),
        waits_until=endorsement.registered_at + UNCONFIRMED_LIFETIME,
        manage_token=_manage_token(Purpose.ENDORSE_CONFIRM, token),
    )
    return (page, 422) if form.errors else page


def _manage_token(given: Purpose, token: str) -> str:
    """The private page in place of another link, and just as old."""
    return exchange_token(given, token, Purpose.ENDORSE_MANAGE, clock.utc_now())


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
    # What was confirmed can no longer be disowned, but withdrawn.
    confirmed = endorsement and endorsement.status is not EndorsementStatus.AWAITING
    return render_template(
        "endorsements/disown.html",
        token=token,
        gone=endorsement is None,
        manage_token=_manage_token(Purpose.ENDORSE_DISOWN, token) if confirmed else None,
    )


@blueprint.post("/renew/<purpose>/<token>")
@open_to(Access.TOKEN)
@limit_writes
def renew(purpose: str, token: str) -> View:
    """A new mail in place of a link that ran out. It goes to the address that is on record."""
    now = clock.utc_now()
    endorsement = queries.find_by_contact(db.session(), read_old_token(purpose, token, now))
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
    form = AgreeForm(request.form if request.method == "POST" else None)
    if request.method != "POST" or not _is_agreed(form, is_new, now):
        return _change_page(token, change_id, is_new, form)
    with transaction() as session:
        outcome = actions.confirm_contact_change(
            session,
            change_id,
            is_new=is_new,
            agreed=read_form_stamp(form.stamp.data, now),
            now=now,
        )
    if outcome is Confirmation.GONE:
        return gone()
    done = outcome is Confirmation.CONFIRMED
    return render_template("endorsements/changed.html", done=done, is_new=is_new)


def _change_page(token: str, change_id: uuid.UUID, is_new: bool, form: AgreeForm) -> View:
    found = queries.find_change(db.session(), change_id)
    entry = queries.find_entry(db.session(), found.endorsement_id) if found else None
    if found is None or entry is None:
        return gone()
    page = render_template(
        "endorsements/change.html",
        token=token,
        change=found,
        entry=entry,
        is_new=is_new,
        form=form,
        stamp=make_form_stamp(clock.utc_now()),
    )
    return (page, 422) if form.errors else page
