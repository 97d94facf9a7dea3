"""What supporters put on their own sites: the count, and the form. Nothing else can be framed."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from coalition.petition.forms import read_source
from coalition.petition.views import form_context
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.headers import framed_anywhere

blueprint = Blueprint("embeds", __name__, url_prefix="/embed")


@blueprint.get("")
@open_to(Access.PUBLIC)
@public_page
def embed() -> str:
    """The lines to copy, with the tag of whoever asks for lines of their own."""
    return render_template("petition/embed.html", source=read_source(request.args.get("source")))


@blueprint.get("/count")
@framed_anywhere
@open_to(Access.PUBLIC)
@public_page
def count() -> str:
    return render_template("petition/embed_count.html", **form_context())


@blueprint.get("/sign")
@framed_anywhere
@open_to(Access.PUBLIC)
@public_page
def sign() -> str:
    return render_template("petition/embed_sign.html", **form_context())
