"""Press releases at the desk: which are under embargo, and a link to one for a desk elsewhere."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.audit.actions import record
from coalition.db import db, transaction
from coalition.desk.press_forms import LinkForm
from coalition.endorsements.queries import supporters
from coalition.petition.queries import verified_by_source
from coalition.statements import embargo
from coalition.statements.press import Release
from coalition.statements.queries import current_campaign
from coalition.web.links import page_url

blueprint = Blueprint("desk_press", __name__, url_prefix="/desk/press")
ROLES = (Role.PRESS, Role.ADMINISTRATOR)

View = str | BaseResponse | tuple[str, int]


@blueprint.get("")
@for_roles(*ROLES)
def press() -> str:
    return _page(_form(None))


def _form(sent: ImmutableMultiDict[str, str] | None) -> LinkForm:
    form = LinkForm(sent)
    form.slug.choices = [(each.slug, each.title) for each in _under_embargo(clock.utc_now())]
    return form


def _under_embargo(now: datetime) -> list[Release]:
    return [each for each in current_campaign().press.releases if not each.is_out(now)]


def _page(form: LinkForm, link: str = "") -> str:
    now = clock.utc_now()
    return render_template(
        "desk/press.html",
        form=form,
        link=link,
        waiting=_under_embargo(now),
        released=current_campaign().press.releases_out(now),
        link_days=embargo.LINK_LIFETIME.days,
        sources=_sources(),
    )


def _sources() -> list[tuple[str, int]]:
    """How many ever confirmed who had come by way of a supporter's site, the most first. Tags of
    nobody's are left out."""
    session = db.session()
    counted = verified_by_source(session)
    found = [
        (each.entry.name, counted[each.endorsement.slug])
        for each in supporters(session)
        if each.endorsement.slug in counted
    ]
    return sorted(found, key=lambda each: -each[1])


@blueprint.post("/link")
@for_roles(*ROLES)
def link() -> View:
    """Make a link to a release under embargo. For which newsroom is written to the log."""
    form = _form(request.form)
    if not form.validate():
        return _page(form), 422
    release = current_campaign().press.find_release(form.slug.data)
    if release is None:  # it was taken out in this very moment
        abort(404)
    now = clock.utc_now()
    with transaction() as session:
        record(
            session,
            actor=current_moderator().actor,
            action="press: link under embargo",
            subject=f"press release {release.slug}",
            reason=form.desk.data,
            now=now,
        )
    token = embargo.sign_link(release, now)
    return _page(form, page_url("press_pages.under_embargo", token=token))
