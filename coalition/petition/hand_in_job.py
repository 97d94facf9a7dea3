"""Makes the files to hand in: the list as CSV, and the petition with its list as PDF.

All from one moment, read once: so both hold the same names. Step by step, each step written down
with the lease renewed; a worker that is killed leaves nothing that another could not begin again.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from threading import Event

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, one_moment, transaction
from coalition.petition import hand_in_actions as actions
from coalition.petition.hand_in import NamedSignature, named_signatures, read_hand_in_count
from coalition.petition.hand_in_actions import MOST_ATTEMPTS, RETRY_AFTER, NoLongerOurs
from coalition.petition.hand_in_models import CSV_FILE, HandIn
from coalition.petition.printing import NAMES_IN_A_PART, Petition, print_part
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import read_campaign
from coalition.web.data import cell

STEP = 1_000  # names between two looks at the lease
CHUNK = 64 * 1024  # bytes of a file in one row
# Excel reads a CSV file without this mark in the code page of the machine, and spoils every name
# that is not of it; other programs pass over the mark.
BYTE_ORDER_MARK = "\ufeff"
COLUMNS = ("name", "signed on (UTC)", "version of the petition")

log = logging.getLogger(__name__)


class _Stopped(Exception):
    """The worker was told to stop."""


def make_next_hand_in(stop: Event) -> bool:
    """Make the files of the request that waits longest. Returns whether there was one.

    When `stop` is set, it is given back within a step, for another worker to begin again.
    """
    with transaction() as session:
        hand_in = actions.claim_hand_in(session, now=clock.utc_now())
    if hand_in is None:
        return False
    try:
        _make(hand_in, stop)
    except NoLongerOurs:
        log.info("a hand-in was deleted, or taken over by another worker")
    except _Stopped:
        with transaction() as session:
            actions.put_back(session, hand_in, at=clock.utc_now(), tried=False)
    except Exception as error:
        # Its text may hold a name: only its kind is logged.
        log.error("a hand-in could not be made: %s", type(error).__name__)
        _fail(hand_in, clock.utc_now())
    return True


def _fail(hand_in: HandIn, now: datetime) -> None:
    with transaction() as session:
        if hand_in.attempts >= MOST_ATTEMPTS:
            actions.give_up(session, hand_in, now=now)
        else:
            actions.put_back(session, hand_in, at=now + RETRY_AFTER, tried=True)


def _make(hand_in: HandIn, stop: Event) -> None:
    now = clock.utc_now()
    with one_moment() as reading:
        petition = _petition(reading, hand_in, now)
        files = _Files(hand_in, stop, total=petition.named, as_at=petition.count.as_at)
        files.write(CSV_FILE, _csv_lines([COLUMNS], first=True))
        with closing(named_signatures(reading, hand_in.petition_version_id)) as names:
            for part in range(1, petition.parts + 1):
                printed = print_part(petition, part, _taken(names, files))
                files.write(_file_name(part, petition.parts), printed.pdf)
                files.spelled += printed.spelled
                files.step(0)
    files.close()


def _taken(names: Iterator[NamedSignature], files: _Files) -> list[NamedSignature]:
    """The names of the next part; each step of them goes to the CSV file at once."""
    taken: list[NamedSignature] = []
    while step := list(islice(names, min(STEP, NAMES_IN_A_PART - len(taken)))):
        taken += step
        rows = [(each.name, each.signed_on.isoformat(), each.version) for each in step]
        files.write(CSV_FILE, _csv_lines(rows))
        files.step(len(step))
    return taken


def _petition(session: Session, hand_in: HandIn, now: datetime) -> Petition:
    count = read_hand_in_count(session, now=now)
    campaign = read_campaign(session)
    wanted = {each.version_id for each in count.versions} or {campaign.petition.version_id}
    if hand_in.petition_version_id is not None:
        wanted = {hand_in.petition_version_id}
    texts = session.scalars(
        select(DocumentVersion).where(DocumentVersion.id.in_(wanted)).order_by(DocumentVersion.id)
    ).all()
    return Petition(campaign.details, texts, count)


def _csv_lines(rows: Iterable[Sequence[object]], *, first: bool = False) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(
        [cell(value) for value in row] for row in rows
    )
    return ((BYTE_ORDER_MARK if first else "") + buffer.getvalue()).encode()


def _file_name(part: int, parts: int) -> str:
    return "petition.pdf" if parts == 1 else f"petition-{part:02}.pdf"


class _Files:
    """The growing files of one request: whole pieces are written at each step."""

    def __init__(self, hand_in: HandIn, stop: Event, *, total: int, as_at: datetime) -> None:
        self.hand_in, self.stop = hand_in, stop
        self.done = self.spelled = 0
        self._waiting: dict[str, bytearray] = {}
        self._next: dict[str, int] = {}
        with transaction() as session:
            actions.advance(session, hand_in, now=clock.utc_now(), total=total, as_at=as_at)

    def write(self, file: str, data: bytes) -> None:
        self._waiting.setdefault(file, bytearray()).extend(data)

    def step(self, names: int) -> None:
        """Write down what is there, and that so many more names are in it."""
        if self.stop.is_set():
            raise _Stopped
        self.done += names
        with transaction() as session:
            now = clock.utc_now()
            actions.advance(
                session, self.hand_in, now=now, done_count=self.done, spelled_count=self.spelled
            )
            self._save(session, whole_only=True)
        db.session.expunge_all()

    def close(self) -> None:
        """Write the rest: the files are whole."""
        with transaction() as session:
            actions.finish(session, self.hand_in, now=clock.utc_now())
            self._save(session, whole_only=False)
        db.session.expunge_all()

    def _save(self, session: Session, *, whole_only: bool) -> None:
        for file, data in self._waiting.items():
            end = len(data) - len(data) % CHUNK if whole_only else len(data)
            pieces = [bytes(data[start : start + CHUNK]) for start in range(0, end, CHUNK)]
            first = self._next.get(file, 1)
            actions.add_chunks(session, self.hand_in, file, first, pieces)
            self._next[file] = first + len(pieces)
            del data[:end]
