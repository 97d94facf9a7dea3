"""What may tell who somebody is, is found by its shape; plain words are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalition.testimonies.identifiers import Trace, find_identifiers


@pytest.mark.parametrize(
    ("words", "trace"),
    [
        ("Dr Fictional", Trace.NAME),
        ("PC Ann Fictional", Trace.NAME),
        ("Sgt. O’Fictional", Trace.NAME),
        ("Nurse Zoë Fictional-Example", Trace.NAME),
        ("Dr محمد", Trace.NAME),
        ("named Robin", Trace.NAMED),
        ("Fictional Road Hospital", Trace.UNIT),
        ("Ward 7", Trace.UNIT),
        ("3 March 2019", Trace.DATE),
        ("the 3rd of March", Trace.DATE),
        ("March 3rd, 2019", Trace.DATE),
        ("03/03/2019", Trace.DATE),
        ("2019-03-03", Trace.DATE),
        ("SW1A 1AA", Trace.POSTCODE),
        ("sw1a1aa", Trace.POSTCODE),
        ("020 7946 0000", Trace.TELEPHONE),
        ("+44 7700 900000", Trace.TELEPHONE),
        ("943 476 5919", Trace.NHS_NUMBER),
        ("robin@example.org", Trace.MAIL),
        ("www.example.org/robin", Trace.LINK),
        ("@robin_fictional", Trace.HANDLE),
        ("collar number AB1234", Trace.COLLAR),
    ],
)
def test_a_trace_is_found_in_the_middle_of_a_sentence(words: str, trace: Trace) -> None:
    found = find_identifiers(f"Then it was {words}, I think.")
    assert [each.trace for each in found] == [trace]
    assert found[0].words in words
    assert words.removeprefix("the ") in f"the {found[0].words}"


@pytest.mark.parametrize(
    "text",
    [
        "They came with two police officers. I had asked for a nurse.",
        "I waited 36 hours, and 12 more. It cost £1,200,000.",
        "The doctor said that it may be march or autumn before anything happens.",
        "943 476 5918 is a number of another kind",
        "I had a named nurse, and she was kind.",
        "",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert find_identifiers(text) == []


@given(st.text(max_size=300))
def test_findings_stand_in_order_apart_and_as_they_are_written(text: str) -> None:
    found = find_identifiers(text)
    assert all(text[each.start : each.end] == each.words for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    "piece", ["A ", "a@", "0 ", "Ward ", "Dr A", "www.", "1.", "called ", "é-", "A" * 40 + " "]
)
def test_no_text_takes_long_to_search(piece: str) -> None:
    # 50,000 characters: a pattern that steps back and forth would need minutes.
    find_identifiers((piece * 50_000)[:50_000])
