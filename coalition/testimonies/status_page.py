"""The page of one testimony for its writer: where it stands, and what can be done now."""

from __future__ import annotations

import uuid

from flask import render_template

from coalition import clock
from coalition.db import db
from coalition.testimonies.forms import AnswerForm
from coalition.testimonies.fronts import notes_of, title_of
from coalition.testimonies.models import DECLINE_NAMES, PausedBy, Testimony
from coalition.testimonies.moving import edition_of, published_of
from coalition.testimonies.passes import make_pass
from coalition.testimonies.queries import find_testimony
from coalition.testimonies.states import State


def status_page(
    testimony_id: uuid.UUID,
    *,
    done: str = "",
    refused: str = "",
    answer_form: AnswerForm | None = None,
    typed: str = "",
) -> tuple[str, int]:
    """Where a testimony stands, in words, with what its writer can do now."""
    session, now = db.session(), clock.utc_now()
    testimony = find_testimony(session, testimony_id)
    if testimony is None or testimony.state is State.ERASED:
        return render_template("testimonies/erased.html"), 410
    form = answer_form or AnswerForm(formdata=None)
    published = published_of(session, testimony)
    page = render_template(
        "testimonies/status.html",
        testimony=testimony,
        edition=edition_of(session, testimony) if testimony.state is State.APPROVED else None,
        published=published if published and published.is_public else None,
        decision_title=_decision_title(testimony),
        decline_names=DECLINE_NAMES,
        title_of=title_of,
        notes_of=notes_of,
        key=make_pass(testimony.id, now),
        form=form,
        done=done,
        refused=refused,
        typed=typed,
    )
    return page, 409 if refused else 422 if form.errors else 200


def _decision_title(testimony: Testimony) -> str:
    """What the desk's words to the writer are. They stay beside an account that is read anew, and
    must not look like a decision about it then."""
    if testimony.decision_code is not None:
        is_over = testimony.state is State.DECLINED
        return "What was decided, and why" if is_over else "What was decided before"
    if testimony.paused_by is PausedBy.DESK:
        return "Why we took it off the site"
    if testimony.state is State.NEEDS_WRITER:
        return "What we ask"
    # Nobody has asked where nobody stands as who decided: then it was taken down, to be edited.
    return "What we asked" if testimony.decided_by else "Why we took it off the site"
