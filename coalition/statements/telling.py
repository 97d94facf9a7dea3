"""`testimonies.toml`: under which rules people tell what happened to them, and the labels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from coalition.statements.records import name_problems
from coalition.statements.tables import CampaignInvalid, read_record, read_records, read_toml

WEIGHTS = (1, 2, 3)  # how heavy something can be to read; 3 is the heaviest
HEAVIEST = WEIGHTS[-1]


@dataclass(frozen=True)
class Label:
    """What an account describes, in neutral words ("describes restraint by police")."""

    slug: str
    words: str
    weight: int


@dataclass(frozen=True)
class Theme:
    """What accounts are about, for readers to filter by."""

    slug: str
    name: str


@dataclass(frozen=True)
class Telling:
    """The rules under which people tell what happened, all of one version.

    While `rule`, the emergency rule, is empty, nobody can send anything.
    """

    version_id: int
    version: int
    exceptions: tuple[str, ...]  # to the rule: the closed list
    lead: str
    who_reads: str
    how_long: str
    consent: str
    press: str
    inquiry: str
    reach: str
    prompts: tuple[str, ...]
    labels: tuple[Label, ...]
    themes: tuple[Theme, ...]
    rule: str = ""
    exceptions_do: str = ""  # what is done where there is an exception, and by whom

    @property
    def is_open(self) -> bool:
        return bool(self.rule.strip())

    def label(self, slug: str) -> Label | None:
        """The label of this slug, unless the campaign has taken it out since."""
        return next((each for each in self.labels if each.slug == slug), None)

    def theme(self, slug: str) -> Theme | None:
        """The theme of this slug, unless the campaign has taken it out since."""
        return next((each for each in self.themes if each.slug == slug), None)


_LISTS = ("exceptions", "prompts")
_MAY_BE_EMPTY = frozenset({"rule", "exceptions_do"})


def parse_telling(text: str, version_id: int = 0, version: int = 0) -> Telling:
    """`testimonies.toml`. Raises CampaignInvalid."""
    table = read_toml(text)
    labels = read_records(table.pop("labels", []), Label, "labels")
    themes = read_records(table.pop("themes", []), Theme, "themes")
    problems = _word_problems(table)
    problems += name_problems("labels: the slug", [each.slug for each in labels])
    problems += name_problems("themes: the slug", [each.slug for each in themes])
    problems += [
        f"labels {each.slug}: weight must be 1, 2 or 3"
        for each in labels
        if each.weight not in WEIGHTS
    ]
    problems += [
        f"{name}: there must be at least one"
        for name, found in (("labels", labels), ("themes", themes))
        if not found
    ]
    if problems:
        raise CampaignInvalid(problems)
    lists = {name: tuple(table[name]) for name in _LISTS}
    told = read_record(
        {
            **table, **lists, "labels": labels, "themes": themes,
            "version_id": version_id, "version": version,
        },
        Telling,
    )  # fmt: skip
    if told.exceptions and not told.exceptions_do.strip():
        raise CampaignInvalid(["exceptions_do: say what is done in such a case, and by whom"])
    return told


def _word_problems(table: dict[str, Any]) -> list[str]:
    """What is wrong with everything but labels and themes."""
    known = {each.name for each in fields(Telling)}
    known -= {"version_id", "version", "labels", "themes"}
    problems = [f"{name} is not known here" for name in sorted(table.keys() - known)]
    problems += [f"{name} is missing" for name in sorted(known - _MAY_BE_EMPTY - table.keys())]
    for name in sorted(known & table.keys()):
        value = table[name]
        if name in _LISTS:
            if not isinstance(value, list) or not all(
                isinstance(each, str) and each.strip() for each in value
            ):
                problems.append(f"{name} must be a list of words in quotation marks")
        elif not isinstance(value, str):
            problems.append(f"{name} must be words in quotation marks")
        elif not value.strip() and name not in _MAY_BE_EMPTY:
            problems.append(f"{name} is empty")
    return problems
