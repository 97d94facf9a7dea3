"""The migrations: which there are, which the database has had, and `coalition db`.

Imported only where a migration is asked about: alembic and what it brings take as long to load as
half of the site.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import click
import flask_migrate.cli
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate
from sqlalchemy import Connection

from coalition.db import db

HALF = "half-a-copy"  # the version of a database that `coalition db copy` has not finished
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def init_migrations(app: Flask) -> None:
    """Let Flask-Migrate work on the application's database."""
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)


def is_current(connection: Connection) -> bool:
    """Whether the database has had every migration. Raises SQLAlchemyError."""
    return versions(connection) == newest()


def is_behind(connection: Connection) -> bool:
    """Whether the database lacks a migration. Raises SQLAlchemyError.

    One that has had migrations that this version does not know is ahead, not behind: while a new
    version is put up machine by machine, the one before it serves on.
    """
    found = versions(connection)
    return not found or HALF in found or bool(found & _all() - newest())


def versions(connection: Connection) -> frozenset[str]:
    """The last migrations that the database has had; none of a database without tables."""
    return frozenset(MigrationContext.configure(connection).get_current_heads())


@lru_cache
def newest() -> frozenset[str]:
    """The last migrations that there are."""
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


@lru_cache
def _all() -> frozenset[str]:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return frozenset(each.revision for each in scripts)


_theirs = flask_migrate.cli.db


@click.group("db", commands=_theirs.commands, help=_theirs.help, params=list(_theirs.params))
@with_appcontext
def migration_commands(**options: Any) -> None:
    init_migrations(current_app._get_current_object())  # type: ignore[attr-defined]
    _theirs.callback(**options)  # its commands look for these in Flask's `g`
