"""`coalition db copy`: every row into another database, and back."""

from __future__ import annotations

import hashlib
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from coalition import clock
from coalition.audit.proof import verify_chain
from coalition.copying import HALF, half_copy
from coalition.db import db, transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import CountEvent, Region
from coalition.petition.queries import find_by_address
from coalition.petition.tally import fold, verify_tally
from coalition.stored import (
    SPELLING,
    Sum,
    spell,
    spell_json,
    stored_engine,
    stored_tables,
    sum_up,
)
from tests.commands import Started, run_coalition
from tests.conftest import Postgres, environment, run_command, running
from tests.copying import all_rows, fill_every_table
from tests.engines import DATABASES
from tests.factories import make_signature
from tests.handing_in import sign_many
from tests.signing import sign
from tests.test_cli import application
from tests.visitor import visitor_of

MANY = 6_000  # enough to be killed in the middle of
MAIL = "smtp://127.0.0.1"
MakeTarget = Callable[..., str]


@pytest.fixture(scope="session")
def without_rows(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database as `coalition db upgrade` makes it."""
    path = tmp_path_factory.mktemp("upgraded") / "upgraded.db"
    done = run_command(environment(f"sqlite:///{path}", MAIL), "db", "upgrade")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="session")
def without_rows_there(postgres: Postgres) -> str:
    """The name of a PostgreSQL database as `coalition db upgrade` makes it."""
    url = postgres.create("template1")
    done = run_command(environment(url, MAIL), "db", "upgrade")
    assert done.returncode == 0, done.stderr
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def make_target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeTarget]:
    """Makes a database that has all tables and no rows."""
    with ExitStack() as stack:

        def make(engine: str) -> str:
            if engine == "sqlite":
                path = tmp_path / "target.db"
                shutil.copy(request.getfixturevalue("without_rows"), path)
                return f"sqlite:///{path}"
            server: Postgres = request.getfixturevalue("postgres")
            template = request.getfixturevalue("without_rows_there")
            return stack.enter_context(server.database(template))

        yield make


@pytest.fixture(params=DATABASES)
def target_url(request: pytest.FixtureRequest, make_target: MakeTarget) -> str:
    return make_target(request.param)


@pytest.fixture
def other_engine_url(database_url: str, make_target: MakeTarget) -> str:
    return make_target("postgresql" if database_url.startswith("sqlite") else "sqlite")


def copy(source: str, target: str, **changes: str) -> tuple[int, str, str]:
    """What `coalition db copy` ended with, printed and complained."""
    done = run_command(environment(source, MAIL, **changes), "db", "copy", "--to", target)
    return done.returncode, done.stdout, done.stderr


def refusal(source: str, target: str) -> str:
    """The one line that says why nothing was copied."""
    code, _, complained = copy(source, target)
    assert code == 1, complained
    (line,) = complained.splitlines()
    assert line.startswith("Error: ")
    return line


def run_sql(url: str, *statements: str) -> None:
    with stored_engine(url).connect() as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement))


def read_sql(url: str, statement: str) -> object:
    with stored_engine(url).connect() as connection:
        return connection.scalar(text(statement))


def is_untouched(url: str) -> bool:
    rows = all_rows(url)
    return {name for name, found in rows.items() if found} == {"audit_head"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must start with sqlite:/// or postgresql://"),
        ("mysql://there/site", "must start with sqlite:/// or postgresql://"),
        ("sqlite:///", "must name a file"),
        ("postgresql://there:port/site", "is not an address that can be read"),
    ],
)
def test_an_address_that_is_none_is_refused(database_url: str, url: str, words: str) -> None:
    assert words in refusal(database_url, url)


def test_a_file_that_is_not_there_is_not_made(database_url: str, tmp_path: Path) -> None:
    assert "there is no database at" in refusal(database_url, f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_does_not_answer_is_told_without_its_password(database_url: str) -> None:
    line = refusal(database_url, "postgresql://ada:a-password@127.0.0.1:1/site")
    assert "does not answer" in line
    assert "a-password" not in line


def test_a_database_is_not_copied_into_itself(database_url: str) -> None:
    before = all_rows(database_url)
    assert "is this one" in refusal(database_url, database_url)
    assert all_rows(database_url) == before


def test_a_second_name_of_the_same_file_is_still_itself(
    prepared_sqlite: Path, tmp_path: Path
) -> None:
    one = shutil.copy(prepared_sqlite, tmp_path / "one.db")
    (tmp_path / "other.db").symlink_to(one)
    assert "is this one" in refusal(f"sqlite:///{one}", f"sqlite:///{tmp_path}/other.db")


def test_a_database_without_tables_is_refused(database_url: str, empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        run_sql(empty_database_url, "CREATE TABLE other (id INTEGER)")
    line = refusal(database_url, empty_database_url)
    assert "has no tables" in line
    assert "`coalition db upgrade`" in line


def test_another_version_of_the_tables_is_refused(database_url: str, other_engine_url: str) -> None:
    run_sql(other_engine_url, "UPDATE alembic_version SET version_num = '0011_press'")
    assert "another version of the tables (0011_press)" in refusal(database_url, other_engine_url)
    assert is_untouched(other_engine_url)


def test_a_source_that_lacks_a_migration_is_refused(
    database_url: str, other_engine_url: str
) -> None:
    run_sql(database_url, "UPDATE alembic_version SET version_num = '0011_press'")
    assert "this database needs `coalition db upgrade` first" in refusal(
        database_url, other_engine_url
    )
    assert is_untouched(other_engine_url)


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("unknown_bounces", "INSERT INTO unknown_bounces (day, number) VALUES ('2026-01-01', 1)"),
        ("audit_head", "UPDATE audit_head SET number = 1"),
    ],
)
def test_a_target_with_a_single_row_is_refused(
    database_url: str, other_engine_url: str, table: str, statement: str
) -> None:
    run_sql(other_engine_url, statement)
    before = all_rows(other_engine_url)
    assert f"is not empty ({table}: 1); nothing was copied" in refusal(
        database_url, other_engine_url
    )
    assert all_rows(other_engine_url) == before
    assert read_sql(other_engine_url, "SELECT version_num FROM alembic_version") != HALF


def test_a_site_that_is_in_use_is_no_target(
    database_url: str, make_target: MakeTarget, prepared_sqlite: Path, tmp_path: Path
) -> None:
    path = shutil.copy(prepared_sqlite, tmp_path / "used.db")
    assert "is not empty" in refusal(database_url, f"sqlite:///{path}")


@pytest.mark.parametrize("engine", DATABASES)
def test_every_table_arrives_with_every_value_as_it_was(
    database_url: str, make_target: MakeTarget, engine: str
) -> None:
    fill_every_table(database_url)
    before = all_rows(database_url)
    assert all(before.values())
    target = make_target(engine)
    code, told, complained = copy(database_url, target)
    assert code == 0, complained
    total = sum(rows.total() for rows in before.values())
    assert told.splitlines()[-1] == (
        f"{total} rows of {len(before)} tables are copied, and both databases agree."
    )
    assert all_rows(target) == before == all_rows(database_url)
    assert (
        run_command(environment(target, MAIL), "db", "current").stdout.split()
        == run_command(environment(database_url, MAIL), "db", "current").stdout.split()
    )
    with stored_engine(target).connect() as connection:
        assert not connection.dialect.has_table(connection, half_copy.name)


def test_there_and_back_again_is_the_same(database_url: str, make_target: MakeTarget) -> None:
    fill_every_table(database_url)
    one, other = make_target("sqlite"), make_target("postgresql")
    assert copy(database_url, other)[0] == 0
    assert copy(other, one)[0] == 0
    assert all_rows(one) == all_rows(database_url)


def test_a_site_goes_on_where_it_was_copied_to(database_url: str, target_url: str) -> None:
    with application(environment(database_url, MAIL)) as app:
        with transaction() as session:
            for number in range(30):
                make_signature(session, email=f"copied{number}@example.org", region=Region.WALES)
            fold(session, now=clock.utc_now())
        sign(visitor_of(app))
        with transaction() as session:  # events that were not folded yet have numbers
            known = make_signature(session, email="grace@example.org", name="Grace Fictional")
        link = f"/petition/signature/{make_token(Purpose.MANAGE, known.id, clock.utc_now())}"
        last = db.session.scalar(select(func.max(CountEvent.id)))
    assert last
    assert copy(database_url, target_url)[0] == 0
    with application(environment(target_url, MAIL)) as app:
        visitor = visitor_of(app)
        assert "Grace Fictional" in visitor.get(link).text
        assert sign(visitor, email="new@example.org").status == 200
        with transaction() as session:
            assert find_by_address(session, "ada@example.org")
            assert find_by_address(session, "new@example.org")
            make_signature(session)
            assert session.scalar(select(func.max(CountEvent.id))) > last
            fold(session, now=clock.utc_now())
            assert verify_tally(session) == (32, [])
            assert verify_chain(session).number
        assert visitor.get("/readyz").status == 200
    for words in (("tally", "verify"), ("audit", "verify")):
        done = run_command(environment(target_url, MAIL), *words)
        assert done.returncode == 0, done.stderr


def stop_halfway(source: str, target: str) -> None:
    """Begin a copy that ends at a table which the other database has in another shape."""
    fill_every_table(source)
    run_sql(target, "ALTER TABLE complaints RENAME COLUMN details TO away")
    line = refusal(source, target)
    assert "nothing is lost: the same command goes on where it stopped" in line
    run_sql(target, "ALTER TABLE complaints RENAME COLUMN away TO details")
    assert read_sql(target, "SELECT count(*) FROM signatures") == 1
    assert read_sql(target, "SELECT count(*) FROM complaints") == 0


def test_half_a_copy_is_no_site_and_no_source(database_url: str, other_engine_url: str) -> None:
    stop_halfway(database_url, other_engine_url)
    with application(environment(other_engine_url, MAIL)) as app:
        assert visitor_of(app).get("/readyz").status == 503
    upgrade = run_command(environment(other_engine_url, MAIL), "db", "upgrade")
    assert upgrade.returncode != 0
    assert HALF in upgrade.stderr
    assert "this database is itself half a copy" in refusal(other_engine_url, database_url)
    assert copy(database_url, other_engine_url)[0] == 0
    assert all_rows(other_engine_url) == all_rows(database_url)
    assert "is not empty" in refusal(database_url, other_engine_url)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE signatures SET revision = 8", "signatures: 1 rows, not all the same"),
        ("DELETE FROM unknown_bounces", "unknown_bounces: 1 rows, then 0)"),
        (
            "INSERT INTO unknown_bounces (day, number) VALUES ('2020-01-01', 1)",
            "unknown_bounces: 1 rows, then 2)",
        ),
    ],
)
def test_a_row_that_changes_in_the_copy_is_found(
    database_url: str, other_engine_url: str, statement: str, words: str
) -> None:
    stop_halfway(database_url, other_engine_url)
    run_sql(other_engine_url, statement)
    for _ in range(2):  # it stays half a copy, and says so as often as it is asked
        line = refusal(database_url, other_engine_url)
        assert "the copy is not what was read" in line
        assert words in line
        assert read_sql(other_engine_url, "SELECT version_num FROM alembic_version") == HALF


@pytest.mark.parametrize(
    "statement", ["UPDATE signatures SET revision = 8", "DELETE FROM unknown_bounces"]
)
def test_half_a_copy_of_something_else_is_not_gone_on_with(
    database_url: str, other_engine_url: str, statement: str
) -> None:
    stop_halfway(database_url, other_engine_url)
    before = all_rows(other_engine_url)
    run_sql(database_url, statement)
    line = refusal(database_url, other_engine_url)
    assert f"before it was written to ({'signatures' if 'sign' in statement else 'unknown'}" in line
    assert "empty it and begin anew" in line
    assert all_rows(other_engine_url) == before


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x" * 201, "StringDataRightTruncation"), ("a\0b", "DataError")],
    ids=["too long", "NUL"],
)
def test_a_row_that_postgresql_does_not_take_is_named_by_its_key_alone(
    prepared_sqlite: Path, tmp_path: Path, make_target: MakeTarget, value: str, kind: str
) -> None:
    source = f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'site.db')}"
    target = make_target("postgresql")
    fill_every_table(source)
    with stored_engine(source).connect() as connection, connection.begin():
        connection.execute(text("UPDATE hand_ins SET asked_by = :value"), {"value": value})
    line = refusal(source, target)
    assert "does not take the row of hand_ins with id 80000000-0000-0000-0000-000000000007" in line
    assert f"({kind})" in line
    assert value not in line
    run_sql(source, "UPDATE hand_ins SET asked_by = 'moderator 1'")
    assert "before it was written to (hand_ins)" in refusal(source, target)


@contextmanager
def in_the_middle(source: str, target: str, log: Path) -> Iterator[Started]:
    """A copy of many signatures, some of which are there."""
    with application(environment(source, MAIL)), transaction() as session:
        sign_many(session, MANY)
    with running(environment(source, MAIL), "db", "copy", "--to", target, log=log) as process:
        deadline = time.monotonic() + 60
        while not signatures_in(target):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield process


def signatures_in(url: str) -> int:
    found = read_sql(url, "SELECT count(*) FROM signatures")
    assert isinstance(found, int)
    return found


def test_a_copy_that_was_killed_goes_on_where_it_was(
    database_url: str, other_engine_url: str, tmp_path: Path
) -> None:
    with in_the_middle(database_url, other_engine_url, tmp_path / "copy.log") as process:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    done = signatures_in(other_engine_url)
    assert 0 < done < MANY
    with stored_engine(other_engine_url).connect() as connection:
        table = half_copy.c.table_name == "signatures"
        assert connection.scalar(select(half_copy.c.copied).where(table)) == done
    code, _, complained = copy(database_url, other_engine_url)
    assert code == 0, complained
    assert all_rows(other_engine_url) == all_rows(database_url)


def test_a_signature_that_comes_in_meanwhile_is_noticed(
    database_url: str, other_engine_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "copy.log"
    with in_the_middle(database_url, other_engine_url, log) as process:
        with application(environment(database_url, MAIL)), transaction() as session:
            make_signature(session)
        assert process.wait(120) == 1
    assert "this database was written to while it was copied" in log.read_text()
    assert f"signatures: {MANY} rows, then {MANY + 1})" in log.read_text()
    assert "before it was written to" in refusal(database_url, other_engine_url)


def test_two_copies_at_once_do_not_mix(
    database_url: str, other_engine_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "copy.log"
    with in_the_middle(database_url, other_engine_url, log) as process:
        second, _, complained = copy(database_url, other_engine_url)
        first = process.wait(120)
    # Whichever comes too late stops, with one line, and that may be the one that began first; the
    # other one, or the next, makes it whole.
    assert {first, second} in ({0, 1}, {1}), complained
    stopped = log.read_text() if first else complained
    assert [line.startswith("Error: ") for line in stopped.splitlines()].count(True) == 1
    if first and second:
        assert copy(database_url, other_engine_url)[0] == 0
    assert all_rows(other_engine_url) == all_rows(database_url)


def test_a_password_need_not_stand_on_the_command_line(
    database_url: str, other_engine_url: str
) -> None:
    values = environment(database_url, MAIL)
    done = run_coalition(("db", "copy", "--to", "-"), values, f"{other_engine_url}\n".encode())
    assert done.returncode == 0, done.stderr
    assert all_rows(other_engine_url) == all_rows(database_url)


def test_the_checksum_is_what_its_description_says(database_url: str) -> None:
    fill_every_table(database_url)
    table = next(each for each in stored_tables() if each.name == "unknown_bounces")
    spelled = sorted({"day": b"d2026-02-28", "number": b"i7"}.items())
    row = b"".join(len(value).to_bytes(8) + value for _, value in spelled)
    told: list[int] = []
    with stored_engine(database_url).connect() as connection:
        found = sum_up(connection, table, told.append)
    assert found == Sum(1, hashlib.sha256(row).hexdigest())
    assert sum(told) == 1


def test_values_that_differ_are_spelled_differently() -> None:
    day = date(2026, 1, 1)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    values = [None, False, True, 0, 1, "", "1", b"", b"1", UUID(int=1), day, moment]
    values.append(moment + timedelta(microseconds=1))
    assert len({spell(value) for value in values}) == len(values)
    assert {type(value) for value in values} == set(SPELLING)
    assert spell(moment.astimezone(timezone(timedelta(hours=1)))) == spell(moment)
    assert spell_json('{"a": 1, "b": null}') == spell_json('{"b":null,"a":1}')
    assert len({spell_json(text) for text in (None, "null", '"null"', "{}")}) == 4
