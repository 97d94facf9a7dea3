"""What a mail server takes is read back as it was written, whatever it says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coalition.mail.messages import Email, build

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ID = uuid.UUID("0123456789abcdef0123456789abcdef")
LONGEST_LINE = 998  # characters without its end (RFC 5322, 2.1.1)
LONGEST_QUOTED = 76  # the same of quoted-printable (RFC 2045, 6.7)

many = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def built(text: str = "a\n", html: str = "<p>a</p>\n", **values: str) -> tuple[bytes, EmailMessage]:
    email = Email(
        **{"to": "ada@example.org", "subject": "A petition", **values}, text=text, html=html
    )
    content = build(email, ID, NOW).content
    return content, BytesParser(EmailMessage, policy=policy.default).parsebytes(content)


def as_lines(text: bytes) -> list[bytes]:
    """The lines of a mail: only CR, LF or both end them."""
    return text.splitlines() or [b""]


def read(message: EmailMessage, subtype: str) -> list[bytes]:
    body = message.get_body((subtype,))
    assert body is not None
    payload = body.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return as_lines(payload)


@many
@given(texts, texts)
@example(".\n", "From me\n..\n")
@example(
    "a \n\tb\t\n=_0123456789abcdef0123456789abcdef\n--0123456789abcdef0123456789abcdef\n", "=\n"
)
@example("one\r.\rtwo\n", "one\r\n.\r\ntwo\n")
@example("x" * 2_000 + "\n", "\u2028\x0b\x85 no end of a line\n")
def test_both_parts_are_read_as_they_were_written(app: Flask, text: str, html: str) -> None:
    content, message = built(text, html)
    assert message.get_content_type() == "multipart/alternative"
    assert not message.defects
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert read(message, "plain") == as_lines(text.encode())
    assert read(message, "html") == as_lines(html.encode())
    assert content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= LONGEST_LINE
    body = content.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= LONGEST_QUOTED


@many
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200)
)
def test_any_subject_is_read_as_it_was_written(app: Flask, subject: str) -> None:
    _, message = built(subject=subject)
    assert " ".join(str(message["Subject"]).split()) == " ".join(subject.split())


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("field", ["to", "subject"])
def test_no_value_makes_another_header(app: Flask, field: str, line_end: str) -> None:
    injected = f"ada@example.org{line_end}Bcc: everybody@example.org"
    with pytest.raises(ValueError, match=r"linefeed|carriage return"):
        built(**{field: injected})


def test_the_headers_say_who_to_whom_and_when(app: Flask) -> None:
    _, message = built(subject="Bestätigen – bitte")
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "Bestätigen – bitte"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert ID.hex in message["Message-ID"]


def test_an_address_beyond_ascii_is_written_as_it_is(app: Flask) -> None:
    content, message = built(to="ärztin@bücher.example")
    assert "ärztin@xn--bcher-kva.example".encode() in content
    assert message["To"] == "ärztin@xn--bcher-kva.example"
