"""A mail server that refuses, hangs or cuts the line at any step costs no mail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from coalition import clock
from coalition.db import transaction
from coalition.mail import actions, transports
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.worker import Batch, Pace, deliver_batch
from coalition.petition import emails
from coalition.settings import MailServer
from tests.engines import on_sqlite
from tests.faults.crowd import let_time_pass

pytestmark = on_sqlite  # what is tried here does not depend on the database

PATIENCE = 0.3  # seconds for a server that hangs, in place of half a minute
TAKING_PATIENCE = 1.5  # the same, for one that has the whole mail
CUT, HANG, SLOW = "cut", "hang", "slow"
REPLIES = ("421 4.3.2 closing", "451 4.3.0 later", "452 4.3.1 full", "554 5.7.1 not you")
# What is answered at each step while all is well; in the middle of a mail nothing is.
STEPS = {"greeting": "220 here", "EHLO": "250 here", "MAIL": "250 OK", "RCPT": "250 OK",
         "DATA": "354 go on", "halfway": "", "the final dot": "250 OK"}  # fmt: skip


class CutOff(Exception):
    """The server lets the connection go without a word."""


class Server(ThreadingTCPServer):
    """A mail server that does wrong at one step of the dialogue."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.fault = ("", "")  # at which step, and what it does there
        self.spoilt = b""  # it does so only for mails to this address
        self.received: list[str] = []  # the ids of mails that came whole, and were not refused


class Dialogue(StreamRequestHandler):
    server: Server
    recipient = b""

    def handle(self) -> None:
        with suppress(CutOff, OSError):
            self.answer("greeting")
            while line := self.rfile.readline():
                word = line.split()[0].decode().upper()
                if word == "RCPT":
                    self.recipient = line
                well = self.answer("EHLO" if word == "HELO" else word)
                if well and word == "DATA":
                    self.take_mail()

    def answer(self, step: str) -> bool:
        """Answer, or do what is wrong. Returns whether all is well."""
        at, wrong = self.server.fault
        if at != step or self.server.spoilt not in self.recipient:
            self.say(STEPS.get(step, "250 OK"))
            return True
        if wrong == SLOW:
            time.sleep(PATIENCE * 2)
            self.say(STEPS[step])
            return True
        if wrong == HANG:
            time.sleep(TAKING_PATIENCE + PATIENCE)
        if wrong in (CUT, HANG):
            raise CutOff
        self.say(wrong)
        if wrong.startswith("421"):
            raise CutOff
        return False

    def say(self, words: str) -> None:
        if words:
            self.wfile.write(words.encode() + b"\r\n")

    def take_mail(self) -> None:
        self.answer("halfway")
        message_id = ""
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            if line.lower().startswith(b"message-id:"):
                message_id = line.decode().partition("<")[2].partition("@")[0]
        if self.server.fault[0] != "the final dot" or self.server.fault[1] in (CUT, HANG, SLOW):
            self.server.received.append(message_id)
        self.answer("the final dot")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(transports, "SMTP_TIMEOUT", PATIENCE)
    monkeypatch.setattr(transports, "TAKING_TIMEOUT", TAKING_PATIENCE)
    with Server() as running:
        thread = Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def queue(number: int = 3) -> list[str]:
    with transaction() as session:
        return [
            actions.queue_message(
                session, emails.ERASED, now=clock.utc_now(),
                details={"address": f"person{each}@example.org"},
            ).hex
            for each in range(number)
        ]  # fmt: skip


def work(server: Server) -> Batch:
    """What the worker does, once."""
    port = server.server_address[1]
    transport = transports.SmtpTransport(MailServer("smtp", "127.0.0.1", port))
    try:
        return deliver_batch(transport, emails.WRITERS, pace=Pace(1000), stop=Event())
    finally:
        transport.close()


def states() -> Counter[MessageState]:
    with transaction() as session:
        return Counter(session.scalars(select(OutboxMessage.state)))


@pytest.mark.parametrize("step", STEPS)
def test_no_mail_is_lost_whatever_the_server_does_wrong(
    app: Flask, server: Server, step: str
) -> None:
    ids: list[str] = []
    for wrong in (CUT, HANG) if step == "halfway" else (CUT, HANG, *REPLIES):
        server.fault = (step, wrong)
        ids += (new := queue())
        done = work(server)
        assert (done.sent, done.failed, done.put_back) == (0, 0, len(new)), wrong
        server.fault = ("", "")
        let_time_pass()
        assert work(server).sent == len(new), wrong
    assert states() == {MessageState.SENT: len(ids)}
    copies = Counter(server.received)
    assert copies.keys() == set(ids)
    # Cut off after the mail was whole, nobody knows whether it was taken: it is sent once more.
    assert copies.total() - len(ids) == (2 if step == "the final dot" else 0)


@pytest.mark.parametrize("step", ["RCPT", "halfway", "the final dot"])
def test_a_mail_at_which_the_server_always_cuts_the_line_holds_back_no_other(
    app: Flask, server: Server, step: str
) -> None:
    bad, *others = queue()
    server.fault, server.spoilt = (step, CUT), b"person0@"
    work(server)
    work(server)
    assert states() == {MessageState.WAITING: 1, MessageState.SENT: 2}
    assert set(others) <= set(server.received)
    server.fault = ("", "")
    let_time_pass()
    work(server)
    assert bad in server.received


def test_a_server_that_takes_its_time_over_a_whole_mail_gets_it_once(
    app: Flask, server: Server
) -> None:
    ids = queue()
    server.fault = ("the final dot", SLOW)
    assert work(server).sent == len(ids)
    assert sorted(server.received) == sorted(ids)


def test_only_a_mailbox_that_does_not_exist_is_given_up(app: Flask, server: Server) -> None:
    gone, *others = queue()
    server.fault, server.spoilt = ("RCPT", "550 5.1.1 no such person"), b"person0@"
    done = work(server)
    assert (done.sent, done.failed) == (2, 1)
    server.fault = ("", "")
    let_time_pass()
    assert work(server) == Batch()
    assert sorted(server.received) == sorted(others)
    assert gone not in server.received
