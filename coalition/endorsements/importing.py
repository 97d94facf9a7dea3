"""Supporters that a coalition has already, from a spreadsheet saved as CSV."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.audit.actions import record
from coalition.endorsements import emails
from coalition.endorsements.actions import Contact, PublicDetails, set_contact
from coalition.endorsements.flags import name_key
from coalition.endorsements.forms import LONGEST_WORDS, normal_website
from coalition.endorsements.models import (
    Endorsement,
    EndorsementStatus,
    Entry,
    EntryState,
    Nation,
    OrganisationKind,
    Origin,
)
from coalition.endorsements.queries import choose_slug, supporters
from coalition.mail.actions import queue_message
from coalition.mail.address import NotAnAddress, parse_address
from coalition.web.forms import LONGEST_LINE, is_showable, tidy, tidy_lines

NEEDED = ("name", "kind", "nation", "endorsed_on")
OPTIONAL = ("website", "words", "contact_name", "contact_role", "contact_email")
MOST_ROWS = 10_000


class ImportRefused(Exception):
    """The file cannot be imported. `problems` are lines, most with the row's number."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Row:
    """One organisation, checked. `number` is the row's in a spreadsheet, the heading being 1."""

    number: int
    details: PublicDetails
    contact: Contact | None
    endorsed_on: date


def read_rows(path: Path, *, today: date) -> list[Row]:
    """The organisations in a CSV file, in UTF-8 with a heading: all of them, or none.

    Raises ImportRefused with a line for everything that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportRefused([f"the file cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise ImportRefused(["the file is not UTF-8; save it as “CSV UTF-8”"]) from error
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[list[str]] = []
    try:
        lines.extend(records)
    except csv.Error as error:
        raise ImportRefused([f"row {len(lines) + 1}: {error}"]) from error
    heading = [name.strip() for name in lines[0]] if lines else []
    # Rows keep the numbers that a spreadsheet shows, whatever stands empty between them.
    tables = {
        number: cells for number, cells in enumerate(lines[1:], 2) if any(map(str.strip, cells))
    }
    problems = _heading_problems(heading)
    if not tables:
        problems.append("there is no organisation in the file")
    if len(tables) > MOST_ROWS:
        problems.append(f"more than {MOST_ROWS} rows; split the file")
    if problems:
        raise ImportRefused(problems)
    return _checked(heading, tables, today)


def _heading_problems(heading: list[str]) -> list[str]:
    problems = [f"the column “{name}” is missing" for name in NEEDED if name not in heading]
    return (
        problems
        + [
            f"the column “{name}” is not known; there are {', '.join(NEEDED + OPTIONAL)}"
            for name in heading
            if name not in NEEDED + OPTIONAL
        ]
        + [
            f"the column “{name}” is there more than once"
            for name in sorted(set(heading))
            if heading.count(name) > 1
        ]
    )


def _checked(heading: list[str], tables: dict[int, list[str]], today: date) -> list[Row]:
    rows, problems = [], []
    seen: dict[str, int] = {}
    for number, cells in tables.items():
        reader = _RowReader(dict(zip(heading, cells, strict=False)), today)
        if any(cells[len(heading) :]):
            reader.problems.append("more cells than the heading has")
        row = reader.read(number)
        key = name_key(row.details.name)
        if key in seen:
            reader.problems.append(f"the same name as in row {seen[key]}")
        seen.setdefault(key, number)
        rows.append(row)
        problems += [f"row {number}: {problem}" for problem in reader.problems]
    if problems:
        raise ImportRefused(problems)
    return rows


class _RowReader:
    """Reads one row, and collects what is wrong with it."""

    def __init__(self, table: dict[str, str], today: date) -> None:
        self.table, self.today = table, today
        self.problems: list[str] = []

    def read(self, number: int) -> Row:
        return Row(
            number=number,
            details=PublicDetails(
                name=self._name(),
                website=self._website(),
                kind=self._kind(),
                nation=self._nation(),
                words=self._words(),
                logo_id=None,
                logo_alt="",
            ),
            contact=self._contact(),
            endorsed_on=self._day(),
        )

    def _cell(self, column: str) -> str:
        words = tidy(self.table.get(column))
        if not is_showable(words):
            self.problems.append(f"{column} holds a character that cannot be shown")
            return ""
        return words

    def _name(self) -> str:
        name = self._cell("name")
        if not 0 < len(name) <= LONGEST_LINE:
            self.problems.append(f"the name must have 1 to {LONGEST_LINE} characters")
        return name

    def _website(self) -> str:
        try:
            return normal_website(self._cell("website")) if self._cell("website") else ""
        except ValueError as error:
            self.problems.append(f"website: {error}")
            return ""

    def _kind(self) -> OrganisationKind:
        try:
            return OrganisationKind(self._cell("kind"))
        except ValueError:
            self.problems.append(f"kind must be one of {', '.join(OrganisationKind)}")
            return OrganisationKind.OTHER

    def _nation(self) -> Nation:
        try:
            return Nation(self._cell("nation"))
        except ValueError:
            self.problems.append(f"nation must be one of {', '.join(Nation)}")
            return Nation.UK

    def _words(self) -> str:
        words = tidy_lines(self.table.get("words"))
        if len(words) > LONGEST_WORDS:
            self.problems.append(f"words must have {LONGEST_WORDS} characters or fewer")
        return words

    def _contact(self) -> Contact | None:
        email = self._cell("contact_email")
        name, role = self._cell("contact_name"), self._cell("contact_role")
        if not email:
            if name or role:
                self.problems.append("a contact needs contact_email")
            return None
        try:
            return Contact(parse_address(email), name, role)
        except NotAnAddress:
            self.problems.append("contact_email must be in the form name@example.org")
            return None

    def _day(self) -> date:
        try:
            day = date.fromisoformat(self._cell("endorsed_on"))
        except ValueError:
            self.problems.append("endorsed_on must be a day such as 2021-04-29")
            return self.today
        if day > self.today:
            self.problems.append("endorsed_on lies in the future")
        return day


def problems_with(session: Session, rows: list[Row]) -> list[str]:
    """Which of these organisations are on the list already, one line each."""
    there = {name_key(each.entry.name): each.entry.name for each in supporters(session)}
    return [
        f"row {row.number}: “{there[name_key(row.details.name)]}” is on the list already"
        for row in rows
        if name_key(row.details.name) in there
    ]


def import_rows(
    session: Session,
    rows: list[Row],
    *,
    statement_version_id: int,
    invite: bool,
    actor: str,
    now: datetime,
) -> None:
    """Put organisations on the list as recorded by the coalition; with `invite`, ask those
    that have a contact to confirm. Raises ImportRefused where one is on the list already."""
    problems = problems_with(session, rows)
    if problems:
        raise ImportRefused(problems)
    for row, slug in zip(rows, _slugs(session, rows), strict=True):
        endorsement, entry = _recorded(
            row.details,
            row.contact,
            endorsed_on=row.endorsed_on,
            statement_version_id=statement_version_id,
            slug=slug,
            now=now,
        )
        session.add(endorsement)
        session.flush()
        session.add(entry)
        if invite and row.contact:
            queue_message(session, emails.CONFIRMING, reference=endorsement.id, now=now)
    session.flush()
    record(
        session,
        actor=actor,
        action="endorsements imported",
        subject=f"{len(rows)} organisations",
        now=now,
    )


def _slugs(session: Session, rows: list[Row]) -> Iterator[str]:
    taken = set(session.scalars(select(Endorsement.slug).where(Endorsement.slug.is_not(None))))
    for row in rows:
        slug = choose_slug(row.details.name, taken)
        taken.add(slug)
        yield slug


def _recorded(
    details: PublicDetails,
    contact: Contact | None,
    *,
    endorsed_on: date,
    statement_version_id: int,
    slug: str,
    now: datetime,
) -> tuple[Endorsement, Entry]:
    """The rows of an organisation that the coalition itself records as a supporter."""
    endorsement = Endorsement(
        id=uuid.uuid4(),
        slug=slug,
        status=EndorsementStatus.PUBLISHED,
        origin=Origin.RECORDED,
        statement_version_id=statement_version_id,
        endorsed_on=endorsed_on,
        registered_at=now,
        published_at=now,
        status_changed_at=now,
    )
    set_contact(endorsement, contact)
    entry = Entry(
        endorsement_id=endorsement.id, state=EntryState.PUBLIC, proposed_at=now, **vars(details)
    )
    return endorsement, entry
