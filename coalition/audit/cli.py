"""`coalition audit`."""

import click
from flask.cli import AppGroup, with_appcontext

from coalition.audit.actions import AuditBroken, verify_chain
from coalition.db import db

audit_commands = AppGroup("audit", help="The audit log.")


@audit_commands.command("verify")
@with_appcontext
def verify() -> None:
    """Prove that no line of the log was changed or taken out."""
    try:
        count = verify_chain(db.session())
    except AuditBroken as error:
        raise click.ClickException(f"the audit log does not hold: {error}") from error
    click.echo(f"The audit log holds: {count} lines.")
