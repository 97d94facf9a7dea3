"""`coalition campaign`: check, load and export a campaign's texts."""

from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.db import db, transaction
from coalition.statements.actions import lock_texts, publish_texts
from coalition.statements.campaign import FILES, read_folder
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import changed_at_desk, latest_versions
from coalition.statements.tables import CampaignInvalid
from coalition.web.filters import long_date

campaign_commands = AppGroup("campaign", help="Check, load and export a campaign's texts.")
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
@click.option(
    "--replace",
    "replaced",
    multiple=True,
    metavar="NAME",
    type=click.Choice(list(FILES)),
    help="Publish this text from FOLDER although it was changed at the desk. May be repeated.",
)
@click.option("--replace-all", is_flag=True, help="The same for every text.")
@with_appcontext
def load(
    folder: Path, if_none: bool, note: str, replaced: tuple[str, ...], replace_all: bool
) -> None:
    """Publish the texts in FOLDER: each that changed becomes a new version.

    What was published at the desk since is not replaced, unless you say so.
    """
    if if_none and not FILES.keys() - latest_versions(db.session()).keys():
        return
    texts = _read(folder)
    with transaction() as session:
        lock_texts(session)
        kept = {
            slug: version
            for slug, version in changed_at_desk(session).items()
            if version.text != texts[slug] and not (replace_all or slug in replaced)
        }
        if kept:
            _refuse(kept)
        published = publish_texts(
            session, texts, actor="command line", now=clock.utc_now(), note=note.strip()
        )
    for version in published:
        click.echo(f"published {version.slug}, version {version.version}")
    if not published:
        click.echo("Nothing has changed.")


def _refuse(kept: dict[str, DocumentVersion]) -> None:
    for slug, version in kept.items():
        click.echo(
            f"{slug}: version {version.version}, published at the desk on "
            f"{long_date(version.published_at)}, differs from what was loaded last and from "
            f"{FILES[slug]}",
            err=True,
        )
    click.echo(
        "Nothing was loaded. `coalition campaign export FOLDER` writes what is published now as "
        "files. To publish yours instead: --replace NAME for each, or --replace-all. The versions "
        "that they replace stay in the history.",
        err=True,
    )
    raise click.exceptions.Exit(1)


@campaign_commands.command("export")
@_folder
@click.option("--replace-all", is_flag=True, help="Write over files in FOLDER that differ.")
@with_appcontext
def export(folder: Path, replace_all: bool) -> None:
    """Write the texts that are published now as files into FOLDER, as `load` reads them."""
    texts = {slug: row.text for slug, row in latest_versions(db.session()).items() if slug in FILES}
    if not texts:
        raise click.ClickException("no campaign is published yet")
    files = {folder / FILES[slug]: text.encode() for slug, text in texts.items()}
    different = [path for path, data in files.items() if path.exists() and _differs(path, data)]
    if different and not replace_all:
        for path in different:
            click.echo(f"{path}: this file is there already, and differs", err=True)
        raise click.ClickException("nothing was written; --replace-all writes over these files")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    click.echo(f"wrote {len(files)} files to {folder}")


def _differs(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() != data
    except OSError:
        return True
