"""What each table of figures holds, and what each of its columns means.

One description for all: the files, the Data Package's Table Schemas, the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coalition.endorsements.models import Nation, OrganisationKind
from coalition.petition.models import Kind, Region

PROFILES = "https://datapackage.org/profiles/2.0"


class Shown(StrEnum):
    """What disclosure control made of a number."""

    ROUNDED = "rounded"  # to the nearest 5
    SUPPRESSED = "suppressed"  # fewer than 8, or not to be told apart from that


@dataclass(frozen=True)
class Column:
    """One column. `kind` is a type of Table Schema."""

    name: str
    kind: str  # string, integer, date, datetime, boolean
    about: str
    optional: bool = False
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class Schema:
    """One table of figures."""

    name: str
    title: str
    about: str
    columns: Sequence[Column]
    key: str  # the column that tells rows apart
    is_frozen: bool = True  # whether each week's frozen copies hold it

    def as_table_schema(self) -> dict[str, Any]:
        """As a Table Schema (Data Package 2)."""
        return {
            "$schema": f"{PROFILES}/tableschema.json",
            "fields": [_field(each, is_key=each.name == self.key) for each in self.columns],
            "primaryKey": [self.key],
            "missingValues": [""],
        }

    def as_json_schema(self) -> dict[str, Any]:
        """One row, as JSON Schema (2020-12)."""
        return {
            "type": "object",
            "required": [each.name for each in self.columns],
            "additionalProperties": False,
            "properties": {each.name: _property(each) for each in self.columns},
        }


def _field(column: Column, *, is_key: bool) -> dict[str, Any]:
    constraints: dict[str, Any] = {} if column.optional else {"required": True}
    if is_key:
        constraints["unique"] = True
    if column.choices:
        constraints["enum"] = list(column.choices)
    field = {"name": column.name, "type": column.kind, "description": column.about}
    return {**field, "constraints": constraints} if constraints else field


def _property(column: Column) -> dict[str, Any]:
    is_moment = column.kind in ("date", "datetime")
    kind = "string" if is_moment else column.kind
    found: dict[str, Any] = {
        "type": [kind, "null"] if column.optional else kind,
        "description": column.about,
    }
    if is_moment:
        found["format"] = {"date": "date", "datetime": "date-time"}[column.kind]
    if column.choices:
        found["enum"] = [*column.choices, None] if column.optional else list(column.choices)
    return found


# The measures of the headline: what each is called, and its definition.
MEASURES: Mapping[str, tuple[str, str]] = {
    "signatures": (
        "Signatures",
        "People who signed, proved by a mail to their own address that it was them, and whose "
        "signature counts. One for a mailbox, however its address is spelt.",
    ),
    "signatures_that_day": (
        "Change on the day",
        "By how many the signatures grew on the day of “as at”, from midnight in UTC. Below "
        "zero when more were taken back than given.",
    ),
    "withdrawn": (
        "Withdrawn",
        "How often a signature that was proved was taken back or erased by its owner. It does not "
        "count any more; who signed again afterwards stands among the signatures as well.",
    ),
    "held": (
        "Held",
        "Signatures that were proved, and that a moderator is looking at. They do not count "
        "until they are released.",
    ),
    "removed": (
        "Removed",
        "Signatures that were proved, and that a moderator removed, with a reason that is told "
        "to whoever signed. They do not count.",
    ),
    "organisations": (
        "Organisations",
        "Organisations on the public list of supporters: each was read by a person before. Those "
        "that withdrew are not among them.",
    ),
    "testimonies": (
        "Published testimonies",
        "Accounts of what happened to somebody, on this site now. Two people have read each of "
        "them, and nobody has checked what it tells. Their writers can take them back at any time.",
    ),
}

_AS_AT = Column(
    "as_at",
    "datetime",
    "Up to when everything is in the row, in UTC. Empty before the first table.",
    optional=True,
)
_RULE = (
    "Numbers from 0 to 7 are suppressed; others are rounded to the nearest 5. A figure changes at "
    "most once a week, and only once so many people have signed or withdrawn that it gives nobody "
    "away: it can be some weeks old. Who did not say is not shown, so that the rows do not add up "
    "to the signatures."
)


def _shown(what: str) -> tuple[Column, ...]:
    return (
        Column(
            "signatures",
            "integer",
            f"Signatures {what}, rounded to the nearest 5; empty where suppressed.",
            optional=True,
        ),
        Column(
            "shown",
            "string",
            "Whether the number is rounded, or suppressed because it may be smaller than 8.",
            choices=[each.value for each in Shown],
        ),
        _AS_AT,
    )


COUNTS = Schema(
    "counts",
    "Headline figures",
    "How many signed, what does not count and why, and how many organisations support it.",
    (
        Column("measure", "string", "Which figure.", choices=list(MEASURES)),
        Column("title", "string", "What to call it."),
        Column("value", "integer", "The figure, exact."),
        Column("as_at", "datetime", "Up to when everything is in the figure, in UTC."),
        Column("definition", "string", "What is counted, and what is not."),
    ),
    key="measure",
)
DAILY = Schema(
    "daily",
    "Signatures by day",
    "How the number of signatures changed on each day that has ended, exact, and what it was at "
    "the day's end. Days are those of UTC.",
    (
        Column("date", "date", "The day, in UTC."),
        Column("verified", "integer", "Signatures that were proved on the day, and counted."),
        Column("returned", "integer", "Signatures that count again: released, or restored."),
        Column(
            "withdrawn",
            "integer",
            "Signatures that counted, and that their owners took back or erased.",
        ),
        Column("held", "integer", "Signatures that counted, and were held by a moderator."),
        Column("removed", "integer", "Signatures that counted, and were removed by a moderator."),
        Column("change", "integer", "All of these together: by how many the number changed."),
        Column("total", "integer", "The signatures at the day's end."),
    ),
    key="date",
)
REGIONS = Schema(
    "regions",
    "Signatures by nation and region",
    f"Where people who signed say that they live. {_RULE}",
    (
        Column("region", "string", "Which one.", choices=[each.value for each in Region]),
        Column("name", "string", "Its name."),
        Column(
            "ons_code",
            "string",
            "The code of the Office for National Statistics (GSS); empty outside the UK.",
            optional=True,
        ),
        *_shown("of people there"),
    ),
    key="region",
)
KINDS = Schema(
    "kinds",
    "Signatures by the part in which people sign",
    "In which part people who signed say that they do, where they agreed that it is kept; for the "
    f"whole, and never crossed with where they live. {_RULE}",
    (
        Column("kind", "string", "Which one.", choices=[each.value for each in Kind]),
        Column("name", "string", "What it means."),
        *_shown("of these people"),
    ),
    key="kind",
)
ORGANISATIONS = Schema(
    "organisations",
    "Organisations that support the statement",
    "The public list, with those that withdrew. What they say themselves stands on their pages.",
    (
        Column("page", "string", "The address of its page."),
        Column("name", "string", "Its name."),
        Column("kind", "string", "What it is.", choices=[each.value for each in OrganisationKind]),
        Column("nation", "string", "Where it works.", choices=[each.value for each in Nation]),
        Column(
            "status",
            "string",
            "Whether it supports the statement, or withdrew.",
            choices=["supports", "withdrawn"],
        ),
        Column("endorsed_on", "date", "Since when."),
        Column("withdrew_on", "date", "When it withdrew; empty where it did not.", optional=True),
        Column("statement_version", "integer", "Which version of the statement it supports."),
        Column("website", "string", "Its own site; empty where none is known.", optional=True),
        Column(
            "recorded_by_the_coalition",
            "boolean",
            "Whether the coalition put it on the list, and its contact has not confirmed it yet.",
        ),
    ),
    key="page",
    # What is taken off the list must be off everywhere.
    is_frozen=False,
)
SCHEMAS = {each.name: each for each in (COUNTS, DAILY, REGIONS, KINDS, ORGANISATIONS)}
