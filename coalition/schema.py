"""The migrations: which there are, which the database has had, and `coalition db`.

Imported only where a migration is asked about: alembic and what it brings take as long to load as
half of the site.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import click
import flask_migrate.cli
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate
from sqlalchemy import Connection

from coalition.db import db

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def init_migrations(app: Flask) -> None:
    """Let Flask-Migrate work on the application's database."""
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)


def is_current(connection: Connection) -> bool:
    """Whether the database has had every migration. Raises SQLAlchemyError."""
    return set(MigrationContext.configure(connection).get_current_heads()) == _newest()


@lru_cache
def _newest() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


@click.group("db", commands=flask_migrate.cli.db.commands, help=flask_migrate.cli.db.help)
@with_appcontext
def migration_commands() -> None:
    init_migrations(current_app._get_current_object())  # type: ignore[attr-defined]
