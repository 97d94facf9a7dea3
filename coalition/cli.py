"""The `coalition` command."""

from __future__ import annotations

import os
import sys

import click
from flask import current_app
from flask.cli import FlaskGroup, ScriptInfo, routes_command, shell_command, with_appcontext
from sqlalchemy.exc import DBAPIError

from coalition.accounts.cli import moderator_commands
from coalition.app import create_app
from coalition.audit.cli import audit_commands
from coalition.doctor import doctor
from coalition.endorsements.cli import endorsement_commands
from coalition.keys import key_commands
from coalition.mail.cli import mail_commands
from coalition.pages.cli import archive
from coalition.petition.cli import signature_commands, tally_commands
from coalition.petition.closing_cli import close, reopen
from coalition.press.cli import press_commands
from coalition.retention import retention_commands
from coalition.serve import serve
from coalition.settings import SettingsError
from coalition.statements.cli import campaign_commands
from coalition.web.logs import LOG_FORMAT_VARIABLE, set_up_logs
from coalition.worker import run_worker

MIGRATIONS = "db"


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Send mail, fold the count, delete what is past its time."""
    run_worker(current_app._get_current_object())  # type: ignore[attr-defined]


class CoalitionGroup(FlaskGroup):
    """The command's group; it lists its commands even while a setting is missing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        try:
            ctx.ensure_object(ScriptInfo).load_app()
        except SettingsError:
            found = super(FlaskGroup, self).list_commands(ctx)
        else:
            found = super().list_commands(ctx)
        return sorted({*found, MIGRATIONS})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == MIGRATIONS:
            from coalition.copying import copy  # noqa: PLC0415 (it takes long)
            from coalition.schema import migration_commands  # noqa: PLC0415

            migration_commands.add_command(copy)
            return migration_commands
        return super().get_command(ctx, name)

    def _load_plugin_commands(self) -> None:
        """Nothing: other packages' commands are not ours, and loading them takes long."""


# Without Flask's own `run`: the site is only ever served by the production server.
group = CoalitionGroup(
    name="coalition",
    help="Run a petition and coalition site.",
    create_app=create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    set_debug_flag=False,
)
for command in (
    routes_command,
    shell_command,
    serve,
    worker,
    doctor,
    campaign_commands,
    archive,
    tally_commands,
    signature_commands,
    endorsement_commands,
    moderator_commands,
    audit_commands,
    mail_commands,
    retention_commands,
    press_commands,
    key_commands,
):
    group.add_command(command)
for command in (close, reopen):
    campaign_commands.add_command(command)


def main() -> None:
    """Run the command; a wrong setting ends it with one line."""
    set_up_logs(os.environ.get(LOG_FORMAT_VARIABLE))
    try:
        group.main(prog_name="coalition")
    except SettingsError as error:
        click.echo(f"coalition: {error}", err=True)
        sys.exit(2)
    except DBAPIError as error:
        # Not its text: that may hold what somebody typed.
        click.echo(
            f"coalition: the database failed ({type(error.orig).__name__}); is it there, and is "
            "`coalition db upgrade` done?",
            err=True,
        )
        sys.exit(3)


if __name__ == "__main__":
    main()
