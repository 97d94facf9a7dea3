"""A draft as readers would see it, and the form that adds news to the draft of them."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.clock import day_in_uk
from coalition.db import db, transaction
from coalition.desk.text_forms import NewsForm
from coalition.desk.text_help import MARKDOWN
from coalition.desk.text_previews import pages_of, render_preview
from coalition.desk.text_views import ROLES, newest_version, own_draft
from coalition.statements.campaign import text_problems
from coalition.statements.drafts import draft_problems, save_draft
from coalition.statements.news import add_update
from coalition.statements.queries import find_draft, latest_versions
from coalition.statements.tables import CampaignInvalid
from coalition.web.uploads import takes_long_texts

blueprint = Blueprint("desk_text_previews", __name__, url_prefix="/desk/texts")
LARGEST_NEWS = 512 * 1024  # bytes

View = str | BaseResponse | tuple[str, int]


@blueprint.get("/<slug>/preview")
@for_roles(*ROLES)
def preview(slug: str) -> View:
    """The draft on the public page that it is for; `page` counts those that show it."""
    newest_version(slug)
    draft = own_draft(slug)
    if draft is None:
        return redirect(url_for("desk_texts.edit", slug=slug), 303)
    faults = draft_problems(db.session(), draft)
    if text_problems(slug, draft.text):
        return render_template("desk/text_preview.html", slug=slug, faults=faults, pages=[])
    latest = latest_versions(db.session())
    pages = pages_of(draft, latest)
    number = request.args.get("page", 0, int)
    if not 0 <= number < len(pages):
        abort(404)
    return render_template(
        "desk/text_preview.html",
        slug=slug,
        faults=faults,
        pages=pages,
        number=number,
        shown=render_preview(pages[number], draft, latest, clock.utc_now()),
    )


@blueprint.get("/logo/draft.svg")
@for_roles(*ROLES)
def draft_logo() -> Response:
    """The logo that is being drawn, for its own writer; like the public one it can do nothing."""
    draft = own_draft("logo")
    if draft is None or text_problems("logo", draft.text):
        abort(404)
    response = make_response(draft.text)
    response.content_type = "image/svg+xml; charset=utf-8"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.get("/updates/news")
@for_roles(*ROLES)
def news() -> str:
    form = NewsForm(formdata=None)
    form.on.data = day_in_uk(clock.utc_now()).isoformat()
    return _news_page(form)


def _news_page(form: NewsForm, refused: str = "") -> str:
    return render_template(
        "desk/text_news.html", form=form, refused=refused, fields={}, markdown=MARKDOWN
    )


@blueprint.post("/updates/news")
@for_roles(*ROLES)
@takes_long_texts(LARGEST_NEWS)
def add_news() -> View:
    """Put one more piece of news into the draft; nothing is published yet."""
    form = NewsForm(request.form)
    if not form.validate():
        return _news_page(form), 422
    try:
        with transaction() as session:
            _add_to_draft(session, form)
    except CampaignInvalid as error:
        return _news_page(form, refused=error.problems[0]), 422
    return redirect(url_for("desk_text_previews.preview", slug="updates"), 303)


def _add_to_draft(session: Session, form: NewsForm) -> None:
    moderator = current_moderator()
    newest = latest_versions(session)["updates"]
    draft = find_draft(session, "updates", moderator.id)
    text = add_update(
        draft.text if draft else newest.text,
        on=form.day(),
        title=form.title.data,
        summary=form.summary.data,
        words=form.words.data,
    )
    save_draft(
        session,
        "updates",
        moderator.id,
        text=text,
        note=draft.note if draft and draft.note else f"News: {form.title.data}",
        base_version=draft.base_version if draft else newest.version,
        revision=draft.revision if draft else None,
        now=clock.utc_now(),
    )
