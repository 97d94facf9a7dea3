"""What a chart shows, and what stands beside it. How it is drawn: drawing.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

WIDTH = 1200  # pixels
HEIGHT = 800
SHARED_HEIGHT = 630  # of a picture beside a link, as of the card of every page


class Shape(Enum):
    EACH_DAY = auto()  # a bar for each day, below the line where more left than came
    TOTAL = auto()  # a line from nought, with the last number written at it
    CATEGORIES = auto()  # a bar for each category, with its number written at it


@dataclass(frozen=True)
class Chart:
    """Figures, in the order in which they are shown, and what stands beside them.

    The labels are days, or the names of categories. A number that is None is suppressed.
    """

    shape: Shape
    labels: tuple[date, ...] | tuple[str, ...]
    numbers: tuple[int | None, ...]
    title: str
    alternative: str  # what it shows, in one sentence
    source: str  # whose figures, and as at when
    accent: str  # written #rrggbb
    suppressed: str = ""  # what stands in place of a number that is
