"""`coalition mail`."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Sequence
from typing import NoReturn

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from coalition import clock
from coalition.db import db, transaction
from coalition.mail import queries
from coalition.mail.actions import slow_gap
from coalition.mail.bounce_actions import Outcome, record_bounce
from coalition.mail.bounces import LARGEST, NotAMail, Report, read_bounce
from coalition.mail.failures import explain
from coalition.mail.models import OutboxMessage
from coalition.mail.sending_again import NotPossible, send_again, send_all_again
from coalition.settings import SettingsError

mail_commands = AppGroup("mail", help="Mail that waits, failed or came back.")
ACTOR = "command line"
_WORDS = {
    Outcome.RECORDED: "recorded",
    Outcome.KNOWN: "it came before",
    Outcome.UNKNOWN: "it names no mail that was sent from here: counted",
}


@mail_commands.command("bounce", with_appcontext=False)
@click.pass_context
def bounce(context: click.Context) -> None:
    """Read a mail that came back from standard input, as a mail server pipes it in.

    Ends as mail servers expect (sysexits.h): 0 taken, 65 it is no mail, 75 try again later.
    """
    data = _everything()
    try:
        report = read_bounce(data)
    except NotAMail:
        _end(os.EX_DATAERR, "this is no mail")
    except Exception as error:
        # Whatever a stranger's mail sets off: its text may name somebody.
        _end(os.EX_DATAERR, f"this mail cannot be read ({type(error).__name__})")
    if report is None:
        click.echo("not a bounce: nothing is kept of it")
        return
    try:
        app = context.ensure_object(ScriptInfo).load_app()
        outcome = _record(app, report)
    except SettingsError as error:
        _end(os.EX_TEMPFAIL, str(error))
    except SQLAlchemyError as error:
        _end(os.EX_TEMPFAIL, f"the database failed ({type(error).__name__})")
    if outcome is Outcome.TOO_EARLY:
        _end(os.EX_TEMPFAIL, "the mail that it names is being sent just now")
    click.echo(_WORDS[outcome])


def _everything() -> bytes:
    """Standard input as far as it is read; the rest is taken, so that who writes it can end."""
    stream = sys.stdin.buffer
    data = stream.read(LARGEST)
    while stream.read(LARGEST):
        pass
    return data


def _record(app: Flask, report: Report) -> Outcome:
    with app.app_context(), transaction() as session:
        return record_bounce(session, report, now=clock.utc_now())


def _end(status: int, words: str) -> NoReturn:
    click.echo(f"coalition: {words}", err=True)
    raise click.exceptions.Exit(status)


@mail_commands.command("list")
@click.option("--failed", is_flag=True, help="What failed for good, instead of what waits.")
@with_appcontext
def list_mail(failed: bool) -> None:
    """List what waits, or what failed: id, kind, tries, why; and whether anybody sends it."""
    session = db.session()
    click.echo(_worker_words(queries.pulse(session, now=clock.utc_now())))
    if failed:
        _print(queries.failed_messages(session), "Nothing failed.")
        return
    for each in queries.waiting_by_kind(session):
        click.echo(
            f"{each.kind}: {each.number} wait, {each.refused} of them refused before, "
            f"the oldest since {each.oldest:%Y-%m-%d %H:%M}"
        )
    _print(queries.stuck_messages(session), "Nothing waits after a refusal.")


def _worker_words(pulse: queries.Pulse) -> str:
    if pulse.beat_at is None:
        return "No worker has ever looked after the mail: start one."
    if not pulse.is_alive:
        return (
            f"No worker looks after the mail since {pulse.beat_at:%Y-%m-%d %H:%M} UTC: start one."
        )
    if pulse.trouble and pulse.trouble_since:
        return (
            f"A worker is there. The mail server takes no mail since "
            f"{pulse.trouble_since:%Y-%m-%d %H:%M} UTC ({pulse.trouble}: {explain(pulse.trouble).why})."
        )
    return "A worker looks after the mail."


def _print(messages: Sequence[OutboxMessage], nothing: str) -> None:
    if not messages:
        click.echo(nothing)
    for each in messages:
        failure = each.failure or ""
        click.echo(
            f"{each.id} {each.kind}, {each.attempts} tries, {failure}: {explain(failure).why}"
        )


@mail_commands.command("retry")
@click.argument("message_id", type=click.UUID, required=False)
@click.option("--refused", is_flag=True, help="Every mail that was refused, and waits.")
@with_appcontext
def retry(message_id: uuid.UUID | None, refused: bool) -> None:
    """Send a mail again that failed or waits: at once, without waiting for its next try."""
    if (message_id is None) is not refused:
        raise click.UsageError("Say one mail's id, or --refused.")
    now = clock.utc_now()
    if message_id is None:
        gap = slow_gap(current_app.extensions["settings"].mail_rate)
        with transaction() as session:
            number = send_all_again(session, gap=gap, actor=ACTOR, now=now)
        click.echo(
            f"{number} are sent, all within {number * gap.total_seconds() / 60:.0f} minutes."
        )
        return
    try:
        with transaction() as session:
            message = queries.find_message(session, message_id)
            attempts = message.attempts if message else 0
            again = send_again(session, message_id, attempts=attempts, actor=ACTOR, now=now)
    except NotPossible as error:
        raise click.ClickException(str(error)) from error
    click.echo("It is sent as soon as a worker is free." if again else "It is due already.")
