"""`coalition tally` and `coalition signatures`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.actions import record
from coalition.db import db, transaction
from coalition.mail.actions import unblock_address
from coalition.mail.address import NotAnAddress
from coalition.petition import queries
from coalition.petition.decisions import DECISIONS, NotPossible, decide
from coalition.petition.tally import fold, snapshot, tallied_signatures, verify_tally
from coalition.statements.closing import find_closing
from coalition.statements.models import Closing
from coalition.web.filters import long_date

tally_commands = AppGroup("tally", help="The public count.")
signature_commands = AppGroup("signatures", help="Moderation decisions about signatures.")
ACTOR = "command line"


@contextmanager
def _an_address() -> Iterator[None]:
    try:
        yield
    except NotAnAddress as error:
        raise click.ClickException("this is not an email address") from error


@tally_commands.command("verify")
@with_appcontext
def verify() -> None:
    """Count the signatures themselves and prove that the tally agrees."""
    session = db.session()
    snapshot(session)
    closing = find_closing(session)
    if closing and closing.deleting_since:
        click.echo(
            f"The signatures are deleted, since {long_date(closing.deleting_since)}, as the privacy "
            "notice says: the tally cannot be held against them any more."
        )
        _tell_final_number(session, closing)
        return
    total, differences = verify_tally(session)
    for each in differences:
        place = f"{each.dimension.value} {each.category}".strip()
        click.echo(f"{place}: {each.signatures} signatures, but {each.tally} in the tally")
    if differences:
        raise click.exceptions.Exit(1)
    click.echo(f"The tally agrees with the signatures: {total} verified.")
    if closing:
        _tell_final_number(session, closing)


def _tell_final_number(session: Session, closing: Closing) -> None:
    when = f"The petition was closed on {long_date(closing.closed_at)}"
    if closing.final_count is None:
        click.echo(f"{when}; the final number is not fixed yet.")
        return
    tallied = tallied_signatures(session)
    if tallied != closing.final_count:
        click.echo(f"{when} with {closing.final_count} signatures, but {tallied} in the tally")
        raise click.exceptions.Exit(1)
    click.echo(f"{when} with {closing.final_count} signatures: the final number stands.")


@tally_commands.command("fold")
@with_appcontext
def fold_now() -> None:
    """Bring the tally up to date now, without waiting for a worker."""
    with transaction() as session:
        moved = fold(session, now=clock.utc_now())
    click.echo(f"{moved} events folded")


@signature_commands.command("find")
@click.argument("address")
@with_appcontext
def find(address: str) -> None:
    """Tell the id and the status of the signature given with ADDRESS."""
    with transaction() as session, _an_address():
        signature = queries.find_by_address(session, address)
        subject = f"signature {signature.id}" if signature else "none"
        record(
            session, actor=ACTOR, action="address looked up", subject=subject, now=clock.utc_now()
        )
    if signature is None:
        raise click.ClickException("there is no signature under this address")
    click.echo(f"{signature.id} {signature.status.value}")


@signature_commands.command("unblock")
@click.argument("address")
@with_appcontext
def unblock(address: str) -> None:
    """Write to ADDRESS again, whose owner once asked that nobody do."""
    with transaction() as session, _an_address():
        if not unblock_address(session, address):
            raise click.ClickException("this address is not blocked")
        record(session, actor=ACTOR, action="address unblocked", subject="", now=clock.utc_now())
    click.echo("done")


@signature_commands.command("held")
@with_appcontext
def held() -> None:
    """List what waits for a decision: id, since when, whether there is an appeal."""
    waiting = queries.held_signatures(db.session())
    if not waiting:
        click.echo("Nothing waits for a decision.")
    for signature in waiting:
        appeal = "appealed" if signature.appeal else ""
        click.echo(f"{signature.id} {signature.status_changed_at:%Y-%m-%d %H:%M} {appeal}".strip())


def _add_decision(name: str) -> None:
    @signature_commands.command(name, help=f"{name.capitalize()} a signature, and tell its owner.")
    @click.argument("signature_id", type=click.UUID)
    @click.option("--reason", required=True, help="Shown to the signatory, and to the audit log.")
    @with_appcontext
    def command(signature_id: uuid.UUID, reason: str) -> None:
        try:
            with transaction() as session:
                decide(
                    session,
                    DECISIONS[name],
                    signature_id,
                    reason=reason,
                    actor=ACTOR,
                    now=clock.utc_now(),
                )
        except NotPossible as error:
            raise click.ClickException(str(error)) from error
        click.echo("done")


for _name in DECISIONS:
    _add_decision(_name)
