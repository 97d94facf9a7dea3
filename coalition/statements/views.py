"""The coalition's own words: statement, evidence, replies, demands, questions, news, about."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template

from coalition.db import db
from coalition.statements.campaign import Document
from coalition.statements.comparison import compare
from coalition.statements.markdown import plain_paragraphs
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import as_document, current_campaign, find_version, history
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.data import csv_response, open_data

blueprint = Blueprint("statements", __name__)


@blueprint.get("/statement")
@open_to(Access.PUBLIC)
@public_page
def statement() -> str:
    return render_template(
        "statements/statement.html",
        document=current_campaign().statement,
        versions=history(db.session(), "statement"),
    )


@blueprint.get("/statement/easy-read")
@open_to(Access.PUBLIC)
@public_page
def easy_read() -> str:
    """The statement in short sentences, with a symbol beside each point."""
    return render_template("statements/easy_read.html", easy_read=current_campaign().easy_read)


def _version_or_404(number: int) -> DocumentVersion:
    return find_version(db.session(), "statement", number) or abort(404)


@blueprint.get("/statement/versions/<int(max=99999):number>")
@open_to(Access.PUBLIC)
@public_page
def version(number: int) -> str:
    """The statement as it once stood, at an address that never changes."""
    row = _version_or_404(number)
    return render_template(
        "statements/statement.html",
        document=as_document(row),
        versions=history(db.session(), "statement"),
        numbered=True,
        earlier=number != current_campaign().statement.version,
    )


@blueprint.get("/statement/versions/<int(max=99999):number>/changes")
@open_to(Access.PUBLIC)
@public_page
def changes(number: int) -> str:
    """What this version changed in the one before it, word by word."""
    new, old = _version_or_404(number), _version_or_404(number - 1)
    paragraphs = compare(plain_paragraphs(old.text), plain_paragraphs(new.text))
    return render_template("statements/changes.html", new=new, old=old, paragraphs=paragraphs)


@blueprint.get("/evidence")
@open_to(Access.PUBLIC)
@public_page
def evidence() -> str:
    return render_template("statements/evidence.html")


@blueprint.get("/demands")
@open_to(Access.PUBLIC)
@public_page
def demands() -> str:
    return render_template("statements/demands.html")


@blueprint.get("/questions")
@open_to(Access.PUBLIC)
@public_page
def questions() -> str:
    return _words("Questions", current_campaign().questions)


@blueprint.get("/about")
@open_to(Access.PUBLIC)
@public_page
def about() -> str:
    return _words("About us", current_campaign().about)


def _words(title: str, document: Document) -> str:
    return render_template("statements/words.html", title=title, document=document)


@blueprint.get("/updates")
@open_to(Access.PUBLIC)
@public_page
def updates() -> str:
    return render_template("statements/updates.html")


@blueprint.get("/updates/<slug>")
@open_to(Access.PUBLIC)
@public_page
def update(slug: str) -> str:
    """One piece of news, at an address that never changes."""
    found = [each for each in current_campaign().updates if each.slug == slug]
    return render_template("statements/update.html", update=found[0] if found else abort(404))


@blueprint.get("/updates.atom")
@open_to(Access.PUBLIC)
@public_page
def feed() -> Response:
    """The news as an Atom feed (RFC 4287)."""
    response = Response(
        render_template("statements/feed.xml"), content_type="application/atom+xml; charset=utf-8"
    )
    return open_data(response)


@blueprint.get("/replies")
@open_to(Access.PUBLIC)
@public_page
def replies() -> str:
    """Who was asked, and what they said, the critics beside the coalition."""
    return render_template("statements/replies.html")


def _replies_as_data() -> list[dict[str, Any]]:
    return [
        {
            "body": reply.body,
            "asked_by": reply.asked_by,
            "asked_on": reply.asked_on.isoformat() if reply.asked_on else None,
            "asked_words": reply.asked_words or None,
            "due": reply.due.isoformat() if reply.due else None,
            "as_of": reply.as_of.isoformat(),
            "answered": reply.answered,
            "answered_on": reply.answered_on,
            "answer": reply.answer,
            "days_waiting": reply.days_waiting,
            "days_overdue": reply.days_overdue if reply.due else None,
            "source": reply.source,
            "link": reply.link,
        }
        for reply in current_campaign().replies
    ]


@blueprint.get("/replies.json")
@open_to(Access.PUBLIC)
@public_page
def replies_json() -> Response:
    return open_data(jsonify(replies=_replies_as_data()))


@blueprint.get("/replies.csv")
@open_to(Access.PUBLIC)
@public_page
def replies_csv() -> Response:
    return open_data(csv_response(_replies_as_data(), "replies.csv"))
