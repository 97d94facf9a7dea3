"""What one text changed in another, as a writer at the desk needs it: the changed places alone."""

from __future__ import annotations

from coalition.statements.campaign import LONGEST_TEXT, is_markdown
from coalition.statements.comparison import Change, Paragraph, Run, compare
from coalition.statements.markdown import plain_paragraphs

AROUND = 1  # unchanged passages that are shown on either side of a changed one


def compared(slug: str, old: str, new: str) -> list[Paragraph] | None:
    """The changed passages with those around them: of Markdown its words, of TOML its lines.

    Empty where no word differs; None where a text is too long to be compared.
    """
    if max(len(old), len(new)) > LONGEST_TEXT:
        return None
    return _changed_places(compare(_passages(slug, old), _passages(slug, new)))


def _passages(slug: str, text: str) -> str:
    return plain_paragraphs(text) if is_markdown(slug) else "\n\n".join(text.split("\n"))


def _changed_places(paragraphs: list[Paragraph]) -> list[Paragraph]:
    changed = [
        at
        for at, runs in enumerate(paragraphs)
        if any(run.change is not Change.SAME for run in runs)
    ]
    near = {at + step for at in changed for step in range(-AROUND, AROUND + 1)}
    shown: list[Paragraph] = []
    left_out = 0
    for at, runs in enumerate(paragraphs):
        if at not in near:
            left_out += 1
            continue
        if left_out:
            shown.append([_gap(left_out)])
            left_out = 0
        shown.append(runs)
    return [*shown, [_gap(left_out)]] if shown and left_out else shown


def _gap(passages: int) -> Run:
    return Run(Change.SAME, f"[… {passages} unchanged …]")
