"""The first pages that a process makes, several at once, need nothing that is still being made."""

from __future__ import annotations

import subprocess
import sys

LINKS = "<https://example.org/ä%20b> [one](https://example.org/?a=b#c) ![two](/static/two.png) <a@example.org>"
USE = """
from mdurl._decode import decode_cache
from mdurl._encode import encode_cache

from coalition.statements.markdown import links, plain_paragraphs, problems, render

made = set(encode_cache), set(decode_cache)
assert all(made)
for use in (links, plain_paragraphs, problems, render):
    use({text!r})
assert made == (set(encode_cache), set(decode_cache)), "a table was made at its first use"
"""


def test_a_first_text_makes_no_table_that_another_thread_could_find_half_made() -> None:
    subprocess.run([sys.executable, "-c", USE.format(text=LINKS)], check=True)
