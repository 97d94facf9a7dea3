"""`coalition campaign close` and `reopen`; coalition/cli.py puts them beside the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.petition import queries
from coalition.petition.models import SignatureStatus
from coalition.statements.closing import (
    REOPENABLE,
    CannotClose,
    close_campaign,
    find_closing,
    reopen_campaign,
)
from coalition.statements.models import KEPT_AFTER_CLOSING

ACTOR = "command line"
_yes = click.option("--yes", is_flag=True, help="Do not ask once more: for scripts.")


@contextmanager
def _told() -> Iterator[Session]:
    """A transaction; what cannot be done ends the command with one line."""
    try:
        with transaction() as session:
            yield session
    except CannotClose as error:
        raise click.ClickException(f"nothing was changed: {error}") from error


@click.command("close")
@_yes
@with_appcontext
def close(yes: bool) -> None:
    """Let nobody sign any more, and fix the final number."""
    session = db.session()
    if not yes and find_closing(session) is None:
        click.echo(_what_closing_means(session))
        click.confirm("Close the petition now?", abort=True)
    with _told() as writing:
        close_campaign(writing, actor=ACTOR, now=clock.utc_now())
    click.echo(
        "Closed. Every page says so within seconds; the worker fixes the final number in some ten "
        "minutes, when all that was confirmed before is counted."
    )


def _what_closing_means(session: Session) -> str:
    count = queries.read_count(session, now=clock.utc_now()).signatures
    waiting = queries.count_with_status(session, SignatureStatus.AWAITING)
    held = queries.count_with_status(session, SignatureStatus.HELD)
    return (
        f"{count:,} signatures count now.\n"
        f"{waiting:,} wait to be confirmed: they will not be counted.\n"
        f"{held:,} are held: what you release after the closing is not in the final number. "
        "Decide about them first.\n"
        f"It can be undone for {REOPENABLE.days} days. What people gave is deleted "
        f"{KEPT_AFTER_CLOSING.days} days after the closing."
    )


@click.command("reopen")
@_yes
@with_appcontext
def reopen(yes: bool) -> None:
    """Let people sign again, within 30 days, where the closing was a mistake."""
    if not yes:
        click.confirm("Let people sign again?", abort=True)
    with _told() as writing:
        reopen_campaign(writing, actor=ACTOR, now=clock.utc_now())
    click.echo("Open again. Every page says so within seconds.")
