"""What has been done to make this site accessible, and what nobody has checked yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from coalition.statements.tables import read_record, read_records, read_toml

FILE = Path(__file__).with_name("accessibility.toml")


@dataclass(frozen=True)
class Check:
    """One thing that is looked at. `test` is where in tests/ a machine does it at every change;
    empty where a person did it, once, on `checked`."""

    what: str
    criteria: str  # of WCAG 2.2
    tool: str
    checked: date
    found: str
    test: str = ""


@dataclass(frozen=True)
class Gap:
    """Something that nobody has checked, or that is known not to be right."""

    what: str
    why: str


@dataclass(frozen=True)
class Ledger:
    checks: tuple[Check, ...]
    unchecked: tuple[Gap, ...]  # what nobody has checked yet
    known: tuple[Gap, ...] = ()  # what is not right yet


@lru_cache
def read_ledger() -> Ledger:
    """The ledger as it stands beside this module. Raises CampaignInvalid if it is broken."""
    table = read_toml(FILE.read_text(encoding="utf-8"))
    table["checks"] = read_records(table.get("checks", []), Check, "checks")
    for name in ("unchecked", "known"):
        table[name] = read_records(table.get(name, []), Gap, name)
    return read_record(table, Ledger)
