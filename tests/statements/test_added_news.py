"""News added by a form: one entry more in updates.toml, and nothing else is touched."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coalition.statements.news import add_update, new_slug
from coalition.statements.records import parse_updates
from coalition.statements.tables import CampaignInvalid
from tests.conftest import ROOT

NEWS = (ROOT / "campaign" / "updates.toml").read_text(encoding="utf-8")
DAY = date(2026, 12, 1)


def added(
    text: str = NEWS, *, title: str = "A day in court", summary: str = "We were heard.",
    words: str = "We were *heard*.",
) -> str:  # fmt: skip
    return add_update(text, on=DAY, title=title, summary=summary, words=words)


@pytest.mark.parametrize("text", ["", "[[updates]\n", "title = 'x'\n", "[[updates]]\ntitle = 1\n"])
def test_to_a_text_that_cannot_be_read_nothing_is_added(text: str) -> None:
    with pytest.raises(CampaignInvalid):
        added(text)


@pytest.mark.parametrize("words", ["<b>x</b>", "[x](javascript:alert(1))", "![](/static/a.png)"])
def test_news_that_cannot_be_published_is_not_added(words: str) -> None:
    with pytest.raises(CampaignInvalid):
        added(words=words)


def test_one_entry_is_added_and_every_other_byte_stays() -> None:
    text = added()
    begin = text.index("[[updates]]")
    assert NEWS.startswith(text[:begin])
    assert text.endswith(NEWS[begin:])
    assert parse_updates(text)[0].title == "A day in court"
    assert parse_updates(text)[1:] == parse_updates(NEWS)


def test_the_same_news_is_not_added_twice() -> None:
    assert added(added()) == added()


def test_news_of_one_title_have_two_addresses() -> None:
    text = added(added(), words="Another day.")
    slugs = {each.slug for each in parse_updates(text)}
    assert {"a-day-in-court", "a-day-in-court-2"} < slugs


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("漢字", "news"),
        ("2026: ten years!", "ten-years"),
        ("Zoë & co.", "zoe-co"),
        ("x" * 99, "x" * 60),
    ],
)
def test_every_title_has_an_address(title: str, slug: str) -> None:
    assert new_slug(title, set()) == slug


def test_a_comment_stays_with_what_it_speaks_of() -> None:
    text = NEWS.replace("[[updates]]", "# Checked with the writer.\n[[updates]]", 1)
    assert '\n# Checked with the writer.\n[[updates]]\ntitle = "The network' in added(text)
    headed = text.partition("\n\n")[2]
    assert added(headed).startswith('# Checked with the writer.\n[[updates]]\ntitle = "A day')


@settings(max_examples=300, deadline=None)
@given(
    title=st.text(st.sampled_from("aB \\\"'#[]=é😀"), min_size=1).filter(str.strip),
    words=st.text(st.sampled_from("a\\\"'#[]= \nn"), min_size=1).filter(str.strip),
)
def test_whatever_is_written_is_read_again_as_it_was_written(title: str, words: str) -> None:
    try:
        newest = parse_updates(added(title=title, words=words))[0]
    except CampaignInvalid as error:
        assert "not valid TOML" not in str(error)  # noqa: PT017 (a broken link, such as [](\\))
        return
    assert (newest.title, newest.text.strip()) == (title, words.strip())
