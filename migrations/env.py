"""Runs the migrations, on the database of the running application."""

import time
from typing import Any

import click
from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator

from coalition.db import db, writing_engine

# A change of a table waits until everybody else is done with it, and whoever comes after waits
# behind the change: so it waits for a moment only, lets them pass, and tries again.
# Shorter than PostgreSQL's `deadlock_timeout` of a second: where it and somebody who signs wait for
# one another, the upgrade gives way.
LOCK_PATIENCE = "500ms"
LET_PASS = 3  # seconds between two tries
GIVE_UP_AFTER = 600  # seconds

metadata: MetaData = db.metadata


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Write our own column types into migrations as what the database stores."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def configure(connection: Connection | None, **options: object) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
        compare_server_default=True,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate(connection: Connection) -> None:
    """Run the migrations, each in a transaction of its own, without keeping people waiting."""
    if connection.dialect.name != "postgresql":
        configure(connection, transaction_per_migration=True)
        return
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_PATIENCE}'")
    connection.commit()
    try:
        run_patiently(connection)
    finally:
        connection.rollback()
        connection.exec_driver_sql("RESET lock_timeout")
        connection.commit()


def run_patiently(connection: Connection) -> None:
    """What was done before a try that failed stays done; the next one goes on from there."""
    give_up_at = time.monotonic() + GIVE_UP_AFTER
    while True:
        try:
            configure(connection, transaction_per_migration=True)
        except OperationalError as error:
            connection.rollback()
            if not isinstance(error.orig, LockNotAvailable) or time.monotonic() > give_up_at:
                raise
            click.echo("a table is in use; the upgrade lets others pass, and tries again", err=True)
            time.sleep(LET_PASS)
        else:
            return


with current_app.app_context(), writing_engine().connect() as connection:
    migrate(connection)
