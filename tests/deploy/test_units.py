"""The units of systemd, the image and the settings that come with them fit the site."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from coalition.mail.transports import TAKING_TIMEOUT
from coalition.serve import KILL_AFTER
from coalition.settings import PREFIX, Settings, SettingsError
from tests.conftest import ROOT, SECRET, run_command
from tests.visitor import Visitor

DEPLOY = ROOT / "deploy"
PLACE = "/srv/coalition/"
EXAMPLE = DEPLOY / "environment.example"
COMPOSE = DEPLOY / "docker" / "compose.yaml"


def lines_of(unit: Path, name: str) -> list[str]:
    found = re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)
    assert found, f"{unit.name} has no {name}"
    return found


def example() -> dict[str, str]:
    """The settings of the example, as systemd and shells read them."""
    words = shlex.split(EXAMPLE.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_unit_starts_a_command_that_is_there(name: str) -> None:
    (line,) = lines_of(DEPLOY / "systemd" / f"coalition-{name}.service", "ExecStart")
    program, *words = shlex.split(line)
    assert program == f"{PLACE}.venv/bin/coalition"
    done = run_command({}, *words, "--help")
    assert done.returncode == 0, done.stderr


def test_the_unit_of_the_backup_starts_the_script_that_is_there() -> None:
    (line,) = lines_of(DEPLOY / "systemd" / "coalition-backup.service", "ExecStart")
    script = ROOT / shlex.split(line)[0].removeprefix(PLACE)
    assert script.stat().st_mode & 0o111


def test_no_backup_is_kept_longer_than_the_privacy_notice_says(
    tmp_path: Path, visitor: Visitor
) -> None:
    (found,) = re.findall(r"Backups[^<]*<strong>(\d+) days", visitor.get("/privacy").text)
    (line,) = lines_of(DEPLOY / "systemd" / "coalition-backup.service", "ExecStartPre")
    command = [
        str(tmp_path) if word == "/var/lib/coalition-backups" else word
        for word in shlex.split(line.removeprefix("-"))
    ]
    # The timer may be a quarter of an hour late.
    day_later = timedelta(days=1, minutes=15)
    kept, gone = timedelta(days=27), timedelta(days=int(found)) - day_later
    backups = {}
    for name, age in [("coalition-new", timedelta()), ("coalition-kept", kept),
                      ("coalition-old", gone), (".coalition-half", gone)]:  # fmt: skip
        backups[name] = tmp_path / name
        backups[name].touch()
        made = time.time() - age.total_seconds()
        os.utime(backups[name], (made, made))
    subprocess.run(command, check=True)
    assert [name for name, path in backups.items() if path.exists()] == [
        "coalition-new",
        "coalition-kept",
    ]


@pytest.mark.parametrize(("name", "longest"), [("web", KILL_AFTER), ("worker", TAKING_TIMEOUT)])
def test_a_unit_lets_the_requests_and_mails_in_hand_finish(name: str, longest: float) -> None:
    unit = DEPLOY / "systemd" / f"coalition-{name}.service"
    assert int(lines_of(unit, "TimeoutStopSec")[0]) > longest
    assert lines_of(unit, "KillMode") == ["mixed"]


def test_the_example_of_settings_is_right_but_for_the_secret_that_nobody_else_may_have() -> None:
    with pytest.raises(SettingsError, match="SECRET_KEYS"):
        Settings.from_environment(example())
    Settings.from_environment({**example(), f"{PREFIX}SECRET_KEYS": SECRET})


def test_compose_sets_what_the_site_reads() -> None:
    known = {f"{PREFIX}{each}".upper() for each in Settings.__dataclass_fields__}
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", COMPOSE.read_text()))
    assert named - known == set()


def test_the_image_holds_all_that_the_site_reads() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    }
    allowed = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    assert all((ROOT / source).exists() for source in copied)
    assert {f"!{source}" for source in copied} <= set(allowed)
    assert copied >= {"coalition", "templates", "static", "migrations", "campaign", "wsgi.py"}
