"""What was published at the desk is not lost to a load, and comes out as files."""

from __future__ import annotations

import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition.statements.campaign import FILES, read_folder
from coalition.statements.queries import latest_versions
from tests.conftest import ROOT, environment, run_command
from tests.mailbox import Mailbox
from tests.writing import make_writer, publish, save, text_of

EXAMPLE = ROOT / "campaign"
Run = CompletedProcess[str]


class Shell:
    """A shell on the machine of the test's site."""

    def __init__(self, database_url: str, mailbox: Mailbox) -> None:
        self.settings = environment(database_url, mailbox.url)

    def __call__(self, *words: str | Path) -> Run:
        return run_command(self.settings, "campaign", *map(str, words))


@pytest.fixture
def shell(app: Flask, database_url: str, mailbox: Mailbox) -> Shell:
    return Shell(database_url, mailbox)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "campaign"))


def at_the_desk(slug: str, text: str) -> None:
    ada = make_writer()
    publish(ada, save(ada, text, slug=slug), slug=slug)


def test_a_load_does_not_replace_what_was_published_at_the_desk(
    session: Session, shell: Shell, folder: Path
) -> None:
    at_the_desk("statement", "Of the desk.")
    (folder / "about.md").write_text("Another text.")
    told = shell("load", folder)
    assert (told.returncode, told.stdout) == (1, "")
    assert "statement: version 2, published at the desk on " in told.stderr
    assert "about" not in told.stderr
    for hint in ("campaign export", "--replace NAME", "--replace-all"):
        assert hint in told.stderr
    assert text_of("statement") == "Of the desk.\n"
    assert latest_versions(session)["about"].version == 1


def test_a_load_replaces_what_it_is_told_to_and_the_history_stays(
    session: Session, shell: Shell, folder: Path
) -> None:
    at_the_desk("statement", "Of the desk.")
    at_the_desk("about", "Of the desk.")
    told = shell("load", folder, "--replace", "statement")
    assert told.returncode == 1
    assert "statement" not in told.stderr
    told = shell("load", folder, "--replace", "statement", "--replace", "about")
    assert (told.returncode, told.stderr) == (0, "")
    assert sorted(told.stdout.splitlines()) == [
        "published about, version 3",
        "published statement, version 3",
    ]
    session.rollback()
    assert latest_versions(session)["statement"].text == (EXAMPLE / "statement.md").read_text()


def test_all_can_be_replaced_at_once(shell: Shell, folder: Path) -> None:
    at_the_desk("statement", "Of the desk.")
    assert shell("load", folder, "--replace-all").stdout == "published statement, version 3\n"
    assert shell("load", folder).stdout == "Nothing has changed.\n"


def test_a_name_that_there_is_not_is_told(shell: Shell, folder: Path) -> None:
    told = shell("load", folder, "--replace", "statment")
    assert told.returncode == 2
    assert "statement" in told.stderr


def test_a_start_leaves_the_desk_alone(shell: Shell, folder: Path) -> None:
    at_the_desk("statement", "Of the desk.")
    told = shell("load", "--if-none", folder)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_what_is_published_is_exported_and_loads_again_without_a_change(
    shell: Shell, tmp_path: Path
) -> None:
    at_the_desk("statement", "Of the desk, with an é.")
    out = tmp_path / "a" / "b"
    assert shell("export", out).stdout == f"wrote {len(FILES)} files to {out}\n"
    assert read_folder(out)["statement"] == "Of the desk, with an é.\n"
    for slug, filename in FILES.items():
        if slug != "statement":
            assert (out / filename).read_bytes() == (EXAMPLE / filename).read_bytes()
    assert shell("load", out).stdout == "Nothing has changed.\n"


def test_an_export_writes_over_nothing_that_it_was_not_told_to(shell: Shell, folder: Path) -> None:
    at_the_desk("statement", "Of the desk.")
    (folder / "about.md").unlink()
    told = shell("export", folder)
    assert told.returncode == 1
    assert "statement.md: this file is there already, and differs" in told.stderr
    assert not (folder / "about.md").exists()
    assert shell("export", folder, "--replace-all").returncode == 0
    assert (folder / "statement.md").read_text() == "Of the desk.\n"
    assert (folder / "about.md").exists()


def test_a_folder_that_cannot_be_written_is_told_in_a_line(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = shell("export", tmp_path / "file" / "folder")
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1
