"""The private page of an organisation's contact: see, edit, answer, hand over, withdraw."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.crypto import TokenInvalid
from coalition.db import db, transaction
from coalition.endorsements import actions, queries
from coalition.endorsements.forms import (
    AnswerForm,
    NewContactForm,
    PublicDetailsForm,
    filled_with_entry,
)
from coalition.endorsements.link_views import gone, link_expired, link_invalid
from coalition.endorsements.logo_fields import read_logo, seal_logo, take_logo
from coalition.endorsements.models import DECLINE_NAMES, Endorsement, Entry, EntryState
from coalition.endorsements.register_views import LARGEST_BODY
from coalition.mail.forms import EmailForm
from coalition.mail.limits import spend_on_address
from coalition.mail.private_links import LinkExpired, Purpose, exchange_token, read_token
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.limits import limit_writes
from coalition.web.uploads import takes_files

blueprint = Blueprint("your_entry", __name__, url_prefix="/supporters")
blueprint.register_error_handler(TokenInvalid, link_invalid)
blueprint.register_error_handler(LinkExpired, link_expired)

View = str | BaseResponse | tuple[str, int]


class EntryGone(Exception):
    """The link is good, but what it was for is deleted."""


@blueprint.errorhandler(EntryGone)
def entry_gone(error: EntryGone) -> View:
    return gone()


def _found(token: str) -> tuple[Endorsement, Entry]:
    contact_id = read_token(Purpose.ENDORSE_MANAGE, token, clock.utc_now())
    endorsement = queries.find_by_contact(db.session(), contact_id)
    entry = queries.find_entry(db.session(), endorsement.id) if endorsement else None
    if endorsement is None or entry is None:
        raise EntryGone
    return endorsement, entry


def _page(token: str, **forms: Any) -> str:
    endorsement, _ = _found(token)
    public = queries.find_entry_in(db.session(), endorsement.id, EntryState.PUBLIC)
    proposed = queries.find_entry_in(db.session(), endorsement.id, EntryState.PROPOSED)
    values = {
        "answer_form": AnswerForm(formdata=None),
        "contact_form": NewContactForm(formdata=None),
        **forms,
    }
    return render_template(
        "endorsements/your_entry.html",
        token=token,
        endorsement=endorsement,
        public=public,
        proposed=proposed,
        change=queries.find_change_of(db.session(), endorsement.id),
        decline_names=DECLINE_NAMES,
        seal_logo=seal_logo,
        confirm_token=exchange_token(
            Purpose.ENDORSE_MANAGE, token, Purpose.ENDORSE_CONFIRM, clock.utc_now()
        ),
        done=request.args.get("done"),
        **values,
    )


def _back(token: str, done: str) -> BaseResponse:
    return redirect(url_for("your_entry.show", token=token, done=done), 303)


@blueprint.get("/your-entry")
@open_to(Access.PUBLIC)
@public_page
def ask() -> str:
    """Ask for the private links by mail."""
    return render_template("endorsements/link.html", form=EmailForm(formdata=None))


@blueprint.get("/entry/<token>")
@open_to(Access.TOKEN)
def show(token: str) -> View:
    """Everything that is held, and everything that can be done with it."""
    return _page(token)


@blueprint.route("/entry/<token>/edit", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@takes_files(LARGEST_BODY)
@limit_writes
def edit(token: str) -> View:
    """Propose other words for the entry; a moderator looks at them before they are public."""
    endorsement, entry = _found(token)
    if request.method != "POST":
        return _edit_page(token, endorsement, _filled(entry))
    form = PublicDetailsForm(request.form)
    valid = form.validate()
    if not take_logo(form) or not valid:
        return _edit_page(token, endorsement, form), 422
    endorsement_id: uuid.UUID = endorsement.id
    details = form.public_details(read_logo(form.logo.data))
    with transaction() as session:
        changed = actions.edit_endorsement(session, endorsement_id, details, now=clock.utc_now())
    return _back(token, "edited" if changed else "same")


def _filled(entry: Entry) -> PublicDetailsForm:
    return PublicDetailsForm(
        formdata=None,
        data={
            **filled_with_entry(entry),
            "logo": seal_logo(entry.logo_id) if entry.logo_id else "",
        },
    )


def _edit_page(token: str, endorsement: Endorsement, form: PublicDetailsForm) -> str:
    return render_template(
        "endorsements/edit.html", token=token, endorsement=endorsement, form=form
    )


@blueprint.post("/entry/<token>/answer")
@open_to(Access.TOKEN)
@limit_writes
def answer(token: str) -> View:
    endorsement, _ = _found(token)
    form = AnswerForm(request.form)
    if not form.validate():
        return _page(token, answer_form=form), 422
    endorsement_id = endorsement.id
    with transaction() as session:
        taken = actions.appeal_decision(
            session, endorsement_id, form.words.data, now=clock.utc_now()
        )
    return _back(token, "answered" if taken else "same")


@blueprint.post("/entry/<token>/contact")
@open_to(Access.TOKEN)
@limit_writes
def change_contact(token: str) -> View:
    """Name another contact. Nothing changes before both mailboxes have confirmed it."""
    endorsement, _ = _found(token)
    form = NewContactForm(request.form)
    if not form.validate():
        return _page(token, contact_form=form), 422
    endorsement_id = endorsement.id
    spend_on_address(form.email.data)
    if endorsement.contact_email:  # both mailboxes get a mail
        spend_on_address(endorsement.contact_email)
    with transaction() as session:
        actions.ask_contact_change(session, endorsement_id, form.contact(), now=clock.utc_now())
    return _back(token, "contact")


@blueprint.post("/entry/<token>/withdraw")
@open_to(Access.TOKEN)
@limit_writes
def withdraw(token: str) -> View:
    endorsement_id = _found(token)[0].id
    with transaction() as session:
        withdrawn = actions.withdraw_endorsement(session, endorsement_id, now=clock.utc_now())
    if queries.find_endorsement(db.session(), endorsement_id) is None:
        return redirect(url_for("your_entry.erased"), 303)
    return _back(token, "withdrawn" if withdrawn else "same")


@blueprint.route("/entry/<token>/erase", methods=["GET", "POST"])
@open_to(Access.TOKEN)
@limit_writes
def erase(token: str) -> View:
    """Withdraw, and delete who the contact is, after saying what that means."""
    endorsement, entry = _found(token)
    if request.method != "POST":
        return render_template(
            "endorsements/erase.html", token=token, endorsement=endorsement, entry=entry
        )
    endorsement_id = endorsement.id
    with transaction() as session:
        actions.erase_endorsement(session, endorsement_id, now=clock.utc_now())
    return redirect(url_for("your_entry.erased"), 303)


@blueprint.get("/erased")
@open_to(Access.PUBLIC)
@public_page
def erased() -> str:
    return render_template("endorsements/erased.html")
