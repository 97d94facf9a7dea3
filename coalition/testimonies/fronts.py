"""What stands before the text of a published testimony, in the campaign's words."""

from __future__ import annotations

from coalition.statements.queries import current_campaign
from coalition.testimonies.choices import Front


def title_of(front: Front) -> str:
    """What it describes: "Describes restraint by police"."""
    label = current_campaign().telling.label(front.label)
    words = label.words if label else "tells what happened"
    return words[:1].upper() + words[1:]


def notes_of(front: Front) -> list[str]:
    """What else it describes, in the order of the campaign's labels."""
    return [
        each.words
        for each in current_campaign().telling.labels
        if each.slug in front.labels and each.slug != front.label
    ]
