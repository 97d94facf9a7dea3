"""The public list of supporters: what it shows, how it is searched, in what forms it is there."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.endorsements.actions import keep_logo
from coalition.endorsements.logos import draw_logo
from coalition.endorsements.models import EndorsementStatus, Nation, OrganisationKind
from coalition.statements.actions import publish_texts
from coalition.statements.queries import read_campaign
from tests.conftest import ROOT
from tests.factories import LOGO, make_endorsement
from tests.visitor import Visitor

Status = EndorsementStatus


@pytest.fixture
def organisations(app: Flask) -> None:
    with transaction() as session:
        make_endorsement(session, name="The Élan Group", words="Care, not police.")
        make_endorsement(
            session, name="bold union", kind=OrganisationKind.UNION, nation=Nation.WALES, words=""
        )
        make_endorsement(session, name="123 Cafe", kind=OrganisationKind.CHARITY)
        make_endorsement(session, name="Zeal", status=Status.WITHDRAWN)
        for status in (Status.AWAITING, Status.IN_REVIEW, Status.MORE_ASKED, Status.DECLINED,
                       Status.REMOVED):  # fmt: skip
            make_endorsement(session, name=f"Hidden {status.name}", status=status)


def names(visitor: Visitor, query: str = "") -> list[str]:
    text = visitor.get(f"/supporters{query}").text
    return re.findall(r'<h3><a href="/supporters/[^"]+"><bdi>([^<]+)</bdi>', text)


@pytest.mark.usefixtures("organisations")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bold union", "The Élan Group", "Zeal", "123 Cafe"]),
        ("?kind=union", ["bold union"]),
        ("?nation=wales", ["bold union"]),
        ("?kind=union&nation=scotland", []),
        ("?kind=user-led&words=elan", ["The Élan Group"]),
        ("?words=ÉLAN", ["The Élan Group"]),
        ("?words=police+care", ["The Élan Group"]),
        ("?words=nobody", []),
        ("?words=%25", []),
        ("?words=" + "x" * 5_000, []),
        ("?kind=nonsense&nation=nonsense", ["bold union", "The Élan Group", "Zeal", "123 Cafe"]),
        ("?words=%00%ff&kind=%00", []),
    ],
)
def test_the_list_is_by_name_and_can_be_narrowed(
    visitor: Visitor, query: str, found: list[str]
) -> None:
    assert names(visitor, query) == found


@pytest.mark.usefixtures("organisations")
def test_only_those_who_support_now_are_counted(visitor: Visitor) -> None:
    assert "<strong>3 organisations</strong> have put their name" in visitor.get("/supporters").text


@pytest.mark.usefixtures("organisations")
def test_a_filtered_list_is_not_found_by_searches(visitor: Visitor) -> None:
    assert 'content="noindex"' in visitor.get("/supporters?kind=union").text
    assert "noindex" not in visitor.get("/supporters").text


def test_where_nobody_is_on_the_list_it_says_so(visitor: Visitor) -> None:
    assert "Yours could be the first" in visitor.get("/supporters").text


@pytest.mark.usefixtures("organisations")
def test_a_page_tells_machines_that_it_is_about_an_organisation(visitor: Visitor) -> None:
    text = visitor.get("/supporters/the-elan-group").text
    assert 'itemscope itemtype="https://schema.org/Organization"' in text
    told = dict(re.findall(r'itemprop="(\w+)"[^>]*>([^<]*)<', text))
    assert told["name"] == "The Élan Group"
    assert told["description"] == "Care, not police."
    assert 'href="https://friends.example.org" rel="noreferrer nofollow"' in text


@pytest.mark.usefixtures("organisations")
def test_the_list_is_the_same_in_every_form(visitor: Visitor) -> None:
    as_json = visitor.get("/supporters.json")
    rows = json.loads(as_json.text)["supporters"]
    assert [row["name"] for row in rows] == names(visitor)
    table = list(csv.DictReader(io.StringIO(visitor.get("/supporters.csv").text)))
    assert [row["name"] for row in table] == names(visitor)
    assert as_json.headers["access-control-allow-origin"] == "*"
    for row in rows:
        assert visitor.get(row["page"].removeprefix(visitor.origin)).status == 200
    everything = as_json.text + visitor.get("/supporters.csv").text
    for secret in ("Hidden", "officer", "Ada Fictional", "Chair"):
        assert secret not in everything


def test_no_name_runs_as_a_formula_and_json_tells_it_unchanged(
    app: Flask, visitor: Visitor
) -> None:
    name = '=HYPERLINK("https://example.org")'
    with transaction() as session:
        make_endorsement(session, name=name, words="+1, @all\n-2")
    (row,) = csv.DictReader(io.StringIO(visitor.get("/supporters.csv").text))
    assert row["name"] == f"'{name}"
    assert row["words"] == "'+1, @all\n-2"
    (told,) = json.loads(visitor.get("/supporters.json").text)["supporters"]
    assert (told["name"], told["words"]) == (name, "+1, @all\n-2")


def test_html_in_an_entry_is_words(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        make_endorsement(session, name="<b>Bold</b>", words="<script>alert(1)</script>")
    for path in ("/supporters", "/supporters/b-bold-b"):
        text = visitor.get(path).text
        assert "<b>" not in text
        assert "<script>alert" not in text
        assert "&lt;b&gt;Bold&lt;/b&gt;" in text


def test_the_version_of_the_statement_stays_the_one_that_was_endorsed(
    app: Flask, visitor: Visitor
) -> None:
    with transaction() as session:
        make_endorsement(session, name="Early Group")
    statement = (ROOT / "campaign" / "statement.md").read_text(encoding="utf-8")
    with transaction() as session:
        changed = {"statement": statement + "\nMore.\n"}
        publish_texts(session, changed, actor="test", now=clock.utc_now())
        assert read_campaign(session).statement.version == 2
    text = visitor.get("/supporters/early-group").text
    assert '<a href="/statement/versions/1">version 1 of the statement</a>' in text


def test_a_logo_has_its_alternative_text(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        logo_id = keep_logo(session, draw_logo(LOGO), now=clock.utc_now())
        make_endorsement(session, name="One Group", logo_id=logo_id, logo_alt="Two “hands”")
    text = visitor.get("/supporters/one-group").text
    assert f'src="/supporters/logo/{logo_id}.webp" alt="Two “hands”"' in text


@pytest.mark.parametrize("slug", ["nobody", "x" * 500, "%00", "hidden-in_review"])
def test_an_organisation_that_is_not_there_is_not_found(visitor: Visitor, slug: str) -> None:
    assert visitor.get(f"/supporters/{slug}").status == 404
