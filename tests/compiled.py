"""Addresses, templates, statements and the campaign's texts are read once for all applications of a
test run.

Each test has an application of its own, and most of what that costs is compiling the same routes,
the same templates, the same statements and the same texts again. What is remembered is found by all
that it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from types import CodeType, MethodType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from coalition.statements import queries
from coalition.statements.campaign import Campaign
from coalition.statements.models import DocumentVersion

MOST_STATEMENTS = 20_000


class Templates(BytecodeCache):
    """The code of templates, in memory. One that changed on the disk is compiled again."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


def once(function: Callable[..., Any], made_of: Callable[..., Hashable]) -> Callable[..., Any]:
    """`function`, called only when nothing is remembered that is `made_of` the same."""
    kept: dict[Hashable, Any] = {}

    @wraps(function)
    def remembered(*given: Any, **named: Any) -> Any:
        key = made_of(*given, **named)
        if key not in kept:
            kept[key] = function(*given, **named)
        return kept[key]

    return remembered


# What a rule is compiled to, beside the functions that build its addresses.
_COMPILED = ("_parts", "_trace", "_converters", "arguments")
_BUILDERS = ("_build", "_build_unknown")


def compile_rules_once(compile_rule: Callable[[Rule], None]) -> Callable[[Rule], None]:
    """`compile_rule`, called only for a rule that is not like one before."""
    kept: dict[Hashable, Rule] = {}

    @wraps(compile_rule)
    def remembered(rule: Rule) -> None:
        key = of_rule(rule)
        if key not in kept:
            compile_rule(rule)
            kept[key] = rule
            return
        known = kept[key]
        for name in _COMPILED:
            setattr(rule, name, getattr(known, name))
        for name in _BUILDERS:
            setattr(rule, name, MethodType(getattr(known, name).__func__, rule))

    return remembered


def of_rule(rule: Rule) -> Hashable:
    """All that Werkzeug reads of a rule, and of the map that it belongs to, to compile it."""
    assert rule.map is not None
    return (
        (rule.rule, rule.subdomain, rule.host, rule.merge_slashes, rule.map.host_matching),
        tuple((rule.defaults or {}).items()),
        tuple(rule.map.converters.items()),
    )


def of_campaign(latest: Mapping[str, DocumentVersion]) -> Hashable:
    return tuple(
        (slug, row.id, row.version, row.published_at, row.change_note, row.text)
        for slug, row in sorted(latest.items())
    )


class StatementsOfAll:
    """In place of the compiled statements that each engine keeps for itself: those of all engines."""

    def __init__(self) -> None:
        self._kept = LRUCache(MOST_STATEMENTS)

    def __get__(self, engine: Engine, kind: type[Engine]) -> LRUCache[Any, Any]:
        return self._kept

    def __set__(self, engine: Engine, own: object) -> None:
        """Nothing: what an engine would keep for itself stays empty."""


def of_dialect(dialect: Dialect) -> Hashable:
    """What decides how a statement is written: two dialects that are alike in it write the same."""
    return type(dialect), dialect.server_version_info, dialect.paramstyle


def compile_once() -> None:
    """From now on, in this process."""
    Rule.compile = compile_rules_once(Rule.compile)  # type: ignore[method-assign]
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Templates()}
    Engine._compiled_cache = StatementsOfAll()
    DefaultDialect.__eq__ = lambda one, other: (  # type: ignore[method-assign]
        isinstance(other, DefaultDialect) and of_dialect(one) == of_dialect(other)
    )
    DefaultDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign]
    read: Callable[[Mapping[str, DocumentVersion]], Campaign] = queries.campaign_of
    queries.campaign_of = once(read, of_campaign)
