"""Every route of the site with an address that leads to it, so that a new one is tried by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter, IntegerConverter, UUIDConverter

from coalition.accounts.models import Role
from coalition.accounts.sessions import is_desk
from coalition.web.access import Access
from tests.desking import give_password, make_moderator, sign_in_as
from tests.visitor import Visitor

SOMETHING = uuid.UUID(int=7)


@dataclass(frozen=True)
class Route:
    """A route, and an address of it. What its address names is nowhere in the database."""

    rule: str
    path: str
    access: Access | None

    @property
    def is_desk(self) -> bool:
        return is_desk(self.path)


def _value(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if isinstance(converter, UUIDConverter):
        return SOMETHING
    if isinstance(converter, IntegerConverter):
        return 1
    return sorted(converter.items)[0] if isinstance(converter, AnyConverter) else "x"


def routes(app: Flask, method: str) -> Iterator[Route]:
    """All routes that answer this method, in the order of their addresses."""
    addresses = app.url_map.bind("")
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if method in (rule.methods or ()):
            values = {name: _value(rule, name) for name in rule.arguments}
            path = addresses.build(rule.endpoint, values, method)
            access = getattr(app.view_functions[rule.endpoint], "access", None)
            yield Route(rule.rule, path, access)


def administrator(app: Flask) -> tuple[Visitor, str]:
    """A browser of somebody who may do everything at the desk, and the token of its forms."""
    moderator_id = make_moderator(app, *Role)
    give_password(app, moderator_id)
    visitor = sign_in_as(app, moderator_id)
    return visitor, visitor.get("/desk/people").form("/desk/leave").values["csrf_token"]
