"""One more piece of news in `updates.toml`, beside which nothing changes."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from itertools import chain, count

from coalition.statements.records import Update, parse_updates

LONGEST_SLUG = 60  # characters


def add_update(text: str, *, on: date, title: str, summary: str, words: str) -> str:
    """`text`, which is `updates.toml`, with one more entry before the others; comments and all
    else stay as they are. `words` are Markdown.

    The same news is not added twice. Raises CampaignInvalid where `text` cannot be read, or the
    news cannot be published.
    """
    present = parse_updates(text)
    if any(_is_same(each, on, title, summary, words) for each in present):
        return text
    slug = new_slug(title, {each.slug for each in present})
    entry = "\n".join(
        (
            "[[updates]]",
            f"title = {_quoted(title)}",
            f"slug = {_quoted(slug)}",
            f"on = {on.isoformat()}",
            f"summary = {_quoted(summary)}",
            f'text = """\n{_quoted_lines(words)}\n"""',
            "\n",
        )
    )
    at = _place_of_first(text)
    grown = text[:at] + entry + text[at:]
    parse_updates(grown)
    return grown


def new_slug(title: str, taken: set[str]) -> str:
    """The part of an address that is made of a title; none of those that are taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).lstrip("-0123456789")[:LONGEST_SLUG].strip("-")
    slug = slug or "news"
    numbered = (f"{slug}-{number}" for number in count(2))
    return next(each for each in chain([slug], numbered) if each not in taken)


def _is_same(update: Update, on: date, title: str, summary: str, words: str) -> bool:
    said = (update.on, update.title, update.summary, update.text.strip())
    return said == (on, title, summary, words.strip())


def _place_of_first(text: str) -> int:
    """Where the first entry begins, with the comments right above it; those at the head of the
    file belong to the file. The whole file's end where its entries are written otherwise."""
    found = re.search(r"^[ \t]*\[\[[ \t]*updates[ \t]*\]\]", text, re.MULTILINE)
    if found is None:
        return len(text)
    before = text[: found.start()]
    above = re.search(r"(?:^[ \t]*#[^\n]*\n)+\Z", before, re.MULTILINE)
    return above.start() if above and before[: above.start()].strip() else found.start()


def _quoted(line: str) -> str:
    """A line as a string of TOML: JSON's escapes are TOML's as well."""
    return json.dumps(line, ensure_ascii=False)


def _quoted_lines(words: str) -> str:
    return words.strip().replace("\\", "\\\\").replace('"""', '""\\"')
