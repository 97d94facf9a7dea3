"""The coalition's statement, in each of its versions."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from coalition.db import db
from coalition.statements.comparison import compare
from coalition.statements.markdown import plain_paragraphs
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import as_document, current_campaign, find_version, history
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page

blueprint = Blueprint("statements", __name__)


@blueprint.get("/statement")
@open_to(Access.PUBLIC)
@public_page
def statement() -> str:
    return render_template(
        "statements/statement.html",
        document=current_campaign().statement,
        versions=history(db.session(), "statement"),
        earlier=False,
    )


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
