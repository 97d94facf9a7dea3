"""Public pages as they would be with a draft: their own templates, with the draft's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from jinja2 import BaseLoader, Environment, FunctionLoader
from markupsafe import Markup

from coalition.db import db
from coalition.endorsements.forms import EndorseForm
from coalition.mail.terms import mail_terms
from coalition.petition.views import form_context
from coalition.statements.campaign import Campaign, Document
from coalition.statements.models import DocumentVersion, Draft
from coalition.statements.press import Release
from coalition.statements.queries import as_document, campaign_of, history
from coalition.statements.records import Update

LAYOUT = "layouts/public.html"
NO_LAYOUT = "layouts/content_only.html"
Versions = Mapping[str, DocumentVersion]
Context = Callable[[Campaign, Versions], dict[str, Any]]


@dataclass(frozen=True)
class Preview:
    """One public page that a text stands on. `context` is what its view gives to its template."""

    title: str
    template: str
    context: Context = lambda *_: {}


def _statement(campaign: Campaign, versions: Versions) -> dict[str, Any]:
    new = versions["statement"]
    return {"document": as_document(new), "versions": [new, *history(db.session(), "statement")]}


def _privacy(campaign: Campaign, versions: Versions) -> dict[str, Any]:
    return mail_terms()


def _words(title: str, document: Callable[[Campaign], Document]) -> Preview:
    return Preview(
        title,
        "statements/words.html",
        lambda campaign, _: {"title": title, "document": document(campaign)},
    )


_HOME = Preview("The front page", "pages/home.html", lambda *_: form_context())
_PETITION = Preview("The petition", "petition/petition.html", lambda *_: form_context())
_ENDORSE = Preview(
    "Add your organisation",
    "endorsements/endorse.html",
    lambda *_: {"form": EndorseForm(formdata=None), "stamp": ""},
)
_EASY_READ = Preview(
    "Easy read",
    "statements/easy_read.html",
    lambda campaign, _: {"easy_read": campaign.easy_read},
)
_REPLIES = Preview("Who was asked", "statements/replies.html")
_HELP = Preview("Support", "pages/help.html")
PREVIEWS: dict[str, tuple[Preview, ...]] = {
    "petition": (_PETITION,),
    "statement": (Preview("Our statement", "statements/statement.html", _statement),),
    "easy-read": (_EASY_READ,),
    "demands": (Preview("Our demands", "statements/demands.html"), _PETITION),
    "evidence": (Preview("Evidence", "statements/evidence.html"),),
    "replies": (_REPLIES, _HOME),
    "sides": (_REPLIES,),
    "updates": (Preview("News", "statements/updates.html"),),
    "press": (Preview("For newspapers", "desk/text_press.html"),),
    "reasons": (_HOME,),
    "questions": (_words("Questions", lambda campaign: campaign.questions),),
    "about": (_words("About us", lambda campaign: campaign.about),),
    "support": (_HELP,),
    "helplines": (_HELP,),
    "privacy": (Preview("Privacy", "pages/privacy.html", _privacy),),
    "consent": (_PETITION, _ENDORSE),
    "testimonies": (Preview("Tell what happened", "testimonies/share.html"),),
    "campaign": (_HOME, _PETITION),
    "logo": (Preview("The logo", "desk/text_logo.html"),),
}


def pages_of(draft: Draft, latest: Versions) -> list[Preview]:
    """The pages that show a text; of news and of press releases, also those of each piece that is
    new or changed.

    Raises CampaignInvalid where the draft cannot be read.
    """
    pages = list(PREVIEWS[draft.slug])
    if draft.slug in ("updates", "press"):
        old, new = campaign_of(latest), campaign_of(_with_draft(draft, latest, draft.updated_at))
        pages += [_news_page(each) for each in new.updates if each not in old.updates]
        known = old.press.releases
        pages += [_release_page(each) for each in new.press.releases if each not in known]
    return pages


def _release_page(release: Release) -> Preview:
    return Preview(
        release.title, "press/release.html", lambda *_: {"release": release, "is_out": True}
    )


def _news_page(update: Update) -> Preview:
    return Preview(update.title, "statements/update.html", lambda *_: {"update": update})


def render_preview(page: Preview, draft: Draft, latest: Versions, now: datetime) -> Markup:
    """The content of a public page as it would be if the draft were published now.

    Raises CampaignInvalid where the draft cannot be read.
    """
    versions = _with_draft(draft, latest, now)
    campaign = campaign_of(versions)
    context = {**page.context(campaign, versions), "campaign": campaign}
    current_app.update_template_context(context)
    template = _templates().get_template(page.template)
    return Markup(template.render(context))  # noqa: S704 (the template has escaped it)


def _with_draft(draft: Draft, latest: Versions, now: datetime) -> dict[str, DocumentVersion]:
    """The versions that would stand if the draft were published; its own is in no database."""
    present = latest[draft.slug]
    version = DocumentVersion(
        id=present.id,
        slug=draft.slug,
        version=present.version + 1,
        text=draft.text,
        published_at=now,
        change_note=draft.note,
    )
    return {**latest, draft.slug: version}


def _templates() -> Environment:
    """The site's templates, with a layout of public pages that has nothing but their content."""
    found: Environment | None = current_app.extensions.get("preview_templates")
    if found is None:
        env = current_app.jinja_env
        assert env.loader is not None  # noqa: S101 (Flask always has one)
        found = env.overlay(loader=FunctionLoader(_source_in(env, env.loader)))
        current_app.extensions["preview_templates"] = found
    return found


def _source_in(env: Environment, loader: BaseLoader) -> Callable[[str], Any]:
    return lambda name: loader.get_source(env, NO_LAYOUT if name == LAYOUT else name)
