"""Making a list to hand in: one worker does it, another goes on, and nothing of it stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.petition import hand_in_actions as actions
from coalition.petition.hand_in_actions import MOST_ATTEMPTS, RETRY_AFTER, NoLongerOurs
from coalition.petition.hand_in_job import make_next_hand_in
from coalition.petition.hand_in_models import HAND_IN_LIFETIME, HandIn, HandInChunk, HandInState
from coalition.petition.printing import NAMES_IN_A_PART
from coalition.worker import delete_expired
from tests.conftest import ROOT, environment, run_command
from tests.factories import make_signature
from tests.handing_in import (
    ask,
    content,
    file_names,
    look,
    make,
    names,
    printed,
    sign_many,
)
from tests.printed import read_pdf
from tests.test_cli import NEW, OLD, application, with_keys


def state_of(hand_in: HandIn) -> HandInState | None:
    found = look(hand_in.id)
    return found.state if found else None


def claim() -> HandIn | None:
    with transaction() as session:
        return actions.claim_hand_in(session, now=clock.utc_now())


def let_lease_end() -> None:
    with transaction() as session:
        session.execute(update(HandIn).values(due_at=clock.utc_now() - timedelta(seconds=1)))


def chunks() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(HandInChunk)) or 0


def spoil_a_name() -> None:
    """A row that no key of ours can read."""
    with transaction() as session:
        signature = make_signature(session, name="Unreadable", show_name=True)
        session.execute(
            text("UPDATE signatures SET name = :data WHERE id = :id"),
            {"data": b"damaged", "id": signature.id.hex if _is_sqlite(session) else signature.id},
        )


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def test_without_a_request_there_is_nothing_to_do(app: Flask) -> None:
    assert not make_next_hand_in(Event())


def test_asking_twice_makes_one_list(app: Flask) -> None:
    assert ask().id == ask().id
    assert ask(actor="moderator 2").id != ask().id
    assert make_next_hand_in(Event())
    assert ask().id  # the first is done: this is another
    assert len(actions.hand_ins(db.session(), now=clock.utc_now())) == 3


def test_what_one_worker_has_no_other_takes_until_its_lease_ends(app: Flask) -> None:
    hand_in = ask()
    assert claim()
    assert not make_next_hand_in(Event())
    let_lease_end()
    assert make_next_hand_in(Event())
    assert state_of(hand_in) is HandInState.DONE


def test_two_workers_at_once_make_one_list(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Ada", show_name=True)
    hand_in = ask()
    made: list[bool] = []
    begin = threading.Barrier(2)

    def work() -> None:
        with app.app_context():
            begin.wait()
            made.append(make_next_hand_in(Event()))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(made) == [False, True]
    assert names(hand_in) == ["Ada"]


def test_a_worker_whose_lease_ended_can_no_longer_write(app: Flask) -> None:
    hand_in = ask()
    slow = claim()
    assert slow
    let_lease_end()
    assert make_next_hand_in(Event())
    with pytest.raises(NoLongerOurs), transaction() as session:
        actions.advance(session, slow, now=clock.utc_now(), done_count=7)
    with transaction() as session:
        actions.give_up(session, slow, now=clock.utc_now())
        actions.put_back(session, slow, at=clock.utc_now(), tried=True)
    assert state_of(hand_in) is HandInState.DONE
    found = look(hand_in.id)
    assert found
    assert file_names(found) == ["names.csv", "petition.pdf"]


def test_what_a_killed_worker_left_is_not_in_the_files(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Ada", show_name=True)
    hand_in = ask()
    killed = claim()
    assert killed
    with transaction() as session:
        actions.add_chunks(session, killed, "names.csv", 1, [b"half a list"])
        actions.advance(session, killed, now=clock.utc_now(), done_count=1, total=1)
    let_lease_end()
    assert make_next_hand_in(Event())
    assert names(hand_in) == ["Ada"]


def test_a_worker_told_to_stop_gives_the_list_back_at_once(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Ada", show_name=True)
    hand_in = ask()
    stop = Event()
    stop.set()
    assert make_next_hand_in(stop)
    found = look(hand_in.id)
    assert found
    assert (found.state, found.attempts) == (HandInState.WAITING, 0)
    assert make_next_hand_in(Event())
    assert names(hand_in) == ["Ada"]


def test_a_list_deleted_while_it_is_made_is_gone(app: Flask) -> None:
    hand_in = ask()
    at_it = claim()
    assert at_it
    with transaction() as session:
        found = session.get_one(HandIn, hand_in.id)
        actions.delete_hand_in(session, found, actor="moderator 1", now=clock.utc_now())
    with pytest.raises(NoLongerOurs), transaction() as session:
        actions.advance(session, at_it, now=clock.utc_now(), done_count=1)
    assert state_of(hand_in) is None


def test_a_list_that_cannot_be_made_is_tried_again_and_then_given_up(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction() as writing:
        make_signature(writing, name="Ada Unlogged", show_name=True)
    spoil_a_name()
    hand_in = ask()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert make_next_hand_in(Event())
        found = look(hand_in.id)
        assert found
        if attempt < MOST_ATTEMPTS:
            assert found.state is HandInState.WAITING
            assert clock.utc_now() < found.due_at <= clock.utc_now() + RETRY_AFTER
            let_lease_end()
    assert state_of(hand_in) is HandInState.FAILED
    assert chunks() == 0
    assert "a hand-in could not be made: TokenInvalid" in caplog.text
    assert "Ada" not in caplog.text


def test_a_list_whose_workers_are_killed_each_time_is_given_up(app: Flask) -> None:
    hand_in = ask()
    for _ in range(MOST_ATTEMPTS):
        assert claim()
        let_lease_end()
    assert claim() is None
    assert state_of(hand_in) is HandInState.FAILED
    assert not make_next_hand_in(Event())


def test_the_files_are_encrypted_at_rest(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, name="Ada Hidden", show_name=True)
    made = make()
    assert b"Ada Hidden" in content(made, "names.csv")
    stored = [bytes(data) for data in session.scalars(text("SELECT data FROM hand_in_chunks"))]
    assert stored
    assert not any(b"Ada Hidden" in data or b"%PDF-" in data for data in stored)


def test_the_files_are_gone_after_their_time_and_not_before(app: Flask) -> None:
    almost = clock.utc_now() - HAND_IN_LIFETIME + timedelta(minutes=1)
    young, old = ask(now=almost), ask(actor="moderator 2", now=almost - timedelta(minutes=2))
    while make_next_hand_in(Event()):
        pass
    assert chunks() == 4
    assert actions.find_hand_in(db.session(), old.id, now=clock.utc_now()) is None
    assert [each.id for each in actions.hand_ins(db.session(), now=clock.utc_now())] == [young.id]
    delete_expired()
    assert chunks() == 2
    assert (state_of(young), state_of(old)) == (HandInState.DONE, None)


def test_the_log_tells_the_number_and_the_text_and_no_name(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, name="Ada Unlogged", show_name=True)
    made = make()
    with transaction() as writing:
        actions.delete_hand_in(writing, made, actor="moderator 1", now=clock.utc_now())
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-3:]
    assert [(line.actor, line.action, line.reason) for line in lines] == [
        ("moderator 1", "hand-in asked for", "every version of the petition"),
        ("worker", "hand-in made", "names: 1, every version of the petition"),
        ("moderator 1", "hand-in deleted", "names: 1, every version of the petition"),
    ]
    assert {line.subject for line in lines} == {f"hand-in {made.id}"}


def needed_by_the_one_that_waits(database_url: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.measured_hand_in"],
        env={**os.environ, **environment(database_url, "smtp://127.0.0.1")},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    needed: dict[str, int] = json.loads(done.stdout)
    return needed


def test_a_long_list_needs_little_memory_and_comes_in_parts(app: Flask, database_url: str) -> None:
    number = 2 * NAMES_IN_A_PART
    with transaction() as session:
        sign_many(session, number)
    asked = ask()
    needed = needed_by_the_one_that_waits(database_url)
    assert needed["made"]
    assert needed["peak"] < 60e6  # bytes: a part's names and its PDF, and not the list
    assert needed["typesetter"] < 800e6
    made = look(asked.id)
    assert made
    assert (made.total, made.done_count) == (number, number)
    assert len(set(names(made))) == number
    assert file_names(made) == ["names.csv", "petition-01.pdf", "petition-02.pdf"]
    second = read_pdf(content(made, "petition-02.pdf"))
    assert second.of("H1")[0].endswith("(part 2 of 2)")
    assert "This part holds names 10,001 to 20,000." in second.of("P")[0]
    assert len([each for each in second.of("LBody") if each]) == NAMES_IN_A_PART


def test_the_files_outlive_a_change_of_keys(database_url: str) -> None:
    with application(with_keys(database_url, OLD)):
        with transaction() as session:
            make_signature(session, name="Ada", show_name=True)
        made = make()
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)):
        assert names(made) == ["Ada"]
        assert "Ada" in printed(made).of("LBody")
