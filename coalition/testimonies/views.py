"""Published testimonies, for everybody: what each is about before it can be read."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from coalition.db import db
from coalition.statements.queries import current_campaign
from coalition.testimonies import queries
from coalition.testimonies.fronts import notes_of, title_of
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page_that_may_go

blueprint = Blueprint("testimonies", __name__, url_prefix="/testimonies")
PAGE_SIZE = 10
LARGEST_PAGE = 100_000  # so that a number which no database takes is not asked for

View = str | BaseResponse | tuple[str, int]


@blueprint.get("")
@open_to(Access.PUBLIC)
@public_page_that_may_go
def published() -> str:
    """All of them, some at a time, or those of a label and a theme. None shows its text."""
    counts = queries.tag_counts(db.session())
    telling = current_campaign().telling
    label = telling.label(request.args.get("label", ""))
    theme = telling.theme(request.args.get("theme", ""))
    page = queries.published_page(
        db.session(),
        tags=[each.slug for each in (label, theme) if each],
        number=_number(request.args.get("page", "1")),
        size=PAGE_SIZE,
    )
    return render_template(
        "testimonies/published.html",
        page=page,
        labels=[each for each in telling.labels if counts.get(each.slug) or each == label],
        themes=[each for each in telling.themes if counts.get(each.slug) or each == theme],
        label=label,
        theme=theme,
        notes_of=notes_of,
        title_of=title_of,
    )


def _number(typed: str) -> int:
    """The page that was asked for; the first for whatever is none."""
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= len(str(LARGEST_PAGE))
    return max(1, min(int(typed), LARGEST_PAGE)) if is_number else 1


@blueprint.get("/<slug>")
@open_to(Access.PUBLIC)
@public_page_that_may_go
def testimony(slug: str) -> View:
    """One of them: what it is about, then the choice to read it. 410 once it is off the site."""
    found = queries.find_published(db.session(), slug) or abort(404)
    front = found.front
    if not found.is_public or front is None:
        return render_template("testimonies/off_the_site.html"), 410
    return render_template(
        "testimonies/testimony.html",
        found=found,
        front=front,
        title=title_of(front),
        notes=notes_of(front),
        themes=[each for slug in front.themes if (each := current_campaign().telling.theme(slug))],
    )
