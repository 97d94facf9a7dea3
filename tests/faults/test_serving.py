"""What `coalition serve` and `coalition worker` see to without being asked."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock, serve
from coalition.db import transaction
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import Signature, SignatureStatus
from coalition.serve import ENDING, HEADER_SECONDS, WorkerKeeper
from tests.commands import start_script
from tests.conftest import ROOT, environment, running, serving
from tests.engines import on_sqlite
from tests.factories import make_signature
from tests.faults.crowd import wait_until
from tests.mailbox import Mailbox, free_port
from tests.processes import children_of, runs


@on_sqlite
def test_the_output_has_no_address_that_is_asked_for_and_no_warning(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with transaction() as session:
        signature = make_signature(session)
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    with serving(database_url, mailbox, tmp_path / "log", start_script) as site:
        for path in (f"/petition/signature/{token}", f"/petition/signature/{token}x", "/nowhere"):
            site.visitor.get(path)
    told = site.log.read_text()
    assert "Open http://127.0.0.1" in told
    assert "Warning" not in told
    assert token not in told
    assert "/petition" not in told
    assert "/nowhere" not in told


@on_sqlite
@pytest.mark.parametrize("ending", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_whatever_ends_it_leaves_nothing_running(
    database_url: str, mailbox: Mailbox, tmp_path: Path, ending: str
) -> None:
    settings = {**environment(database_url, mailbox.url), "COALITION_WEB_PROCESSES": "2"}
    log = tmp_path / "log"
    words = ("serve", "--port", str(free_port()))
    with running(settings, *words, log=log, start=start_script) as server:
        wait_until(lambda: len(children_of(server.pid)) == 3, "web processes or worker are missing")
        time.sleep(1)  # in which they begin to listen
        children = children_of(server.pid)
        server.send_signal(signal.Signals[ending])
        assert server.wait(60) == 0
    assert log.read_text().endswith("Stopped.\n")
    assert not [each for each in children if runs(each)]


def test_a_worker_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, tries = WorkerKeeper(), []

    def without_room(process: BaseProcess) -> None:
        tries.append(process)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(serve, "WORKER_REST", 0.0)
    monkeypatch.setattr(serve, "_become_worker", lambda: os._exit(1))
    keeper.start()
    monkeypatch.setattr(BaseProcess, "start", without_room)
    wait_until(lambda: keeper.look() or len(tries) == 3, "it is not tried again")
    assert "the worker ended with status 1" in caplog.text
    assert "the worker cannot be started: Resource temporarily unavailable" in caplog.text
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(ENDING), "signals are lost"


@on_sqlite
def test_a_visitor_that_says_nothing_is_let_go(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        address = urlsplit(site.url)
        with socket.create_connection((address.hostname, address.port)) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\n")
            silent.settimeout(HEADER_SECONDS + 5)
            while silent.recv(4096):
                pass


@on_sqlite
def test_a_worker_ends_with_the_process_that_started_it(
    database_url: str, mailbox: Mailbox
) -> None:
    starts = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-m', 'coalition.cli', 'worker']);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starts],
        env={**os.environ, **environment(database_url, mailbox.url)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    with parent.stdout as told:
        worker = int(told.readline())
    try:
        threads = Path(f"/proc/{worker}/task")
        wait_until(lambda: len(list(threads.iterdir())) > 5, "it does not know whose child it is")
        parent.kill()
        parent.wait()
        wait_until(lambda: not runs(worker), "the worker goes on alone", 15)
    finally:
        if runs(worker):
            os.kill(worker, signal.SIGTERM)


def test_the_worker_deletes_what_is_past_its_time(
    app: Flask, session: Session, database_url: str, mailbox: Mailbox
) -> None:
    long_ago = clock.utc_now() - timedelta(days=8)
    with transaction() as writing:
        stays = make_signature(writing, now=long_ago).id
        goes = make_signature(writing, now=long_ago, status=SignatureStatus.AWAITING).id
        writing.add(
            OutboxMessage(
                id=goes,
                kind="petition.erased",
                state=MessageState.SENT,
                attempts=1,
                created_at=long_ago,
                due_at=long_ago,
                finished_at=long_ago,
            )
        )

    def left() -> tuple[list[object], list[object]]:
        session.rollback()
        mails, signatures = select(OutboxMessage.id), select(Signature.id)
        return list(session.scalars(signatures)), list(session.scalars(mails))

    with running(environment(database_url, mailbox.url), "worker"):
        wait_until(lambda: left() == ([stays], []), "it is still there")
