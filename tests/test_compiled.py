"""What a test run remembers is what would be made afresh."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, render_template
from jinja2 import FileSystemLoader
from sqlalchemy import literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from werkzeug.routing import Map, Rule

from coalition import clock
from coalition.db import db, transaction
from coalition.statements import queries
from coalition.statements.actions import publish_texts
from coalition.statements.queries import latest_versions, read_campaign
from tests.compiled import of_rule, once
from tests.engines import on_sqlite


@on_sqlite
def test_each_route_of_a_second_application_is_what_it_would_be_if_compiled_afresh(
    make_app: Callable[..., Flask],
) -> None:
    first, second = make_app(), make_app()
    compile_afresh = Rule.compile.__wrapped__  # type: ignore[attr-defined]
    for rule in second.url_map.iter_rules():
        fresh = rule.empty()
        fresh.map = second.url_map
        fresh.subdomain, fresh.merge_slashes = rule.subdomain, rule.merge_slashes
        compile_afresh(fresh)
        assert (rule._parts, rule._trace) == (fresh._parts, fresh._trace)
        assert (rule.arguments, [*rule._converters]) == (fresh.arguments, [*fresh._converters])
        for name in ("_build", "_build_unknown"):
            assert getattr(rule, name).__code__ == getattr(fresh, name).__code__
            assert getattr(rule, name).__self__ is rule
    assert _rules(first) == _rules(second)


def _rules(app: Flask) -> list[str]:
    return [rule.rule for rule in app.url_map.iter_rules()]


def test_routes_that_differ_in_anything_are_compiled_apart() -> None:
    alike = Rule("/<name>", endpoint="a"), Rule("/<name>", endpoint="b", methods=["POST"])
    others = Rule("/<int:name>"), Rule("/<name>", defaults={"name": "x"}), Rule("/<path:name>")
    Map([*alike, *others])
    assert len({of_rule(rule) for rule in (*alike, *others)}) == 4


@on_sqlite
def test_a_template_that_changed_is_shown_as_it_is_now(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    for words in ("Before", "After"):
        app = make_app()
        app.jinja_env.loader = FileSystemLoader(tmp_path)
        (tmp_path / "page.html").write_text(words)
        with app.app_context():
            assert render_template("page.html") == words


@on_sqlite
def test_a_campaign_that_changed_is_read_again(session: Session) -> None:
    before = read_campaign(session)
    assert read_campaign(session) is before
    with transaction() as writing:
        publish_texts(writing, {"about": "Other words."}, actor="test", now=clock.utc_now())
    after = read_campaign(session)
    assert (after.about.version, after.about.html) == (2, "<p>Other words.</p>\n")
    assert after.statement == before.statement
    assert after == queries.campaign_of.__wrapped__(latest_versions(session))  # type: ignore[attr-defined]


def test_a_statement_is_written_once_for_all_databases_of_a_kind(
    make_app: Callable[..., Flask],
) -> None:
    compiled: list[object] = []
    written = SQLCompiler.__init__

    def note(compiler: SQLCompiler, *given: object, **named: object) -> None:
        compiled.append(compiler)
        written(compiler, *given, **named)

    statement = select(literal("words").label(f"of_{uuid.uuid4().hex}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "__init__", note)
        for _ in range(3):
            with make_app().app_context():
                assert db.session().scalar(statement) == "words"
    assert len(compiled) == 1


def test_databases_of_two_kinds_share_no_statement() -> None:
    assert sqlite.dialect() != postgresql.dialect()
    assert sqlite.dialect() == sqlite.dialect()


def test_what_is_made_of_the_same_is_made_once() -> None:
    made: list[str] = []
    remembered = once(made.append, str.casefold)
    for words in ("One", "two", "ONE"):
        remembered(words)
    assert made == ["One", "two"]
