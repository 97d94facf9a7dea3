"""Puts the site together. Holds no logic of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

import coalition.audit.models  # noqa: F401
from coalition import clock
from coalition.accounts import views as accounts
from coalition.accounts.security import init_accounts
from coalition.crypto import Keyring
from coalition.db import init_database
from coalition.desk import (
    audit_views,
    bulk_views,
    complaint_views,
    hand_in_views,
    held_views,
    limit_views,
    mail_views,
    organisation_views,
    people_views,
    press_views,
    reading_views,
    safeguarding_views,
    testimony_decision_views,
    testimony_edit_views,
    testimony_public_views,
    testimony_second_views,
    testimony_views,
    text_preview_views,
    text_views,
)
from coalition.desk import signature_views as desk_signatures
from coalition.desk import views as desk
from coalition.desk.frame import init_frame
from coalition.endorsements import entry_views, link_views, register_views
from coalition.endorsements import views as supporters
from coalition.mail import dev_views
from coalition.pages import components, machine_views, metrics_views
from coalition.pages import views as pages
from coalition.petition import embed_views, signature_views
from coalition.petition import views as petition
from coalition.petition.queries import current_count
from coalition.press import chart_views, page_views
from coalition.press import views as press
from coalition.replica import init_replica
from coalition.settings import Settings
from coalition.statements import views as statements
from coalition.statements.closing import current_closing, remembered_closing
from coalition.statements.models import KEPT_AFTER_CLOSING
from coalition.statements.queries import NoCampaign, current_campaign, remembered_campaign
from coalition.testimonies import complaint_views as complaints
from coalition.testimonies import return_views, share_views
from coalition.testimonies import views as testimonies
from coalition.web.caching import init_caching
from coalition.web.errors import ERROR_STATUS, init_errors
from coalition.web.filters import init_filters
from coalition.web.headers import init_headers
from coalition.web.limits import init_limits
from coalition.web.links import init_links
from coalition.web.metrics import init_metrics
from coalition.web.origin import init_origin_check
from coalition.web.page_cache import PageCache
from coalition.web.uploads import init_uploads
from coalition.web.watch import Watch, init_watch

ROOT = Path(__file__).resolve().parent.parent
LARGEST_BODY = 64 * 1024  # bytes; the longest form of a public page has a tenth of it
LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


class Site(Flask):
    """The application. All its views and hooks are plain functions: Flask would look at each of
    them, seventeen times a request, for whether it is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The site as a Flask application, by `settings` or else by the environment.

    Raises SettingsError when a setting is missing or malformed.
    """
    settings = settings or Settings.from_environment(os.environ)
    app = Site(
        "coalition",
        root_path=str(ROOT),
        static_folder="static",
        template_folder="templates",
    )
    app.extensions["settings"] = settings
    app.extensions["keyring"] = Keyring(settings.secret_keys)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=100,
        MAIL_FROM=settings.mail_from,
        BOUNCE_ADDRESS=settings.bounce_address,
    )
    init_database(app, settings.database_url, settings.database_pool)
    init_replica(app, settings.replica_url, settings.database_pool)
    _init_web(app, settings)
    for each in (
        pages.blueprint,
        machine_views.blueprint,
        metrics_views.blueprint,
        statements.blueprint,
        petition.blueprint,
        signature_views.blueprint,
        embed_views.blueprint,
        supporters.blueprint,
        register_views.blueprint,
        link_views.blueprint,
        entry_views.blueprint,
        testimonies.blueprint,
        share_views.blueprint,
        return_views.blueprint,
        complaints.blueprint,
        accounts.blueprint,
        desk.blueprint,
        organisation_views.blueprint,
        people_views.blueprint,
        text_views.blueprint,
        text_preview_views.blueprint,
        mail_views.blueprint,
        audit_views.blueprint,
        desk_signatures.blueprint,
        held_views.blueprint,
        bulk_views.blueprint,
        limit_views.blueprint,
        hand_in_views.blueprint,
        reading_views.blueprint,
        safeguarding_views.blueprint,
        complaint_views.blueprint,
        press_views.blueprint,
        testimony_views.blueprint,
        testimony_edit_views.blueprint,
        testimony_second_views.blueprint,
        testimony_decision_views.blueprint,
        testimony_public_views.blueprint,
        press.blueprint,
        chart_views.blueprint,
        page_views.blueprint,
    ):
        app.register_blueprint(each)
    if settings.is_local:
        app.register_blueprint(components.blueprint)
    if settings.mail_url.is_maildir and settings.is_local:
        app.config["MAILDIR"] = settings.mail_url.path
        app.register_blueprint(dev_views.blueprint)
    init_frame(app)
    app.context_processor(_campaign_for_templates)
    app.context_processor(_closing_for_templates)
    return app


def _init_web(app: Flask, settings: Settings) -> None:
    proxies = settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0
        )
    if settings.page_cache:
        app.extensions["page_cache"] = PageCache(app.wsgi_app, settings.page_cache)
        app.wsgi_app = app.extensions["page_cache"]  # type: ignore[method-assign]
    app.wsgi_app = Watch(  # type: ignore[method-assign,assignment]
        app.wsgi_app, init_metrics(app), behind_proxy=proxies > 0
    )
    init_watch(app)
    init_links(app, settings.site_url)
    init_filters(app)
    init_errors(app, is_file=press.is_file_path)
    init_headers(app, https=settings.is_https)
    init_caching(app)
    init_uploads(app)
    init_origin_check(app, [settings.site_host, *LOOPBACK_HOSTS])
    init_limits(
        app,
        settings.redis_url,
        {
            "LIMIT_NETWORK": settings.limit_network,
            "LIMIT_ADDRESS": settings.limit_address,
            "LIMIT_DOMAIN": settings.limit_domain,
            "LIMIT_CODE": settings.limit_code,
            "LIMIT_RECEIPT": settings.limit_receipt,
            "LIMIT_SIGN_IN": settings.limit_sign_in,
        },
    )
    init_accounts(app, settings)


def _campaign_for_templates() -> dict[str, Any]:
    """Every page names the campaign; error pages must do without when it cannot be had."""
    status = request.environ.get(ERROR_STATUS) if has_request_context() else None
    if status is None:
        return {"campaign": current_campaign()}
    if status >= 500:
        return {"campaign": remembered_campaign()}
    try:
        return {"campaign": current_campaign()}
    except (NoCampaign, SQLAlchemyError):
        return {"campaign": None}


def _closing_for_templates() -> dict[str, Any]:
    """Every page with a way to the form says when it was closed, and with how many signatures."""
    status = request.environ.get(ERROR_STATUS) if has_request_context() else None
    terms = {"closed_days": KEPT_AFTER_CLOSING.days}
    if status and status >= 500:
        return {"closing": remembered_closing(), "closed_with": None, **terms}
    closing = current_closing()
    count = current_count(clock.utc_now()) if closing else None
    return {"closing": closing, "closed_with": count.signatures if count else None, **terms}
