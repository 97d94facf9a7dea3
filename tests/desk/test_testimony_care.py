"""Readers are looked after while they read: what they skip, how much in a day, a break, calm."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.desk.reading_actions import meter_of, note_reading, set_preferences
from coalition.desk.reading_models import Reading
from coalition.desk.reading_rules import USUAL_CEILING
from coalition.testimonies import actions
from coalition.testimonies.models import Testimony
from coalition.testimonies.states import State
from tests.desking import make_moderator, sign_in_as
from tests.reading import approve, at, edit, end_leases, path, reader, send, sent, take, write_front
from tests.telling import told
from tests.visitor import Page, Visitor

LIGHT, MIDDLE, HEAVY = "what-helped", "detention", "abuse"
LIGHT_WORDS, HEAVY_WORDS = "describes something that helped", "describes abuse"
OPENING = "They came with two police officers."


@pytest.fixture
def who(app: Flask) -> uuid.UUID:
    return make_moderator(app, Role.MODERATOR)


def waits(*labels: str, days: int = 0) -> uuid.UUID:
    """One that has waited for so many days."""
    number = sent(told(labels=labels))
    with transaction() as session:
        since = clock.day_in_uk(clock.utc_now()) - timedelta(days=days)
        session.execute(
            update(Testimony)
            .where(Testimony.id == number)
            .values(state_on=since, waits_since=since)
        )
    return number


def sets(who: uuid.UUID, *skipped: str, ceiling: int = USUAL_CEILING) -> None:
    with transaction() as session:
        set_preferences(session, session.get_one(Moderator, who), skipped, ceiling)


def has_read(who: uuid.UUID, *weights: int, hours: float = 0.1) -> None:
    """Some time ago, but today."""
    with transaction() as session:
        moderator, now = session.get_one(Moderator, who), clock.utc_now()
        day = clock.start_of_day_in_uk(clock.day_in_uk(now))
        for weight in weights:
            note_reading(session, moderator, weight, now=max(day, now - timedelta(hours=hours)))


def points(who: uuid.UUID) -> int:
    with transaction() as session:
        return meter_of(session, session.get_one(Moderator, who), now=clock.utc_now()).points


def queue(visitor: Visitor) -> Page:
    return visitor.get("/desk/testimonies")


def offered(page: Page) -> list[str]:
    """The actions of the buttons, from top to bottom."""
    return [form.action for form in page.forms if form.action.endswith("/take")]


def post_take(visitor: Visitor, number: uuid.UUID, **values: str) -> Page:
    """As from a page that was opened before, whatever stands on the queue now."""
    token = visitor.get("/desk").form("/desk/leave").values
    return visitor.post(path(number, "/take"), {**token, **values})


def an_hour_passes() -> None:
    """In which nobody reads."""
    with transaction() as session:
        for reading in session.query(Reading):
            reading.at -= timedelta(hours=1)


# What somebody skips


def test_what_somebody_skips_never_reaches_them(app: Flask, who: uuid.UUID) -> None:
    number, other = waits(HEAVY, MIDDLE), waits(LIGHT)
    sets(who, MIDDLE)
    visitor = sign_in_as(app, who)
    page = queue(visitor)
    assert offered(page) == [path(other, "/take")]
    assert "1 is left to others, because it is about what you skip" in page.text
    outline = visitor.get(path(number, "?to=all"))
    assert "It is about something that you skip" in outline.text
    assert offered(outline) == []
    page = post_take(visitor, number)
    assert "It is about something that you skip" in page.text
    assert OPENING not in page.text
    assert at(number) is State.SUBMITTED
    assert points(who) == 0
    other_reader = reader(app)
    take(other_reader, number)
    assert OPENING in other_reader.get(path(number, "?to=all")).text


def test_what_its_writer_named_is_skipped_though_the_edited_version_does_not_name_it(
    app: Flask, who: uuid.UUID
) -> None:
    number = waits(MIDDLE)
    edit(reader(app), number)
    assert at(number) is State.REDACTED
    sets(who, MIDDLE)
    visitor = sign_in_as(app, who)
    assert offered(queue(visitor)) == []
    post_take(visitor, number)
    assert at(number) is State.REDACTED


def test_what_a_reader_found_in_it_is_skipped_though_its_writer_did_not_name_it(
    app: Flask, who: uuid.UUID
) -> None:
    number, first = waits(LIGHT), reader(app)
    take(first, number)
    write_front(first, number, label=HEAVY)
    first.submit(first.get(path(number)), path(number, "/give-back"))
    sets(who, HEAVY)
    assert offered(queue(sign_in_as(app, who))) == []


def test_what_somebody_has_in_hand_they_finish_though_they_skip_it_since(
    app: Flask, who: uuid.UUID
) -> None:
    number, visitor = waits(MIDDLE), sign_in_as(app, who)
    take(visitor, number)
    sets(who, MIDDLE)
    assert offered(queue(visitor)) == [path(number, "/take")]
    take(visitor, number)
    assert OPENING in visitor.get(path(number, "?to=all")).text


# How much in a day


def test_the_ceiling_of_a_day_stops_a_take_and_nothing_else(app: Flask, who: uuid.UUID) -> None:
    mine, next_one = waits(MIDDLE, days=2), waits(LIGHT, days=1)
    sets(who, ceiling=4)
    has_read(who, 2, hours=3)
    visitor = sign_in_as(app, who)
    take(visitor, mine)
    assert points(who) == 4
    page = queue(visitor)
    assert offered(page) == [path(mine, "/take")], "what is in hand can be gone on with"
    assert "another day: you have read what you set for today" in page.text
    for values in ({}, {"goes_on": "yes"}):
        refused = post_take(visitor, next_one, **values)
        assert "That is enough" in refused.text
        assert refused.url == "/desk/you/reading?refused=ceiling"
        assert at(next_one) is State.SUBMITTED
    # What is in hand is read, edited and finished.
    take(visitor, mine)
    assert OPENING in visitor.get(path(mine, "?to=all")).text
    assert edit(visitor, mine).status == 200
    assert at(mine) is State.REDACTED
    assert points(who) == 4


def test_what_is_too_heavy_for_the_rest_of_the_day_leaves_the_lighter_ones(
    app: Flask, who: uuid.UUID
) -> None:
    heavy, light = waits(HEAVY, days=2), waits(LIGHT, days=1)
    sets(who, ceiling=4)
    has_read(who, 2)
    visitor = sign_in_as(app, who)
    page = queue(visitor)
    assert offered(page) == [path(light, "/take")]
    assert "too heavy for what is left of today" in page.text
    assert "A lighter one may" in post_take(visitor, heavy).text
    take(visitor, light)
    assert at(light) is State.CLAIMED
    assert at(heavy) is State.SUBMITTED


def test_a_lease_that_ran_out_is_prolonged_and_counts_once(app: Flask, who: uuid.UUID) -> None:
    number, visitor = waits(MIDDLE), sign_in_as(app, who)
    for _ in range(3):
        take(visitor, number)
        end_leases()
    take(visitor, number)
    assert points(who) == 2


def test_a_second_reading_counts_as_the_first_did(app: Flask, who: uuid.UUID) -> None:
    number = waits(HEAVY)
    edit(reader(app), number)
    visitor = sign_in_as(app, who)
    approve(visitor, number)
    assert at(number) is State.APPROVED
    assert points(who) == 3


def test_what_cannot_be_taken_counts_for_nobody(app: Flask, who: uuid.UUID) -> None:
    number, visitor = waits(MIDDLE), sign_in_as(app, who)
    page = queue(visitor)
    with transaction() as session:
        actions.withdraw(session, number, now=clock.utc_now())
    assert visitor.submit(page, path(number, "/take")).status == 410
    other = waits(MIDDLE)
    page = queue(visitor)
    take(reader(app), other)
    visitor.submit(page, path(other, "/take"))
    assert points(who) == 0


# A break


def test_a_break_is_offered_and_its_own_button_goes_on(app: Flask, who: uuid.UUID) -> None:
    number, visitor = waits(LIGHT), sign_in_as(app, who)
    has_read(who, 2, 2)
    page = take(visitor, number)
    assert "Time for a break?" in page.text
    assert page.url == f"/desk/you/break/{number}"
    assert at(number) is State.SUBMITTED
    assert points(who) == 4, "a break that is offered is no reading"
    page = visitor.submit(page, path(number, "/take"))
    assert page.url == path(number)
    assert "Read the first passage" in page.text
    assert at(number) is State.CLAIMED
    assert points(who) == 5


def test_no_break_is_offered_in_the_midst_of_one(app: Flask, who: uuid.UUID) -> None:
    number, visitor = waits(LIGHT), sign_in_as(app, who)
    take(visitor, number)
    has_read(who, 2, 2)
    end_leases()
    assert "Read the first passage" in take(visitor, number).text


# Calm


def test_two_of_the_heaviest_never_follow_one_another(app: Flask, who: uuid.UUID) -> None:
    first, second = waits(HEAVY, days=9), waits(HEAVY, days=8)
    light, third = waits(LIGHT, days=2), waits(HEAVY, days=1)
    sets(who, ceiling=20)
    visitor = sign_in_as(app, who)
    assert offered(queue(visitor)) == [path(each, "/take") for each in (first, light, second)]
    assert "1 more rests" in queue(visitor).text
    visitor.submit(take(visitor, first), "/give-back")
    page = queue(visitor)
    assert offered(page) == [path(light, "/take")]
    assert "once you have read something lighter" in page.text
    assert "2 more rest:" in page.text
    for number in (second, third):
        refused = post_take(visitor, number, goes_on="yes")
        assert "You have just read one of the heaviest" in refused.text
        assert at(number) is State.SUBMITTED
    visitor.submit(take(visitor, light), "/give-back")
    the_break = take(visitor, second)
    visitor.submit(the_break, path(second, "/take"))
    assert at(second) is State.CLAIMED


def test_where_only_the_heaviest_are_left_they_come_back_after_an_hour(
    app: Flask, who: uuid.UUID
) -> None:
    number, visitor = waits(HEAVY), sign_in_as(app, who)
    has_read(who, 3)
    page = queue(visitor)
    assert offered(page) == []
    assert "Nothing waits for you" in page.text
    assert "It comes back once you have read something lighter, or in an hour" in page.text
    an_hour_passes()
    assert offered(queue(visitor)) == [path(number, "/take")]


# Nobody else's business


def test_neither_the_log_nor_anybody_else_sees_it(
    app: Flask, who: uuid.UUID, session: Session
) -> None:
    number = waits(HEAVY)
    sets(who, HEAVY)
    visitor, other = sign_in_as(app, who), reader(app)
    post_take(visitor, number)
    assert "Read today: 0, 0 of 8 points" in queue(visitor).text
    assert "what you skip." not in queue(other).text.replace("What you skip", "")
    lines = [entry.action for entry in session.query(AuditEntry)]
    assert not [line for line in lines if "skip" in line or line.startswith("testimony")]


# Worried about somebody


@pytest.mark.parametrize("rest", ["", "/edit", "/preview"])
def test_the_lead_can_be_told_from_where_one_reads(app: Flask, rest: str) -> None:
    number, visitor = waits(LIGHT), reader(app)
    take(visitor, number)
    page = send(
        visitor, visitor.get(path(number, rest)), "/flag", flag_words="They may be in danger."
    )
    assert "It is with the lead" in page.text
    assert at(number) is State.CLAIMED


def test_the_lead_can_be_told_by_a_second_reader(app: Flask) -> None:
    number, visitor = waits(LIGHT), reader(app)
    edit(reader(app), number)
    page = send(visitor, take(visitor, number), "/flag", flag_words="They may be in danger.")
    assert "It is with the lead" in page.text


@pytest.mark.parametrize("rest", ["/front", "/check", "/ask", "/decline"])
def test_a_page_that_is_written_on_leads_to_telling_the_lead(app: Flask, rest: str) -> None:
    number, visitor = waits(LIGHT), reader(app)
    take(visitor, number)
    if rest == "/check":
        write_front(visitor, number)
    assert path(number, "/flag") in visitor.get(path(number, rest)).links
