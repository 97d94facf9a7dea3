"""A campaign: its texts, read from files or from the database, checked and typed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from markupsafe import Markup

from coalition.statements import colour, markdown

# Each text of a campaign and the file that `campaign load` reads it from.
FILES = {
    "campaign": "campaign.toml",
    "consent": "consent.toml",
    "helplines": "helplines.toml",
    "reasons": "reasons.md",
    "petition": "petition.md",
    "statement": "statement.md",
    "support": "support.md",
    "privacy": "privacy.md",
}
LONGEST_TEXT = 200_000  # characters

Record = TypeVar("Record")


class CampaignInvalid(Exception):
    """A campaign cannot be used. `problems` are lines for whoever wrote it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Demand:
    title: str
    text: str


@dataclass(frozen=True)
class Helpline:
    """`calls_services`: whether it may bring in emergency services unasked; `checked` when
    somebody last looked that up, and `source` where."""

    name: str
    contact: str
    link: str
    hours: str
    about: str
    calls_services: str
    source: str
    checked: date


@dataclass(frozen=True)
class Details:
    """What `campaign.toml` holds."""

    name: str
    short_name: str
    hashtag: str
    addressed_to: str
    headline: str
    lead: str
    contact: str
    controller: str
    mail_greeting: str
    leave_to: str
    accent: str
    accent_dark: str
    demands: tuple[Demand, ...]


@dataclass(frozen=True)
class Consent:
    """The sentences that a signatory agrees to, all of one version."""

    version_id: int
    version: int
    signature: str
    kind: str
    show_name: str
    updates: str


@dataclass(frozen=True)
class Document:
    """A Markdown text in one of its versions."""

    version_id: int
    version: int
    published_at: datetime
    change_note: str
    html: Markup
    headings: tuple[markdown.Heading, ...]


@dataclass(frozen=True)
class Campaign:
    """Everything that pages and mails say in the campaign's own words."""

    details: Details
    consent: Consent
    helplines: tuple[Helpline, ...]
    reasons: Document
    petition: Document
    statement: Document
    support: Document
    privacy: Document


def read_folder(folder: Path) -> dict[str, str]:
    """The texts of a campaign folder by slug, whole or not at all.

    Raises CampaignInvalid with a line for each problem: a file that is missing, is not
    UTF-8, is broken, lacks something or holds something that will not be shown.
    """
    texts, problems = {}, []
    for slug, filename in FILES.items():
        try:
            texts[slug] = (folder / filename).read_text(encoding="utf-8")
        except OSError:
            problems.append(f"{filename}: this file is missing or cannot be read")
        except UnicodeDecodeError:
            problems.append(f"{filename}: this file is not UTF-8")
    problems += check_texts(texts)
    if problems:
        raise CampaignInvalid(problems)
    return texts


def check_texts(texts: Mapping[str, str]) -> list[str]:
    """What is wrong with texts given by slug, one line each."""
    found = []
    for slug, text in texts.items():
        filename = FILES[slug]
        if len(text) > LONGEST_TEXT:
            found.append(f"{filename}: longer than {LONGEST_TEXT} characters")
        elif re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
            found.append(f"{filename}: holds a control character")
        elif filename.endswith(".md"):
            found += [f"{filename}: {problem}" for problem in markdown.problems(text)]
            if not text.strip():
                found.append(f"{filename}: this file is empty")
        else:
            try:
                _PARSERS[slug](text)
            except CampaignInvalid as error:
                found += [f"{filename}: {problem}" for problem in error.problems]
    return found


def parse_details(text: str) -> Details:
    """`campaign.toml`. Raises CampaignInvalid."""
    table = _toml(text)
    demands = tuple(_records(table.pop("demands", []), Demand, "demands"))
    details = _record({**table, "demands": demands}, Details)
    problems = [] if demands else ["demands: there must be at least one"]
    if _scheme(details.leave_to) != "https":
        problems.append("leave_to: must be an https:// address")
    for name, papers in (
        ("accent", colour.LIGHT_PAPERS),
        ("accent_dark", colour.DARK_PAPERS),
    ):
        problems += _colour_problems(name, getattr(details, name), papers)
    if problems:
        raise CampaignInvalid(problems)
    return details


def _colour_problems(name: str, value: str, papers: tuple[str, ...]) -> list[str]:
    if not colour.is_colour(value):
        return [f"{name}: must be written as #rrggbb"]
    lowest = min(colour.contrast(value, paper) for paper in papers)
    if lowest < colour.LEAST_CONTRAST:
        return [f"{name}: its contrast on the page is {lowest:.1f}:1; 7:1 is needed"]
    return []


def parse_consent(text: str, version_id: int = 0, version: int = 0) -> Consent:
    """`consent.toml`. Raises CampaignInvalid."""
    table = _toml(text)
    given = {name: table.pop(name) for name in ("version_id", "version") if name in table}
    if given:
        raise CampaignInvalid([f"{name} is not known here" for name in given])
    return _record({**table, "version_id": version_id, "version": version}, Consent)


def parse_helplines(text: str) -> tuple[Helpline, ...]:
    """`helplines.toml`. Raises CampaignInvalid."""
    table = _toml(text)
    helplines = tuple(_records(table.pop("helplines", []), Helpline, "helplines"))
    if table:
        raise CampaignInvalid([f"{name} is not known here" for name in table])
    if not helplines:
        raise CampaignInvalid(["helplines: there must be at least one"])
    allowed = ("https", "tel", "sms", "mailto")
    problems = [
        f"{each.name}: its link must begin with one of {', '.join(allowed)}"
        for each in helplines
        if _scheme(each.link) not in allowed
    ]
    if problems:
        raise CampaignInvalid(problems)
    return helplines


_PARSERS: dict[str, Callable[[str], object]] = {
    "campaign": parse_details,
    "consent": parse_consent,
    "helplines": parse_helplines,
}


def _scheme(link: str) -> str:
    """The scheme of a link; empty where the link leads nowhere."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    target = parts.hostname if parts.scheme in ("http", "https") else parts.path
    return parts.scheme if target else ""


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignInvalid([f"not valid TOML: {error}"]) from error


def _records(tables: Any, record: type[Record], where: str) -> list[Record]:
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise CampaignInvalid([f"{where}: must be a list of tables, [[{where}]]"])
    return [_record(table, record, f"{where} {number}: ") for number, table in enumerate(tables, 1)]


def _record(table: Mapping[str, Any], record: type[Record], where: str = "") -> Record:
    """Make a dataclass of a table that has just its fields. Raises CampaignInvalid."""
    wanted = {item.name: item.type for item in fields(record)}  # type: ignore[arg-type]
    kinds: dict[Any, type] = {
        "str": str,
        "int": int,
        "date": date,
        "tuple[Demand, ...]": tuple,
    }
    problems = [f"{where}{name} is missing" for name in wanted.keys() - table.keys()]
    problems += [f"{where}{name} is not known here" for name in table.keys() - wanted.keys()]
    for name in wanted.keys() & table.keys():
        kind = kinds[wanted[name]]
        if type(table[name]) is not kind:  # not isinstance: a date-time is a date, true is 1
            problems.append(f"{where}{name} must be a {kind.__name__}")
        elif kind is str and not table[name].strip():
            problems.append(f"{where}{name} is empty")
    if problems:
        raise CampaignInvalid(sorted(problems))
    return record(**table)
