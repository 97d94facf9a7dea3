"""The disk is full: people are told, nothing is half written, and once there is room it goes on."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from coalition.db import db, transaction
from coalition.mail.models import OutboxMessage
from coalition.petition.models import Signature
from tests.conftest import serving
from tests.engines import on_sqlite
from tests.faults.crowd import assert_nothing_lost, assert_told_kindly, signing, wait_until
from tests.mailbox import Mailbox
from tests.processes import children_of, web_processes_of, worker_of
from tests.signing import sign
from tests.visitor import visitor_of

pytestmark = on_sqlite


@contextmanager
def no_room(processes: list[int], files: Path) -> Iterator[None]:
    """Let these processes write no file beyond the size that the database's have now."""
    size = max(each.stat().st_size for each in files.glob("site.db*"))
    kept = {each: resource.prlimit(each, resource.RLIMIT_FSIZE) for each in processes}
    for each, (_, hard) in kept.items():
        resource.prlimit(each, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for each, limits in kept.items():
            resource.prlimit(each, resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_up_under_load_loses_nothing(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        wait_until(lambda: bool(worker_of(site)), "no worker runs")
        with signing(site.url) as people:
            people.wait_for(20)
            with no_room([site.group, *children_of(site.group)], tmp_path):
                wait_until(lambda: len(people.pages) > 20, "there is still room", 60)
            people.wait_for(20)
        for page in people.pages:
            assert_told_kindly(page)
        assert people.cut == []
        assert len(web_processes_of(site)) == 2
        assert_nothing_lost(site, people, mailbox)


def let_grow(pages: int) -> None:
    """Let the database have so many pages, or as many as it has now where that is more."""
    db.session.remove()
    with db.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def kept() -> tuple[int, int]:
    """How many signatures there are, and how many mails wait for their writers."""
    with transaction() as session:
        signatures = session.scalar(select(func.count()).select_from(Signature)) or 0
        return signatures, session.scalar(select(func.count()).select_from(OutboxMessage)) or 0


def test_a_full_database_takes_a_signature_with_its_mail_or_neither(
    make_app: Callable[..., Flask],
) -> None:
    """With SQLite's own word for a full disk, as often as one page more would be needed."""
    app = make_app(DATABASE_POOL="1")  # what a connection is told holds for that one
    visitor = visitor_of(app)
    taken = refused = 0
    with app.app_context():
        while refused < 5:
            let_grow(1)
            page = sign(visitor, email=f"person{taken}@example.org")
            if page.status == 200:
                taken += 1
            else:
                assert_told_kindly(page)
                refused += 1
                let_grow(2**30)
                assert sign(visitor, email=f"person{taken}@example.org").status == 200
                taken += 1
            assert kept() == (taken, taken)
