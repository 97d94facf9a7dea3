"""People who sign while something fails, and what must be true of all of them afterwards."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPException
from threading import Event, Lock, Thread

from sqlalchemy import func, select, update

from coalition import clock
from coalition.db import transaction
from coalition.mail.address import address_digests
from coalition.mail.models import MessageState, OutboxMessage
from coalition.petition.models import Signature, SignatureStatus
from tests.conftest import Site
from tests.mailbox import Mailbox, link_in
from tests.test_cli import application
from tests.visitor import Form, Page, Visitor, visitor_at

AT_ONCE = 4  # people who sign at the same time
BREATH = 0.05  # seconds between two forms of one of them: the tests' machine has other work
HOSTS = 20  # of their mail: from each, only so many are taken in an hour
MOST_CONFIRMED = 12  # of the mails; the others stay unconfirmed, as in life


@dataclass
class Refusal:
    """An answer other than "look in your mail": its page, or the error of a cut connection."""

    at: float  # on the clock of time.monotonic
    page: Page | None
    error: Exception | None = None


@dataclass
class Crowd:
    """Who signed, and what they were told. Whoever is refused or cut off sends the form again."""

    urls: list[str]  # of the machines, visited in turn
    acknowledged: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    slowest: float = 0.0  # seconds
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: Lock = field(default_factory=Lock)

    @property
    def pages(self) -> list[Page]:
        """The pages that were answered in place of "look in your mail"."""
        return [each.page for each in self.refusals if each.page]

    @property
    def cut(self) -> list[Exception]:
        """Connections that were cut or refused, or stood without an answer."""
        return [each.error for each in self.refusals if each.error]

    def sign_until(self, stop: Event) -> None:
        """One after the other signs, until `stop` is set."""
        form: Form | None = None
        turns = itertools.count()
        while not stop.is_set():
            number = next(self._numbers)
            address = f"person{number}@host{number % HOSTS}.example.org"
            while not stop.is_set() and address not in self.acknowledged:
                visitor = visitor_at(self.urls[next(turns) % len(self.urls)])
                form = self._try(visitor, form, address)
                stop.wait(BREATH)

    def _try(self, visitor: Visitor, form: Form | None, address: str) -> Form | None:
        began, page, error = time.monotonic(), None, None
        try:
            form = form or visitor.get("/petition").form("/petition/sign")
            typed = {"name": "Ada Fictional", "email": address, "consent": "yes"}
            page = visitor.post(form.action, {**form.values, **typed}, follow=False)
        except (OSError, HTTPException, AssertionError) as cut:
            error = cut
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            if page and page.status == 303 and "/check-email/" in page.headers["location"]:
                self.acknowledged.add(address)
            else:
                self.refusals.append(Refusal(time.monotonic(), page, error))
        return form

    def wait_for(self, more: int, seconds: float = 30) -> None:
        """Wait until so many more have been told to look in their mail."""
        wanted = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= wanted, "nobody can sign", seconds)

    def refused_since(self, moment: float) -> list[Refusal]:
        return [each for each in self.refusals if each.at > moment]


@contextmanager
def signing(*urls: str) -> Iterator[Crowd]:
    """People who sign, at the site at these addresses, until the block ends."""
    crowd, stop = Crowd(list(urls)), Event()
    threads = [Thread(target=crowd.sign_until, args=(stop,)) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    try:
        yield crowd
    finally:
        stop.set()
        for each in threads:
            each.join()


def wait_until(condition: Callable[[], bool], words: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, words
        time.sleep(0.05)


def let_time_pass() -> None:
    """As if every lease had ended, and every mail that was put off were due."""
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.state == MessageState.WAITING)
            .values(due_at=clock.utc_now() - timedelta(hours=1))
        )


def assert_told_kindly(page: Page) -> None:
    """What happened, what to do next, and what was typed, to be sent again at one press. A
    process that has not yet shown the petition's page cannot put the form into it."""
    assert page.status == 503
    assert int(page.headers["retry-after"]) > 0
    assert "Something broke on our side" in page.text
    assert "your signature was not taken" in page.text or "Sending a form twice" in page.text
    kept = page.form("/petition/sign").values
    assert kept["name"] == "Ada Fictional"
    assert kept["email"].startswith("person")


def assert_nothing_lost(site: Site, crowd: Crowd, mailbox: Mailbox) -> None:
    """Whoever was told to look in their mail has one signature, has got a mail, and counts once
    when they follow its link; and all figures agree."""
    assert crowd.acknowledged
    with application(site.environment):
        let_time_pass()
        wait_until(
            lambda: crowd.acknowledged <= set(mailbox.recipients), "a mail is missing", seconds=60
        )
        confirmed = _confirm(site.visitor, sorted(crowd.acknowledged)[:MOST_CONFIRMED], mailbox)
        _assert_kept_once(crowd, confirmed)
        wait_until(lambda: _public_count(site) == len(confirmed), "the public count is wrong")
    verified = site.command("tally", "verify")
    assert verified.returncode == 0, verified.stdout


def _confirm(visitor: Visitor, addresses: list[str], mailbox: Mailbox) -> list[str]:
    """Follow the link in the mail of each, and press the button, twice."""
    mails = dict(zip(list(mailbox.recipients), list(mailbox.received), strict=False))
    for address in addresses:
        page = visitor.get(link_in(mails[address], "confirm"))
        for _ in range(2):
            pressed = visitor.submit(page, "/petition/confirm", follow=False)
            assert "/petition/counted/" in pressed.headers.get("location", ""), pressed.text
    return addresses


def _assert_kept_once(crowd: Crowd, confirmed: list[str]) -> None:
    digests = {address_digests(each)[0] for each in crowd.acknowledged}
    with transaction() as session:
        rows = Counter(session.scalars(select(Signature.address_digest)))
        counted = session.scalar(
            select(func.count()).where(Signature.status == SignatureStatus.VERIFIED)
        )
    assert digests <= rows.keys()
    assert set(rows.values()) == {1}
    assert counted == len(confirmed)


def _public_count(site: Site) -> int:
    return int(json.loads(site.visitor.get("/petition/count.json").text)["count"])
