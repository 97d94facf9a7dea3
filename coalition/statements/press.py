"""`press.toml`: what the coalition says to newspapers, and what it has put right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup

from coalition.statements import markdown
from coalition.statements.records import is_address, name_problems
from coalition.statements.tables import CampaignInvalid, read_record, read_records, read_toml


@dataclass(frozen=True)
class Quote:
    """Words that newspapers may print, and who says them."""

    words: str
    by: str


@dataclass(frozen=True)
class Release:
    """A press release at an address that never changes: /press/releases/SLUG.

    Until `embargo` only those who were given a link can read it.
    """

    slug: str
    embargo: datetime
    title: str
    summary: str
    text: str  # Markdown

    @property
    def html(self) -> Markup:
        return Markup(markdown.render(self.text))  # noqa: S704 (render() cleans it)

    def is_out(self, now: datetime) -> bool:
        """Whether everybody may read it."""
        return self.embargo <= now


@dataclass(frozen=True)
class Correction:
    """A figure or a sentence that was wrong, and what is right."""

    on: date
    what: str
    why: str


@dataclass(frozen=True)
class Press:
    """What `press.toml` holds; releases and corrections, the newest first."""

    contact: str
    reachable: str
    safely: tuple[str, ...]  # how to report without harm, a sentence each
    quotes: tuple[Quote, ...]
    releases: tuple[Release, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def releases_out(self, now: datetime) -> tuple[Release, ...]:
        """What everybody may read."""
        return tuple(each for each in self.releases if each.is_out(now))

    def find_release(self, slug: str) -> Release | None:
        return next((each for each in self.releases if each.slug == slug), None)


def parse_press(text: str) -> Press:
    """`press.toml`. Raises CampaignInvalid."""
    table = read_toml(text)
    quotes = read_records(table.pop("quotes", []), Quote, "quotes")
    releases = read_records(table.pop("releases", []), Release, "releases")
    corrections = read_records(table.pop("corrections", []), Correction, "corrections")
    problems = [] if quotes else ["quotes: there must be at least one"]
    problems += name_problems("releases: the slug", [each.slug for each in releases])
    problems += [
        f"releases {each.slug}: {problem}"
        for each in releases
        for problem in markdown.problems(each.text)
    ]
    problems += [
        f"releases {each.slug}: embargo needs a time zone, as in 2026-04-29T00:01:00+01:00"
        for each in releases
        if each.embargo.tzinfo is None
    ]
    safely = table.get("safely", [])
    if not isinstance(safely, list) or not all(isinstance(e, str) and e.strip() for e in safely):
        problems.append("safely must be a list of words in quotation marks")
    elif not safely:
        problems.append("safely: there must be at least one")
    if problems:
        raise CampaignInvalid(problems)
    press = read_record(
        {
            **table,
            "safely": tuple(safely),
            "quotes": quotes,
            "releases": tuple(sorted(releases, key=lambda each: each.embargo, reverse=True)),
            "corrections": tuple(sorted(corrections, key=lambda each: each.on, reverse=True)),
        },
        Press,
    )
    if not is_address(press.contact):
        raise CampaignInvalid(["contact: must be an email address"])
    return press
