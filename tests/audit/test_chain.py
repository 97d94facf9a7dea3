"""The audit log: each line follows from the one before, and any change shows."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.audit.models import AuditEntry
from coalition.audit.proof import AuditBroken, verify_chain
from coalition.db import db, transaction
from tests.auditing import begin_anew
from tests.conftest import environment, run_command

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LINES = 5
THREADS, EACH = 4, 5


def append(session: Session, subject: str = "signature 1", **values: Any) -> AuditEntry:
    given = {"actor": "somebody", "action": "looked", "reason": "asked to", "now": NOW, **values}
    return record(session, subject=subject, **given)


@pytest.fixture
def log(app: Flask) -> None:
    """A log of LINES lines and nothing else."""
    with transaction() as session:
        begin_anew(session)
        for number in range(1, LINES + 1):
            append(session, f"signature {number}", now=NOW + timedelta(seconds=number))
    db.session.remove()


def verified() -> int:
    """What verify_chain says to somebody who has read nothing yet."""
    db.session.remove()
    return verify_chain(db.session()).number


CHANGES: dict[str, object] = {
    "at": NOW + timedelta(microseconds=1),
    "actor": "somebody else",
    "action": "looked away",
    "subject": "signature 9",
    "reason": "",
    "digest": b"\x00" * 32,
    "version": 1,
    "seal": b"\x00" * 32,
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("column", CHANGES)
def test_a_line_that_was_changed_is_named(column: str) -> None:
    assert {*CHANGES, "id", "key"} == set(AuditEntry.__table__.columns.keys())
    for line in range(1, LINES + 1):
        with transaction() as session:
            entry = session.get_one(AuditEntry, line)
            before = getattr(entry, column)
            setattr(entry, column, CHANGES[column])
        with pytest.raises(AuditBroken, match=rf"^line {line} was changed$"):
            verified()
        with transaction() as session:
            setattr(session.get_one(AuditEntry, line), column, before)
        assert verified() == LINES


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_line_that_was_taken_out_is_named(line: int) -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == line))
    with pytest.raises(AuditBroken, match=rf"^line {line} is missing$"):
        verified()


@pytest.mark.usefixtures("log")
def test_a_line_that_was_taken_out_shows_even_where_the_others_move_up() -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 3))
        for line in (4, 5):
            session.execute(update(AuditEntry).where(AuditEntry.id == line).values(id=line - 1))
    with pytest.raises(AuditBroken, match=r"^line 3 was changed$"):
        verified()


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("to", [0, -1, 99])
def test_a_line_whose_number_was_changed_shows(to: int) -> None:
    with transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(id=to))
    with pytest.raises(AuditBroken, match=r"^line [12] is missing$"):
        verified()


@pytest.mark.usefixtures("log")
def test_all_but_the_last_line_cannot_be_taken_out() -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id < LINES))
    with pytest.raises(AuditBroken, match=r"^line 1 is missing$"):
        verified()


@pytest.mark.usefixtures("log")
def test_two_lines_that_changed_places_show() -> None:
    with transaction() as session:
        for line, to in ((2, 98), (3, 2), (98, 3)):
            session.execute(update(AuditEntry).where(AuditEntry.id == line).values(id=to))
    with pytest.raises(AuditBroken, match=r"^line 2 was changed$"):
        verified()


@pytest.mark.usefixtures("log")
def test_words_cannot_move_from_one_column_to_the_next() -> None:
    with transaction() as session:
        entry = session.get_one(AuditEntry, 3)
        entry.action, entry.subject = entry.action + entry.subject, ""
    with pytest.raises(AuditBroken, match=r"^line 3 was changed$"):
        verified()


@pytest.mark.usefixtures("log")
def test_a_change_shows_to_a_session_that_has_read_the_log_before() -> None:
    session = db.session()
    kept = list(session.scalars(select(AuditEntry)))
    assert verify_chain(session).number == len(kept) == LINES
    with db.engine.begin() as other:
        other.execute(text("UPDATE audit_entries SET actor = 'nobody' WHERE id = 2"))
    session.commit()  # its next read sees the change; objects do not expire on commit
    with pytest.raises(AuditBroken, match=r"^line 2 was changed$"):
        verify_chain(session)


@pytest.mark.usefixtures("log")
def test_a_line_is_not_there_when_what_it_records_did_not_happen() -> None:
    def undone() -> None:
        with transaction() as session:
            append(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert verified() == LINES


@pytest.mark.usefixtures("app")
def test_an_empty_log_holds() -> None:
    with transaction() as session:
        begin_anew(session)
    assert verified() == 0


@pytest.mark.usefixtures("log")
def test_each_line_follows_from_the_one_before() -> None:
    with transaction() as session:
        entry = append(session, "the same")
        again = append(session, "the same")
        assert (entry.id, again.id) == (LINES + 1, LINES + 2)
        assert entry.digest != again.digest
    assert verified() == LINES + 2


@pytest.mark.usefixtures("log")
def test_a_moment_in_another_time_zone_is_kept_as_the_same_moment() -> None:
    with transaction() as session:
        append(session, now=NOW.astimezone(timezone(timedelta(hours=1))))
    assert verified() == LINES + 1


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=90)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the log may grow and grow
)
@given(st.tuples(words, words, words, words), moments)
def test_whatever_is_written_can_be_proved(
    log: None, written: tuple[str, str, str, str], now: datetime
) -> None:
    actor, action, subject, reason = written
    with transaction() as session:
        append(session, subject, actor=actor, action=action, reason=reason, now=now)
    with transaction() as session:
        count = session.scalar(select(func.count()).select_from(AuditEntry))
    assert verified() == count


@pytest.mark.usefixtures("log")
def test_many_who_write_at_once_make_one_chain(app: Flask) -> None:
    together = threading.Barrier(THREADS)
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            together.wait(30)
            for _ in range(EACH):
                with app.app_context(), transaction() as session:
                    append(session, actor=name)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"thread {n}",)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert verified() == LINES + THREADS * EACH
    counted = select(AuditEntry.actor, func.count()).group_by(AuditEntry.actor)
    found = dict(db.session.execute(counted).all())
    assert found == {"somebody": LINES} | {f"thread {n}": EACH for n in range(THREADS)}


def test_the_command_tells_whether_the_log_holds(database_url: str, app: Flask) -> None:
    values = environment(database_url, "smtp://127.0.0.1")
    with transaction() as session:
        count = session.scalar(select(func.count()).select_from(AuditEntry))
    whole = run_command(values, "audit", "verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    said, mark = whole.stdout.splitlines()
    assert said == f"The audit log holds: {count} lines."
    assert re.fullmatch(rf"Write this down elsewhere: {count}:[0-9a-f]{{64}}", mark)
    with transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(actor="nobody"))
    broken = run_command(values, "audit", "verify")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert broken.stderr == "Error: the audit log does not hold: line 2 was changed\n"
