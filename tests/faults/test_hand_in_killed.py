"""A worker that is killed while it makes a list leaves it to the next."""

from __future__ import annotations

import signal
import time
import uuid
from datetime import timedelta

from flask import Flask
from sqlalchemy import update

from coalition import clock
from coalition.db import transaction
from coalition.petition.hand_in_models import HandIn, HandInState
from tests.conftest import environment, running
from tests.handing_in import ask, file_names, look, names, sign_many
from tests.mailbox import Mailbox

NAMES = 5_000  # enough to be killed in the middle of


def wait_for(hand_in_id: uuid.UUID, state: HandInState) -> HandIn:
    deadline = time.monotonic() + 60
    while True:
        found = look(hand_in_id)
        assert found
        if found.state is state and (found.done_count or state is HandInState.DONE):
            return found
        assert time.monotonic() < deadline, found.state
        time.sleep(0.01)


def test_a_list_whose_worker_was_killed_is_made_by_the_next(
    app: Flask, database_url: str, mailbox: Mailbox
) -> None:
    with transaction() as session:
        sign_many(session, NAMES)
    hand_in = ask()
    settings = environment(database_url, mailbox.url)
    with running(settings, "worker") as process:
        found = wait_for(hand_in.id, HandInState.RUNNING)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert 0 < found.done_count <= NAMES
    found = look(hand_in.id) or found
    assert found.state is HandInState.RUNNING
    with transaction() as session:  # as if the time of the lease had passed
        session.execute(update(HandIn).values(due_at=clock.utc_now() - timedelta(seconds=1)))
    with running(settings, "worker"):
        made = wait_for(hand_in.id, HandInState.DONE)
    assert made.attempts == 2
    assert file_names(made) == ["names.csv", "petition.pdf"]
    assert len(set(names(made))) == len(names(made)) == NAMES
