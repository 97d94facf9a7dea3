"""Telling what happened: the way in."""

from __future__ import annotations

from flask import Blueprint, render_template

from coalition.testimonies.models import (
    ANSWER_LIFETIME,
    DECLINED_LIFETIME,
    DRAFT_LIFETIME,
    WITHDRAWN_LIFETIME,
)
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page

blueprint = Blueprint("testimonies_share", __name__, url_prefix="/testimonies")
blueprint.app_context_processor(
    lambda: {
        "draft_days": DRAFT_LIFETIME.days,
        "answer_days": ANSWER_LIFETIME.days,
        "declined_days": DECLINED_LIFETIME.days,
        "withdrawn_days": WITHDRAWN_LIFETIME.days,
    }
)


@blueprint.get("/share")
@open_to(Access.PUBLIC)
@public_page
def share() -> str:
    """What everybody should know before a word is written."""
    return render_template("testimonies/share.html")
