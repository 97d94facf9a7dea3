"""The only clock. Everything else is given the time it needs."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# How far the clocks of two machines may be apart. A moment that is further ahead than this was
# written down before the clock was set back.
CLOCKS_DIFFER = timedelta(seconds=5)
LONDON = ZoneInfo("Europe/London")


def utc_now() -> datetime:
    """The present moment, aware and in UTC."""
    return datetime.now(UTC)


def day_in_uk(moment: datetime) -> date:
    """The day on which a moment falls by the clocks of the United Kingdom."""
    return moment.astimezone(LONDON).date()


def start_of_day_in_uk(day: date) -> datetime:
    """The moment at which a day begins by the clocks of the United Kingdom."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
