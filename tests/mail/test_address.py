"""Addresses: what is none, which are one mailbox, and which were probably mistyped."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coalition.mail.address import (
    IGNORE_DOTS,
    LARGE_PROVIDERS,
    LONGEST_ADDRESS,
    SAME_PROVIDER,
    NotAnAddress,
    canonical_address,
    domain_of,
    likely_meant,
    parse_address,
)

many = settings(max_examples=200, deadline=None)
letters = "abcxyz0189éßñåøžабвשל한"
words = st.text(letters, min_size=1, max_size=12)
locals_ = st.lists(words, min_size=1, max_size=3).map(".".join)
tags = st.lists(st.text(letters + "+", min_size=1, max_size=4), max_size=3).map(".".join)
others = ["example.org", "mail.example.org", "bücher.example.org", "例え.example.org"]
domains = st.sampled_from([*others, *SAME_PROVIDER, *sorted(LARGE_PROVIDERS)])
with_dots = st.sampled_from(sorted({*IGNORE_DOTS, *SAME_PROVIDER}))
elsewhere = st.sampled_from(["example.org", "outlook.com", "yahoo.co.uk", "gmail.example.org"])

LONG_DOMAIN = ".".join(["d" * 60, "d" * 60, "d" * 50, "example.org"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "@",
        "somebody",
        "somebody@",
        "@example.org",
        "some@body@example.org",
        "some body@example.org",
        "somebody@exam ple.org",
        "some\nbody@example.org",
        "a@example.org\nBcc: b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "Somebody <somebody@example.org>",
        "some\x00body@example.org",
        "somebody@example.org\x00",
        "somebody@localhost",
        "somebody@example..org",
        "some..body@example.org",
        ".somebody@example.org",
        "somebody@-example.org",
        "somebody@[127.0.0.1]",
        "somebody@127.0.0.1",
        '"some body"@example.org',
        "somebody@🙂.example.org",
        "somebody@xn--zzzz.example.org",
        "some\u202ebody@example.org",
        "some\u200bbody@example.org",
        "\ud800@example.org",
        "a" * (LONGEST_ADDRESS + 1 - len(LONG_DOMAIN) - 1) + "@" + LONG_DOMAIN,
    ],
    ids=lambda text: ascii(text)[1:41],
)
def test_what_is_no_address_is_refused_with_a_reason(text: str) -> None:
    for judge in (canonical_address, parse_address):
        with pytest.raises(NotAnAddress) as raised:
            judge(text)
        assert len(str(raised.value)) > 10


@many
@given(st.text() | st.builds("{}@{}".format, st.text(), st.text() | domains))
def test_arbitrary_text_is_an_address_or_it_is_not(text: str) -> None:
    try:
        canonical = canonical_address(text)
    except NotAnAddress:
        with pytest.raises(NotAnAddress):
            parse_address(text)
        return
    local, _, domain = canonical.rpartition("@")
    assert local
    assert domain.isascii()
    assert not any(character.isspace() for character in canonical)


def test_an_address_of_the_greatest_length_is_one() -> None:
    longest = "a" * 64 + "@" + ".".join(["b" * 46] * 4) + ".a"
    assert len(longest) == LONGEST_ADDRESS
    assert canonical_address(longest) == longest


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" somebody@example.org\n", "somebody@example.org"),
        ("Somebody@EXAMPLE.org", "somebody@example.org"),
        ("somebody+petition@example.org", "somebody@example.org"),
        ("some.body@example.org", "some.body@example.org"),
        ("s.o.m.e.body+x.y@googlemail.com", "somebody@gmail.com"),
        ("+tag@example.org", "+tag@example.org"),
        ("somebody@bücher.example.org", "somebody@xn--bcher-kva.example.org"),
        ("ZOË@example.org", "zoë@example.org"),
        ("🙂@example.org", "🙂@example.org"),  # RFC 6531 allows it, and such mailboxes exist
        ("שלום@example.org", "שלום@example.org"),
    ],
)
def test_an_address_has_one_canonical_form(text: str, canonical: str) -> None:
    assert canonical_address(text) == canonical


@many
@given(locals_, tags, domains)
def test_the_canonical_form_of_a_canonical_form_is_itself(
    local: str, tag: str, domain: str
) -> None:
    once = canonical_address(f"{local}+{tag}@{domain}" if tag else f"{local}@{domain}")
    assert canonical_address(once) == once


@many
@given(locals_, domains)
def test_capital_letters_make_no_other_mailbox(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    assume(address.upper().lower() == address)  # as a capital, ß is two letters
    assert canonical_address(address.upper()) == canonical_address(address)
    assert canonical_address(address.title()) == canonical_address(address)


@many
@given(locals_, tags.filter(bool), domains)
def test_a_tag_makes_no_other_mailbox(local: str, tag: str, domain: str) -> None:
    assert canonical_address(f"{local}+{tag}@{domain}") == canonical_address(f"{local}@{domain}")


@many
@given(st.text(letters, min_size=2, max_size=12), st.data(), with_dots)
def test_dots_make_no_other_mailbox_where_the_provider_ignores_them(
    local: str, data: st.DataObject, domain: str
) -> None:
    at = data.draw(st.integers(1, len(local) - 1))
    dotted = f"{local[:at]}.{local[at:]}@{domain}"
    assert canonical_address(dotted) == canonical_address(f"{local}@{domain}")


@many
@given(st.text(letters, min_size=2, max_size=12), st.data(), elsewhere)
def test_dots_make_another_mailbox_everywhere_else(
    local: str, data: st.DataObject, domain: str
) -> None:
    at = data.draw(st.integers(1, len(local) - 1))
    dotted = f"{local[:at]}.{local[at:]}@{domain}"
    assert canonical_address(dotted) != canonical_address(f"{local}@{domain}")


@many
@given(words, words, elsewhere)
def test_different_people_keep_different_mailboxes(one: str, other: str, domain: str) -> None:
    first, second = (unicodedata.normalize("NFC", each.lower()) for each in (one, other))
    assume(first != second)
    assert canonical_address(f"{one}@{domain}") != canonical_address(f"{other}@{domain}")


@many
@given(locals_)
def test_googlemail_is_gmail(local: str) -> None:
    assert canonical_address(f"{local}@googlemail.com") == canonical_address(f"{local}@gmail.com")


@many
@given(locals_, domains)
def test_composed_and_decomposed_letters_are_the_same(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    composed, decomposed = (unicodedata.normalize(form, address) for form in ("NFC", "NFD"))
    assert canonical_address(composed) == canonical_address(decomposed)
    assert parse_address(composed) == parse_address(decomposed)


@pytest.mark.parametrize(
    ("unicode", "ascii_"),
    [
        ("bücher.example.org", "xn--bcher-kva.example.org"),
        ("BÜCHER.example.org", "xn--bcher-kva.example.org"),
        ("例え.example.org", "XN--r8jz45g.example.org"),
        ("straße.example.org", "xn--strae-oqa.example.org"),
        ("example。org", "example.org"),
    ],
)
def test_a_domain_is_the_same_in_unicode_and_in_ascii(unicode: str, ascii_: str) -> None:
    address = canonical_address(f"somebody@{unicode}")
    assert address == canonical_address(f"somebody@{ascii_}")
    assert domain_of(address) == ascii_.lower()


def test_mail_goes_to_the_address_as_it_was_given() -> None:
    assert parse_address(" Some.Body+Tag@GoogleMail.com ") == "Some.Body+Tag@googlemail.com"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmail.con", "hotmail.com"),
        ("hotmail.co.ku", "hotmail.co.uk"),
        ("yaho.com", "yahoo.com"),
        ("yahoo.co.ku", "yahoo.co.uk"),
        ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
        ("btinternt.com", "btinternet.com"),
    ],
)
def test_a_slip_of_the_keyboard_is_hinted_at(typed: str, meant: str) -> None:
    assert likely_meant(f"somebody@{typed}") == f"somebody@{meant}"


@pytest.mark.parametrize("domain", sorted({*LARGE_PROVIDERS, *SAME_PROVIDER}))
def test_a_right_domain_gets_no_hint(domain: str) -> None:
    assert likely_meant(f"somebody@{domain}") is None


@pytest.mark.parametrize(
    "domain",
    ["example.org", "ward.hospital.example.org", "tradeunion.example", "gmail.example.org"],
)
def test_the_domain_of_an_organisation_gets_no_hint(domain: str) -> None:
    assert likely_meant(f"somebody@{domain}") is None


@pytest.mark.parametrize(
    "domain",
    ["mail.com", "ymail.com", "email.com", "protonmail.ch", "hotmail.ca", "yahoo.com.au",
     "hotmail.com.au", "live.com.au", "gmx.de", "yahoo.fr", "outlook.ie"],
)  # fmt: skip
def test_a_provider_whose_name_is_like_another_gets_no_hint(domain: str) -> None:
    # One press on the hint would send a stranger somebody's link.
    assert likely_meant(f"somebody@{domain}") is None
