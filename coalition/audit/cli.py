"""`coalition audit`."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.audit.actions import record, reseal_some
from coalition.audit.proof import AuditBroken, Mark, verify_chain
from coalition.db import db, transaction

audit_commands = AppGroup("audit", help="The audit log.")
ACTOR = "command line"


def _mark(context: click.Context, option: click.Parameter, text: str | None) -> Mark | None:
    try:
        return Mark.parse(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@audit_commands.command("verify")
@click.option(
    "--expect",
    metavar="NUMBER:DIGEST",
    callback=_mark,
    help="What an earlier proof printed: the log must have only grown since.",
)
@with_appcontext
def verify(expect: Mark | None) -> None:
    """Prove that no line of the log was changed or taken out."""
    try:
        proof = verify_chain(db.session(), expected=expect)
    except AuditBroken as error:
        raise click.ClickException(f"the audit log does not hold: {error}") from error
    click.echo(f"The audit log holds: {proof.number} lines.")
    if proof.sealed_later:
        click.echo(f"{proof.sealed_later} of them are older than their seals.")
    if expect:
        click.echo(f"It has only grown since it had {expect.number}.")
    if proof.number:
        click.echo(f"Write this down elsewhere: {proof.end}")


@audit_commands.command("rekey")
@with_appcontext
def rekey() -> None:
    """Seal every line under the newest secret, so that older ones can go."""
    try:
        number = reseal_everything()
    except AuditBroken as error:
        raise click.ClickException(
            f"the audit log does not hold, and was not sealed anew: {error}"
        ) from error
    click.echo(f"audit_entries: {number} lines sealed under the newest secret")


def reseal_everything() -> int:
    """Seal what older secrets sealed, some lines at a time, so that others can write meanwhile.

    Returns how many lines, and writes that down. Raises AuditBroken.
    """
    total = last = 0
    while True:
        with transaction() as session:
            lines = reseal_some(session, after=last)
        if not lines:
            break
        total, last = total + len(lines), lines[-1]
    if total:
        with transaction() as session:
            record(
                session,
                actor=ACTOR,
                action="audit log sealed anew",
                subject=f"{total} lines",
                now=clock.utc_now(),
            )
    return total
