"""Under load, what a signature costs is how often it asks: Redis once, PostgreSQL once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile

import redis
from flask import Flask
from psycopg import Cursor
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, single_statement, transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import Signature, SignatureStatus
from coalition.petition.queries import waiting_id
from coalition.petition.signing_statements import count_waiting
from tests.asking import asked, listening, states_after
from tests.engines import on_postgresql
from tests.factories import make_signature
from tests.signing import sign
from tests.visitor import visitor_of

CACHED = 4096  # characters; psycopg reads a longer statement anew before each use (_queries.py)
WAITS = "waits@example.org"
_OWN = {"id": "gen_random_uuid()", "address_digest": "sha256(gen_random_uuid()::text::bytea)"}
_COLUMNS = [each.name for each in Signature.__table__.columns]
_TWICE_AS_MANY = text(
    f"INSERT INTO signatures ({', '.join(_COLUMNS)}) "
    f"SELECT {', '.join(_OWN.get(each, each) for each in _COLUMNS)} FROM signatures"
)
LIMITED = {
    "LIMIT_NETWORK": "100 per hour",
    "LIMIT_ADDRESS": "100 per hour; 200 per day",
    "LIMIT_DOMAIN": "100 per hour",
}
WINDOWS = 4  # of those

MakeApp = Callable[..., Flask]


def about_signing(statements: list[str]) -> list[str]:
    """Without what every process asks for itself now and then."""
    return [each for each in statements if "signatures" in each or "outbox" in each]


@contextmanager
def plans() -> Iterator[list[str]]:
    """How PostgreSQL goes about each statement."""
    found: list[str] = []

    def explain(
        connection: object, cursor: Cursor[object], statement: str, given: object, *rest: object
    ) -> None:
        with cursor.connection.cursor() as beside:
            beside.execute(f"EXPLAIN {statement}", given)
            found.append("\n".join(line for (line,) in beside))

    with listening("before_cursor_execute", explain):
        yield found


@on_postgresql
def test_a_signature_asks_postgresql_once(app: Flask) -> None:
    visitor = visitor_of(app)
    with asked() as found:
        assert sign(visitor).status == 200
    (one,) = about_signing(found)
    assert len(one) <= CACHED


@on_postgresql
def test_a_confirmation_asks_postgresql_once(app: Flask, session: Session) -> None:
    with transaction() as writing:
        signature = make_signature(writing, status=SignatureStatus.AWAITING)
    token = make_token(Purpose.CONFIRM, signature.id, clock.utc_now())
    with asked() as found, states_after() as states:
        answer = visitor_of(app).post(f"/petition/confirm/{token}", {"revision": "1"})
    assert answer.status == 200
    first = about_signing(found)[0]
    assert "INSERT INTO count_events" in first
    assert states[found.index(first)] == TransactionStatus.IDLE
    assert len(first) <= CACHED
    session.rollback()
    assert session.get_one(Signature, signature.id).status is SignatureStatus.VERIFIED
    assert not any("count_events" in each for each in found if each is not first)


@on_postgresql
def test_no_signature_is_looked_for_among_all_that_wait(app: Flask) -> None:
    """Where PostgreSQL last took note of how many wait while none did."""
    with transaction() as writing:
        make_signature(writing, status=SignatureStatus.VERIFIED)
        for _ in range(12):
            writing.execute(_TWICE_AS_MANY)
        writing.execute(text("ANALYZE signatures"))
    with transaction() as writing:
        waiting = make_signature(writing, email=WAITS, status=SignatureStatus.AWAITING)
    db.session.rollback()
    with plans() as found, single_statement() as connection:
        count_waiting(connection, waiting.id, waiting.revision, now=clock.utc_now())
    with plans() as of_code:
        waiting_id(db.session(), WAITS, now=clock.utc_now())
    assert "pk_signatures" in found[0]
    assert "address_digest" in of_code[0]
    assert "ix_signatures_status" not in found[0] + of_code[0]


def test_all_limits_of_a_signature_ask_redis_once(make_app: MakeApp, redis_url: str) -> None:
    visitor = visitor_of(make_app(REDIS_URL=redis_url, **LIMITED))
    sign(visitor)  # makes the connection
    over = "ECHO over"
    with redis.Redis.from_url(redis_url) as client, client.monitor() as monitor:
        assert sign(visitor, email="bea@example.org").status == 200
        client.execute_command(*over.split())
        told = list(takewhile(lambda each: each["command"] != over, monitor.listen()))
    asked_for = [each["command"] for each in told if each["client_type"] != "lua"]
    counted = [each for each in told if each["command"].startswith("INCRBY")]
    assert [each.split()[0] for each in asked_for] == ["EVAL"]
    assert len(counted) == WINDOWS
