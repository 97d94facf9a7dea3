"""The clocks of complaints, in the working time of England."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coalition.clock import LONDON, day_in_uk
from coalition.testimonies.complaint_clocks import FIRST_STEP, clocks_of
from coalition.testimonies.complaint_models import Ground
from coalition.testimonies.working_time import after_working_time, holidays, is_working_day

# gov.uk/bank-holidays, England and Wales, as published for these years, with Good Friday.
PUBLISHED = {
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.mark.parametrize("year", sorted(PUBLISHED))
def test_the_rule_knows_the_days_that_were_published(year: int) -> None:
    days = {date.fromisoformat(f"{year}-{each}") for each in PUBLISHED[year].split()}
    assert {day for day in holidays(year) if day.weekday() < 5} == days


@pytest.mark.parametrize(
    ("received", "first"),
    [
        ("2026-11-25T10:00", "2026-11-27T10:00"),  # Wednesday
        ("2026-11-27T10:00", "2026-12-01T10:00"),  # Friday: not the weekend
        ("2026-11-28T10:00", "2026-12-02T00:00"),  # Saturday: from Monday on
        ("2026-12-24T12:00", "2026-12-30T12:00"),  # Christmas, a weekend, and a day in its place
        ("2026-04-02T09:00", "2026-04-08T09:00"),  # Easter
        ("2026-03-27T10:00", "2026-03-31T10:00"),  # over the change of the clocks
    ],
)
def test_48_hours_leave_out_days_on_which_nobody_works(received: str, first: str) -> None:
    found = clocks_of(Ground.OTHER, at(received)).first_step_by
    assert found == at(first)


@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-11-25T10:00", "2026-12-29"),  # the 25th is Christmas, the 28th in a weekend's place
        ("2026-01-31T10:00", "2026-03-02"),  # February is shorter; the 28th is a Saturday
        ("2026-08-03T00:30", "2026-09-03"),
        ("2026-12-14T23:59", "2027-01-14"),
    ],
)
def test_an_answer_is_due_on_the_corresponding_day_of_the_next_month(
    received: str, last: str
) -> None:
    assert str(day_in_uk(clocks_of(Ground.IDENTIFIES, at(received)).decide_by)) == last


def test_of_a_notice_of_defamation_the_writer_has_five_days_and_we_48_hours_after_them() -> None:
    clocks = clocks_of(Ground.DEFAMATION, at("2026-11-25T10:00"))
    assert clocks.first_step_by == at("2026-11-27T10:00")
    # Five days end with Wednesday 2 December.
    assert clocks.decide_by == at("2026-12-04T23:59")
    assert clocks.next(looked=False) == clocks.first_step_by
    assert clocks.next(looked=True) == clocks.decide_by


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(LONDON)),
    st.sampled_from(Ground),
)
def test_clocks_run_forwards_and_never_end_on_a_day_off(moment: datetime, ground: Ground) -> None:
    clocks = clocks_of(ground, moment)
    assert clocks.received_at < clocks.first_step_by < clocks.decide_by
    assert clocks.first_step_by - moment >= FIRST_STEP - timedelta(seconds=1)
    assert is_working_day(day_in_uk(clocks.decide_by - timedelta(seconds=1)))
    assert after_working_time(moment, FIRST_STEP) == clocks.first_step_by
