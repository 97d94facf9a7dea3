"""How templates write numbers and moments."""

import re
from datetime import date, datetime

from flask import Flask

from coalition.clock import LONDON, day_in_uk


def number(value: int) -> str:
    """1234567 as 1,234,567."""
    return f"{value:,}"


def long_date(value: date | datetime) -> str:
    """A day as "29 April 2021"; of a moment, the day in the United Kingdom."""
    day = day_in_uk(value) if isinstance(value, datetime) else value
    return f"{day.day} {day:%B %Y}"


def clock_time(value: datetime) -> str:
    """A moment as "14:02", by the clock of the United Kingdom."""
    return f"{value.astimezone(LONDON):%H:%M}"


def sentences(text: str) -> list[str]:
    """The sentences of a short text, each with its mark."""
    return [each for each in re.split(r"(?<=[.!?])\s+", text.strip()) if each]


def init_filters(app: Flask) -> None:
    app.jinja_env.filters.update(
        number=number, long_date=long_date, clock_time=clock_time, sentences=sentences
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
