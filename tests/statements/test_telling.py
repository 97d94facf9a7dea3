"""The rules under which people tell what happened: whole, or refused in one line."""

from __future__ import annotations

import pytest
from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.statements.actions import publish_texts
from coalition.statements.queries import forget_campaign
from coalition.statements.tables import CampaignInvalid
from coalition.statements.telling import parse_telling
from tests.conftest import ROOT
from tests.visitor import Visitor

TEXT = (ROOT / "campaign" / "testimonies.toml").read_text()
RULE = 'rule = "We send nobody to you."'


def problems_of(text: str) -> list[str]:
    with pytest.raises(CampaignInvalid) as raised:
        parse_telling(text)
    return raised.value.problems


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("weight = 3", "weight = 4", "labels restraint-by-police: weight must be 1, 2 or 3"),
        ("weight = 3", 'weight = "3"', "labels 1: weight must be a whole number"),
        ('slug = "detention"', 'slug = "De tention"', "labels: the slug De tention must be"),
        ('slug = "detention"', 'slug = "abuse"', "labels: the slug abuse stands twice"),
        ("exceptions = []", "exceptions = [1]", "exceptions must be a list of words"),
        ("exceptions = []", 'exceptions = ["A child."]', "exceptions_do: say what is done"),
        ("exceptions = []", "", "exceptions is missing"),
        ('rule = ""', "rule = 1", "rule must be words in quotation marks"),
        ('rule = ""', 'rule = ""\nother = ""', "other is not known here"),
        ('rule = ""', 'rule = ""\nversion = 2', "version is not known here"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(old: str, new: str, problem: str) -> None:
    assert old in TEXT
    found = problems_of(TEXT.replace(old, new, 1))
    assert [each for each in found if each.startswith(problem)], found


def test_without_a_label_or_a_theme_nothing_can_be_told() -> None:
    found = problems_of(TEXT.partition("[[labels]]")[0])
    assert found == ["labels: there must be at least one", "themes: there must be at least one"]


def test_a_label_that_was_taken_out_is_no_longer_known() -> None:
    told = parse_telling(TEXT)
    detention = told.label("detention")
    assert detention is not None
    assert detention.words == "describes being detained"
    assert told.label("nothing") is told.theme("nothing") is None


def test_the_form_is_shut_until_the_rule_is_set(app: Flask, visitor: Visitor) -> None:
    page = visitor.get("/testimonies/share")
    assert "Not open yet" in page.text
    with transaction() as session:
        text = TEXT.replace('rule = ""', RULE).replace(
            "exceptions = []", 'exceptions = ["A child is being harmed now."]'
        ).replace('exceptions_do = ""', 'exceptions_do = "Our lead decides."')  # fmt: skip
        publish_texts(session, {"testimonies": text}, actor="test", now=clock.utc_now())
    forget_campaign()
    page = visitor.get("/testimonies/share")
    assert "Not open yet" not in page.text
    rule, who = page.text.index("We send nobody to you."), page.text.index("Who reads it")
    assert rule < page.text.index("A child is being harmed now.") < who, "the rule comes first"
