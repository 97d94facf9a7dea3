"""`coalition archive`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from coalition import clock
from coalition.pages.archive import (
    CannotArchive,
    read_archive,
    refuse_what_is_not_empty,
    write_archive,
)


@click.command("archive")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@with_appcontext
def archive(folder: Path) -> None:
    """Write the public pages of a closed petition into DIR, as files for any web server."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        refuse_what_is_not_empty(folder)  # at once, not after all is read
        made = read_archive(app, now=clock.utc_now())
        write_archive(made, folder)
    except CannotArchive as error:
        raise click.ClickException(f"no archive was made: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    for link in sorted(made.dead):
        click.echo(f"{link}: nothing is there for everybody; links to it are plain words", err=True)
    click.echo(f"{len(made.files)} files are in {folder}.")
