"""`coalition press`."""

from __future__ import annotations

import hashlib

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.db import db, transaction
from coalition.press import queries
from coalition.press.actions import freeze
from coalition.statements.queries import NoCampaign

press_commands = AppGroup("press", help="The figures for the press.")


@press_commands.command("freeze")
@with_appcontext
def freeze_now() -> None:
    """Freeze this week's copies now, without waiting for a worker."""
    try:
        with transaction() as session:
            day = freeze(session, site_url=current_app.config["SITE_URL"], now=clock.utc_now())
    except NoCampaign as error:
        raise click.ClickException("no campaign is loaded") from error
    click.echo(
        f"frozen: {day.isoformat()}"
        if day
        else "Nothing to freeze: it is done, or not all of last week is in the tally yet."
    )


@press_commands.command("verify")
@with_appcontext
def verify() -> None:
    """Prove that no frozen copy has changed since it was made."""
    session = db.session()
    lines = queries.releases(session)
    broken = []
    for line in lines:
        for each in line.files:
            file = queries.find_file(session, line.day, each.name)
            if file is None or hashlib.sha256(file.content).digest() != each.sha256:
                broken.append(f"{line.day.isoformat()}/{each.name}")
        session.expunge_all()
    for name in broken:
        click.echo(f"{name} is not as it was frozen")
    if broken:
        raise click.exceptions.Exit(1)
    click.echo(f"All copies are as they were frozen: {len(lines)} weeks.")
