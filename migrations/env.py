"""Runs the migrations, on the database of the running application."""

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from coalition.db import db

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


with current_app.app_context(), db.engine.connect() as connection:
    configure(connection, transaction_per_migration=True)
