"""The worker: sends mail, folds the count, makes the lists to hand in, freezes the figures for
the press, deletes what is past its time.

Any number may run, on any number of machines.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from flask import Flask, current_app

from coalition import clock
from coalition.db import transaction
from coalition.desk.mails import WRITERS
from coalition.mail.transports import Transport, make_transport
from coalition.mail.worker import BATCH, Pace, deliver_batch
from coalition.petition.hand_in_job import make_next_hand_in
from coalition.petition.tally import fix_final_number, fold
from coalition.press.actions import freeze
from coalition.retention import clean_all
from coalition.settings import Settings

IDLE = 1.0  # seconds between looks at an empty outbox or at the count
HAND_IN_IDLE = 3.0  # seconds between looks for a list that somebody asked for
FREEZE_EVERY = timedelta(minutes=10).total_seconds()
CLEAN_EVERY = timedelta(minutes=10).total_seconds()
SERVER_PATIENCE = 30.0  # seconds before a mail server that failed is asked again
M_MMAP_THRESHOLD = -3  # glibc's malloc.h
LARGE = 128 * 1024  # bytes, with which glibc begins
FAULT_PATIENCE = 5.0  # seconds after any other fault, such as a database that is away

log = logging.getLogger(__name__)

# Does one round of work and returns how many seconds to rest after it.
Job = Callable[[], float]


def run_worker(app: Flask) -> None:
    """Work until SIGTERM or SIGINT: then finish the mail in hand, give the rest back, return.

    Returns as well when the process that started this one is gone.
    """
    _give_large_memory_back()
    # Known from before the fork, if it was forked: the parent may be gone by now.
    forked_by = multiprocessing.parent_process()
    parent = (forked_by and forked_by.pid) or os.getppid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings: Settings = app.extensions["settings"]
    transport = make_transport(settings.mail_url)
    jobs: tuple[Job, ...] = (
        _mail_job(transport, Pace(settings.mail_rate), stop),
        fold_count,
        _hand_in_job(stop),
        freeze_figures,
        delete_expired,
    )
    threads = [threading.Thread(target=_repeat, args=(app, job, stop)) for job in jobs]
    for thread in threads:
        thread.start()
    while not stop.wait(IDLE):
        if os.getppid() != parent:
            stop.set()
    for thread in threads:
        thread.join()
    transport.close()


def _give_large_memory_back() -> None:
    """Have large pieces of memory go back to the machine as they are freed, where glibc allots them.

    By itself it would keep ever larger ones for later, and small ones that lie among them hold
    them: a list of a million names to hand in then took 15 MB more.
    """
    with suppress(AttributeError, OSError):  # another library of C
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)


def _repeat(app: Flask, job: Job, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with app.app_context():
                rest = job()
        except Exception as error:
            # Its text may hold what somebody typed: only its kind is logged.
            log.error("the worker met a fault, and goes on: %s", type(error).__name__)
            rest = FAULT_PATIENCE
        stop.wait(rest)


def _mail_job(transport: Transport, pace: Pace, stop: threading.Event) -> Job:
    def send_mail() -> float:
        batch = deliver_batch(transport, WRITERS, pace=pace, stop=stop)
        if batch.server_unavailable:
            return SERVER_PATIENCE
        return 0.0 if batch.sent + batch.failed == BATCH else IDLE

    return send_mail


def _hand_in_job(stop: threading.Event) -> Job:
    def make_hand_ins() -> float:
        return 0.0 if make_next_hand_in(stop) else HAND_IN_IDLE

    return make_hand_ins


def fold_count() -> float:
    """Bring the public count up to date; once the petition is closed, fix it."""
    with transaction() as session:
        fold(session, now=clock.utc_now())
        fix_final_number(session, now=clock.utc_now())
    return IDLE


def freeze_figures() -> float:
    """Keep this week's copies of the figures for the press, unless that is done."""
    site_url = current_app.config["SITE_URL"]
    with transaction() as session:
        freeze(session, site_url=site_url, now=clock.utc_now())
    return FREEZE_EVERY


def delete_expired() -> float:
    """Delete what the privacy notice says is deleted by now. What fails holds nothing else back,
    and is tried again the next time."""
    for done in clean_all(now=clock.utc_now()):
        if isinstance(done.found, Exception):
            fault = type(done.found).__name__
            log.error("%s failed, and others go on: %s", done.clean_up.name, fault)
    return CLEAN_EVERY
