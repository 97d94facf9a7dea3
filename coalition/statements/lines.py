"""Where in a TOML text stands what a problem speaks of."""

from __future__ import annotations

import re


def line_of(words: str, text: str) -> int | None:
    """The number of the line, from 1, that a problem's words speak of; None where it cannot be
    told: records do not know where they were read.
    """
    told = re.search(r"\bline:? (\d+)", words)  # by the readers of TOML and SVG
    if told:
        return int(told[1])
    numbered = re.match(r"([\w-]+) (\d+): (?:(\w+) (\d+): )?", words)
    if numbered:
        return _line_of_record(numbered, words, text)
    return _line_of_field(words, text) or _line_holding(words, text)


def line_with(part: str, text: str) -> int | None:
    """The number of the first line that holds `part`; None where none does."""
    at = text.find(part)
    return text.count("\n", 0, at) + 1 if at >= 0 else None


def _line_of_record(numbered: re.Match[str], words: str, text: str) -> int | None:
    """ "demands 2: steps 1: on is missing" speaks of the first step of the second demand."""
    name, number, inner, inner_number = numbered.groups()
    lines = text.split("\n")
    headings = _headings(lines, name)
    if int(number) > len(headings):
        return None
    start = headings[int(number) - 1]
    end = headings[int(number)] if int(number) < len(headings) else len(lines)
    if inner:
        steps = [at for at in _headings(lines, f"{name}.{inner}") if start < at < end]
        if int(inner_number) > len(steps):
            return start + 1
        start = steps[int(inner_number) - 1]
        end = steps[int(inner_number)] if int(inner_number) < len(steps) else end
    field = _line_of_field(words[numbered.end() :], "\n".join(lines[start:end]))
    return start + (field or 1)


def _headings(lines: list[str], name: str) -> list[int]:
    return [
        at
        for at, line in enumerate(lines)
        if re.match(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]", line)
    ]


def _line_of_field(words: str, text: str) -> int | None:
    named = re.match(r"(\w+)(?: is | must |:)", words)
    found = named and re.search(rf"^\s*{named[1]}\s*=", text, re.MULTILINE)
    return text.count("\n", 0, found.end()) + 1 if found else None


def _line_holding(words: str, text: str) -> int | None:
    """The only or first line with a value that the words name, the longest value first."""
    values = {
        value: at
        for at, line in reversed(list(enumerate(text.split("\n"), 1)))
        for value in re.findall(r'"([^"]{3,})"', line)
    }
    named = [value for value in values if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", words)]
    return values[max(named, key=len)] if named else None
