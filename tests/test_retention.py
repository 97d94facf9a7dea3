"""`coalition retention run`: what is past its time, counted first, and then deleted."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.mail.models import OutboxMessage
from coalition.retention import AFTER_CLOSING, ALL, CLEAN_UPS
from tests.conftest import environment, run_command
from tests.faults.test_clean_ups import EACH, PAST, fill, left
from tests.visitor import Visitor

OF_THE_DESK = (
    "lapse_proposals", "delete_past_sessions", "delete_past_resets", "delete_past_claims",
    "delete_past_passes", "delete_old_drafts",
)  # fmt: skip

# What is counted while the petition is open.
OPEN = {
    **{each.what: str(EACH) for each in CLEAN_UPS},
    **{each.what: "0" for each in AFTER_CLOSING},
}


def counted(output: str) -> dict[str, str]:
    """What the command printed: the number of each sort, by its words."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in output.splitlines()[1:-1]]
    return {what: number for number, _, what in lines}


def test_a_dry_run_counts_each_sort_and_deletes_nothing(
    app: Flask, session: Session, database_url: str
) -> None:
    fill(app)
    before = tell_all(session)
    done = run_command(settings(database_url), "retention", "run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Nothing was deleted: this was a dry run.\n")
    assert counted(done.stdout) == OPEN
    assert left(session) == dict.fromkeys(PAST, EACH)
    assert tell_all(session) == before


def test_a_run_deletes_what_it_counts(app: Flask, session: Session, database_url: str) -> None:
    fill(app)
    done = run_command(settings(database_url), "retention", "run")
    assert done.returncode == 0, done.stderr
    assert counted(done.stdout) == OPEN
    assert left(session) == dict.fromkeys(PAST, 0)
    again = run_command(settings(database_url), "retention", "run")
    assert set(counted(again.stdout).values()) == {"0"}


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_what_fails_is_told_by_its_kind_and_holds_nothing_else_back(
    app: Flask, session: Session, database_url: str, words: tuple[str, ...]
) -> None:
    fill(app)
    with transaction() as writing:
        writing.execute(text("ALTER TABLE hand_ins RENAME TO elsewhere"))
    done = run_command(settings(database_url), "retention", "run", *words)
    assert done.returncode == 1
    assert done.stderr == "Error: 1 failed; the others are done\n"
    (failed,) = [line for line in done.stdout.splitlines() if "failed" in line]
    assert re.search(r"lists to hand in \(\w+Error\)$", failed)
    assert "SELECT" not in done.stdout + done.stderr
    told = counted(done.stdout)
    assert {what: number for what, number in told.items() if number != OPEN.get(what)} == {
        next(what for what in told if what.startswith("lists to hand in (")): "failed"
    }


def test_the_privacy_notice_tells_every_lifetime_of_what_is_not_the_desk_s_own(
    visitor: Visitor,
) -> None:
    notice = visitor.get("/privacy").text
    told = {int(number) for number in re.findall(r"(\d+) days", notice)}
    assert {each.after.days for each in ALL if each.name not in OF_THE_DESK} <= told


def settings(database_url: str) -> dict[str, str]:
    return environment(database_url, "smtp://127.0.0.1:1")


def tell_all(session: Session) -> tuple[int, int]:
    """How many lines the log has, and how many mails wait or were sent."""
    session.rollback()
    entries, mails = select(AuditEntry.id), select(OutboxMessage.id)
    return len(session.scalars(entries).all()), len(session.scalars(mails).all())
