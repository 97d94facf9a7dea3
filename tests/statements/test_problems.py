"""Where in a text a problem stands."""

from __future__ import annotations

import pytest

from coalition.statements.campaign import FILES, text_problems
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("slug", "old", "new", "line"),
    [
        ("campaign", "#8a1538", "red", "accent ="),
        ("campaign", 'short_name = "StopSIM"', "short_name = 5", "short_name ="),
        ("demands", 'title = "Review"', 'title = ""', 'title = ""'),
        ("demands", "on = 2021-04-29\ntext", "on = 5\ntext", "on = 5"),
        ("replies", 'asked_words = "that week"\n', "", 'body = "High Intensity Network"'),
        ("updates", "(/replies)", "(javascript:x)", 'slug = "network-would'),
        ("updates", '"nsun-supports-us"', '"NSUN us"', 'slug = "NSUN us"'),
        ("easy-read", '"people"', '"unicorn"', "[[parts.points]]"),
        ("helplines", '"tel:116123"', '"116123"', 'name = "Samaritans"'),
        ("about", "\n", "\n\nOne\n<b>two</b>\n", "<b>two</b>"),
        ("about", "\n", "\n\nOne\n[x](//y.example)\n", "[x](//y.example)"),
        ("logo", "</svg>", "</sgv>", "</sgv>"),
        ("consent", "updates =", "updates", "updates"),
        ("about", "\n", "\n\n\x02\n", "\x02"),
    ],
)  # fmt: skip
def test_a_problem_says_its_line(slug: str, old: str, new: str, line: str) -> None:
    text = (ROOT / "campaign" / FILES[slug]).read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    problem = text_problems(slug, changed)[0]
    assert problem.line is not None
    assert line in changed.split("\n")[problem.line - 1]


@pytest.mark.parametrize(
    ("slug", "text"), [("demands", ""), ("demands", "demands = []"), ("about", " "), ("logo", "")]
)
def test_a_problem_without_a_place_has_no_line(slug: str, text: str) -> None:
    (problem, *_) = text_problems(slug, text)
    assert problem.line in (None, 1)
