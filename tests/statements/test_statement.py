"""The statement in each of its versions, and what changed between them."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from coalition import clock
from coalition.db import transaction
from coalition.statements import markdown
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder
from coalition.statements.comparison import Change, compare
from coalition.statements.queries import latest_versions
from tests.conftest import ROOT, environment, run_command
from tests.mailbox import Mailbox
from tests.visitor import Visitor


def publish(app: Flask, statement: str, note: str = "") -> None:
    with transaction() as session:
        publish_texts(
            session, {"statement": statement}, actor="test", now=clock.utc_now(), note=note
        )
    app.extensions.pop("campaign", None)


@pytest.mark.parametrize(
    "path",
    [
        "/statement/versions/0", "/statement/versions/2", "/statement/versions/999999999",
        "/statement/versions/x", "/statement/versions/-1", "/statement/versions/1/changes",
        "/statement/versions/99999999999999999999",
    ],
)  # fmt: skip
def test_a_version_that_there_is_not_is_not_found(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert page.status == 404
    assert "This page is not here" in page.text


def test_the_sections_are_listed_with_links_that_lead_to_them(visitor: Visitor) -> None:
    page = visitor.get("/statement")
    for anchor, words in (("evidence", "Evidence"), ("unequal-harm", "Unequal harm")):
        assert f'<a href="#{anchor}">{words}</a>' in page.text
        assert f'<h2 id="{anchor}">{words}</h2>' in page.text
    assert "Version 1, published on" in page.text


def test_each_version_stays_at_its_own_address(app: Flask, visitor: Visitor) -> None:
    first = visitor.get("/statement/versions/1").text
    publish(app, "A new beginning.\n\n## Evidence\n\nLess.", "It was shortened.")
    now = visitor.get("/statement")
    assert "A new beginning." in now.text
    assert "What changed: It was shortened." in now.text
    old = visitor.get("/statement/versions/1")
    assert "People in crisis need care" in old.text
    assert "as it once stood" in old.text
    assert "as it once stood" not in first
    assert "as it once stood" not in visitor.get("/statement/versions/2").text


def test_what_changed_is_shown_word_by_word(app: Flask, visitor: Visitor) -> None:
    publish(app, "We ask for a halt.\n\nWe ask kindly.")
    publish(app, "We ask for an immediate halt.\n\nWe ask kindly.\n\nAgain 1 < 2.")
    page = visitor.get("/statement/versions/3/changes")
    assert "taken out: </span>a<span" in page.text
    assert "added: </span>an immediate<span" in page.text
    assert "Again 1 &lt; 2." in page.text


def test_the_note_is_given_when_the_campaign_is_loaded(
    app: Flask, visitor: Visitor, tmp_path: Path, database_url: str, mailbox: Mailbox
) -> None:
    for file in (ROOT / "campaign").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "statement.md").write_text("Another text.")
    words = ["campaign", "load", str(tmp_path), "--note", "A slip of the pen is mended."]
    told = run_command(environment(database_url, mailbox.url), *words)
    assert told.stdout == "published statement, version 2\n"
    app.extensions.pop("campaign", None)
    assert "A slip of the pen is mended." in visitor.get("/statement").text


def test_so_have_thousands_of_them() -> None:
    begun = monotonic()
    anchors = [heading.anchor for heading in markdown.headings("## a\n\n" * 30_000)]
    assert monotonic() - begun < 20  # seconds; it took minutes
    assert anchors[:3] == ["a", "a-2", "a-3"]
    assert len(set(anchors)) == 30_000


def test_headings_that_read_alike_have_anchors_of_their_own() -> None:
    text = "## Why?\n\n## Why!\n\n## 日本\n\n## ?!\n\n### Why?\n\n## *Why* `so`"
    anchors = [heading.anchor for heading in markdown.headings(text)]
    assert anchors == ["why", "why-2", "日本", "section", "why-so"]
    for anchor in anchors:
        assert f'<h2 id="{anchor}">' in markdown.render(text)


passages = st.lists(
    st.lists(st.sampled_from(["we", "ask", "halt", "it", "now", "please"]), min_size=1, max_size=8),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(before=passages, after=passages)
def test_a_comparison_holds_both_texts_whole(
    before: list[list[str]], after: list[list[str]]
) -> None:
    old, new = ("\n\n".join(" ".join(words) for words in text) for text in (before, after))
    runs = [run for paragraph in compare(old, new) for run in paragraph]
    for text, left_out in ((old, Change.ADDED), (new, Change.REMOVED)):
        kept = [run.text for run in runs if run.change is not left_out]
        assert " ".join(kept).split() == text.split()


def test_the_words_of_a_text_stand_without_its_marks() -> None:
    text = "## Why *now*\n\n- One\n- Two [here](https://example.org/a)\n\nA\nline `x`."
    assert markdown.plain_paragraphs(text).split("\n\n") == [
        "Why now",
        "One",
        "Two here (https://example.org/a)",
        "A line x.",
    ]


def test_a_text_compared_with_itself_has_not_changed() -> None:
    text = read_folder(ROOT / "campaign")["statement"]
    assert {run.change for paragraph in compare(text, text) for run in paragraph} == {Change.SAME}


def test_what_is_published_is_not_replaced_by_a_start(
    app: Flask, database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    """`make run` loads the example campaign only where there is none."""
    publish(app, "Our own words.")
    values = environment(database_url, mailbox.url)
    told = run_command(values, "campaign", "load", "--if-none", str(ROOT / "campaign"))
    assert (told.returncode, told.stdout) == (0, "")
    with transaction() as session:
        assert latest_versions(session)["statement"].text == "Our own words."
