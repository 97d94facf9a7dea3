"""No text, and no address, takes long: neither those that a form takes, nor what it refuses.

Measured is the work of this thread alone, whatever else the machine does. What grows with the
square of a text takes ten times as long as is allowed here; the rest, a tenth."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter, signature
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import SelectField, StringField
from wtforms.csrf.core import CSRFTokenField

import coalition
from coalition.press.views import is_file_path
from coalition.testimonies.codes import codes_in, possible_codes
from coalition.web.access import Access
from tests.attack.routes import routes
from tests.engines import on_sqlite
from tests.telling import open_the_form
from tests.visitor import Visitor

pytestmark = on_sqlite
ANY_NUMBER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
LONG = 30_000  # characters, which are 60 KB: the largest form of most pages
SECONDS = 1.5

ACCENTS = "a" + "\u0301" * (LONG // 2) + "\u0323" * (LONG // 2)  # to be sorted when normalised
HOSTILE = {
    "accents": ACCENTS,
    "accents as an address": f"{ACCENTS}@example.org",
    "accents as a domain": f"ada@{ACCENTS}.org",
    "labels": "ä." * (LONG // 2) + "org",
    "dots": "." * LONG,
    "spaces": "a" + " " * LONG + "a",
    "digits": "1 - " * (LONG // 4) + "x",
    "openings": "<a" * (LONG // 2),
    "addresses": "a@a." * (LONG // 4),
    "capitals": "Mr Aa " * (LONG // 6),
    "slashes": "http://" + "/\\" * (LONG // 2),
    "ligatures": "\ufdfa" * (LONG // 3),  # of which each is 18 characters when normalised
}


def work(do: Callable[[], object]) -> float:
    """How many seconds this thread worked."""
    began = time.thread_time()
    do()
    return time.thread_time() - began


def below(kind: type[FlaskForm]) -> Iterator[type[FlaskForm]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def _offer_something(form: FlaskForm) -> None:
    """What can be chosen, where a view says it."""
    for field in form:
        if isinstance(field, SelectField) and field.choices is None:
            field.choices = [("x", "Something")]


def _beside_the_form(kind: type[FlaskForm]) -> list[Parameter]:
    return list(signature(kind.__init__).parameters.values())[1:]


def _must_be_given(value: Parameter) -> bool:
    return value.default is value.empty and value.kind not in ANY_NUMBER


def forms() -> list[type[FlaskForm]]:
    """All forms of ours. Those that are made of more than what was sent are of the desk alone."""
    return sorted(
        {
            each
            for each in below(FlaskForm)
            if each.__module__.startswith("coalition.")
            and not any(_must_be_given(value) for value in _beside_the_form(each))
        },
        key=lambda each: each.__qualname__,
    )


def test_no_field_of_any_form_takes_long_to_check(app: Flask) -> None:
    tried, slow = 0, []
    with app.test_request_context("/desk", method="POST"):
        for form_class in forms():
            for field in form_class(formdata=None):
                if not isinstance(field, StringField) or isinstance(field, CSRFTokenField):
                    continue
                for name, text in HOSTILE.items():
                    tried += 1
                    filled = form_class(MultiDict({field.name: text}))
                    _offer_something(filled)
                    if work(filled.validate) > SECONDS:
                        slow.append((form_class.__name__, field.name, name))
    assert not slow
    assert tried > 500


def test_no_page_takes_long_for_a_form_of_nothing_but_one_text(
    app: Flask, visitor: Visitor
) -> None:
    """Some of what pages do with a text is not in the checks of its field."""
    open_the_form(app)
    sign_in = visitor.get("/desk/sign-in").form("/desk/sign-in").values["csrf_token"]
    rest = {"email": "ada@example.org", "code": "12345678", "password": "x", "step": "open"}
    for route in routes(app, "POST"):
        if route.access is Access.DESK:
            continue
        for field in ("email", "password", "code", "text", "words"):
            values = {**rest, field: HOSTILE["accents as an address"], "csrf_token": sign_in}
            began = time.thread_time()
            answer = visitor.upload(route.path, values, {}, follow=False)
            assert time.thread_time() - began < SECONDS, (route.rule, field)
            assert answer.status < 500, (route.rule, field)


def test_the_longest_text_of_all_is_given_back_soon(app: Flask, visitor: Visitor) -> None:
    """A testimony that is far too long comes back to be shortened, whatever it consists of."""
    open_the_form(app)
    values = {"step": "choices", "text": "\u0301\u0323" * 1_000_000}
    began = time.thread_time()
    answer = visitor.upload("/testimonies/share", values, {})
    assert time.thread_time() - began < 4 * SECONDS
    assert answer.status == 422


@pytest.mark.parametrize("text", [ACCENTS + ACCENTS[:20_000], "1\u0301" * 25_000, "1," * 25_000])
def test_no_testimony_is_searched_long_for_a_code(app: Flask, text: str) -> None:
    assert work(lambda: codes_in(text)) < SECONDS
    assert work(lambda: list(possible_codes(text))) < SECONDS


@pytest.mark.parametrize(
    "path",
    [
        "/press/{}/",
        "/press/releases/{}/",
        "/supporters/{}/",
        "/testimonies/{}/complain/",
        "/static/{}/",
    ],
)
def test_no_address_takes_long(app: Flask, visitor: Visitor, path: str) -> None:
    for atom in (".", "a.", "./", "%2e%2f", "-", "1", "%CC%81"):
        long = path.format(atom * (60_000 // len(atom)))
        assert work(partial(visitor.get, long, follow=False)) < SECONDS, atom
        assert work(partial(is_file_path, long)) < SECONDS / 10, atom


ATOMS = (
    "a", "A", "1", " ", "\n", "\t", ".", "-", "/", "_", "@", "<", '"', "(", ":", "#", "\u0301",
    "a.", "a ", "A ", "1 ", "1-", "1.", "Aa ", "@a", "a@", "a-", "\n ", "<a", "a/", "./", "://",
    "www.", "5.1.", "Message-ID:", "url(", "+1(", "Mr A", "> ", "--", "0-", "a\n",
)  # fmt: skip
ENDS = ("", "!", "/")
LONG_PATTERN = 8_000  # characters
PATTERN_SECONDS = 0.1


def patterns() -> dict[str, re.Pattern[Any]]:
    """Every expression that a module keeps, by itself or in a list of its own."""
    found: dict[str, re.Pattern[Any]] = {}

    def look(name: str, value: object) -> None:
        if isinstance(value, re.Pattern):
            found[name] = value
        elif isinstance(value, list | tuple):
            for place, each in enumerate(value):
                look(f"{name}[{place}]", each)
        elif isinstance(value, dict):
            for key, each in value.items():
                look(f"{name}[{key}]", each)

    for module in pkgutil.walk_packages(coalition.__path__, "coalition."):
        for name, value in vars(importlib.import_module(module.name)).items():
            look(f"{module.name}.{name}", value)
    return found


def test_no_expression_takes_long_whatever_it_reads(database_url: str) -> None:
    every, slow = patterns(), []
    assert len(every) > 30
    for name, pattern in every.items():
        for atom, end in product(ATOMS, ENDS):
            text: Any = atom * (LONG_PATTERN // len(atom)) + end
            text = text.encode() if isinstance(pattern.pattern, bytes) else text
            if _takes_long(pattern, text) and _takes_long(pattern, text):
                slow.append((name, atom, end))
    assert not slow


def _takes_long(pattern: re.Pattern[Any], text: Any) -> bool:
    def read() -> None:
        pattern.fullmatch(text)
        for _ in pattern.finditer(text):
            pass

    return work(read) > PATTERN_SECONDS
