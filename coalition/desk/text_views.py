"""Texts: all of them, one of them as a draft, its comparison, its publishing, its versions."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.accounts.queries import name_of
from coalition.db import db, transaction
from coalition.desk.text_comparison import compared
from coalition.desk.text_forms import DraftForm, PublishForm, read_revision
from coalition.desk.text_help import FIELDS, LOGO, MARKDOWN, TITLES, WARNINGS
from coalition.petition.queries import current_count
from coalition.statements import drafts
from coalition.statements.campaign import FILES, LONGEST_TEXT, is_markdown
from coalition.statements.drafts import DraftChanged, NoDraft, NothingChanged, Overtaken
from coalition.statements.models import DRAFT_LIFETIME, DocumentVersion, Draft
from coalition.statements.queries import (
    drafts_of,
    find_draft,
    find_version,
    forget_campaign,
    history,
    latest_versions,
    others_writing,
)
from coalition.statements.tables import CampaignInvalid
from coalition.web.uploads import takes_long_texts

blueprint = Blueprint("desk_texts", __name__, url_prefix="/desk/texts")
ROLES = (Role.EDITOR, Role.ADMINISTRATOR)
LARGEST_BODY = 4 * 1024 * 1024  # bytes; far more than the longest text that can be published
blueprint.app_context_processor(lambda: {"text_titles": TITLES, "text_files": FILES})

View = str | BaseResponse | tuple[str, int]


@blueprint.app_template_filter("person")
def person(actor: str) -> str:
    """Who published something, in words."""
    return name_of(db.session(), actor) or "somebody"


@blueprint.get("")
@for_roles(*ROLES)
def texts() -> str:
    """Every text: its version, when and by whom, and the draft that one has of it."""
    return render_template(
        "desk/texts.html",
        latest=latest_versions(db.session()),
        drafts=drafts_of(db.session(), current_moderator().id),
        draft_days=DRAFT_LIFETIME.days,
        done=request.args.get("done"),
    )


def newest_version(slug: str) -> DocumentVersion:
    """The text as it is public now, or the page that says that there is none of this name."""
    return latest_versions(db.session())[slug] if slug in FILES else abort(404)


def own_draft(slug: str) -> Draft | None:
    """What whoever is signed in is writing for this text."""
    return find_draft(db.session(), slug, current_moderator().id)


@blueprint.get("/<slug>")
@for_roles(*ROLES)
def edit(slug: str) -> str:
    newest, draft = newest_version(slug), own_draft(slug)
    form = DraftForm(formdata=None)
    form.text.data = draft.text if draft else newest.text
    form.note.data = draft.note if draft else ""
    form.base_version.data = draft.base_version if draft else newest.version
    return _edit_page(newest, draft, form)


def _edit_page(
    newest: DocumentVersion, draft: Draft | None, form: DraftForm, *, refused: bool = False
) -> str:
    """The form to write in. What was published or saved elsewhere meanwhile stands beside it.

    `refused`: what was asked for was not done.
    """
    slug, text = newest.slug, form.text.data or ""
    base = find_version(db.session(), slug, form.begun_from) or newest
    overtaken = base.version != newest.version
    elsewhere = draft if draft and not drafts.same_text(draft.text, text) else None
    beside = elsewhere.text if elsewhere else newest.text
    # Until its writer has said so, what they wrote goes on from where they began.
    form.merged.data = False
    form.base_version.data = base.version
    form.newest.data = newest.version
    form.revision.data = draft.revision.hex if draft else ""
    return render_template(
        "desk/text.html",
        slug=slug,
        form=form,
        refused=refused,
        newest=newest,
        draft=draft,
        draft_days=DRAFT_LIFETIME.days,
        elsewhere=elsewhere,
        overtaken=overtaken,
        faults=drafts.draft_problems(db.session(), draft) if draft and not elsewhere else [],
        theirs=compared(slug, base.text, newest.text) if overtaken else None,
        between=compared(slug, beside, text) if overtaken or elsewhere else None,
        others=others_writing(db.session(), slug, current_moderator().id),
        length=len(text),
        longest=LONGEST_TEXT,
        fields=FIELDS.get(slug, {}),
        markdown=MARKDOWN if is_markdown(slug) or slug == "updates" else (),
        about_logo=LOGO if slug == "logo" else "",
        done=request.args.get("done"),
    )


@blueprint.post("/<slug>")
@for_roles(*ROLES)
@takes_long_texts(LARGEST_BODY)
def save(slug: str) -> View:
    """Keep what was written, whatever it is; then stay, look at it, or compare it."""
    newest_version(slug)
    form = DraftForm(request.form)
    try:
        with transaction() as session:
            saved = drafts.save_draft(
                session,
                slug,
                current_moderator().id,
                text=form.text.data or "",
                note=form.note.data or "",
                base_version=form.begun_from,
                revision=read_revision(form.revision),
                now=clock.utc_now(),
            )
    except DraftChanged:
        return _edit_page(newest_version(slug), own_draft(slug), form, refused=True), 409
    if saved is None:
        return redirect(url_for("desk_texts.edit", slug=slug, done="same"), 303)
    then = request.form.get("then")
    if then in ("preview", "compare"):
        endpoint = {"preview": "desk_text_previews.preview", "compare": "desk_texts.compare"}[then]
        return redirect(url_for(endpoint, slug=slug), 303)
    return redirect(url_for("desk_texts.edit", slug=slug, done="saved"), 303)


@blueprint.get("/<slug>/compare")
@for_roles(*ROLES)
def compare(slug: str) -> View:
    """What the draft changes in the public text, and the form that publishes it."""
    newest_version(slug)
    draft = own_draft(slug)
    if draft is None:
        return redirect(url_for("desk_texts.edit", slug=slug), 303)
    form = PublishForm(formdata=None)
    form.note.data = draft.note
    return _compare_page(draft, form)


def _compare_page(draft: Draft, form: PublishForm) -> str:
    newest = newest_version(draft.slug)
    form.revision.data = draft.revision.hex
    return render_template(
        "desk/text_compare.html",
        slug=draft.slug,
        form=form,
        draft=draft,
        newest=newest,
        overtaken=draft.base_version != newest.version,
        faults=drafts.draft_problems(db.session(), draft),
        same=drafts.same_text(draft.text, newest.text),
        paragraphs=compared(draft.slug, newest.text, draft.text),
        warning=WARNINGS.get(draft.slug),
        count=current_count(clock.utc_now()) if draft.slug in ("petition", "consent") else None,
        done=request.args.get("done"),
    )


@blueprint.post("/<slug>/publish")
@for_roles(*ROLES)
def publish(slug: str) -> View:
    """Make the draft public, just as it was compared, unless another version came first."""
    newest_version(slug)
    form = PublishForm(request.form)
    draft = own_draft(slug)
    if draft and not form.validate():
        return _compare_page(draft, form), 422
    try:
        with transaction() as session:
            moderator = current_moderator()
            version = drafts.publish_draft(
                session,
                slug,
                moderator.id,
                revision=read_revision(form.revision),
                note=form.note.data or "",
                actor=moderator.actor,
                now=clock.utc_now(),
            )
    except NoDraft:
        return redirect(url_for("desk_texts.versions", slug=slug, done="gone"), 303)
    except DraftChanged:
        return redirect(url_for("desk_texts.compare", slug=slug, done="changed"), 303)
    except (NothingChanged, Overtaken, CampaignInvalid):
        return _not_published(slug, form)
    forget_campaign()
    return redirect(url_for("desk_texts.versions", slug=slug, done=version.version), 303)


def _not_published(slug: str, form: PublishForm) -> View:
    """The draft with what keeps it back, and the note that was written for it."""
    draft = own_draft(slug)
    if draft is None:
        return redirect(url_for("desk_texts.edit", slug=slug), 303)
    page = DraftForm(formdata=None)
    page.text.data, page.note.data = draft.text, form.note.data
    page.base_version.data = draft.base_version
    return _edit_page(newest_version(slug), draft, page, refused=True), 409


@blueprint.get("/<slug>/discard")
@for_roles(*ROLES)
def ask_to_discard(slug: str) -> View:
    newest = newest_version(slug)
    draft = own_draft(slug)
    if draft is None:
        return redirect(url_for("desk_texts.edit", slug=slug), 303)
    return render_template(
        "desk/text_discard.html",
        slug=slug,
        draft=draft,
        paragraphs=compared(slug, newest.text, draft.text),
        done=request.args.get("done"),
    )


@blueprint.post("/<slug>/discard")
@for_roles(*ROLES)
def discard(slug: str) -> View:
    newest_version(slug)
    revision = read_revision(PublishForm(request.form).revision)
    try:
        with transaction() as session:
            drafts.discard_draft(session, slug, current_moderator().id, revision=revision)
    except DraftChanged:
        return redirect(url_for("desk_texts.ask_to_discard", slug=slug, done="changed"), 303)
    return redirect(url_for("desk_texts.texts", done="discarded"), 303)


@blueprint.get("/<slug>/versions")
@for_roles(*ROLES)
def versions(slug: str) -> str:
    newest_version(slug)
    return render_template(
        "desk/text_versions.html",
        slug=slug,
        versions=history(db.session(), slug),
        done=request.args.get("done"),
    )


@blueprint.get("/<slug>/versions/<int(max=99999):number>")
@for_roles(*ROLES)
def version(slug: str, number: int) -> str:
    """One version as it was written, with what it changed in the one before."""
    newest_version(slug)
    found = find_version(db.session(), slug, number) or abort(404)
    before = find_version(db.session(), slug, number - 1)
    return render_template(
        "desk/text_version.html",
        slug=slug,
        version=found,
        paragraphs=compared(slug, before.text, found.text) if before else None,
        before=before,
    )
