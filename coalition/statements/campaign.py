"""A campaign: its texts, read from files or from the database, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from coalition.statements import markdown
from coalition.statements.easy_read import EasyRead, parse_easy_read
from coalition.statements.logo import parse_logo
from coalition.statements.records import (
    Consent,
    Demand,
    Details,
    Evidence,
    Helpline,
    Reply,
    Side,
    Update,
    parse_consent,
    parse_demands,
    parse_details,
    parse_evidence,
    parse_helplines,
    parse_replies,
    parse_sides,
    parse_updates,
)
from coalition.statements.tables import CampaignInvalid

# Each text of a campaign and the file that `campaign load` reads it from.
FILES = {
    "campaign": "campaign.toml",
    "consent": "consent.toml",
    "helplines": "helplines.toml",
    "demands": "demands.toml",
    "evidence": "evidence.toml",
    "replies": "replies.toml",
    "sides": "sides.toml",
    "updates": "updates.toml",
    "easy-read": "easy-read.toml",
    "logo": "logo.svg",
    "reasons": "reasons.md",
    "petition": "petition.md",
    "statement": "statement.md",
    "questions": "questions.md",
    "about": "about.md",
    "support": "support.md",
    "privacy": "privacy.md",
}
LONGEST_TEXT = 200_000  # characters

_PARSERS: dict[str, Callable[[str], object]] = {
    "campaign": parse_details,
    "consent": parse_consent,
    "helplines": parse_helplines,
    "demands": parse_demands,
    "evidence": parse_evidence,
    "replies": parse_replies,
    "sides": parse_sides,
    "updates": parse_updates,
    "easy-read": parse_easy_read,
    "logo": parse_logo,
}


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
class Logo:
    """An SVG; each version has an address of its own."""

    version: int
    svg: str


@dataclass(frozen=True)
class Campaign:
    """Everything that pages and mails say in the campaign's own words."""

    details: Details
    consent: Consent
    helplines: tuple[Helpline, ...]
    demands: tuple[Demand, ...]
    evidence: tuple[Evidence, ...]
    replies: tuple[Reply, ...]
    sides: tuple[Side, ...]
    updates: tuple[Update, ...]
    easy_read: EasyRead
    logo: Logo
    reasons: Document
    petition: Document
    statement: Document
    questions: Document
    about: Document
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
    return [
        f"{FILES[slug]}: {problem}"
        for slug, text in texts.items()
        for problem in _text_problems(slug, text)
    ]


def _text_problems(slug: str, text: str) -> list[str]:
    if len(text) > LONGEST_TEXT:
        return [f"longer than {LONGEST_TEXT} characters"]
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        return ["holds a control character"]
    if slug not in _PARSERS:
        return markdown.problems(text) or ([] if text.strip() else ["this file is empty"])
    try:
        _PARSERS[slug](text)
    except CampaignInvalid as error:
        return error.problems
    return []
