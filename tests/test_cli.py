"""The command line: one line for what is wrong, and keys that can be changed without a loss."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from coalition import clock
from coalition.app import create_app
from coalition.audit.proof import verify_chain
from coalition.cli import group
from coalition.crypto import TokenInvalid
from coalition.db import db, transaction
from coalition.doctor import examine
from coalition.keys import key_commands
from coalition.mail.actions import block_address, queue_message
from coalition.mail.models import BlockedAddress, OutboxMessage
from coalition.mail.queries import is_blocked
from coalition.petition.actions import Personal, sign_petition
from coalition.petition.models import Signature, SignatureStatus
from coalition.petition.queries import find_by_address
from coalition.settings import Settings
from tests.conftest import ROOT, SECRET, environment, run_command
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox, free_port

OLD, NEW = SECRET, "a-newer-secret-of-forty-characters-00002"  # OLD prepared the database
SENDER = "Petition <petition@mail.example.org>"  # at example.org itself, the doctor objects
NO_SETTINGS = "COALITION_DATABASE_URL is not set; see the README"
Values = dict[str, str]


@pytest.fixture
def database(prepared_sqlite: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(prepared_sqlite, tmp_path / "site.db"))
    path.chmod(0o600)
    return path


@pytest.fixture
def local(database: Path, tmp_path: Path) -> Values:
    """A good configuration for a machine of one's own."""
    return environment(f"sqlite:///{database}", f"maildir:{tmp_path / 'mail'}")


@pytest.fixture
def public(database: Path, mailbox: Mailbox) -> Values:
    """A good configuration for a small public site."""
    return environment(
        f"sqlite:///{database}",
        mailbox.url,
        SITE_URL="https://petition.example.org",
        TRUSTED_PROXIES="1",
        WEB_PROCESSES="1",
        MAIL_FROM=SENDER,
    )


@contextmanager
def application(values: Values) -> Iterator[Flask]:
    app = create_app(Settings.from_environment(values))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def findings(values: Values, **changes: str) -> list[str]:
    """What the doctor says of a configuration, with `changes` made to it."""
    values = {**values, **{f"COALITION_{name}": value for name, value in changes.items()}}
    with application(values) as app:
        return list(examine(app.extensions["settings"], app))


@pytest.mark.parametrize(
    "words", [["serve"], ["worker"], ["db", "upgrade"], ["tally", "verify"]], ids=" ".join
)
def test_a_wrong_setting_ends_a_command_with_one_line(local: Values, words: list[str]) -> None:
    result = run_command({**local, "COALITION_SECRET_KEYS": "short"}, *words)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("coalition: COALITION_SECRET_KEYS ")


def test_a_wrong_setting_is_what_the_doctor_finds_first(local: Values) -> None:
    result = run_command({**local, "COALITION_SECRET_KEYS": "short"}, "doctor")
    assert result.returncode == 1
    (line,) = (result.stdout + result.stderr).splitlines()
    assert line.startswith("COALITION_SECRET_KEYS ")


def test_the_wsgi_entry_ends_with_one_line_when_a_setting_is_missing() -> None:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("COALITION_")}
    result = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        env=clean,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"coalition: {NO_SETTINGS}\n"


def test_the_help_can_be_read_before_anything_is_set() -> None:
    result = run_command({}, "--help")
    assert result.returncode == 0
    assert "doctor" in result.stdout
    assert "Traceback" not in result.stderr


def test_a_database_without_tables_ends_a_command_with_one_line(tmp_path: Path) -> None:
    values = environment(f"sqlite:///{tmp_path / 'empty.db'}", "smtp://127.0.0.1")
    result = run_command(values, "tally", "verify")
    assert (result.returncode, result.stdout) == (3, "")
    (line,) = result.stderr.splitlines()
    assert "`coalition db upgrade`" in line


def test_the_command_for_the_migrations_makes_the_tables_and_says_which(tmp_path: Path) -> None:
    values = environment(f"sqlite:///{tmp_path / 'new.db'}", "smtp://127.0.0.1")
    for words in (("db", "upgrade"), ("tally", "verify")):
        done = run_command(values, *words)
        assert done.returncode == 0, done.stderr
    assert run_command(values, "db", "current").stdout.endswith("(head)\n")


def test_the_site_is_never_served_by_the_development_server(local: Values) -> None:
    result = run_command(local, "run")
    assert result.returncode == 2
    assert "No such command 'run'" in result.stderr


def test_the_routes_can_be_listed_and_a_shell_is_there(local: Values) -> None:
    routes = run_command(local, "routes")
    assert routes.returncode == 0, routes.stderr
    assert "/petition/sign" in routes.stdout
    assert "shell" in group.commands


def test_the_doctor_ends_in_failure_with_a_line_for_each_finding(local: Values) -> None:
    changes = {"SITE_URL": "http://petition.example.org", "SECRET_KEYS": f"{NEW} {OLD}"}
    lines = findings(local, **changes)
    assert len(lines) == 5
    values = {f"COALITION_{name}": value for name, value in changes.items()}
    result = run_command({**local, **values}, "doctor")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.splitlines() == lines


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"SITE_URL": "http://petition.example.org"}, "COALITION_SITE_URL is not https: names"),
        ({"TRUSTED_PROXIES": "0"}, "COALITION_TRUSTED_PROXIES is 0: if a proxy stands before"),
        ({"MAIL_URL": "maildir:/nowhere"}, "COALITION_MAIL_URL is a folder: nobody is sent"),
        ({"MAIL_FROM": "petition@example.org"}, "COALITION_MAIL_FROM is an example address"),
        ({"WEB_PROCESSES": "2"}, "COALITION_REDIS_URL is not set: each of the 2 web processes"),
        ({"SECRET_KEYS": f"{NEW} {OLD}"}, "COALITION_SECRET_KEYS holds 2 secrets: run `coalition"),
    ],
    ids=["plain http", "no proxy", "maildir", "example sender", "no Redis", "two keys"],
)
def test_what_is_unsafe_on_a_public_site_is_found(
    public: Values, changes: Values, finding: str
) -> None:
    assert findings(public) == []
    (line,) = findings(public, **changes)
    assert line.startswith(finding)


def test_servers_that_do_not_answer_are_found(public: Values) -> None:
    nothing = f"127.0.0.1:{free_port()}"
    (line,) = findings(public, MAIL_URL=f"smtp://{nothing}")
    assert line == "The mail server at COALITION_MAIL_URL cannot be used (ConnectionRefusedError)."
    (line,) = findings(public, REDIS_URL=f"redis://{nothing}")
    assert line.startswith("Redis does not answer at COALITION_REDIS_URL: until it does")
    (line,) = findings(public, DATABASE_URL=f"postgresql://{nothing}/site")
    assert line == "The database does not answer at COALITION_DATABASE_URL."


def test_a_mail_server_that_refuses_the_sign_in_is_found(public: Values, mailbox: Mailbox) -> None:
    signed_in = mailbox.url.replace("://", "://petition:hunter2@")
    (line,) = findings(public, MAIL_URL=signed_in)
    assert line.startswith("The mail server at COALITION_MAIL_URL cannot be used (")
    assert "hunter2" not in line


def test_a_plain_connection_to_a_mail_server_elsewhere_is_found(public: Values) -> None:
    plain, gone = findings(public, MAIL_URL=f"smtp://127.0.0.9:{free_port()}")
    assert plain.startswith("COALITION_MAIL_URL sends over a plain connection: use smtp+starttls")
    assert gone.startswith("The mail server at COALITION_MAIL_URL cannot be used")


def test_a_database_without_migrations_is_found(local: Values, tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    empty.touch(0o600)
    assert findings(local, DATABASE_URL=f"sqlite:///{empty}") == [
        "the database needs `coalition db upgrade`"
    ]


def test_a_database_in_a_folder_that_is_not_there_is_found(local: Values, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "site.db"
    assert findings(local, DATABASE_URL=f"sqlite:///{path}") == [
        f"There is no database at {path}: `coalition db upgrade` makes one."
    ]
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_database_that_others_can_read_is_found(local: Values, database: Path, mode: int) -> None:
    database.chmod(mode)
    (line,) = findings(local)
    assert line == "Other users of this machine can read the database: chmod 600 site.db."


def test_a_site_without_a_campaign_is_found(local: Values, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM document_versions")
    connection.commit()
    connection.close()
    assert findings(local) == ["no campaign is loaded"]


def test_mail_that_nobody_sends_is_found(local: Values) -> None:
    with application(local), transaction() as session:
        queue_message(session, "petition.link", now=clock.utc_now() - timedelta(days=1))
    (line,) = findings(local)
    assert line.startswith("mail has been waiting for too long")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "[::1]"])
def test_a_site_on_a_machine_of_ones_own_may_be_plain(local: Values, host: str) -> None:
    assert findings(local, SITE_URL=f"http://{host}") == []


def test_the_doctor_is_content_with_a_good_configuration(local: Values) -> None:
    result = run_command(local, "doctor")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "Nothing is missing, and nothing is unsafe.\n"


def test_a_new_key_needs_no_setting_and_is_one(local: Values) -> None:
    result = run_command({}, "keys", "new")
    assert (result.returncode, result.stderr) == (0, "")
    first = result.stdout.strip()
    assert result.stdout == f"{first}\n"
    assert CliRunner().invoke(key_commands, ["new"]).stdout.strip() != first
    settings = Settings.from_environment({**local, "COALITION_SECRET_KEYS": f"{first} {SECRET}"})
    assert settings.secret_keys == (first, SECRET)


def with_keys(database_url: str, *keys: str) -> Values:
    return environment(database_url, "smtp://127.0.0.1", SECRET_KEYS=",".join(keys))


def test_keys_can_be_changed_without_a_loss(database_url: str) -> None:
    now = clock.utc_now()
    with application(with_keys(database_url, OLD)), transaction() as session:
        make_signature(session, email="zoe@example.org", name="Zoë Fictional", appeal="Me.")
        make_signature(session, email="waiting@example.org", status=SignatureStatus.AWAITING)
        block_address(session, "blocked@example.org", now=now)
        queue_message(session, "petition.link", details={"address": "b@example.org"}, now=now)
        queue_message(session, "petition.signing", now=now)

    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert (rotated.returncode, rotated.stderr) == (0, "")
    assert "signatures: 2 rows" in rotated.stdout

    with application(with_keys(database_url, NEW)):
        with transaction() as session:
            found = find_by_address(session, "ZOE+petition@Example.org")
            assert found is not None
            assert (found.email, found.name, found.appeal) == (
                "zoe@example.org",
                "Zoë Fictional",
                "Me.",
            )
            assert is_blocked(session, "Blocked@example.org")
            details = [each.details for each in session.scalars(select(OutboxMessage))]
            assert sorted(details, key=len) == [{}, {"address": "b@example.org"}]
            assert session.scalars(select(BlockedAddress.email)).all() == ["blocked@example.org"]
            assert verify_chain(session).number > 0
        with transaction() as session:
            me = Personal("Zoë", region=None, kind=None, show_name=False, wants_updates=False)
            for address in ("zoe@example.org", "Waiting@example.org"):
                sign_petition(session, address, me, agreed_now(), now=now)
            assert session.scalar(select(func.count()).select_from(Signature)) == 2

    with application(with_keys(database_url, OLD)), transaction() as session:
        assert find_by_address(session, "zoe@example.org") is None
        assert not is_blocked(session, "blocked@example.org")
        for column in (Signature.email, Signature.name, BlockedAddress.email):
            with pytest.raises(TokenInvalid):
                session.scalars(select(column)).all()
        with pytest.raises(TokenInvalid):
            session.scalars(select(OutboxMessage.payload)).all()


def test_an_address_that_was_blocked_under_both_keys_stays_blocked(database_url: str) -> None:
    for keys in ([OLD], [NEW, OLD]):
        with application(with_keys(database_url, *keys)), transaction() as session:
            block_address(session, "blocked@example.org", now=clock.utc_now())
    with application(with_keys(database_url, NEW, OLD)) as app:
        app.test_cli_runner().invoke(key_commands, ["rotate"], catch_exceptions=False)
    with application(with_keys(database_url, NEW)), transaction() as session:
        assert is_blocked(session, "blocked@example.org")
        assert session.scalar(select(func.count()).select_from(BlockedAddress)) == 1
