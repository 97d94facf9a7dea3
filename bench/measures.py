"""What is measured, and how: rows that are put there, rates, memory."""

from __future__ import annotations

import re
import smtplib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import psycopg
from flask import Flask
from sqlalchemy import func, select, text

from bench.load import Load
from bench.parts import Sink
from coalition import clock
from coalition.db import db, transaction
from coalition.desk.mails import WRITERS
from coalition.mail.models import MessageState, OutboxMessage
from coalition.mail.private_links import Purpose, make_token
from coalition.mail.transports import make_transport
from coalition.mail.worker import Pace, deliver_batch
from coalition.petition.actions import Agreed, Personal, sign_petition
from coalition.petition.forms import make_stamp
from coalition.petition.hand_in_actions import UNFINISHED, ask_hand_in
from coalition.petition.hand_in_models import HandIn, HandInState
from coalition.petition.models import CountEvent, Signature, SignatureStatus
from coalition.petition.tally import fold, verify_tally
from coalition.press.schemas import SCHEMAS
from coalition.serve import WORKER_NAME
from coalition.settings import Settings
from coalition.statements.queries import current_campaign

_LOADED = re.compile(r'(?:href|src)="(/[^"]+\?v=[^"]+|/static/[^"]+)"')
_IN_SITEMAP = re.compile("<loc>(.+?)</loc>")
MAILS_AHEAD = 20_000  # signatures that wait to be confirmed: more than a load confirms


@dataclass(frozen=True)
class Place:
    """A running site, and a hand in its database."""

    url: str
    settings: dict[str, str]
    app: Flask
    process: int


def page_size(place: Place) -> int:
    """Bytes of the petition's page."""
    with urlopen(f"{place.url}/petition") as answer:
        return len(answer.read())


def first_visit(place: Place) -> list[str]:
    """The petition's page and the files that it loads, by their paths."""
    with urlopen(f"{place.url}/petition") as answer:
        files = _LOADED.findall(answer.read().decode())
    return ["/petition", *files]


@contextmanager
def written(lines: list[str]) -> Iterator[str]:
    """A file with these lines, by its name."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{each}\n" for each in lines)
        file.flush()
        yield file.name


def _agreed() -> Agreed:
    campaign = current_campaign()
    return Agreed(campaign.petition.version_id, campaign.consent.version_id)


def sign_form(place: Place) -> str:
    """What the form holds beside name and address."""
    with place.app.app_context():
        stamp = make_stamp(_agreed(), clock.utc_now())
    return urlencode({"consent": "yes", "region": "wales", "stamp": stamp})


def _sign(number: int) -> None:
    """So many signatures that wait, by the very action that the form calls."""
    person = Personal(
        name="Ada Fictional", region=None, kind=None, show_name=False, wants_updates=False
    )
    agreed, run = _agreed(), uuid.uuid4().hex[:8]
    for start in range(0, number, 500):
        with transaction() as session:
            for each in range(start, min(number, start + 500)):
                sign_petition(
                    session, f"{run}-{each}@example.org", person, agreed, now=clock.utc_now()
                )


def confirm(place: Place, load: Callable[..., Load]) -> Load:
    with place.app.app_context(), _waiting() as lines:
        return load(f"{place.url}/", "lines", lines)


def confirm_there(url: str, database_url: str, load: Callable[..., Load]) -> Load:
    """The same of the tutorial's application."""
    with _waiting_there(database_url) as lines:
        return load(f"{url}/", "lines", lines)


@contextmanager
def _waiting() -> Iterator[str]:
    """A file with the address and the form of each confirmation that waits."""
    _copy_one(MAILS_AHEAD, SignatureStatus.AWAITING)
    now = clock.utc_now()
    rows = db.session.execute(
        select(Signature.id, Signature.revision).where(Signature.status == SignatureStatus.AWAITING)
    ).all()
    db.session.rollback()
    lines = [
        f"/petition/confirm/{make_token(Purpose.CONFIRM, signature_id, now)} revision={revision}"
        for signature_id, revision in rows
    ]
    with written(lines) as name:
        yield name


@contextmanager
def _waiting_there(database_url: str) -> Iterator[str]:
    """The same of the tutorial's application."""
    run = uuid.uuid4().hex[:8]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO signature (name, email, token, verified) SELECT 'Ada', "
            "n || '@' || %(run)s, %(run)s || n, false FROM generate_series(1, %(number)s) n",
            {"run": run, "number": MAILS_AHEAD},
        )
    with written([f"/confirm/{run}{each} x=y" for each in range(1, MAILS_AHEAD + 1)]) as name:
        yield name


def _copy_one(number: int, status: SignatureStatus) -> None:
    """So many rows like one that was signed, each with a digest of its own, by the database."""
    _sign(1)
    columns = [each.name for each in Signature.__table__.columns]
    own = {
        "id": "gen_random_uuid()",
        "address_digest": "sha256(gen_random_uuid()::text::bytea)",
        "status": f"'{status.value}'",
        "show_name": "true",
        "verified_at": "now()" if status is SignatureStatus.VERIFIED else "NULL",
        "region": "(array['wales', 'london', 'scotland'])[1 + n % 3]",
    }
    values = ", ".join(own.get(each, f'one."{each}"') for each in columns)
    names = ", ".join(f'"{each}"' for each in columns)
    with transaction() as session:
        session.execute(
            text(
                f"INSERT INTO signatures ({names}) SELECT {values} FROM "
                "(SELECT * FROM signatures ORDER BY signed_at DESC LIMIT 1) one, "
                f"generate_series(1, {number}) n"
            )
        )


def fill(place: Place, number: int) -> None:
    """So many verified signatures, counted and folded, over a hundred days."""
    with place.app.app_context():
        _fill(number)


def _fill(number: int) -> None:
    _copy_one(number, SignatureStatus.VERIFIED)
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO count_events (day, cause, change, moved, region) SELECT "
                "current_date - (n % 100)::int, 'verified', 1, 1, "
                "(array['wales', 'london', 'scotland'])[1 + n % 3] "
                f"FROM generate_series(1, {number}) n"
            )
        )
    moved = 1
    while moved:
        with transaction() as session:
            moved = fold(session, now=clock.utc_now())
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def everything(place: Place, load: Callable[..., Load]) -> dict[str, Callable[[], Load]]:
    """A load of each public page, press file and form, by its path or name."""
    with urlopen(f"{place.url}/sitemap.xml") as answer:
        pages = [urlsplit(each).path for each in _IN_SITEMAP.findall(answer.read().decode())]
    files = [f"/press/{name}.{ending}" for name in SCHEMAS for ending in ("csv", "json", "xlsx")]
    loads = {path: partial(load, f"{place.url}{path}") for path in (*pages, *files)}
    loads["sign"] = partial(load, f"{place.url}/petition/sign", "sign", sign_form(place))
    loads["confirm"] = partial(confirm, place, load)
    return loads


def mail_rates(place: Place, sink: Sink, *, number: int) -> tuple[float, float]:
    """Mails a second: of our worker, rendering included, and of smtplib with bytes at hand."""
    _sign(number)
    settings: Settings = place.app.extensions["settings"]
    transport = make_transport(settings.mail_url)
    started, sent = time.perf_counter(), 0
    while sent < number:
        batch = deliver_batch(transport, WRITERS, pace=Pace(100_000), stop=Event())
        sent += batch.sent
        if not batch.sent:
            raise RuntimeError("the worker sends no mail")
    ours = number / (time.perf_counter() - started)
    transport.close()
    mail = b"Subject: x\r\n\r\n" + b"words and more words of a mail\r\n" * 200
    with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
        started = time.perf_counter()
        for _ in range(number):
            smtp.sendmail("a@example.org", ["b@example.org"], mail)
        return ours, number / (time.perf_counter() - started)


def fold_seconds(place: Place, *, events: int) -> tuple[float, float]:
    """Seconds: to fold so many events, and of one aggregate over them."""
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO count_events (day, cause, change, moved, region) SELECT current_date, "
                "'verified', 1, 1, (array['wales', 'london'])[1 + n % 2] "
                f"FROM generate_series(1, {events}) n"
            )
        )
        session.execute(text("ANALYZE count_events"))
    started = time.perf_counter()
    db.session.execute(
        select(
            CountEvent.day, CountEvent.cause, CountEvent.region, func.sum(CountEvent.change)
        ).group_by(CountEvent.day, CountEvent.cause, CountEvent.region)
    ).all()
    limit = time.perf_counter() - started
    started = time.perf_counter()
    with transaction() as session:
        fold(session, now=clock.utc_now())
    return time.perf_counter() - started, limit


@dataclass(frozen=True)
class HandInCost:
    """What it took to make the list to hand in. Memory in megabytes, at its largest."""

    seconds: float
    worker: float
    typesetter: float  # the program that sets a part in type, and goes
    shown: int  # different states of progress that the desk could show


def hand_in_cost(place: Place) -> HandInCost:
    """Have the worker make the list of all who are counted, and watch it."""
    with transaction() as session:
        asked = ask_hand_in(session, None, actor="bench", now=clock.utc_now()).id
    started, largest, typesetter, shown = time.monotonic(), 0.0, 0.0, set()
    worker = _worker_of(place)
    while True:
        db.session.rollback()
        hand_in = db.session.get_one(HandIn, asked)
        shown.add(hand_in.done_count)
        if hand_in.state not in UNFINISHED:
            break
        mine, *others = _tree(worker)
        largest = max(largest, _proportional(mine))
        typesetter = max(typesetter, sum(map(_proportional, others)))
        time.sleep(0.25)
    if hand_in.state != HandInState.DONE:
        raise RuntimeError("the list was not made")
    return HandInCost(time.monotonic() - started, largest, typesetter, len(shown))


def _worker_of(place: Place) -> int:
    """The worker among the processes of the site. Raises RuntimeError where there is none."""
    for each in _tree(place.process):
        if Path(f"/proc/{each}/comm").read_text().strip() == WORKER_NAME:
            return each
    raise RuntimeError("the site has no worker")


def settle(place: Place, sink: Sink, before: int) -> tuple[int, int]:
    """Wait until no mail waits. Returns how many signed, and how many mails the sink took."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        db.session.rollback()
        waits = select(func.count()).where(OutboxMessage.state != MessageState.SENT)
        if not db.session.scalar(waits):
            break
        time.sleep(0.5)
    signed = db.session.scalar(select(func.count()).select_from(Signature)) or 0
    db.session.rollback()
    return signed, sink.taken - before


def verify(place: Place) -> str:
    """What the tally says that is not true; empty where all is."""
    with transaction() as session:
        fold(session, now=clock.utc_now())
    _, differences = verify_tally(db.session())
    db.session.rollback()
    return ", ".join(map(str, differences))


def memory(process: int) -> float:
    """Megabytes of a process and all that it started."""
    return sum(map(_proportional, _tree(process)))


def _proportional(process: int) -> float:
    """Megabytes of one process; what it shares with others is counted by its part (PSS)."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:  # it ended just now
        return 0.0
    return int(rollup.partition("Pss:")[2].split()[0]) / 1024


def _tree(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _tree(int(child))
