"""`coalition endorsements`: the queue, decisions, and the import of supporters."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.audit.actions import record
from coalition.db import db, transaction
from coalition.endorsements import decisions, queries
from coalition.endorsements.decisions import NotPossible
from coalition.endorsements.importing import ImportRefused, import_rows, problems_with, read_rows
from coalition.endorsements.models import DeclineCode
from coalition.statements.queries import current_campaign

endorsement_commands = AppGroup("endorsements", help="Supporter organisations.")
ACTOR = "command line"
_id = click.argument("endorsement_id", type=click.UUID)
_entry = click.option("--entry", type=click.UUID, required=True, help="What you read, by `show`.")
_words = click.option("--words", required=True, help="Its contact reads them; so does the log.")


@contextmanager
def _decision() -> Iterator[None]:
    try:
        yield
    except NotPossible as error:
        raise click.ClickException(str(error)) from error
    click.echo("done")


@endorsement_commands.command("list")
@with_appcontext
def waiting() -> None:
    """List what waits for a decision: id, since when, whether it is new, name."""
    found = queries.queue(db.session())
    if not found:
        click.echo("Nothing waits for a decision.")
    for each in found:
        what = "edit" if each.is_edit else "new"
        since = f"{each.entry.proposed_at:%Y-%m-%d %H:%M}"
        click.echo(f"{each.endorsement.id} {since} {what} {each.entry.name}")


@endorsement_commands.command("show")
@_id
@with_appcontext
def show(endorsement_id: uuid.UUID) -> None:
    """Show what an organisation sent, its contact, and what to look at before deciding.

    Reading it is written to the audit log.
    """
    with transaction() as session:
        endorsement = queries.find_endorsement(session, endorsement_id)
        entry = queries.find_entry(session, endorsement_id)
        if endorsement is None or entry is None:
            raise click.ClickException("there is no such endorsement")
        flags = queries.flags_of(session, endorsement, entry)
        record(
            session,
            actor=ACTOR,
            action="endorsement: read",
            subject=f"endorsement {endorsement_id}",
            now=clock.utc_now(),
        )
    lines = {
        "Entry": str(entry.id),
        "State": endorsement.status.value.replace("_", " "),
        "Name": entry.name,
        "Website": entry.website,
        "Kind": entry.kind.value,
        "Nation": entry.nation.value,
        "Logo": entry.logo_alt,
        "Contact": ", ".join(
            filter(
                None,
                (endorsement.contact_name, endorsement.contact_role, endorsement.contact_email),
            )
        ),
        "Asked or decided": endorsement.decision_words,
        "Its answer": endorsement.appeal,
    }
    for name, value in lines.items():
        click.echo(f"{name}: {value or '-'}")
    click.echo(f"\n{entry.words or '(no words of its own)'}\n")
    for flag in flags:
        click.echo(f"! {flag}")


@endorsement_commands.command("approve")
@_id
@_entry
@click.option("--reason", default="", help="For the audit log.")
@with_appcontext
def approve(endorsement_id: uuid.UUID, entry: uuid.UUID, reason: str) -> None:
    """Publish what an organisation sent, and tell its contact."""
    with _decision(), transaction() as session:
        decisions.approve(
            session,
            endorsement_id,
            entry_id=entry,
            actor=ACTOR,
            reason=reason,
            now=clock.utc_now(),
        )


@endorsement_commands.command("ask")
@_id
@_words
@with_appcontext
def ask(endorsement_id: uuid.UUID, words: str) -> None:
    """Ask an organisation's contact for something before deciding."""
    with _decision(), transaction() as session:
        decisions.ask_for_more(
            session, endorsement_id, words=words, actor=ACTOR, now=clock.utc_now()
        )


@endorsement_commands.command("decline")
@_id
@click.option("--code", type=click.Choice([each.value for each in DeclineCode]), required=True)
@_entry
@_words
@with_appcontext
def decline(endorsement_id: uuid.UUID, code: str, entry: uuid.UUID, words: str) -> None:
    """Do not publish what an organisation sent, and tell its contact why."""
    with _decision(), transaction() as session:
        decisions.decline(
            session,
            endorsement_id,
            entry_id=entry,
            code=DeclineCode(code),
            words=words,
            actor=ACTOR,
            now=clock.utc_now(),
        )


@endorsement_commands.command("remove")
@_id
@_words
@with_appcontext
def remove(endorsement_id: uuid.UUID, words: str) -> None:
    """Take an organisation off the list, and tell its contact why."""
    with _decision(), transaction() as session:
        decisions.remove(session, endorsement_id, words=words, actor=ACTOR, now=clock.utc_now())


@endorsement_commands.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file, and change nothing.")
@click.option("--invite", is_flag=True, help="Ask those with a contact to confirm by mail.")
@with_appcontext
def import_file(file: Path, dry_run: bool, invite: bool) -> None:
    """Put the organisations in FILE, a CSV, on the list: all of them, or none.

    They are marked as recorded by the coalition until their contact confirms.
    """
    now = clock.utc_now()
    try:
        rows = read_rows(file, today=clock.day_in_uk(now))
        if dry_run:
            if problems := problems_with(db.session(), rows):
                raise ImportRefused(problems)
            click.echo(f"{len(rows)} organisations could be imported; nothing was changed.")
            return
        version_id = current_campaign().statement.version_id
        with transaction() as session:
            import_rows(
                session,
                rows,
                statement_version_id=version_id,
                invite=invite,
                actor=ACTOR,
                now=now,
            )
    except ImportRefused as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise click.exceptions.Exit(1) from error
    click.echo(f"{len(rows)} organisations are on the list, as recorded by the coalition.")
