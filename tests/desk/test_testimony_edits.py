"""Taking words out, word by word and without a script; title and summary; the checklist."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from coalition.desk.testimony_passages import (
    LONGEST_PASSAGE,
    Kind,
    Piece,
    passages,
    pieces,
    spans_of,
    suggestions,
)
from coalition.testimonies.choices import Use
from coalition.testimonies.redaction import Span, SpanKind, paragraphs, redacted
from coalition.testimonies.states import State
from tests.reading import (
    ALL_TICKED,
    at,
    edition,
    hand_on,
    path,
    reader,
    send,
    sent,
    take,
    write_front,
)
from tests.telling import FRONT, TEXT, told
from tests.visitor import Page, Visitor

RTL = "جاءت الشرطة مع الممرضة Officer Fictional إلى البيت."


def place(words: str, text: str = TEXT) -> str:
    start = text.index(words)
    return f"{start}-{start + len(words)}"


def begin(app: Flask, text: str = TEXT, **choices: object) -> tuple[Visitor, uuid.UUID]:
    number = sent(told(text, **choices))
    visitor = reader(app)
    take(visitor, number)
    return visitor, number


def change(visitor: Visitor, number: uuid.UUID, *fields: tuple[str, str], passage: int = 2) -> Page:
    page = visitor.get(path(number, f"/edit?passage={passage}"))
    return send(visitor, page, path(number, "/edit"), fields)


def left(number: uuid.UUID, text: str = TEXT) -> str:
    return redacted(text, edition(number).spans)


# Passages and words

texts = st.text(st.sampled_from("a Bé漢\n .,“”\u05d0\u0301\U0001f33b-\t0"), max_size=400) | st.text(
    max_size=60
)


@given(texts, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=4))
def test_nothing_of_a_text_is_missing_and_nothing_stands_twice(
    text: str, places: list[tuple[int, int]]
) -> None:
    spans = [Span(start, start + length, SpanKind.NAME) for start, length in places]
    parts = passages(text)
    for part in parts:
        assert 0 < part.end - part.start <= LONGEST_PASSAGE
        found = pieces(text, part, spans)
        assert "".join(each.words for each in found) == text[part.start : part.end]
        assert all(text[each.start : each.end] == each.words for each in found)
    told_words = "".join(text[part.start : part.end] for part in parts)
    whole = "".join(text[start:end] for start, end in paragraphs(text))
    assert told_words == whole


def test_a_long_paragraph_and_one_without_spaces_are_divided() -> None:
    for text in ("word " * 2_000, "漢" * 5_000, "x" * 50_000):
        parts = passages(text)
        assert len(parts) >= len(text.strip()) // LONGEST_PASSAGE
        joined = "".join(text[part.start : part.end] for part in parts)
        assert joined.replace(" ", "") == text.replace(" ", "")
        words = [each for each in pieces(text, parts[0], []) if each.kind is Kind.WORD]
        assert len(words) > 20


def test_marks_stay_when_the_word_beside_them_goes() -> None:
    text = "He said “Ada”, then left (twice)."
    found = pieces(text, passages(text)[0], [])
    assert [each.words for each in found if each.kind is Kind.WORD] == [
        "He", "said", "Ada", "then", "left", "twice",
    ]  # fmt: skip


def test_words_that_follow_one_another_are_one_place() -> None:
    text = "one two three four"
    found = pieces(text, passages(text)[0], [])
    chosen = {place(word, text) for word in ("one", "two", "four")}
    assert spans_of(found, chosen, SpanKind.NAME) == [
        Span(0, 7, SpanKind.NAME), Span(14, 18, SpanKind.NAME),
    ]  # fmt: skip
    assert spans_of([Piece(0, 3, "one", Kind.OUT)], {"0-3"}, SpanKind.NAME) == []


def test_what_is_out_is_suggested_no_more() -> None:
    start = TEXT.index("Officer")
    assert [each.finding.words for each in suggestions(TEXT, [])] == ["Officer Fictional"]
    assert suggestions(TEXT, [Span(start, start + 17, SpanKind.NAME)]) == []


# On the page


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ([("word", place("nurse")), ("kind", "detail")], "asked for a [taken out]. Officer"),
        (
            [("word", place("Officer")), ("word", place("Fictional")), ("kind", "name")],
            "nurse. [name taken out] stayed.",
        ),
        (
            [("from", place("asked")), ("to", place("nurse")), ("kind", "place")],
            "I had [place taken out]. Officer",
        ),
        (
            [("from", place("nurse")), ("to", place("asked")), ("kind", "place")],
            "I had [place taken out]. Officer",
        ),
        ([("from", place("nurse")), ("to", ""), ("kind", "date")], "a [date taken out]. Off"),
        ([("whole", "yes"), ("kind", "detail")], "officers.\n\n[taken out]"),
        ([("suggested", place("Officer Fictional") + "-name")], "nurse. [name taken out] st"),
    ],
)
def test_words_come_out_without_a_script(
    app: Flask, fields: list[tuple[str, str]], after: str
) -> None:
    visitor, number = begin(app)
    page = change(visitor, number, *fields)
    assert page.status == 200
    assert "Taken out. 1 place is out in all." in page.text
    assert after in left(number)
    change(visitor, number, *fields)
    assert after in left(number), "sent twice, it is done once"
    assert len(edition(number).spans) == 1


@pytest.mark.parametrize(
    "fields",
    [
        [("kind", "name")],
        [("word", place("nurse"))],
        [("word", place("nurse")), ("kind", "burn")],
        [("word", "0-99999"), ("kind", "name")],
        [("word", "x"), ("kind", "name")],
        [("word", place("They")), ("kind", "name")],
        [("from", "0-3"), ("kind", "name")],
        [("suggested", "9-2-name")],
        [("suggested", "9-name")],
    ],
)
def test_where_nothing_was_chosen_nothing_comes_out(
    app: Flask, fields: list[tuple[str, str]]
) -> None:
    visitor, number = begin(app)
    page = change(visitor, number, *fields)
    assert page.status == 422
    assert "Nothing was chosen" in page.text
    assert "0 place" not in visitor.get(path(number)).text


def test_what_was_taken_out_is_put_back(app: Flask) -> None:
    visitor, number = begin(app)
    page = change(visitor, number, ("word", place("nurse")), ("kind", "name"))
    (back,) = re.findall(r'name="back" value="([^"]+)"', page.text)
    page = change(visitor, number, ("back", back))
    assert "Put back. 0 places are out in all." in page.text
    assert left(number) == TEXT
    change(visitor, number, ("back", back))
    assert left(number) == TEXT


def test_one_passage_is_shown_and_no_other(app: Flask) -> None:
    visitor, number = begin(app)
    page = visitor.get(path(number, "/edit?passage=1"))
    assert "nurse" not in page.text
    assert "Fictional" not in page.text.replace("Mo Fictional", "")
    assert "found by its shape, too, in passage" in page.text
    for odd in ("0", "99", "x", "-1"):
        assert visitor.get(path(number, f"/edit?passage={odd}")).status == 200


def test_a_text_from_right_to_left_loses_the_words_that_were_meant(app: Flask) -> None:
    visitor, number = begin(app, RTL)
    where = place("Officer Fictional", RTL)
    assert 'dir="auto"' in visitor.get(path(number, "/edit")).text
    change(visitor, number, ("suggested", f"{where}-name"), passage=1)
    assert left(number, RTL) == RTL.replace("Officer Fictional", "[name taken out]")


def test_html_in_a_text_is_words(app: Flask) -> None:
    visitor, number = begin(app, "<script>alert(1)</script> and <b>bold</b>.")
    for rest in ("?to=all", "/edit", "/preview"):
        page = visitor.get(path(number, rest)).text
        assert "<script>alert" not in page
        assert "<b>bold" not in page


def test_the_longest_text_can_be_read_and_edited(app: Flask) -> None:
    text = "Something happened again. " * 1_923
    visitor, number = begin(app, text)
    assert visitor.get(path(number, "?to=all")).status == 200
    page = change(visitor, number, ("whole", "yes"), ("kind", "detail"), passage=30)
    assert page.status == 200
    assert len(page.text) < 60_000


# Title and summary


def test_its_writers_labels_stand_there_at_first(app: Flask) -> None:
    visitor, number = begin(app, labels=("detention", "abuse"))
    values = visitor.get(path(number, "/front")).form("/front").values
    assert values["label"] == "detention"
    assert values["labels"] == "abuse"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"label": ""}, "Choose the title"),
        ({"summary": " "}, "Write one or two plain sentences"),
        ({"summary": "Long words. " * 40}, "Use 400 characters or fewer"),
        ({"label": "burn"}, "Not a valid choice"),
    ],
)
def test_a_front_that_is_not_whole_comes_back_with_all_that_was_typed(
    app: Flask, changes: dict[str, str], says: str
) -> None:
    visitor, number = begin(app)
    page = write_front(visitor, number, **changes)
    assert page.status == 422
    assert says in page.text
    assert page.form("/front").values["summary"] == changes.get("summary", FRONT.summary).strip()
    assert page.form("/front").values["themes"] == FRONT.themes[0]


def test_the_preview_shows_the_public_page_beside_the_original(app: Flask) -> None:
    visitor, number = begin(app, use=Use.PUBLISH_NAMED, name="Robin")
    assert "no title and no summary yet" in visitor.get(path(number, "/preview")).text
    change(visitor, number, ("suggested", place("Officer Fictional") + "-name"))
    page = write_front(visitor, number)
    assert page.url == path(number, "/preview")
    assert "Describes restraint by police" in page.text
    assert FRONT.summary in page.text
    assert "By <bdi>Robin</bdi>" in page.text
    assert "[name taken out] stayed." in page.text
    assert "</span>Officer Fictional<span" in page.text


def test_a_name_is_public_only_where_its_writer_chose_one(app: Flask) -> None:
    visitor, number = begin(app, use=Use.PUBLISH, name="Robin")
    write_front(visitor, number)
    front = edition(number).front
    assert front is not None
    assert front.name == ""


# The checklist


def test_without_title_and_summary_it_does_not_go_on(app: Flask) -> None:
    visitor, number = begin(app)
    page = visitor.get(path(number, "/check"))
    assert "it needs a title and a summary" in page.text
    turn = visitor.get(path(number, "/ask")).form("/ask").values
    values = {**turn, "seen": "Officer Fictional", "clear": "threat"}
    assert visitor.post(path(number, "/check"), values).status == 422
    assert at(number) is State.CLAIMED


@pytest.mark.parametrize("missing", range(len(ALL_TICKED)))
def test_each_line_of_the_checklist_holds_it_back(app: Flask, missing: int) -> None:
    visitor, number = begin(app, "Something happened.")
    write_front(visitor, number)
    fields = [each for at_, each in enumerate(ALL_TICKED) if at_ != missing]
    page = hand_on(visitor, number, fields)
    assert page.status == 422
    assert page.text.count('aria-invalid="true"') == 1
    assert page.text.count("checked") == len(fields)
    assert at(number) is State.CLAIMED
    assert hand_on(visitor, number).status == 200
    assert at(number) is State.REDACTED


def test_each_finding_is_looked_at_by_itself(app: Flask) -> None:
    visitor, number = begin(app, "Officer Fictional came to Ward 4.")
    write_front(visitor, number, summary="It was on 3 May 2021.")
    found = ["3 May 2021", "Officer Fictional", "Ward 4"]
    for count in range(len(found)):
        seen = [("seen", each) for each in found[:count]]
        page = hand_on(visitor, number, [*ALL_TICKED, *seen])
        assert page.status == 422
        assert page.text.count('aria-invalid="true"') == len(found) - count
    done = hand_on(visitor, number, [*ALL_TICKED, *(("seen", each) for each in found)])
    assert done.status == 200
    assert at(number) is State.REDACTED


def test_the_server_holds_it_back_whatever_a_form_leaves_out(app: Flask) -> None:
    visitor, number = begin(app)
    write_front(visitor, number)
    page = visitor.get(path(number, "/check"))
    assert hand_on(visitor, number, [*ALL_TICKED, ("seen", "something else")]).status == 422
    stale = send(visitor, page, "/check", ALL_TICKED, turn="999")
    assert stale.status == 409
    assert send(visitor, page, "/check", ALL_TICKED, turn="x").status == 409
    assert at(number) is State.CLAIMED


def test_handed_on_twice_it_goes_on_once(app: Flask) -> None:
    visitor, number = begin(app, "Something happened.")
    write_front(visitor, number)
    page = visitor.get(path(number, "/check"))
    assert send(visitor, page, "/check", ALL_TICKED).status == 200
    again = send(visitor, page, "/check", ALL_TICKED)
    assert again.status == 409
    assert at(number) is State.REDACTED
