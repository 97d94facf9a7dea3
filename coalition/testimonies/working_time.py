"""Working time in England: weekends and bank holidays left out. Pure; knows no clock.

A rule of our own: libraries that know these days either ask the network or bring 250 countries.
Days that are proclaimed once, such as for a coronation, it does not know; a time limit then ends
too early for us, never too late.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from functools import lru_cache

from coalition.clock import day_in_uk, start_of_day_in_uk

ONE_DAY = timedelta(days=1)
MONDAY, SATURDAY = 0, 5


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the anonymous algorithm: Meeus, Astronomical
    Algorithms, 1991, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=16)
def holidays(year: int) -> frozenset[date]:
    """Good Friday, Christmas Day and the bank holidays of England and Wales in a year.

    Banking and Financial Dealings Act 1971, Schedule 1; New Year's Day and the first Monday in
    May, as proclaimed every year under its section 1(3), and the days in place of a weekend.
    """
    sunday = easter(year)
    found = {
        sunday - 2 * ONE_DAY,
        sunday + ONE_DAY,
        _monday(date(year, 5, 1)),
        _monday(date(year, 5, 25)),  # the last one in May
        _monday(date(year, 8, 25)),  # the last one in August
    }
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        found.add(day)
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        if day.weekday() >= SATURDAY:
            instead = day
            while instead.weekday() >= SATURDAY or instead in found:
                instead += ONE_DAY
            found.add(instead)
    return frozenset(found)


def _monday(day: date) -> date:
    """The first Monday on or after a day."""
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in holidays(day.year)


def after_working_time(moment: datetime, length: timedelta) -> datetime:
    """When so much time has passed, that of days which are no working days left out."""
    left = length
    while True:
        day = day_in_uk(moment)
        ends = start_of_day_in_uk(day + ONE_DAY)
        if is_working_day(day):
            if left <= ends - moment:
                return moment + left
            left -= ends - moment
        moment = ends


def working_day_from(day: date) -> date:
    """The day itself, or the next working day."""
    while not is_working_day(day):
        day += ONE_DAY
    return day


def month_after(day: date) -> date:
    """The corresponding day of the next month, or that month's last day where it is shorter."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def end_of(day: date) -> datetime:
    """Midnight at the end of a day in the United Kingdom."""
    return start_of_day_in_uk(day + ONE_DAY)
