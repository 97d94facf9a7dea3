"""Evidence, replies, demands, questions and about: what they say, and in what form."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.statements.actions import publish_texts
from coalition.statements.records import (
    Reply,
    parse_demands,
    parse_evidence,
    parse_replies,
)
from coalition.statements.tables import CampaignInvalid
from coalition.web.data import csv_response
from tests.conftest import ROOT
from tests.visitor import Visitor

EVIDENCE = """[[evidence]]
anchor = "one"
title = "One"
source = "A report"
published = "2021"
shows = "This"
does_not_show = "That"
"""
REPLY = """[[replies]]
body = "An authority"
asked_by = "Us"
asked_on = 2021-04-01
due = 2021-04-15
as_of = 2021-04-29
source = "A letter"
"""
DEMAND = """[[demands]]
title = "Halt"
text = "Stop."
state = "open"
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EVIDENCE.replace("one", "One thing", 1), "must be small letters"),
        (EVIDENCE * 2, "the anchor one stands twice"),
        (EVIDENCE + 'link = "javascript:alert(1)"', "evidence one: link: must be an https://"),
        (EVIDENCE.replace("That", " "), "evidence 1: does_not_show is empty"),
        ("", "evidence: there must be at least one"),
        ('evidence = "x"', "must be a list of tables"),
    ],
)
def test_what_is_wrong_with_the_evidence_is_told(text: str, problem: str) -> None:
    with pytest.raises(CampaignInvalid, match=problem):
        parse_evidence(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (REPLY.replace("asked_on = 2021-04-01\n", ""), "needs asked_on or asked_words"),
        (REPLY + 'asked_words = "then"', "and not both"),
        (REPLY + 'answered_on = "later"', "has a day of its answer, and no answer"),
        (REPLY.replace("2021-04-15", '"soon"'), "replies 1: due must be a date"),
        (REPLY + 'link = "http://example.org"', "must be an https:// address"),
    ],
)
def test_what_is_wrong_with_the_replies_is_told(text: str, problem: str) -> None:
    with pytest.raises(CampaignInvalid, match=problem):
        parse_replies(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (DEMAND.replace("open", "lost"), "state must be one of open, partly met, met"),
        (DEMAND + "[[demands.steps]]\non = 2021-04-29\n", "demands 1: steps 1: source is missing"),
        (DEMAND + "steps = 3", "demands 1: steps: must be a list"),
        ("demands = 3", "must be a list of tables"),
        ("", "there must be at least one"),
    ],
)
def test_what_is_wrong_with_the_demands_is_told(text: str, problem: str) -> None:
    with pytest.raises(CampaignInvalid, match=problem):
        parse_demands(text)


def test_days_are_counted_up_to_what_is_known() -> None:
    (silent,) = parse_replies(REPLY)
    assert (silent.answered, silent.days_waiting, silent.days_overdue) == (False, 28, 14)
    (answered,) = parse_replies(REPLY + 'answer = "No."')
    assert (answered.answered, answered.days_waiting, answered.days_overdue) == (True, None, 0)
    (early,) = parse_replies(REPLY.replace("2021-04-29", "2021-04-10"))
    assert early.days_overdue == 0
    (open_ended,) = parse_replies(REPLY.replace("due = 2021-04-15\n", ""))
    assert (open_ended.days_waiting, open_ended.days_overdue) == (28, 0)


def test_each_piece_of_evidence_says_what_it_does_not_show(visitor: Visitor) -> None:
    page = visitor.get("/evidence")
    assert page.text.count("What it shows") == page.text.count("What it does not show") == 4
    assert 'id="nhs-england-report"' in page.text
    note, harm = page.text.index("Content note."), page.text.index("overdosed")
    assert note < harm
    assert page.text.index('href="#nhs-england-report-limits"') < harm


def test_silence_and_an_answer_do_not_look_alike(visitor: Visitor) -> None:
    page = visitor.get("/replies")
    assert page.text.count('class="silent"') == 3
    assert page.text.count('class="answered"') == 1
    assert "No answer by 29 April 2021, 6 days after it was asked." in page.text
    assert "would welcome an independent review" in page.text


def test_the_critics_stand_beside_the_coalition(visitor: Visitor) -> None:
    text = visitor.get("/replies").text
    assert text.count('data-label="We say"') == text.count('data-label="They answer"') == 4
    assert "would welcome an independent review" in text


def test_what_is_hard_to_read_is_said_before_it(app: Flask, visitor: Visitor) -> None:
    for path in ("/petition", "/statement", "/statement/versions/1"):
        text = visitor.get(path).text
        note = text.index("Before you read on:</strong> this text mentions suicide")
        assert note < text.index("at high risk of suicide")
    details = (ROOT / "campaign" / "campaign.toml").read_text(encoding="utf-8")
    without = details.replace(
        "this text mentions suicide and self-harm, without describing them.", ""
    )
    with transaction() as session:
        publish_texts(session, {"campaign": without}, actor="test", now=clock.utc_now())
    app.extensions.pop("campaign")
    assert "Before you read on" not in visitor.get("/petition").text


def test_the_replies_are_the_same_in_every_form(visitor: Visitor) -> None:
    as_json = visitor.get("/replies.json")
    rows = json.loads(as_json.text)["replies"]
    as_csv = visitor.get("/replies.csv")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row["body"] for row in table] == [row["body"] for row in rows]
    assert [row["answered"] for row in table] == ["no", "no", "no", "yes"]
    # No day was set for an answer, so nothing is overdue; what is not a day is not in its place.
    assert {row["days_overdue"] for row in rows} == {None}
    assert [row["asked_words"] for row in rows if row["asked_on"] is None] == ["that week"]
    for answer in (as_json, as_csv):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "etag" in answer.headers


def test_a_demand_shows_its_state_and_what_has_happened(app: Flask, visitor: Visitor) -> None:
    page = visitor.get("/demands")
    assert "29 April 2021: The network" in page.text
    assert "Nothing has happened that we know of, up to 29 April 2021" in page.text
    with transaction() as session:
        texts = {"demands": DEMAND.replace("open", "partly met")}
        publish_texts(session, texts, actor="test", now=clock.utc_now())
    app.extensions.pop("campaign")
    assert "state-partly-met" in visitor.get("/demands").text


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+44", "'+44"), ("-x", "'-x"), ("@a", "'@a"), ("\tx", "'\tx"),
        ("a,b", '"a,b"'), ('say "x"', '"say ""x"""'), ("two\nlines", '"two\nlines"'),
        (-5, "-5"), (None, ""), (True, "yes"), ("Zoë", "Zoë"),
    ],
)  # fmt: skip
def test_no_cell_of_a_table_runs_as_a_formula(cell: object, written: str) -> None:
    answer = csv_response([{"first": cell, "second": 1}], "x.csv").get_data().decode()
    assert answer == f"first,second\r\n{written},1\r\n"


def test_a_reply_known_only_by_its_week_is_told_so() -> None:
    reply = Reply("A body", "Us", as_of=date(2021, 5, 2), source="A letter", due=date(2021, 5, 1))
    assert reply.days_waiting is None
    assert reply.days_overdue == 1
