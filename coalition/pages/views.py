"""The front page, help, privacy, accessibility, the campaign's look, and the signs of life."""

from __future__ import annotations

from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    render_template,
    request,
)
from sqlalchemy.exc import SQLAlchemyError

from coalition import clock
from coalition.db import db
from coalition.mail.queries import oldest_due
from coalition.mail.terms import mail_terms
from coalition.pages.ledger import read_ledger
from coalition.petition.views import form_context
from coalition.statements.queries import NoCampaign, current_campaign
from coalition.web.access import Access, open_to
from coalition.web.caching import PAGE_SECONDS, lasting_file, public_page
from coalition.web.errors import ERROR_STATUS

blueprint = Blueprint("pages", __name__)
OUTBOX_PATIENCE = timedelta(minutes=15)  # mail that waits longer means that no worker runs


@blueprint.get("/")
@open_to(Access.PUBLIC)
@public_page
def home() -> str:
    return render_template("pages/home.html", **form_context())


@blueprint.get("/help")
@open_to(Access.PUBLIC)
@public_page
def help_page() -> str:
    return render_template("pages/help.html")


@blueprint.get("/privacy")
@open_to(Access.PUBLIC)
@public_page
def privacy() -> str:
    """What is kept, why and how long: each figure is the one that the code uses."""
    return render_template("pages/privacy.html", **mail_terms())


@blueprint.get("/accessibility")
@open_to(Access.PUBLIC)
@public_page
def accessibility() -> str:
    return render_template("pages/accessibility.html", ledger=read_ledger())


@blueprint.get("/theme.css")
@open_to(Access.PUBLIC)
def theme() -> Response:
    """The campaign's own colours."""
    details = current_campaign().details
    response = make_response(render_template("pages/theme.css", details=details))
    response.content_type = "text/css; charset=utf-8"
    version = f"{details.accent[1:]}{details.accent_dark[1:]}"
    return lasting_file(response, version, seconds=PAGE_SECONDS)


@blueprint.get("/logo.svg")
@open_to(Access.PUBLIC)
def logo() -> Response:
    """The campaign's logo, which cannot do anything even when it is opened by itself."""
    logo = current_campaign().logo
    response = make_response(logo.svg)
    response.content_type = "image/svg+xml; charset=utf-8"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return lasting_file(response, str(logo.version), seconds=PAGE_SECONDS)


@blueprint.app_errorhandler(NoCampaign)
def no_campaign(error: NoCampaign) -> tuple[str, int]:
    request.environ[ERROR_STATUS] = 503
    return render_template("errors/no_campaign.html"), 503


@blueprint.get("/healthz")
@open_to(Access.PUBLIC)
def healthz() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@open_to(Access.PUBLIC)
def readyz() -> Response:
    """The site can do its work: database, migrations, campaign, mail. 503 if not."""
    try:
        problems = what_is_not_ready()
    except SQLAlchemyError:
        problems = ["the database does not answer"]
    status = "not ready" if problems else "ready"
    return make_response(jsonify(status=status, problems=problems), 503 if problems else 200)


def what_is_not_ready() -> list[str]:
    """What keeps the site from doing its work, one line each. Raises SQLAlchemyError."""
    from coalition.schema import is_behind  # noqa: PLC0415 (no command should wait for it)

    problems = []
    if is_behind(db.session.connection()):
        return ["the database needs `coalition db upgrade`"]
    if oldest_due(db.session(), now=clock.utc_now()) > OUTBOX_PATIENCE:
        problems.append("mail has been waiting for too long; does a worker run?")
    try:
        current_campaign()
    except NoCampaign:
        problems.append("no campaign is loaded")
    return problems
