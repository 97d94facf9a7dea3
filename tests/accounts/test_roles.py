"""Who may use which address of the desk: every route, for every role and for nobody."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule, UUIDConverter

from coalition.accounts.models import Role
from coalition.accounts.sessions import is_desk
from coalition.web.access import Access
from tests.desking import make_moderator, sign_in_as
from tests.engines import on_sqlite
from tests.visitor import Visitor


def desk_routes(app: Flask) -> list[tuple[str, str, frozenset[Role]]]:
    """Method, a path, and the roles of every route of ours below /desk that needs some."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, "access", None) is Access.DESK and hasattr(view, "roles"):
            found += [
                (method, filled_in(app, rule), view.roles)
                for method in sorted({"GET", "POST"} & (rule.methods or set()))
            ]
    return found


def filled_in(app: Flask, rule: Rule) -> str:
    """The rule's path with something in its gaps, which need not be there."""
    values = {name: something_for(converter) for name, converter in rule._converters.items()}
    return str(app.url_map.bind("").build(rule.endpoint, values, method=None))


def something_for(converter: BaseConverter) -> object:
    match converter:
        case UUIDConverter():
            return uuid.uuid4()
        case IntegerConverter():
            return 1
        case AnyConverter():
            return min(converter.items)
        case _:
            return "x"


def answer(visitor: Visitor, method: str, path: str, token: str) -> int:
    if method == "GET":
        return visitor.get(path, follow=False).status
    return visitor.post(path, {"csrf_token": token}, follow=False).status


def test_there_are_routes_to_guard(app: Flask) -> None:
    assert len(desk_routes(app)) > 10


def test_nobody_gets_anywhere_without_signing_in(app: Flask, visitor: Visitor) -> None:
    token = visitor.get("/desk/sign-in").form("/desk/sign-in").values["csrf_token"]
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if is_desk(rule.rule) and getattr(view, "access", None) is Access.DESK:
            path = filled_in(app, rule)
            if "GET" in (rule.methods or set()):
                page = visitor.get(path, follow=False)
                assert page.status == 303, path
                assert page.headers["location"].startswith("/desk/sign-in?next="), path
            if "POST" in (rule.methods or set()):
                assert answer(visitor, "POST", path, token) == 401, path


@on_sqlite
@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_where_it_may_and_nowhere_else(app: Flask, role: Role) -> None:
    moderator_id = make_moderator(app, role)
    make_moderator(app, Role.ADMINISTRATOR)
    for method, path, roles in desk_routes(app):
        visitor = sign_in_as(app, moderator_id)  # some routes sign out
        token = visitor.get("/desk").form("/desk/leave").values["csrf_token"]
        status = answer(visitor, method, path, token)
        if role in roles:
            assert status not in (401, 403), (method, path)
            assert status < 500, (method, path)
        else:
            assert status == 403, (method, path)


def test_a_role_that_is_taken_away_is_gone_in_the_middle_of_the_work(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    boss = sign_in_as(app, make_moderator(app, Role.ADMINISTRATOR))
    visitor = sign_in_as(app, moderator_id)
    page = visitor.get("/desk/people")
    path = f"/desk/people/{moderator_id}"
    boss.post(f"{path}/roles", {**boss.get(path).form("/roles").values, "roles": "editor"})
    answers = {"name": "New", "email": "new@desk.example.org", "roles": "moderator"}
    refused = visitor.submit(page, "/desk/people/invite", **answers)
    assert refused.status == 403
    assert visitor.get("/desk").status == 200


def test_no_page_of_the_desk_is_kept_or_found(app: Flask) -> None:
    moderator_id = make_moderator(app, *Role)
    for method, path, _ in desk_routes(app):
        if method == "GET":
            page = sign_in_as(app, moderator_id).get(path, follow=False)
            assert "no-store" in page.headers["cache-control"], path
            assert "x-robots-tag" in page.headers or "noindex" in page.text, path
