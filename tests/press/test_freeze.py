"""Freezing: each week's copies are made once, by whoever comes first, and never change."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.petition.models import Cause, Region
from coalition.press import queries
from coalition.press.actions import monday_of
from coalition.press.models import PressFile, PressRelease
from coalition.statements.models import DocumentVersion
from coalition.worker import FREEZE_EVERY, freeze_figures
from tests.conftest import environment, run_command, serving
from tests.mailbox import Mailbox
from tests.pressing import (
    FILES,
    MONDAY,
    WEEK,
    at,
    count,
    fold_at,
    freeze_at,
    freeze_week,
    problem,
    rows,
    values,
)
from tests.visitor import Visitor

ONE_DAY = timedelta(days=1)
FOLDER = f"/press/releases/{MONDAY.isoformat()}"


def everything(session: Session) -> dict[tuple[date, str], bytes]:
    session.rollback()
    return {(each.day, each.name): each.content for each in session.scalars(select(PressFile))}


@pytest.mark.parametrize("day", range(7))
def test_each_week_begins_on_its_monday_in_utc(day: int) -> None:
    assert monday_of(at(MONDAY + day * ONE_DAY)) == MONDAY
    assert monday_of(at(MONDAY + day * ONE_DAY, 23, 59)) == MONDAY


def test_before_anything_was_counted_nothing_is_frozen(app: Flask) -> None:
    fold_at(at(MONDAY, 1))
    assert freeze_at(at(MONDAY, 1)) is None
    count(MONDAY, 3)  # today is no part of what is frozen
    fold_at(at(MONDAY, 2))
    assert freeze_at(at(MONDAY, 2)) is None


def test_nothing_is_frozen_before_all_of_last_week_is_in_the_tally(app: Flask) -> None:
    count(MONDAY - ONE_DAY, 5)
    fold_at(at(MONDAY - ONE_DAY, 23, 59))
    assert freeze_at(at(MONDAY, 0, 1)) is None
    fold_at(at(MONDAY, 0, 9))  # somebody may still be signing since before midnight
    assert freeze_at(at(MONDAY, 0, 9)) is None
    fold_at(at(MONDAY, 0, 10))
    count(MONDAY - ONE_DAY, 1)
    assert freeze_at(at(MONDAY, 0, 11)) is None
    fold_at(at(MONDAY, 0, 12))
    assert freeze_at(at(MONDAY, 0, 12)) == MONDAY


def test_frozen_a_second_time_nothing_changes(app: Flask, session: Session) -> None:
    count(MONDAY - ONE_DAY, 50, region=Region.WALES)
    assert freeze_week() == MONDAY
    before = everything(session)
    count(MONDAY - ONE_DAY, 50, region=Region.LONDON)  # came late
    count(MONDAY, 30)
    for day in range(7):
        fold_at(at(MONDAY + day * ONE_DAY, 12))
        assert freeze_at(at(MONDAY + day * ONE_DAY, 13)) is None
    assert everything(session) == before
    assert freeze_week(MONDAY + WEEK) == MONDAY + WEEK
    after = everything(session)
    assert {key: after[key] for key in before} == before


def test_the_copies_hold_what_came_before_their_monday_and_nothing_of_it(
    app: Flask, visitor: Visitor
) -> None:
    count(MONDAY - 2 * ONE_DAY, 40)
    count(MONDAY - ONE_DAY, 12)
    count(MONDAY - ONE_DAY, -2, cause=Cause.WITHDRAWN)
    count(MONDAY, 100)
    freeze_week()
    found = values(visitor, FOLDER)
    assert (found["signatures"], found["signatures_that_day"]) == (50, 10)
    (*_, last) = rows(visitor, f"{FOLDER}/daily.csv")
    assert (last["date"], last["total"]) == ("2026-11-01", "50")
    moments = {each["measure"]: each["as_at"] for each in rows(visitor, f"{FOLDER}/counts.csv")}
    assert moments["signatures"] == "2026-11-01T23:59:59Z"
    assert moments["organisations"] == "2026-11-02T01:00:00Z"


def test_a_week_in_which_no_worker_ran_has_no_copies_and_the_next_holds_its_days(
    app: Flask, visitor: Visitor
) -> None:
    count(MONDAY - ONE_DAY, 50)
    freeze_week()
    count(MONDAY, 5)
    later = MONDAY + 2 * WEEK
    assert freeze_week(later) == later
    found = rows(visitor, f"/press/releases/{later.isoformat()}/daily.csv")
    assert found[-1]["date"] == (later - ONE_DAY).isoformat()
    assert found[-1]["total"] == "55"
    told = problem(visitor, f"/press/releases/{MONDAY + WEEK}/daily.csv", 404)
    assert (told["first"], told["last"]) == (MONDAY.isoformat(), later.isoformat())


def test_a_table_that_may_not_move_stands_with_the_moment_that_it_is_of(
    app: Flask, visitor: Visitor
) -> None:
    count(MONDAY - ONE_DAY, 60, region=Region.WALES)
    count(MONDAY - ONE_DAY, 20)
    freeze_week()
    count(MONDAY, 9, region=Region.SCOTLAND)  # too few joined for anything to move
    freeze_week(MONDAY + WEEK)
    newer = rows(visitor, f"/press/releases/{MONDAY + WEEK}/regions.csv")
    assert newer == rows(visitor, f"{FOLDER}/regions.csv")
    assert {each["as_at"] for each in newer} == {"2026-11-01T23:59:59Z"}
    count(MONDAY + WEEK, 41)
    freeze_week(MONDAY + 2 * WEEK)
    newest = rows(visitor, f"/press/releases/{MONDAY + 2 * WEEK}/regions.csv")
    assert {each["region"]: each["signatures"] for each in newest}["scotland"] == "10"
    assert {each["as_at"] for each in newest} == {"2026-11-15T23:59:59Z"}


def test_those_who_leave_are_taken_out_together_once_there_are_many(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    def shown(week: int) -> dict[str, str]:
        monday = MONDAY + week * WEEK
        freeze_week(monday)
        found = rows(visitor, f"/press/releases/{monday}/regions.csv")
        return {each["region"]: each["signatures"] for each in found if each["signatures"]}

    def leave(week: int, number: int, region: Region | None) -> None:
        day = MONDAY + (week - 1) * WEEK
        count(day, -number, cause=Cause.WITHDRAWN, region=region)

    count(MONDAY - ONE_DAY, 60, region=Region.WALES)
    count(MONDAY - ONE_DAY, 100)
    assert shown(0) == {"wales": "60"}
    leave(1, 14, Region.WALES)  # 7 and 8 for each figure that is shown make many
    assert shown(1) == {"wales": "60"}
    count(MONDAY + WEEK, 50, region=Region.LONDON)  # a new table, in which they still are
    assert shown(2)["wales"] == "60"
    leave(3, 20, Region.WALES)
    leave(3, 5, None)
    assert shown(3)["wales"] == "25"
    assert queries.read_published(session, queries.Dimension.REGION).all_left == 39


def test_however_many_freeze_at_once_one_does(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(DATABASE_POOL="10")
    count(MONDAY - ONE_DAY, 50, region=Region.WALES)
    fold_at(at(MONDAY, 1))
    barrier = Barrier(8)

    def work() -> date | None:
        with app.app_context():
            barrier.wait()
            return freeze_at(at(MONDAY, 2))

    with ThreadPoolExecutor(8) as pool:
        done = [each.result() for each in [pool.submit(work) for _ in range(8)]]
    assert sorted(done, key=str) == [MONDAY, *[None] * 7]
    assert len(everything(session)) == len(FILES) + 2


def test_a_freeze_that_fails_leaves_nothing_behind(app: Flask, session: Session) -> None:
    count(MONDAY - ONE_DAY, 50)
    fold_at(at(MONDAY, 1))
    session.execute(text("ALTER TABLE press_files RENAME TO gone"))
    session.commit()
    with pytest.raises(Exception, match="press_files"):
        freeze_at(at(MONDAY, 2))
    session.execute(text("ALTER TABLE gone RENAME TO press_files"))
    session.commit()
    assert session.scalar(select(func.count()).select_from(PressRelease)) == 0
    assert freeze_at(at(MONDAY, 3)) == MONDAY


def test_the_database_takes_no_second_copy_of_a_file(app: Flask, session: Session) -> None:
    count(MONDAY - ONE_DAY, 50)
    freeze_week()
    with pytest.raises(IntegrityError), transaction() as writing:
        writing.add(PressFile(day=MONDAY, name="counts.csv", content=b"x", sha256=b"x" * 32))


def test_the_sums_are_those_of_the_files_as_they_are_served(app: Flask, visitor: Visitor) -> None:
    count(MONDAY - ONE_DAY, 50)
    freeze_week()
    sums = visitor.get(f"{FOLDER}/sha256sums.txt").text
    lines = dict(reversed(line.split("  ")) for line in sums.splitlines())
    assert sorted(lines) == sorted([*FILES, "datapackage.json"])
    for name, digest in lines.items():
        assert hashlib.sha256(visitor.get(f"{FOLDER}/{name}").data).hexdigest() == digest


def test_the_worker_freezes(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    count(monday_of(now) - ONE_DAY, 50)
    fold_at(max(now, at(monday_of(now), 1)))  # were it just after midnight, too
    assert freeze_figures() == FREEZE_EVERY
    assert queries.find_release(session, monday_of(now))


def test_a_running_site_freezes_by_itself(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    now = clock.utc_now()
    count(monday_of(now) - ONE_DAY, 50)
    fold_at(max(now, at(monday_of(now), 1)))
    with serving(database_url, mailbox, tmp_path / "site.log") as site:
        deadline = time.monotonic() + 30
        path = f"/press/releases/{monday_of(now)}/counts.csv"
        while site.visitor.get(path).status != 200:
            assert time.monotonic() < deadline, "no copies were made"
            time.sleep(0.2)
        assert values(site.visitor, path.rpartition("/")[0])["signatures"] == 50


def test_from_the_command_line_the_copies_are_made_and_proved(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox
) -> None:
    def told(*words: str) -> tuple[int, str]:
        done = run_command(environment(database_url, mailbox.url), "press", *words)
        return done.returncode, done.stdout + done.stderr

    assert "Nothing to freeze" in told("freeze")[1]
    count(MONDAY - ONE_DAY, 50)
    freeze_week()
    session.rollback()
    assert told("verify") == (0, "All copies are as they were frozen: 1 weeks.\n")
    with transaction() as writing:
        writing.execute(
            text("UPDATE press_files SET content = :content WHERE name = 'daily.csv'"),
            {"content": b"changed"},
        )
    assert told("verify") == (1, "2026-11-02/daily.csv is not as it was frozen\n")


def test_without_a_campaign_the_command_says_so(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox
) -> None:
    count(date(2026, 1, 1), 50)
    with transaction() as writing:
        writing.execute(delete(DocumentVersion))
    run_command(environment(database_url, mailbox.url), "tally", "fold")
    done = run_command(environment(database_url, mailbox.url), "press", "freeze")
    assert done.returncode == 1
    assert "no campaign is loaded" in done.stderr
