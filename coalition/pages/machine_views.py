"""What machines read: where the pages are, who may be told of a weakness, the picture for links."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, current_app, render_template

from coalition import clock
from coalition.db import db
from coalition.pages.card import Card, draw_card
from coalition.petition.queries import current_count
from coalition.settings import Settings
from coalition.statements.queries import current_campaign
from coalition.testimonies.queries import published_slugs
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.data import open_data
from coalition.web.filters import number
from coalition.web.links import page_url

blueprint = Blueprint("machines", __name__)

# Every page that a search may find, news, releases and testimonies apart: each has a page of its own.
PAGES = (
    "pages.home",
    "petition.petition",
    "statements.statement",
    "statements.easy_read",
    "embeds.embed",
    "press_pages.press",
    "press_pages.methodology",
    "statements.demands",
    "statements.evidence",
    "statements.replies",
    "supporters.supporters",
    "endorsements.endorse",
    "testimonies.published",
    "testimonies_share.share",
    "testimonies_return.come_back",
    "statements.updates",
    "statements.questions",
    "statements.about",
    "pages.help_page",
    "pages.privacy",
    "pages.accessibility",
)
SECURITY_LIFETIME = timedelta(days=90)  # RFC 9116, 2.5.5, recommends less than a year


@blueprint.get("/sitemap.xml")
@open_to(Access.PUBLIC)
@public_page
def sitemap() -> Response:
    addresses = [page_url(endpoint) for endpoint in PAGES]
    addresses += [
        page_url("statements.update", slug=update.slug) for update in current_campaign().updates
    ]
    addresses += [
        page_url("press_pages.release", slug=release.slug)
        for release in current_campaign().press.releases_out(clock.utc_now())
    ]
    addresses += [
        page_url("testimonies.testimony", slug=slug) for slug in published_slugs(db.session())
    ]
    return Response(
        render_template("pages/sitemap.xml", addresses=addresses), mimetype="application/xml"
    )


@blueprint.get("/robots.txt")
@open_to(Access.PUBLIC)
@public_page
def robots() -> Response:
    """Searches may read all: what they must not list says so itself (`noindex`)."""
    lines = ["User-agent: *", "Disallow:", f"Sitemap: {page_url('machines.sitemap')}"]
    return _plain(lines)


@blueprint.get("/.well-known/security.txt")
@open_to(Access.PUBLIC)
@public_page
def security() -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    settings: Settings = current_app.extensions["settings"]
    contact = settings.security_contact or f"mailto:{current_campaign().details.contact}"
    expires = (clock.utc_now() + SECURITY_LIFETIME).date()
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires.isoformat()}T00:00:00Z",
        "Preferred-Languages: en",
        f"Canonical: {page_url('machines.security')}",
    ]
    return _plain(lines)


def _plain(lines: list[str]) -> Response:
    return Response("\n".join([*lines, ""]), mimetype="text/plain")


@blueprint.get("/card.png")
@open_to(Access.PUBLIC)
@public_page
def card() -> Response:
    """The campaign's own words and the count, for other sites to show beside a link."""
    details = current_campaign().details
    picture = draw_card(
        Card(details.addressed_to, details.headline, _counted(), details.name, details.accent)
    )
    return open_data(Response(picture, mimetype="image/png"))


def _counted() -> str:
    count = current_count(clock.utc_now())
    if count is None or count.signatures == 0:
        return ""
    return f"{number(count.signatures)} {'person has' if count.signatures == 1 else 'people have'} signed"
