"""By when what has to happen to a complaint. Pure; in the working time of England."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from coalition.clock import day_in_uk
from coalition.testimonies.complaint_models import Ground
from coalition.testimonies.working_time import (
    after_working_time,
    end_of,
    month_after,
    working_day_from,
)

# Defamation (Operators of Websites) Regulations 2013 (SI 2013/3028), Schedule: the operator acts
# within 48 hours; regulation 1(3) leaves weekends, Good Friday, Christmas Day and bank holidays
# out of them. We take the same time for a first look at any other complaint.
FIRST_STEP = timedelta(hours=48)
# The same, Schedule, as we understand it: whoever wrote it answers by midnight at the end of the
# fifth day after the one on which they were written to. Of these five days none is left out.
WRITER_ANSWERS = timedelta(days=5)
ONE_MINUTE = timedelta(minutes=1)  # so that midnight is told as the day that ends


@dataclass(frozen=True)
class Clocks:
    """When it came, by when there is a first step, and by when it is decided."""

    received_at: datetime
    first_step_by: datetime
    decide_by: datetime

    def next(self, *, looked: bool) -> datetime:
        """The one that runs now."""
        return self.decide_by if looked else self.first_step_by


def clocks_of(ground: Ground, received_at: datetime) -> Clocks:
    """The clocks of a complaint that came at this moment.

    Of a notice of defamation: 48 hours for the first step, five days for whoever wrote it, and 48
    hours to act upon the answer. Of all others: one month. UK GDPR article 12(3) gives that for
    what tells who somebody is (articles 17 and 21), from the day of receipt to the corresponding
    day, or the next working day, as the Information Commissioner counts it.
    """
    first = after_working_time(received_at, FIRST_STEP)
    if ground is Ground.DEFAMATION:
        answered = end_of(day_in_uk(first) + WRITER_ANSWERS)
        return Clocks(received_at, first, after_working_time(answered, FIRST_STEP) - ONE_MINUTE)
    last_day = working_day_from(month_after(day_in_uk(received_at)))
    return Clocks(received_at, first, end_of(last_day) - ONE_MINUTE)
