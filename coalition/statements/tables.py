"""Reading TOML into records that have just their fields, and saying what is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

Record = TypeVar("Record")

# What a field's annotation asks of a value. The annotations are text: see the __future__ import
# of the modules that hold the records.
_KINDS: dict[Any, type] = {
    "str": str,
    "int": int,
    "date": date,
    "date | None": date,
    "datetime": datetime,
}
_KIND_WORDS = {
    str: "words in quotation marks",
    int: "a whole number",
    date: "a date, written as 2026-04-29",
    datetime: "a moment, written as 2026-04-29T00:01:00+01:00",
}


class CampaignInvalid(Exception):
    """A campaign cannot be used. `problems` are lines for whoever wrote it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises CampaignInvalid."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignInvalid([f"not valid TOML: {error}"]) from error
    except RecursionError:
        raise CampaignInvalid(["not valid TOML: brackets stand in too many others"]) from None


def read_list(text: str, name: str, record: type[Record]) -> tuple[Record, ...]:
    """The records of a TOML text that holds one list, [[name]], and at least one in it.

    Raises CampaignInvalid.
    """
    table = read_toml(text)
    records = read_records(table.pop(name, []), record, name)
    if table:
        raise CampaignInvalid([f"{other} is not known here" for other in table])
    if not records:
        raise CampaignInvalid([f"{name}: there must be at least one"])
    return records


def read_records(tables: Any, record: type[Record], where: str) -> tuple[Record, ...]:
    """Make a record of each table of a list. Raises CampaignInvalid."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise CampaignInvalid([f"{where}: must be a list of tables, [[{where}]]"])
    return tuple(
        read_record(table, record, f"{where} {number}: ") for number, table in enumerate(tables, 1)
    )


def tables_in(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tables of the list `name`, as far as there are any."""
    given = table.get(name, [])
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def read_record(table: Mapping[str, Any], record: type[Record], where: str = "") -> Record:
    """Make a record of a table that has just its fields; those with a default may be missing.

    Values of fields that no TOML value can be, such as records of records, are passed on as
    they are. Raises CampaignInvalid.
    """
    wanted = {item.name: item for item in fields(record)}  # type: ignore[arg-type]
    needed = {name for name, item in wanted.items() if item.default is MISSING}
    problems = [f"{where}{name} is missing" for name in needed - table.keys()]
    problems += [f"{where}{name} is not known here" for name in table.keys() - wanted.keys()]
    for name in wanted.keys() & table.keys():
        kind = _KINDS.get(wanted[name].type)
        if kind and type(table[name]) is not kind:  # a date-time is also a date, true also 1
            problems.append(f"{where}{name} must be {_KIND_WORDS[kind]}")
        elif kind is str and name in needed and not table[name].strip():
            problems.append(f"{where}{name} is empty")
    if problems:
        raise CampaignInvalid(sorted(problems))
    return record(**table)


def scheme_of(link: str) -> str:
    """The scheme of a link; empty where the link leads nowhere."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    target = parts.hostname if parts.scheme in ("http", "https") else parts.path
    return parts.scheme if target else ""


def require_https(links: Mapping[str, str]) -> None:
    """Raises CampaignInvalid for each link, by its name, that is given and is not https."""
    problems = [
        f"{name}: must be an https:// address"
        for name, link in links.items()
        if link and scheme_of(link) != "https"
    ]
    if problems:
        raise CampaignInvalid(problems)
