"""What the campaign's TOML files hold, each parsed by the function of its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from markupsafe import Markup

from coalition.statements import colour, markdown
from coalition.statements.tables import (
    CampaignInvalid,
    read_list,
    read_record,
    read_records,
    read_toml,
    require_https,
    scheme_of,
    tables_in,
)

HELPLINE_SCHEMES = ("https", "tel", "sms", "mailto")


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
    content_note: str = ""  # before the petition and the statement


def parse_details(text: str) -> Details:
    """`campaign.toml`. Raises CampaignInvalid."""
    details = read_record(read_toml(text), Details)
    require_https({"leave_to": details.leave_to})
    tells = [details.name, details.short_name, details.hashtag, details.headline]
    if any(word.lower() in details.mail_greeting.lower() for word in tells):
        raise CampaignInvalid(
            ["mail_greeting: names the campaign, and a shared inbox would show it"]
        )
    if not is_address(details.contact):
        raise CampaignInvalid(["contact: must be an email address"])
    problems = _colour_problems("accent", details.accent, colour.LIGHT_PAPERS)
    problems += _colour_problems("accent_dark", details.accent_dark, colour.DARK_PAPERS)
    if problems:
        raise CampaignInvalid(problems)
    return details


def is_address(text: str) -> bool:
    """Whether this looks like an email address."""
    return re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text) is not None


def _colour_problems(name: str, value: str, papers: tuple[str, ...]) -> list[str]:
    if not colour.is_colour(value):
        return [f"{name}: must be written as #rrggbb"]
    lowest = min(colour.contrast(value, paper) for paper in papers)
    if lowest < colour.LEAST_CONTRAST:
        return [f"{name}: its contrast on the page is {lowest:.1f}:1; 7:1 is needed"]
    return []


@dataclass(frozen=True)
class Consent:
    """The sentences that a signatory agrees to, all of one version."""

    version_id: int
    version: int
    signature: str
    kind: str
    show_name: str
    updates: str
    authority: str  # what an organisation's contact states
    contact: str  # what they agree to about their own data


def parse_consent(text: str, version_id: int = 0, version: int = 0) -> Consent:
    """`consent.toml`. Raises CampaignInvalid."""
    table = read_toml(text)
    ours = {"version_id": version_id, "version": version}
    if given := ours.keys() & table.keys():
        raise CampaignInvalid([f"{name} is not known here" for name in sorted(given)])
    return read_record({**table, **ours}, Consent)


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
    checked: date
    source: str = ""


def parse_helplines(text: str) -> tuple[Helpline, ...]:
    """`helplines.toml`. Raises CampaignInvalid."""
    helplines = read_list(text, "helplines", Helpline)
    problems = [
        f"{each.name}: its link must begin with one of {', '.join(HELPLINE_SCHEMES)}"
        for each in helplines
        if scheme_of(each.link) not in HELPLINE_SCHEMES
    ]
    if problems:
        raise CampaignInvalid(problems)
    return helplines


class DemandState(StrEnum):
    OPEN = "open"
    PARTLY_MET = "partly met"
    MET = "met"


@dataclass(frozen=True)
class Step:
    """Something that happened about a demand."""

    on: date
    text: str
    source: str
    link: str = ""


@dataclass(frozen=True)
class Demand:
    title: str
    text: str
    state: str
    as_of: date | None = None  # up to when its steps are known
    steps: tuple[Step, ...] = ()


def parse_demands(text: str) -> tuple[Demand, ...]:
    """`demands.toml`. Raises CampaignInvalid."""
    table = read_toml(text)
    for number, demand in enumerate(tables_in(table, "demands"), 1):
        where = f"demands {number}: steps"
        steps = read_records(demand.get("steps", []), Step, where)
        require_https({f"{where} {at}: link": step.link for at, step in enumerate(steps, 1)})
        demand["steps"] = steps
    demands = read_records(table.pop("demands", []), Demand, "demands")
    problems = [f"{name} is not known here" for name in table]
    problems += [] if demands else ["demands: there must be at least one"]
    problems += [
        f"demands {number}: state must be one of {', '.join(DemandState)}"
        for number, demand in enumerate(demands, 1)
        if demand.state not in list(DemandState)
    ]
    if problems:
        raise CampaignInvalid(problems)
    return demands


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence, with its limits said beside it."""

    anchor: str
    title: str
    source: str
    published: str  # a day, a year, or "not known"
    shows: str
    does_not_show: str
    link: str = ""
    content_note: str = ""  # where it describes harm


def parse_evidence(text: str) -> tuple[Evidence, ...]:
    """`evidence.toml`. Raises CampaignInvalid."""
    items = read_list(text, "evidence", Evidence)
    problems = name_problems("evidence: the anchor", [item.anchor for item in items])
    if problems:
        raise CampaignInvalid(problems)
    require_https({f"evidence {item.anchor}: link": item.link for item in items})
    return items


def name_problems(what: str, names: list[str]) -> list[str]:
    """What is wrong with names that stand in addresses and must never change."""
    problems = [
        f"{what} {name} must be small letters, digits and dashes"
        for name in names
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    return problems + [f"{what} {name} stands twice" for name in twice]


@dataclass(frozen=True)
class Update:
    """News of the campaign, at an address that never changes: /updates/SLUG."""

    slug: str
    on: date
    title: str
    summary: str
    text: str  # Markdown

    @property
    def html(self) -> Markup:
        return Markup(markdown.render(self.text))  # noqa: S704 (render() cleans it)


def parse_updates(text: str) -> tuple[Update, ...]:
    """`updates.toml`, the newest first. Raises CampaignInvalid."""
    updates = read_list(text, "updates", Update)
    problems = name_problems("updates: the slug", [each.slug for each in updates])
    problems += [
        f"updates {each.slug}: {problem}"
        for each in updates
        for problem in markdown.problems(each.text)
    ]
    if problems:
        raise CampaignInvalid(problems)
    return tuple(sorted(updates, key=lambda each: each.on, reverse=True))


@dataclass(frozen=True)
class Reply:
    """A body that was asked, and whether it answered by `as_of`, when that was last known."""

    body: str
    asked_by: str
    as_of: date
    source: str
    due: date | None = None  # by when an answer was asked for, where a day was set
    asked_on: date | None = None
    asked_words: str = ""  # such as "that week", where the day is not known
    link: str = ""
    answered_on: str = ""  # as it is known
    answer: str = ""

    @property
    def answered(self) -> bool:
        return bool(self.answer)

    @property
    def days_waiting(self) -> int | None:
        """Whole days without an answer, as far as is known; None where that cannot be told."""
        if self.answered or self.asked_on is None:
            return None
        return (self.as_of - self.asked_on).days

    @property
    def days_overdue(self) -> int:
        """Whole days after the deadline without an answer, as far as is known."""
        if self.answered or self.due is None:
            return 0
        return max(0, (self.as_of - self.due).days)


def parse_replies(text: str) -> tuple[Reply, ...]:
    """`replies.toml`. Raises CampaignInvalid."""
    replies = read_list(text, "replies", Reply)
    problems = [
        f"replies: {reply.body} has a day of its answer, and no answer"
        for reply in replies
        if reply.answered_on and not reply.answered
    ]
    problems += [
        f"replies: {reply.body} needs asked_on or asked_words, and not both"
        for reply in replies
        if bool(reply.asked_on) == bool(reply.asked_words)
    ]
    if problems:
        raise CampaignInvalid(problems)
    require_https({f"replies: {reply.body}: link": reply.link for reply in replies})
    return replies


@dataclass(frozen=True)
class Side:
    """A topic, with what the coalition says and what those whom it criticises answer."""

    topic: str
    ours: str
    theirs: str
    source: str
    link: str = ""


def parse_sides(text: str) -> tuple[Side, ...]:
    """`sides.toml`. Raises CampaignInvalid."""
    sides = read_list(text, "sides", Side)
    require_https({f"sides: {side.topic}: link": side.link for side in sides})
    return sides
