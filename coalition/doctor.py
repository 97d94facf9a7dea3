"""`coalition doctor`: what is missing or unsafe, in plain words."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

import click
from flask import Flask
from limits.storage import storage_from_string
from sqlalchemy.exc import SQLAlchemyError

from coalition.app import create_app
from coalition.mail.transports import DeliveryFailure, SmtpTransport
from coalition.pages.views import what_is_not_ready
from coalition.replica import current_replica
from coalition.settings import LOOPBACK_NAMES, Settings, SettingsError


def examine(settings: Settings, app: Flask) -> Iterator[str]:
    """One line for each thing that is missing or unsafe."""
    yield from _addresses(settings)
    yield from _mail(settings)
    yield from _limits(settings)
    yield from _keys(settings)
    path = _sqlite_path(settings)
    if path and not path.exists():
        # Looking into it would make an empty one.
        yield f"There is no database at {path}: `coalition db upgrade` makes one."
        return
    if path and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield f"Other users of this machine can read the database: chmod 600 {path.name}."
    try:
        with app.app_context():
            yield from _replica()
            yield from what_is_not_ready()
    except SQLAlchemyError:
        yield "The database does not answer at COALITION_DATABASE_URL."


def _sqlite_path(settings: Settings) -> Path | None:
    scheme, _, path = settings.database_url.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def _addresses(settings: Settings) -> Iterator[str]:
    if settings.is_local:
        return
    if not settings.is_https:
        yield (
            "COALITION_SITE_URL is not https: names and addresses would travel readable by "
            "anybody on the way."
        )
    if settings.trusted_proxies == 0:
        yield (
            "COALITION_TRUSTED_PROXIES is 0: if a proxy stands before this site, all visitors "
            "look like one and share its rate limit. Set it to the number of proxies."
        )


def _mail(settings: Settings) -> Iterator[str]:
    server = settings.mail_url
    if server.is_maildir:
        if not settings.is_local:
            yield (
                "COALITION_MAIL_URL is a folder: nobody is sent their link, and nobody's "
                "signature can count."
            )
        return
    if server.scheme == "smtp" and server.host not in LOOPBACK_NAMES:
        yield (
            "COALITION_MAIL_URL sends over a plain connection: use smtp+starttls:// or smtps://."
        )
    transport = SmtpTransport(server)
    try:
        transport.check()
    except DeliveryFailure as error:
        yield f"The mail server at COALITION_MAIL_URL cannot be used ({error.code})."
    finally:
        transport.close()
    if parseaddr(settings.mail_from)[1].endswith(("@example.org", "@example.com")):
        yield "COALITION_MAIL_FROM is an example address: mail from it will be thrown away."


def _limits(settings: Settings) -> Iterator[str]:
    if settings.redis_url is None:
        if settings.web_processes > 1 and not settings.is_local:
            yield (
                "COALITION_REDIS_URL is not set: each of the "
                f"{settings.web_processes} web processes counts its own rate limits, so that "
                f"the limits are up to {settings.web_processes} times as wide as they say, and "
                "a restart forgets them."
            )
    elif not storage_from_string(settings.redis_url).check():
        yield (
            "Redis does not answer at COALITION_REDIS_URL: until it does, each process counts "
            "its own rate limits."
        )


def _replica() -> Iterator[str]:
    replica = current_replica()
    if replica is not None and not replica.answers():
        yield (
            "The replica does not answer at COALITION_REPLICA_URL: until it does, everything is "
            "read from the database itself."
        )


def _keys(settings: Settings) -> Iterator[str]:
    if len(settings.secret_keys) > 1:
        yield (
            f"COALITION_SECRET_KEYS holds {len(settings.secret_keys)} secrets: run `coalition "
            "keys rotate`, and take the older ones out 7 days later, when the last link that "
            "they signed has run out."
        )


@click.command("doctor")
def doctor() -> None:
    """Say in plain words what is missing or unsafe in the configuration."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        click.echo(str(error))
        raise click.exceptions.Exit(1) from error
    findings = list(examine(settings, create_app(settings)))
    for finding in findings:
        click.echo(finding)
    if findings:
        raise click.exceptions.Exit(1)
    click.echo("Nothing is missing, and nothing is unsafe.")
