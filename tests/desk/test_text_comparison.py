"""What a writer sees of what they changed: the changed places, whatever the text."""

from __future__ import annotations

import pytest

from coalition.desk.text_comparison import compared
from coalition.statements.campaign import LONGEST_TEXT
from coalition.statements.comparison import Change, Paragraph, compare


def words(paragraphs: list[Paragraph] | None) -> list[str]:
    assert paragraphs is not None
    return ["".join(run.text for run in runs) for runs in paragraphs]


def test_what_is_too_long_to_be_published_is_not_compared() -> None:
    assert compared("about", "x" * (LONGEST_TEXT + 1), "y") is None


@pytest.mark.parametrize(
    ("slug", "old", "new"), [("about", "One.", "*One.*"), ("demands", "a = 1\n", "a = 1\n\n")]
)
def test_where_no_word_differs_nothing_is_shown(slug: str, old: str, new: str) -> None:
    assert compared(slug, old, new) == []


def test_only_the_changed_places_are_shown_with_what_stands_around_them() -> None:
    lines = [f"line{number} = 1" for number in range(20)]
    new = [*lines]
    new[3] = "line3 = 2"
    new[15] = "line15 = 2"
    assert words(compared("demands", "\n".join(lines), "\n".join(new))) == [
        "[… 2 unchanged …]", "line2 = 1", "line3 =12", "line4 = 1",
        "[… 9 unchanged …]", "line14 = 1", "line15 =12", "line16 = 1",
        "[… 3 unchanged …]",
    ]  # fmt: skip


def test_of_markdown_the_words_are_compared() -> None:
    shown = compared("about", "## One\n\nTwo.\n\nThree.", "## One\n\nTwo.\n\nThree [x](/y).")
    assert words(shown) == ["[… 1 unchanged …]", "Two.", "Three.Three x (/y)."]


@pytest.mark.parametrize("between", [" ", "\n\n"])
def test_a_text_that_repeats_itself_is_compared_in_good_time(between: str) -> None:
    """Compared item by item this would take hours; it is shown as replaced, and whole."""
    old = between.join(["Start.", *["a", "b"] * 20_000, "End."])
    new = between.join(["Start.", *["b", "b", "a"] * 13_000, "End."])
    runs = [run for paragraph in compare(old, new) for run in paragraph]
    for text, left_out in ((old, Change.ADDED), (new, Change.REMOVED)):
        kept = [run.text for run in runs if run.change is not left_out]
        assert " ".join(kept).split() == text.split()
