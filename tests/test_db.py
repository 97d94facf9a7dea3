"""What is written is written in a transaction, and a read holds none open."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from psycopg.pq import TransactionStatus
from sqlalchemy import ColumnElement, Delete, Update, delete, select, update
from sqlalchemy.orm import Session

from coalition.db import single_statement, transaction
from coalition.petition.models import Signature, SignatureStatus
from tests.asking import states_after
from tests.engines import on_postgresql
from tests.factories import make_signature

NOBODY: ColumnElement[bool] = Signature.id == uuid4()
TAKE_BACK = update(Signature).values(status=SignatureStatus.WITHDRAWN)


def change(session: Session) -> None:
    session.scalars(select(Signature)).one().status = SignatureStatus.WITHDRAWN
    session.flush()


def change_at_once(session: Session) -> None:
    session.execute(TAKE_BACK)


def take_out(session: Session) -> None:
    session.delete(session.scalars(select(Signature)).one())
    session.flush()


def put_in(session: Session) -> None:
    make_signature(session, email="grace@example.org")


def change_and_fail() -> None:
    with transaction() as session:
        session.execute(TAKE_BACK)
        raise ZeroDivisionError


@pytest.mark.parametrize("write", [change, change_at_once, take_out, put_in])
def test_nothing_is_written_outside_of_a_transaction(
    app: Flask, session: Session, write: Callable[[Session], None]
) -> None:
    with transaction() as writing:
        make_signature(writing)
    with pytest.raises(RuntimeError, match=r"outside of transaction"):
        write(session)
    session.rollback()
    session.expire_all()
    assert session.scalars(select(Signature.status)).all() == [SignatureStatus.VERIFIED]


def test_after_a_transaction_nothing_is_written_any_more(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing)
    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    with pytest.raises(RuntimeError, match=r"outside of transaction"):
        session.execute(TAKE_BACK)
    assert session.scalars(select(Signature.status)).all() == [SignatureStatus.VERIFIED]


def test_a_transaction_does_not_nest(app: Flask, session: Session) -> None:
    with (
        pytest.raises(RuntimeError, match=r"does not nest"),
        transaction() as outer,
        transaction() as inner,
    ):
        assert inner is not outer
    with transaction() as again:
        make_signature(again)
    assert session.scalars(select(Signature.status)).all() == [SignatureStatus.VERIFIED]


@on_postgresql
@pytest.mark.parametrize("write", [delete(Signature), TAKE_BACK])
def test_a_single_statement_is_a_transaction_by_itself(app: Flask, write: Delete | Update) -> None:
    with states_after() as alone, single_statement() as connection:
        connection.execute(write.where(NOBODY))
    with states_after() as together, transaction() as session:
        session.execute(write.where(NOBODY))
    assert set(alone) == {TransactionStatus.IDLE}
    assert set(together) == {TransactionStatus.INTRANS}


@on_postgresql
def test_a_read_is_a_transaction_by_itself_before_a_write_and_after(
    app: Flask, session: Session
) -> None:
    read = select(Signature)
    with states_after() as before:
        session.execute(read)
    with transaction() as writing:
        make_signature(writing)
    with states_after() as after:
        session.execute(read)
    assert before == after == [TransactionStatus.IDLE]
