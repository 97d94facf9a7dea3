"""Words that are taken out are gone; everything else stays as it was written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalition.testimonies.redaction import (
    IN_ITS_PLACE,
    Span,
    SpanKind,
    added,
    merged,
    paragraphs,
    redacted,
    without,
)

KINDS = list(SpanKind)
# Letters that stand in no note of what was taken out.
texts = st.text(alphabet="QXZ شא\n", max_size=60)
spans = st.lists(
    st.builds(Span, st.integers(-5, 70), st.integers(-5, 70), st.sampled_from(KINDS)), max_size=6
)


def test_a_note_stands_in_place_of_what_was_taken_out() -> None:
    text = "Officer Fictional stayed."
    assert redacted(text, [Span(0, 17, SpanKind.NAME)]) == "[name taken out] stayed."


@pytest.mark.parametrize(
    "spans",
    [
        [Span(0, 7, SpanKind.NAME), Span(3, 17, SpanKind.PLACE)],
        [Span(3, 17, SpanKind.PLACE), Span(0, 7, SpanKind.NAME)],
        [Span(0, 17, SpanKind.NAME), Span(2, 5, SpanKind.DATE)],
    ],
)
def test_places_that_overlap_are_one(spans: list[Span]) -> None:
    assert redacted("Officer Fictional stayed.", spans) == "[name taken out] stayed."


@pytest.mark.parametrize(
    "span", [Span(4, 4, SpanKind.NAME), Span(9, 2, SpanKind.NAME), Span(50, 60, SpanKind.NAME)]
)
def test_a_place_without_a_character_takes_nothing_out(span: Span) -> None:
    assert redacted("Nothing goes.", [span]) == "Nothing goes."


@given(texts, spans)
def test_no_character_of_a_span_is_left_and_every_other_is(text: str, spans: list[Span]) -> None:
    taken = {at for span in spans for at in range(max(0, span.start), min(span.end, len(text)))}
    left = redacted(text, spans)
    for note in IN_ITS_PLACE.values():
        left = left.replace(note, "")
    assert left == "".join(each for at, each in enumerate(text) if at not in taken)


@given(spans, st.integers(0, 60))
def test_merged_places_stand_in_order_and_apart(spans: list[Span], length: int) -> None:
    found = merged(spans, length)
    assert all(0 <= each.start < each.end <= length for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert merged(found, length) == found


@given(spans, st.integers(0, 60), st.integers(0, 60))
def test_what_is_put_back_is_put_back_and_nothing_else(
    spans: list[Span], start: int, end: int
) -> None:
    def places(some: list[Span]) -> set[int]:
        return {at for each in some for at in range(each.start, each.end)}

    before = merged(spans, 60)
    assert places(without(before, start, end)) == places(before) - set(range(start, end))


def test_paragraphs_are_what_empty_lines_divide() -> None:
    text = "\n\nOne line\nand its second.\n \t\n\nAnother."
    assert [text[start:end] for start, end in paragraphs(text)] == [
        "One line\nand its second.",
        "Another.",
    ]


@given(texts)
def test_every_word_stands_in_one_paragraph(text: str) -> None:
    found = [word for start, end in paragraphs(text) for word in text[start:end].split()]
    assert found == text.split()


@given(texts, spans, spans)
def test_where_places_overlap_the_later_one_says_what_it_was(
    text: str, kept: list[Span], more: list[Span]
) -> None:
    def kinds(of: list[Span]) -> dict[int, SpanKind]:
        return {at: span.kind for span in of for at in range(span.start, span.end)}

    assert kinds(added([], [*kept, *more])) == {**kinds(added([], kept)), **kinds(more)}


def test_a_long_text_of_empty_lines_takes_no_time() -> None:
    assert len(paragraphs("x\n \n" * 50_000)) == 50_000
