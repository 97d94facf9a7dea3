"""The clock is set back by an hour while the site runs: people sign on, and nothing is lost."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.clock import CLOCKS_DIFFER
from coalition.db import transaction
from coalition.mail import actions
from coalition.mail.models import OutboxMessage
from coalition.mail.queries import pulse
from coalition.mail.worker import Batch
from coalition.petition import emails
from coalition.petition.tally import fold, last_fold
from tests.conftest import ROOT, serving
from tests.engines import on_sqlite
from tests.faults.crowd import assert_nothing_lost, signing, wait_until
from tests.mailbox import Mailbox

AN_HOUR = timedelta(hours=1)
# Python runs a module of this name in every process at its start: in those of the site, the clock
# goes wrong as soon as a file is there. All that the site reads it by is one function, and what
# libraries use.
SITE_CUSTOMIZE = f"""
import datetime, os, time

rightly = time.time


def wrongly():
    return rightly() - {AN_HOUR.seconds} * os.path.exists(os.environ["CLOCK_IS_WRONG"])


time.time = wrongly

import coalition.clock

coalition.clock.utc_now = lambda: datetime.datetime.fromtimestamp(wrongly(), datetime.UTC)
"""


@pytest.fixture
def set_clock_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the clock back in all processes of the site that is started next."""
    folder, file = tmp_path / "startup", tmp_path / "wrong"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE_CUSTOMIZE)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
    monkeypatch.setenv("CLOCK_IS_WRONG", str(file))
    return file.touch


@on_sqlite
def test_with_the_clock_set_back_an_hour_people_sign_on_and_get_their_mail(
    database_url: str, mailbox: Mailbox, tmp_path: Path, set_clock_back: Callable[[], None]
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        with signing(site.url) as people:
            people.wait_for(20)
            mailbox.wait_for(1)  # so that a worker has looked before
            set_clock_back()
            people.wait_for(20)
        assert people.refusals == []
        wait_until(lambda: people.acknowledged <= set(mailbox.recipients), "mail stands still")
        assert_nothing_lost(site, people, mailbox)


def test_mail_that_was_queued_before_the_clock_was_set_back_goes_out_at_once(
    app: Flask, session: Session, mailbox: Mailbox, work: Callable[[], Batch]
) -> None:
    ahead = clock.utc_now() + AN_HOUR
    with transaction() as writing:
        actions.beat(writing, now=ahead)
        address = {"address": "ada@example.org"}
        actions.queue_message(writing, emails.ERASED, now=ahead, details=address)
        # What nobody waits for keeps its distance from other mail.
        actions.queue_many(
            writing, emails.SIGNING, [uuid.uuid4()] * 2, gap=timedelta(minutes=1), now=ahead
        )
    assert work().sent == 1
    with transaction() as writing:  # a form that was on its way
        actions.queue_message(writing, emails.ERASED, now=ahead, details=address)
    assert work().sent == 1
    assert mailbox.recipients == ["ada@example.org"] * 2
    session.rollback()
    due = session.scalars(select(OutboxMessage.due_at).where(OutboxMessage.due_at > ahead))
    assert len(due.all()) == 1
    beat_at = pulse(session, now=clock.utc_now()).beat_at
    assert beat_at
    assert beat_at < clock.utc_now() + actions.STRAGGLE


def test_the_count_says_as_at_when_by_the_clock_that_was_set_back(
    app: Flask, session: Session
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        fold(writing, now=now + AN_HOUR)
    with transaction() as writing:
        fold(writing, now=now)
    session.rollback()
    assert last_fold(session) == now
    # Machines whose clocks are a little apart do not move it to and fro.
    with transaction() as writing:
        fold(writing, now=now - CLOCKS_DIFFER / 2)
    session.rollback()
    assert last_fold(session) == now
