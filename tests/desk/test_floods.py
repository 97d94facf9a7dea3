"""What somebody without an account can make the desk work at: next to nothing."""

from __future__ import annotations

from time import monotonic

import pytest

from tests.visitor import Page, Visitor

FORM = "application/x-www-form-urlencoded"
LONG_TEXTS = "/desk/texts/about"  # whose forms may hold megabytes


def send(visitor: Visitor, body: bytes, kind: str = FORM) -> Page:
    headers = {"Content-Type": kind, "Origin": visitor.origin, "Sec-Fetch-Site": "same-origin"}
    return visitor.request("POST", LONG_TEXTS, headers, body, follow=False)


@pytest.mark.parametrize("field", [b"a&", b"a=&", b"a=%0a&"])
def test_millions_of_fields_are_not_taken_apart(visitor: Visitor, field: bytes) -> None:
    body = field * (4_000_000 // len(field))
    begun = monotonic()
    page = send(visitor, body)
    assert monotonic() - begun < 20  # seconds; it took over a minute
    assert page.status == 401
    assert len(page.data) < 20_000


def test_a_form_of_many_parts_is_not_read_to_its_end(visitor: Visitor) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    page = send(visitor, part * 50_000 + b"--x--\r\n", "multipart/form-data; boundary=x")
    assert page.status == 401
    assert len(page.data) < 20_000


def test_a_form_of_as_many_fields_as_any_of_ours_has_is_kept(visitor: Visitor) -> None:
    body = "&".join(f"field{number}=words+{number}" for number in range(60))
    page = send(visitor, body.encode())
    assert page.status == 401
    assert page.form(LONG_TEXTS).values["field59"] == "words 59"
