"""`coalition moderators`."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.accounts import actions, queries
from coalition.accounts.actions import NotAllowed
from coalition.accounts.models import Moderator, Role
from coalition.db import db, transaction
from coalition.mail.address import NotAnAddress

moderator_commands = AppGroup("moderators", help="The people who run the campaign.")
ACTOR = "command line"
_mail = click.argument("mail")


def _found(mail: str) -> Moderator:
    found = queries.find_by_address(db.session(), mail)
    if found is None:
        raise click.ClickException("nobody at the desk has this address")
    return found


@moderator_commands.command("invite")
@_mail
@click.option("--name", help="As others at the desk see it; without it, what stands before the @.")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="Can be given more than once.",
)
@with_appcontext
def invite(mail: str, name: str | None, roles: tuple[str, ...]) -> None:
    """Invite somebody to the desk: a mail lets them choose a password."""
    try:
        with transaction() as session:
            actions.invite_moderator(
                session,
                mail,
                name or mail.partition("@")[0],
                [Role(role) for role in roles],
                actor=ACTOR,
                now=clock.utc_now(),
            )
    except (NotAllowed, NotAnAddress) as error:
        words = str(error) if isinstance(error, NotAllowed) else "this is not a mail address"
        raise click.ClickException(words) from error
    click.echo("An invitation is on its way, as soon as the worker runs.")


@moderator_commands.command("list")
@with_appcontext
def everybody() -> None:
    """List who is at the desk: id, name, roles, second factor."""
    for each in queries.everybody(db.session()):
        roles = ", ".join(sorted(each.role_names)) or "removed"
        proof = "second factor" if each.has_second_factor else "no second factor yet"
        click.echo(f"{each.id} {each.name}: {roles}; {proof}")


@moderator_commands.command("remove")
@_mail
@with_appcontext
def remove(mail: str) -> None:
    """Take somebody's access away, and sign them out everywhere."""
    try:
        with transaction() as session:
            actions.remove_moderator(session, _found(mail), actor=ACTOR, now=clock.utc_now())
    except NotAllowed as error:
        raise click.ClickException(str(error)) from error
    click.echo("done")


@moderator_commands.command("reset-second-factor")
@_mail
@with_appcontext
def reset_second_factor(mail: str) -> None:
    """Take somebody's second factor away, where the desk has no two administrators to do it."""
    with transaction() as session:
        actions.reset_second_factor(session, _found(mail), actor=ACTOR, now=clock.utc_now())
    click.echo("done; they set up another when they sign in")


@moderator_commands.command("start-over")
@click.confirmation_option(
    prompt="Nobody at the desk will get in until they have followed the link in their mail. Go on?"
)
@with_appcontext
def start_over() -> None:
    """Forget everybody's password and second factor, after a leak: each gets a link by mail."""
    with transaction() as session:
        number = actions.start_over(session, actor=ACTOR, now=clock.utc_now())
    click.echo(f"{number} get a link by mail, as soon as the worker runs, and begin anew with it.")
