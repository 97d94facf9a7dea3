"""`coalition campaign`: check and load a campaign's texts."""

from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.db import db, transaction
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import FILES, read_folder
from coalition.statements.queries import latest_versions
from coalition.statements.tables import CampaignInvalid

campaign_commands = AppGroup("campaign", help="Check and load a campaign's texts.")
_folder = click.argument("folder", type=click.Path(path_type=Path))


def _read(folder: Path) -> dict[str, str]:
    try:
        return read_folder(folder)
    except CampaignInvalid as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise click.exceptions.Exit(1) from error


@campaign_commands.command("check", with_appcontext=False)
@_folder
def check(folder: Path) -> None:
    """Say in one line each what is wrong with the campaign in FOLDER."""
    _read(folder)
    click.echo("The campaign is complete; nothing is wrong with it.")


@campaign_commands.command("load")
@_folder
@click.option("--if-none", is_flag=True, help="Do nothing where a campaign is published.")
@click.option("--note", default="", help="What changed, in a sentence that readers will see.")
@with_appcontext
def load(folder: Path, if_none: bool, note: str) -> None:
    """Publish the texts in FOLDER: each that changed becomes a new version."""
    if if_none and not FILES.keys() - latest_versions(db.session()).keys():
        return
    texts = _read(folder)
    with transaction() as session:
        published = publish_texts(
            session, texts, actor="command line", now=clock.utc_now(), note=note.strip()
        )
    for version in published:
        click.echo(f"published {version.slug}, version {version.version}")
    if not published:
        click.echo("Nothing has changed.")
