"""What a writer chooses to become of a testimony, and what readers see before its text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class Use(StrEnum):
    """What may be done with it; each allows no more than it says."""

    COUNT = "count"  # that it was sent; nobody reads it
    READ = "read"  # the coalition reads it, and nobody else
    PUBLISH = "publish"  # without a name
    PUBLISH_NAMED = "publish-named"  # under a name that its writer chose


PUBLIC_USES = frozenset({Use.PUBLISH, Use.PUBLISH_NAMED})


@dataclass(frozen=True)
class Choices:
    """A writer's choices. Each is a choice of its own; none follows from another."""

    use: Use
    name: str = ""  # to be published under
    may_press: bool = False
    may_inquiry: bool = False
    ask_first: bool = True  # before an edited version is published
    labels: tuple[str, ...] = ()  # what it describes, as its writer sees it

    @property
    def is_public(self) -> bool:
        return self.use in PUBLIC_USES

    @property
    def public_name(self) -> str:
        """The name to publish it under; empty where it is to be published without one."""
        return self.name if self.use is Use.PUBLISH_NAMED else ""

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Choices:
        table = json.loads(text)
        return cls(**{**table, "use": Use(table["use"]), "labels": tuple(table["labels"])})


@dataclass(frozen=True)
class Front:
    """What stands before the text of a published testimony."""

    label: str  # the slug of what it describes: its title
    summary: str  # one or two plain sentences
    labels: tuple[str, ...] = ()  # what else it describes, told before it can be opened
    themes: tuple[str, ...] = ()
    name: str = ""  # of its writer, where they chose one

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Front:
        table = json.loads(text)
        lists = {name: tuple(table[name]) for name in ("labels", "themes")}
        return cls(**{**table, **lists})
