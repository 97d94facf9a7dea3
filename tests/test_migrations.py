"""The migrations build what the models say, on both databases, up and down."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import MetaData, Table, func, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.app import create_app
from coalition.audit.actions import record
from coalition.audit.models import AuditEntry
from coalition.audit.proof import verify_chain
from coalition.db import db, is_postgresql, transaction
from coalition.endorsements.models import Endorsement
from coalition.mail.actions import block_address, queue_message
from coalition.mail.models import BlockedAddress, OutboxMessage
from coalition.petition.actions import erase_signature, withdraw_signature
from coalition.petition.bulk import decide_all
from coalition.petition.models import (
    BulkChange,
    BulkKind,
    CountEvent,
    DailyTally,
    Dimension,
    Signature,
    SignatureStatus,
)
from coalition.petition.search import Search
from coalition.petition.tally import fold, verify_tally
from coalition.schema import init_migrations
from coalition.settings import Settings
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import FILES, read_folder
from coalition.testimonies.models import Edition
from coalition.web.limit_models import LimitOverride, NetworkRule
from tests.conftest import ROOT, environment
from tests.factories import make_endorsement, make_signature


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Flask]:
    """The application on a database that nothing was done to."""
    values = environment(empty_database_url, "smtp://127.0.0.1")
    app = create_app(Settings.from_environment(values))
    init_migrations(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def versions() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text("SELECT version_num FROM alembic_version")))


def insert_rows(app: Flask) -> None:
    """A row in every table that people fill."""
    app.extensions.pop("campaign", None)  # the texts are new ones: nothing may be remembered
    now = clock.utc_now()
    with transaction() as session:
        publish_texts(session, read_folder(ROOT / "campaign"), actor="test", now=now)
    with transaction() as session:
        make_signature(session, name="Somebody Counted")
        fold(session, now=now)
    with transaction() as session:
        make_signature(session, name="Somebody Else", appeal="It was me.")
        make_endorsement(session)
        block_address(session, f"blocked-{uuid.uuid4()}@example.org", now=now)
        queue_message(session, "petition.link", details={"address": "a@example.org"}, now=now)
        record(session, actor="test", action="looked", subject="everything", now=now)
        session.add(
            LimitOverride(name="LIMIT_DOMAIN", limits="9 per hour", set_by="test", set_at=now)
        )
        rule = {"network": "203.0.113.7/32", "factor": 2, "note": "Ward 4", "set_by": "test"}
        session.add(NetworkRule(id=uuid.uuid4(), set_at=now, **rule))
        told = {"counted": 2, "limit": 2, "reason": "why", "actor": "test", "now": now}
        decide_all(session, uuid.uuid4(), BulkKind.HOLD, Search(), **told)
    for model in (
        Signature,
        Endorsement,
        CountEvent,
        DailyTally,
        BlockedAddress,
        OutboxMessage,
        AuditEntry,
        BulkChange,
        NetworkRule,
        LimitOverride,
    ):
        assert db.session.scalar(select(func.count()).select_from(model)), model
    db.session.remove()


def plain(value: object) -> Any:
    """What the database says, comparable: without the order of keys and without objects."""
    if isinstance(value, dict):
        return sorted((key, plain(each)) for key, each in value.items())
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value)


def shape() -> dict[str, dict[str, list[Any]]]:
    """What the database itself says of its tables, without the order of columns."""
    inspector = inspect(db.engine)
    questions: dict[str, Callable[[str], list[Any]]] = {
        "columns": inspector.get_columns,
        "primary key": lambda table: [inspector.get_pk_constraint(table)],
        "unique": inspector.get_unique_constraints,
        "checks": inspector.get_check_constraints,
        "foreign keys": inspector.get_foreign_keys,
        "indexes": inspector.get_indexes,
    }
    return {
        table: {
            name: sorted((plain(each) for each in ask(table)), key=str)
            for name, ask in questions.items()
        }
        for table in tables()
    }


@pytest.mark.usefixtures("empty")
def test_from_nothing_to_head_and_once_more() -> None:
    assert tables() == set()
    flask_migrate.upgrade()
    assert tables() == set(db.metadata.tables)
    first, head = shape(), versions()
    flask_migrate.upgrade()
    assert (shape(), versions()) == (first, head)
    assert len(head) == 1


def test_an_upgrade_keeps_every_row(empty: Flask) -> None:
    flask_migrate.upgrade()
    insert_rows(empty)
    flask_migrate.upgrade()
    assert db.session.scalars(select(Signature.name).order_by(Signature.signed_at)).all() == [
        "Somebody Counted",
        "Somebody Else",
    ]


@pytest.mark.usefixtures("empty")
def test_the_models_say_nothing_that_the_migrations_do_not_build() -> None:
    flask_migrate.upgrade()
    flask_migrate.check()  # exits where they differ


@pytest.mark.usefixtures("empty")
def test_the_migrations_build_the_constraints_and_indexes_of_the_models() -> None:
    # `check` does not look at check constraints, and compares little of an index.
    flask_migrate.upgrade()
    migrated = shape()
    flask_migrate.downgrade(revision="base")
    db.create_all()
    created = shape()
    assert migrated.keys() == created.keys()
    for table, found in migrated.items():
        assert found == created[table], table
    assert sum(len(found["checks"]) for found in migrated.values()) >= 8


def test_down_to_nothing_with_rows_and_up_again(empty: Flask) -> None:
    flask_migrate.upgrade()
    first = shape()
    insert_rows(empty)
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    assert versions() == []
    flask_migrate.upgrade()
    assert shape() == first
    insert_rows(empty)
    assert verify_chain(db.session()).number == len(FILES) + 3


@pytest.mark.usefixtures("empty")
def test_a_text_that_was_loaded_before_there_was_a_desk_keeps_who_loaded_it() -> None:
    flask_migrate.upgrade(revision="0003_moderators")
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO document_versions (slug, version, text, published_at, change_note) "
                "VALUES ('about', 1, 'Words.', '2026-01-01 00:00:00.000000', '')"
            )
        )
        session.execute(
            text(
                "INSERT INTO audit_entries (id, at, actor, action, subject, reason, digest) VALUES "
                "(1, '2026-01-01 00:00:00.000000', 'command line', 'text published', "
                "'about version 1', '', :digest)"
            ),
            {"digest": b"x"},
        )
    flask_migrate.upgrade(revision="0004_drafts")
    found = db.session.execute(text("SELECT published_by, loaded FROM document_versions")).one()
    assert (found.published_by, bool(found.loaded)) == ("command line", True)


@pytest.mark.usefixtures("empty")
def test_who_edited_a_testimony_before_all_editors_were_kept_is_known_as_one() -> None:
    flask_migrate.upgrade(revision="0009_care")
    people = [uuid.uuid4() for _ in range(2)]
    with transaction() as session:
        insert_edition(session, people)
    flask_migrate.upgrade(revision="0010_editors")
    with transaction() as session:
        found = session.execute(select(Edition.editors, Edition.second_by)).one()
        assert tuple(found) == (people[0].hex, people[1])
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Edition).values(first_by=people[1], second_by=people[0]))


def insert_edition(session: Session, people: list[uuid.UUID]) -> None:
    """An edited version that two people read, and its public text, in the tables of that time."""
    rows: dict[str, dict[str, object]] = {
        "document_versions": {
            "id": 1, "slug": "about", "version": 1, "text": "Words.", "change_note": "",
            "published_by": "test", "published_at": clock.utc_now(), "loaded": False,
        },
        "testimonies": {
            "id": uuid.uuid4(), "state": "published", "revision": 1, "turn": 1, "length": 9,
            "rules_version_id": 1, "state_on": date(2026, 1, 1),
        },
    }  # fmt: skip
    for who in people:
        session.add(invited(who))
    session.flush()
    for name, values in rows.items():
        insert_row(session, name, values)
    testimony_id, edition_id = rows["testimonies"]["id"], uuid.uuid4()
    readers = {"first_by": people[0], "second_by": people[1]}
    insert_row(
        session, "testimony_editions",
        {"id": edition_id, "testimony_id": testimony_id, "revision": 1, "spans": b"x", **readers},
    )  # fmt: skip
    insert_row(
        session, "published_testimonies",
        {
            "slug": "a", "testimony_id": testimony_id, "is_public": True, "edition_id": edition_id,
            "text": b"x", "may_press": False, "published_on": date(2026, 1, 1),
            "changed_on": date(2026, 1, 1), **readers,
        },
    )  # fmt: skip


def invited(number: uuid.UUID) -> Moderator:
    return Moderator(
        id=number, address_digest=number.bytes * 2, email="m@example.org", name="Mo", active=True,
        invited_at=clock.utc_now(), fs_uniquifier=number.hex,
    )  # fmt: skip


def insert_row(session: Session, table: str, values: dict[str, object]) -> None:
    """A row of a table as it is in the database now, whatever the models say."""
    if not is_postgresql(session):  # whose columns do not say that they hold a UUID
        values = {k: v.hex if isinstance(v, uuid.UUID) else v for k, v in values.items()}
    session.execute(Table(table, MetaData(), autoload_with=session.connection()).insert(), values)


def test_what_stood_aside_before_it_was_counted_is_counted(empty: Flask) -> None:
    flask_migrate.upgrade()
    with transaction() as session:
        publish_texts(session, read_folder(ROOT / "campaign"), actor="test", now=clock.utc_now())
    with transaction() as session:
        for status in (*SignatureStatus, SignatureStatus.HELD):
            make_signature(session, status=status)
        gone = [make_signature(session).id for _ in range(3)]
    with transaction() as session:
        for signature_id in gone[:2]:
            withdraw_signature(session, signature_id, now=clock.utc_now())
    with transaction() as session:
        fold(session, now=clock.utc_now())
    with transaction() as session:  # is not in the tally when the migration comes
        erase_signature(session, gone[2], now=clock.utc_now())
    flask_migrate.downgrade(revision="0010_editors")
    flask_migrate.upgrade()
    with transaction() as session:
        fold(session, now=clock.utc_now())
    assert verify_tally(db.session()) == (1, [])
    rows = db.session.execute(
        select(DailyTally.category, func.sum(DailyTally.change))
        .where(DailyTally.dimension == Dimension.ASIDE)
        .group_by(DailyTally.category)
    )
    # Of those that were withdrawn before, those that had counted are known.
    assert dict(map(tuple, rows)) == {"held": 2, "removed": 1, "withdrawn": 3}
