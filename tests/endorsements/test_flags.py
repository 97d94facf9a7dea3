"""Flags tell a moderator what to look at, and never refuse anything."""

from __future__ import annotations

import pytest

from coalition.endorsements.flags import Known, flags_for, name_key


def flags(
    name: str = "Fictional Friends",
    website: str = "https://friends.example.org",
    email: str | None = "a@friends.example.org",
    others: tuple[Known, ...] = (),
    same_contact: int = 0,
) -> list[str]:
    return flags_for(name, website, email, others, same_contact)


def test_nothing_is_flagged_where_nothing_is_odd() -> None:
    assert flags(others=(Known("Another Group", "https://another.example.org"),)) == []


@pytest.mark.parametrize(
    "other",
    [
        "The Fictional Friends",
        "FICTIONAL FRIENDS LTD",
        "Fictional Friends C.I.C.",
        "Fictional  Friends CIC",
        "Fïctional Friénds",
        "“Fictional Friends” (UK)",
    ],
)
def test_other_spellings_of_one_name_are_told(other: str) -> None:
    (flag,) = flags(others=(Known(other, ""),))
    assert flag == f"“{other}” is there already, under the same name."


def test_a_name_that_is_close_is_told() -> None:
    (flag,) = flags(others=(Known("Fictional Fiends", ""),))
    assert "close to “Fictional Fiends”" in flag


def test_names_that_share_a_word_are_not_close() -> None:
    assert flags(others=(Known("Fictional Carers", ""), Known("Old Friends", ""))) == []


def test_the_same_website_is_told() -> None:
    (flag,) = flags(others=(Known("Quite Another", "http://www.friends.example.org/us"),))
    assert "has the same website" in flag


@pytest.mark.parametrize("email", ["a@example.org", "a@mail.friends.example.org"])
def test_a_mail_domain_above_or_below_the_website_is_no_difference(email: str) -> None:
    assert flags(email=email) == []


def test_a_mail_domain_that_differs_is_told() -> None:
    (flag,) = flags(email="a@elsewhere.example.net")
    assert flag == "The mail address is at elsewhere.example.net, and the website at " + (
        "friends.example.org."
    )


def test_free_mail_is_told() -> None:
    (flag,) = flags(email="friends@gmail.com")
    assert "large provider" in flag


def test_letters_that_look_like_others_are_told() -> None:
    # The first letter is Cyrillic.
    (flag,) = flags(website="https://xn--riends-8uf.example.org", email=None)
    assert "can look like others" in flag
    assert "xn--riends-8uf" in flag


def test_a_contact_of_many_is_told() -> None:
    assert flags(same_contact=2) == []
    (flag,) = flags(same_contact=3)
    assert "3 other organisations" in flag


@pytest.mark.parametrize("name", ["The", "Ltd", "The The", "漢字", "☺"])
def test_every_name_can_be_compared(name: str) -> None:
    assert flags(name, others=(Known(name, ""),)) or not name_key(name)
