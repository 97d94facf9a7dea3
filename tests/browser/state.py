"""What a state of a page is."""

from __future__ import annotations

from dataclasses import dataclass

from tests.browser.ways import Way


@dataclass(frozen=True)
class State:
    """A state of a page: its name, the way there, and how one sees that one has arrived."""

    name: str
    way: Way
    says: str = ""
    status: int = 200
    wrong_form: bool = False  # a form was sent in which a field has to be mended


def wrong(name: str, way: Way, says: str) -> State:
    """A form that comes back with the error that it `says`."""
    return State(name, way, says, 422, wrong_form=True)
