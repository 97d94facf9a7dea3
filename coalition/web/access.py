"""Each route says who may use it. A test walks all routes and fails on one that does not."""

import ipaddress
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, request

FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    PUBLIC = "public"  # anybody
    TOKEN = "token"  # noqa: S105  # whoever holds the private link in the address
    DESK = "desk"  # moderators who are signed in: accounts/guard.py
    LOOPBACK = "loopback"  # only a browser on this very machine
    MONITOR = "monitor"  # a program on this very machine, or one that brings the token for it


def open_to(access: Access) -> Callable[[View], View]:
    """Declare who may use a route; put it below the route's own decorator."""

    def declare(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return declare


def refuse_other_machines() -> None:
    """Answer 404 to everybody but a browser on this very machine."""
    if not from_this_machine():
        abort(404)


def from_this_machine() -> bool:
    """Whether the current request was sent on this very machine, for nobody else."""
    # A proxy on this machine asks for somebody else.
    if any(name in request.headers for name in FORWARDING):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
