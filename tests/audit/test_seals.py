"""The seals: who can write the database, and has no secret, cannot hide what they did."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from coalition.app import create_app
from coalition.audit import seals
from coalition.audit.actions import record
from coalition.audit.cli import reseal_everything
from coalition.audit.models import CHAINED, SEALED, AuditEntry, AuditHead
from coalition.audit.proof import AuditBroken, Mark, Proof, digest_of, verify_chain
from coalition.audit.seals import Sealer
from coalition.crypto import Keyring, keyring
from coalition.db import db, transaction
from coalition.schema import init_migrations
from coalition.settings import Settings
from tests.auditing import begin_anew
from tests.conftest import environment, run_command
from tests.test_cli import NEW, OLD, application, with_keys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINES = 5
MANY = 20_000


def append(session: Session, number: int = 1) -> None:
    record(session, actor="somebody", action="looked", subject=f"signature {number}", now=NOW)


def line(number: int, subject: str = "") -> AuditEntry:
    return AuditEntry(
        id=number, at=NOW, actor="somebody", action="looked", subject=subject, reason=""
    )


def fill(number: int = LINES) -> None:
    with transaction() as session:
        begin_anew(session)
        for each in range(1, number + 1):
            append(session, each)


@pytest.fixture
def log(app: Flask) -> None:
    fill()


def verified(expected: Mark | None = None) -> Proof:
    db.session.remove()
    return verify_chain(db.session(), expected=expected)


def broken(because: str, expected: Mark | None = None) -> None:
    with pytest.raises(AuditBroken, match=f"^{re.escape(because)}"):
        verified(expected)


def chain_anew(session: Session, first: int, seal: Callable[[int, bytes], Any]) -> None:
    """Write the digests from line `first` on as the chain wants them: that needs no secret."""
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    previous = entries[first - 2].digest if first > 1 else b""
    for entry in entries[first - 1 :]:
        previous = digest_of(previous, entry)
        entry.digest = previous
        entry.seal = seal(entry.id, previous) or entry.seal
    head = session.scalars(select(AuditHead)).one()
    head.number, head.digest = len(entries), previous


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("changed", range(1, LINES + 1))
def test_a_chain_that_was_made_to_fit_again_without_the_secret_is_named(changed: int) -> None:
    with transaction() as session:
        session.get_one(AuditEntry, changed).reason = "another"
        chain_anew(session, changed, lambda number, digest: None)
        head = session.scalars(select(AuditHead)).one()
        head.seal = b"\x01" * 32
    broken("the head was changed")
    with transaction() as session:
        head = session.scalars(select(AuditHead)).one()
        sealer = Sealer(keyring())
        head.seal = sealer.seal(seals.of_head(head.number, head.digest))  # had they that one
    broken(f"line {changed} was changed")


@pytest.mark.usefixtures("log")
def test_a_chain_that_was_sealed_under_another_secret_is_named() -> None:
    forger = Sealer(Keyring([NEW]))
    with transaction() as session:
        session.get_one(AuditEntry, 3).actor = "nobody"
        chain_anew(session, 3, lambda n, digest: forger.seal(seals.of_line(SEALED, n, digest)))
        session.execute(update(AuditHead).values(digest=b"\x01" * 32))
    broken("the head was changed")


@pytest.mark.usefixtures("log")
def test_a_sealed_line_does_not_pass_for_one_that_is_older_than_seals() -> None:
    with transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(version=CHAINED))
    broken("line 2 was changed")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("left", range(LINES))
def test_a_tail_that_was_cut_off_is_named(left: int) -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id > left))
    broken(f"line {left + 1} is missing")


@pytest.mark.usefixtures("log")
def test_writing_on_does_not_hide_that_a_tail_was_cut_off() -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id > 3))
    with transaction() as session:
        append(session)
    broken("line 4 is missing")


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    "change",
    [{"number": 3}, {"number": 9}, {"digest": b"\x01" * 32}, {"seal": b"\x01" * 32}],
    ids=lambda change: next(iter(change)),
)
def test_a_head_that_was_changed_is_named_and_writing_on_does_not_mend_it(
    change: dict[str, Any],
) -> None:
    with transaction() as session:
        session.execute(update(AuditHead).values(**change))
    broken("the head was changed")
    with transaction() as session:
        append(session)
    broken("the head was changed")


@pytest.mark.usefixtures("log")
def test_a_tail_and_a_head_that_were_made_to_agree_without_the_secret_show() -> None:
    with transaction() as session:
        last = session.get_one(AuditEntry, 3)
        session.execute(update(AuditHead).values(number=3, digest=last.digest, seal=last.seal))
        session.execute(delete(AuditEntry).where(AuditEntry.id > 3))
    broken("the head was changed")
    with transaction() as session:
        append(session)
    broken("the head was changed")


@pytest.mark.usefixtures("log")
def test_a_head_that_was_taken_out_is_missed_and_writing_on_makes_no_new_one() -> None:
    for _ in range(2):
        with transaction() as session:
            session.execute(delete(AuditHead))
            append(session)
        broken("the head is missing")


@pytest.mark.usefixtures("log")
def test_a_log_that_was_emptied_with_its_head_does_not_begin_anew_in_silence() -> None:
    with transaction() as session:
        session.execute(delete(AuditEntry))
        session.execute(delete(AuditHead))
    broken("the head is missing")
    with transaction() as session:
        append(session)
    broken("the head is missing")


@pytest.mark.usefixtures("log")
def test_an_older_head_that_was_put_back_shows_by_the_lines_that_it_does_not_know() -> None:
    with transaction() as session:
        kept = session.execute(select(AuditHead.__table__)).one()._asdict()
        append(session)
    with transaction() as session:
        session.execute(update(AuditHead).values(**kept))
    broken("line 6 is not known to the head")
    with transaction() as session:
        append(session)
    broken("line 6 is not known to the head")


@pytest.mark.usefixtures("log")
def test_a_line_of_another_log_under_the_same_secrets_does_not_fit() -> None:
    with transaction() as session:
        other = (
            session.execute(select(AuditEntry.__table__).where(AuditEntry.id == 4)).one()._asdict()
        )
        session.execute(delete(AuditEntry).where(AuditEntry.id == 5))
        session.execute(insert(AuditEntry).values(**{**other, "id": 5}))
    broken("line 5 was changed")


@pytest.mark.usefixtures("log")
def test_a_log_that_was_set_back_as_a_whole_does_not_hold_what_was_written_down() -> None:
    """Who kept an old copy of lines and head can put it back: only a mark kept elsewhere shows it."""
    with transaction() as session:
        kept = session.execute(select(AuditHead.__table__)).one()._asdict()
    earlier = verified().end
    with transaction() as session:
        append(session)
    later = verified(earlier).end
    assert later.number == LINES + 1
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id > LINES))
        session.execute(update(AuditHead).values(**kept))
    assert verified().end == earlier
    broken("line 6 is missing: you wrote down that there were 6", later)


@pytest.mark.usefixtures("log")
def test_a_mark_of_another_log_is_not_met() -> None:
    broken("line 3 is not the one that you wrote down", Mark(3, b"\x01" * 32))


@pytest.mark.parametrize(
    "mark", ["", "5", "5:", ":" + "0" * 64, "0:" + "0" * 64, "5:" + "0" * 63, "5:" + "G" * 64, "-1:x"]
)  # fmt: skip
def test_what_is_no_mark_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="NUMBER:DIGEST"):
        Mark.parse(mark)


def test_the_command_takes_what_it_printed_and_names_what_is_wrong(
    database_url: str, app: Flask
) -> None:
    values = environment(database_url, "smtp://127.0.0.1")
    mark = run_command(values, "audit", "verify").stdout.split()[-1]
    with transaction() as session:
        append(session)
    grown = run_command(values, "audit", "verify", "--expect", mark)
    assert grown.returncode == 0, grown.stderr
    assert f"It has only grown since it had {mark.partition(':')[0]}." in grown.stdout
    other = run_command(values, "audit", "verify", "--expect", f"2:{'0' * 64}")
    assert (other.returncode, other.stdout) == (1, "")
    assert "line 2 is not the one that you wrote down" in other.stderr
    wrong = run_command(values, "audit", "verify", "--expect", "2")
    assert wrong.returncode == 2
    assert "must be NUMBER:DIGEST" in wrong.stderr


def test_lines_outlive_a_change_of_secrets_and_what_was_written_down_stays_true(
    database_url: str,
) -> None:
    with application(with_keys(database_url, OLD)):
        fill()
        mark = verified().end
    with application(with_keys(database_url, NEW, OLD)):
        assert verified(mark).number == LINES  # before the rotation
        with transaction() as session:
            append(session)
        assert verified(mark).number == LINES + 1  # of both secrets
    with application(with_keys(database_url, NEW)), pytest.raises(AuditBroken) as error:
        verified()
    assert "line 1 is sealed under a secret (fingerprint " in str(error.value)
    assert run_command(with_keys(database_url, NEW, OLD), "audit", "rekey").returncode == 0
    with application(with_keys(database_url, NEW)):
        assert verified(mark).number == LINES + 2
        with transaction() as session:
            append(session)
        assert verified(mark).number == LINES + 3


def test_rotating_the_keys_seals_the_log_too(database_url: str) -> None:
    with application(with_keys(database_url, OLD)):
        fill()
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert f"audit_entries: {LINES} lines sealed under the newest secret" in rotated.stdout
    with application(with_keys(database_url, NEW)):
        assert verified().number == LINES + 2


def test_what_is_not_genuine_is_not_sealed_anew(database_url: str) -> None:
    with application(with_keys(database_url, OLD)):
        fill()
        with transaction() as session:
            session.execute(update(AuditEntry).where(AuditEntry.id == 4).values(digest=b"1" * 32))
    for words in (["audit", "rekey"], ["keys", "rotate"]):
        result = run_command(with_keys(database_url, NEW, OLD), *words)
        assert result.returncode == 1
        assert "the audit log does not hold" in result.stderr
        assert "line 4 was changed" in result.stderr
    with application(with_keys(database_url, NEW, OLD)):
        broken("line 4 was changed")


@pytest.mark.usefixtures("log")
def test_sealing_anew_twice_changes_nothing() -> None:
    assert reseal_everything() == 0
    assert verified().number == LINES


@pytest.mark.parametrize("lines", [0, 3])
def test_lines_from_before_the_seals_keep_their_digests_and_are_sealed(
    empty_database_url: str, lines: int
) -> None:
    values = environment(empty_database_url, "smtp://127.0.0.1")
    app = create_app(Settings.from_environment(values))
    init_migrations(app)
    with app.app_context():
        flask_migrate.upgrade(revision="0002_endorsements")
        previous = b""
        with transaction() as session:
            for number in range(1, lines + 1):
                previous = digest_of(previous, line(number))
                session.execute(
                    text(
                        "INSERT INTO audit_entries (id, at, actor, action, subject, reason, digest) "
                        "VALUES (:id, :at, 'somebody', 'looked', '', '', :digest)"
                    ),
                    {"id": number, "at": _stored(NOW), "digest": previous},
                )
        flask_migrate.upgrade()
        proof = verified()
        assert (proof.number, proof.sealed_later, proof.end.digest) == (lines, lines, previous)
        with transaction() as session:
            append(session)
        assert verified().sealed_later == lines
        if lines:
            with transaction() as session:
                session.execute(update(AuditEntry).where(AuditEntry.id == 1).values(actor="x"))
            broken("line 1 was changed")
        db.session.remove()
        db.engine.dispose()


def _stored(moment: datetime) -> Any:
    """As the database's driver takes a moment in a plain statement."""
    if db.engine.dialect.name == "postgresql":
        return moment
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_a_long_log_is_read_in_pieces(app: Flask) -> None:
    sealer = Sealer(keyring())
    previous, rows = b"", []
    for number in range(1, MANY + 1):
        previous = digest_of(previous, line(number, "x" * 50))
        seal = sealer.seal(seals.of_line(SEALED, number, previous))
        rows.append(
            {
                "id": number, "at": NOW, "actor": "somebody", "action": "looked",
                "subject": "x" * 50, "reason": "", "digest": previous, "version": SEALED,
                "key": sealer.newest, "seal": seal,
            }
        )  # fmt: skip
    with transaction() as session:
        begin_anew(session)
        session.connection().execute(insert(AuditEntry.__table__), rows)
        session.execute(
            update(AuditHead).values(
                number=MANY, digest=previous, seal=sealer.seal(seals.of_head(MANY, previous))
            )
        )
    rows.clear()
    tracemalloc.start()
    try:
        assert verified().number == MANY
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    with transaction() as session:
        append(session)
    assert verified().number == MANY + 1
