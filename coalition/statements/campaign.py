"""A campaign: its texts, read from files or from the database, checked and typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from coalition.statements import markdown
from coalition.statements.easy_read import EasyRead, parse_easy_read
from coalition.statements.lines import line_of, line_with
from coalition.statements.logo import parse_logo
from coalition.statements.press import Press, parse_press
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
from coalition.statements.telling import Telling, parse_telling

# Each text of a campaign and the file that `campaign load` reads it from.
FILES = {
    "campaign": "campaign.toml",
    "consent": "consent.toml",
    "testimonies": "testimonies.toml",
    "helplines": "helplines.toml",
    "demands": "demands.toml",
    "evidence": "evidence.toml",
    "replies": "replies.toml",
    "sides": "sides.toml",
    "updates": "updates.toml",
    "press": "press.toml",
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
    "testimonies": parse_telling,
    "helplines": parse_helplines,
    "demands": parse_demands,
    "evidence": parse_evidence,
    "replies": parse_replies,
    "sides": parse_sides,
    "updates": parse_updates,
    "press": parse_press,
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
    telling: Telling
    helplines: tuple[Helpline, ...]
    demands: tuple[Demand, ...]
    evidence: tuple[Evidence, ...]
    replies: tuple[Reply, ...]
    sides: tuple[Side, ...]
    updates: tuple[Update, ...]
    press: Press
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
    problems += told(check_campaign(texts))
    if problems:
        raise CampaignInvalid(problems)
    return texts


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a text; `line` counts from 1, None where it is not known."""

    words: str
    line: int | None = None

    @property
    def sentence(self) -> str:
        """What is wrong, and in which line."""
        if self.line is None:
            return self.words
        return f"Line {self.line}: {re.sub(r' [(]at line .*|: line .*', '', self.words)}"


@dataclass(frozen=True)
class Fault:
    """A problem of the text of this slug."""

    slug: str
    problem: Problem

    @property
    def sentence(self) -> str:
        """What is wrong, and in which file."""
        return f"{FILES[self.slug]}: {self.problem.words}"


def told(faults: Iterable[Fault]) -> list[str]:
    """Faults in one line each."""
    return [fault.sentence for fault in faults]


def check_campaign(texts: Mapping[str, str]) -> list[Fault]:
    """What is wrong with the texts of a campaign, each by itself and then beside the others."""
    wrong = check_texts(texts)
    if wrong:
        return wrong
    names = _names_in_addresses(texts)
    return [
        Fault(slug, problem)
        for slug, text in texts.items()
        for problem in _broken_links(slug, text, names)
    ]


def check_texts(texts: Mapping[str, str]) -> list[Fault]:
    """What is wrong with texts given by slug, each by itself."""
    return [
        Fault(slug, problem)
        for slug, text in texts.items()
        for problem in text_problems(slug, text)
    ]


def new_problems(present: Mapping[str, str], texts: Mapping[str, str]) -> list[Fault]:
    """What would be wrong if `texts` took the place of those present.

    What is wrong with the others already keeps nothing back.
    """
    wrong = check_texts(texts)
    if wrong:
        return wrong
    found = check_campaign({**present, **texts})
    known = set(told(check_campaign(present))) if found else set()
    return [fault for fault in found if fault.sentence not in known]


def is_markdown(slug: str) -> bool:
    """Whether a text is Markdown, and not TOML or SVG."""
    return FILES[slug].endswith(".md")


def text_problems(slug: str, text: str) -> list[Problem]:
    """What is wrong with one text by itself."""
    if len(text) > LONGEST_TEXT:
        return [Problem(f"longer than {LONGEST_TEXT} characters")]
    control = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if control:
        return [Problem("holds a control character", text.count("\n", 0, control.start()) + 1)]
    if slug not in _PARSERS:
        found = [Problem(words, line) for line, words in markdown.located_problems(text)]
        return found or ([] if text.strip() else [Problem("this file is empty")])
    try:
        _PARSERS[slug](text)
    except CampaignInvalid as error:
        return [Problem(words, line_of(words, text)) for words in error.problems]
    return []


def _names_in_addresses(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """What may follow the beginning of an address of this site, as far as `texts` can tell."""
    names = {}
    if "updates" in texts:
        names["/updates/"] = {each.slug for each in parse_updates(texts["updates"])}
    if "evidence" in texts:
        names["/evidence#"] = {each.anchor for each in parse_evidence(texts["evidence"])}
    return names


def _broken_links(slug: str, text: str, names: Mapping[str, set[str]]) -> list[Problem]:
    """The links of a text to news or evidence of the campaign that is not there."""
    return [
        Problem(f"a link leads to {target[:60]}, which is not there", line)
        for line, target in _links_of(slug, text)
        for start, known in names.items()
        if target.startswith(start) and target.removeprefix(start).partition("#")[0] not in known
    ]


def _links_of(slug: str, text: str) -> list[tuple[int | None, str]]:
    if is_markdown(slug):
        return list(markdown.links(text))
    if slug == "updates":
        news = [target for each in parse_updates(text) for _, target in markdown.links(each.text)]
        return [(line_with(f"({target})", text), target) for target in news]
    if slug == "easy-read":
        points = [point for part in parse_easy_read(text).parts for point in part.points]
        return [(line_with(f'"{point.link}"', text), point.link) for point in points]
    return []
