"""What in a text may tell who somebody is: found by its shape, to be looked at by a person.

It finds what is written in the usual way and no more; a text without a finding is not safe for
that reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Trace(StrEnum):
    MAIL = "a mail address"
    LINK = "a web address"
    TELEPHONE = "a telephone number"
    NHS_NUMBER = "an NHS number"
    POSTCODE = "a postcode"
    DATE = "a date"
    NAME = "a name with a title or rank"
    NAMED = "a name"
    UNIT = "a ward, hospital or team"
    HANDLE = "a name on a social network"
    COLLAR = "a collar or badge number"


@dataclass(frozen=True)
class Finding:
    """Characters of a text that may tell who somebody is."""

    start: int
    end: int
    words: str
    trace: Trace


_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_TITLES = (
    "Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Sister|Nurse|PC|WPC|DC|DS|DI|Sgt|Sergeant|"
    "Constable|Inspector|Officer|Insp|Sir|Lady|Judge|Rev|Father"
)
_PLACES = "Ward|Hospital|Infirmary|Clinic|Unit|Centre|House|Suite|Trust|Prison|School|College"
# A word that begins with a capital, in any script that has them; hyphens and apostrophes inside.
_CAPITAL = r"[^\W\d_a-zà-öø-ÿ][\w'’-]{1,30}"

_PATTERNS: tuple[tuple[Trace, re.Pattern[str]], ...] = (
    (Trace.MAIL, re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")),
    (Trace.LINK, re.compile(r"(?:https?://|www\.)[^\s<>]{2,199}[^\s<>.,;:!?)]", re.IGNORECASE)),
    (Trace.HANDLE, re.compile(r"(?<![\w@.])@\w{2,30}")),
    (
        Trace.POSTCODE,
        re.compile(r"\b[A-Z]{1,2}[0-9][0-9A-Z]?[ ]?[0-9][ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE),
    ),
    (Trace.DATE, re.compile(r"\b[0-3]?\d[./-][01]?\d[./-](?:\d{4}|\d{2})\b")),
    (Trace.DATE, re.compile(r"\b\d{4}-[01]\d-[0-3]\d\b")),
    (
        Trace.DATE,
        re.compile(
            rf"\b[0-3]?\d(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b(?:,? \d{{4}})?", re.IGNORECASE
        ),
    ),
    (
        Trace.DATE,
        re.compile(rf"\b(?:{_MONTHS}) [0-3]?\d(?:st|nd|rd|th)?\b(?:,? \d{{4}})?", re.IGNORECASE),
    ),
    (
        Trace.COLLAR,
        re.compile(r"\b(?:collar|badge|shoulder) (?:number |no\.? )?\w{0,3}\d{2,6}\b", re.I),
    ),
    (Trace.NAME, re.compile(rf"\b(?:{_TITLES})\.?[ ]{_CAPITAL}(?:[ ]{_CAPITAL}){{0,2}}")),
    (Trace.UNIT, re.compile(rf"\b(?:{_CAPITAL}[ ]){{1,4}}(?:{_PLACES})\b")),
    (Trace.UNIT, re.compile(r"\bWard[ ](?:\d{1,3}[A-Z]?|[A-Z])\b")),
    (
        Trace.NAMED,
        re.compile(
            rf"\b(?:called|named|name (?:is|was)|by the name of)[ ]{_CAPITAL}(?:[ ]{_CAPITAL}){{0,2}}"
        ),
    ),
)
_NUMBER = re.compile(r"(?<![\w.,£$€])\+?\(?\d[\d ().-]{7,20}\d(?![\w])")


def find_identifiers(text: str) -> list[Finding]:
    """What may tell who somebody is, in the order of the text; none overlaps another."""
    found = [
        Finding(each.start(), each.end(), each.group(), trace)
        for trace, pattern in _PATTERNS
        for each in pattern.finditer(text)
    ]
    found += [
        Finding(each.start(), each.end(), each.group(), trace)
        for each in _NUMBER.finditer(text)
        if (trace := _kind_of_number(each.group()))
    ]
    apart: list[Finding] = []
    for finding in sorted(found, key=lambda each: (each.start, -each.end)):
        if not apart or finding.start >= apart[-1].end:
            apart.append(finding)
    return apart


def _kind_of_number(words: str) -> Trace | None:
    digits = re.sub(r"\D", "", words)
    if len(digits) == 10 and _is_nhs_number(digits):
        return Trace.NHS_NUMBER
    if digits.startswith(("0", "44")) and 10 <= len(digits) <= 13:
        return Trace.TELEPHONE
    return None


def _is_nhs_number(digits: str) -> bool:
    """By its check digit: NHS Data Model and Dictionary, "NHS Number" (modulus 11)."""
    check = 11 - sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9])) % 11
    return check != 10 and check % 11 == int(digits[9])
