"""Each route says who may use it. A test walks all routes and fails on one that does not."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    PUBLIC = "public"  # anybody
    TOKEN = "token"  # noqa: S105  # whoever holds the private link in the address
    LOOPBACK = "loopback"  # only a browser on this very machine


def open_to(access: Access) -> Callable[[View], View]:
    """Declare who may use a route; put it below the route's own decorator."""

    def declare(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return declare
