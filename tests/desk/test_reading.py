"""Readers' care: calm order, a ceiling for a day, a break, and nobody else's business."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.desk.reading_actions import (
    delete_past_readings,
    for_reader,
    may_take,
    meter_of,
    note_reading,
    set_preferences,
)
from coalition.desk.reading_models import READINGS_KEPT
from coalition.desk.reading_rules import UNKNOWN_WEIGHT, Why, calm, refusal, weight_of
from coalition.statements.queries import current_campaign
from coalition.statements.telling import HEAVIEST, WEIGHTS
from coalition.testimonies.queries import Waiting
from coalition.testimonies.states import State
from tests.conftest import run_command
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.test_cli import NEW, OLD, application, with_keys

NOW = clock.utc_now


def waits(*labels: str) -> Waiting:
    return Waiting(
        uuid.uuid4(), State.SUBMITTED, labels, 100, date(2026, 1, 1), False, None, frozenset()
    )  # fmt: skip


@given(st.lists(st.sampled_from(WEIGHTS), max_size=20), st.sampled_from([None, *WEIGHTS]))
def test_two_of_the_heaviest_never_follow_one_another_and_nothing_is_lost(
    weights: list[int], last: int | None
) -> None:
    waiting = [waits() for _ in weights]
    known = {each.id: weight for each, weight in zip(waiting, weights, strict=True)}
    found = calm(waiting, known, last)
    read = [last or 0, *(known[each.id] for each in found.shown)]
    assert not any(one == HEAVIEST == other for one, other in pairwise(read))
    assert sorted(each.id for each in [*found.shown, *found.held]) == sorted(known)
    assert all(known[each.id] == HEAVIEST for each in found.held)
    for heaviest in (True, False):
        kind = [each.id for each in waiting if (known[each.id] == HEAVIEST) is heaviest]
        after = [
            each.id for each in [*found.shown, *found.held]
            if (known[each.id] == HEAVIEST) is heaviest
        ]  # fmt: skip
        assert after == kind, "what waits longest does not come first"


def test_the_longest_waiting_comes_first_where_nothing_heavy_stands_before_it() -> None:
    waiting = [waits(), waits(), waits()]
    known = dict(zip([each.id for each in waiting], (3, 1, 3), strict=True))
    assert list(calm(waiting, known, None).shown) == waiting
    after_heavy = calm(waiting, known, HEAVIEST)
    assert after_heavy.shown == [waiting[1], waiting[0]]
    assert after_heavy.held == [waiting[2]]


@pytest.mark.parametrize(
    ("weight", "today", "recent", "goes_on", "why"),
    [
        (1, [], [], False, None),
        (1, [3, 3, 2], [], False, Why.CEILING),
        (3, [3, 3], [], False, Why.TOO_HEAVY),
        (2, [3, 3], [], False, None),
        (1, [1, 1, 1], [1, 1, 1], False, Why.BREAK),
        (1, [2, 2], [2, 2], False, Why.BREAK),
        (1, [2, 1], [2, 1], False, None),
        (1, [2, 2], [2, 2], True, None),
        (3, [3, 3], [3, 3], True, Why.TOO_HEAVY),
    ],
)
def test_when_somebody_is_not_given_another_one(
    weight: int, today: Sequence[int], recent: Sequence[int], goes_on: bool, why: Why | None
) -> None:
    found = refusal(weight, today, recent, 8, goes_on=goes_on)
    assert (found.why if found else None) is why


def test_something_weighs_as_much_as_its_heaviest_label(app: Flask) -> None:
    telling = current_campaign().telling
    assert weight_of(["what-helped", "abuse"], telling) == HEAVIEST
    assert weight_of(["what-helped"], telling) == 1
    assert weight_of([], telling) == weight_of(["taken-out-since"], telling) == UNKNOWN_WEIGHT


def test_a_ceiling_ends_with_the_day_and_a_reading_is_forgotten_after_a_week(
    app: Flask, session: Session
) -> None:
    moderator_id = make_moderator(app, Role.MODERATOR)
    with transaction() as writing:
        moderator = writing.get_one(Moderator, moderator_id)
        now = clock.start_of_day_in_uk(date(2026, 7, 2)) - timedelta(minutes=1)
        for _ in range(4):
            note_reading(writing, moderator, 2, now=now)
        assert meter_of(writing, moderator, now=now).points == 8
        refused = may_take(writing, moderator, 1, now=now)
        assert refused
        assert refused.why is Why.CEILING
        tomorrow = now + timedelta(minutes=2)
        offered = may_take(writing, moderator, 1, now=tomorrow)
        assert offered
        assert offered.why is Why.BREAK
        assert may_take(writing, moderator, 1, now=tomorrow + timedelta(hours=1)) is None
        other = writing.get_one(Moderator, make_other(writing))
        assert meter_of(writing, other, now=now).readings == 0
        assert delete_past_readings(writing, now=now + READINGS_KEPT) == 0
        later = now + READINGS_KEPT + timedelta(seconds=1)
        assert delete_past_readings(writing, now=later) == 4


def make_other(session: Session) -> uuid.UUID:
    from coalition.accounts.actions import invite_moderator

    return invite_moderator(
        session, "other@desk.example.org", "Other", [Role.MODERATOR], actor="test", now=NOW()
    ).id


def test_what_somebody_skips_is_not_offered_to_them(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.MODERATOR)
    waiting = [
        waits("abuse"),
        waits("what-helped"),
        waits("abuse", "detention"),
        waits("prosecution"),
    ]
    with transaction() as writing:
        moderator = writing.get_one(Moderator, moderator_id)
        set_preferences(writing, moderator, ["detention"], 8)
        note_reading(writing, moderator, HEAVIEST, now=NOW())
        offer = for_reader(writing, moderator, waiting, current_campaign().telling, now=NOW())
    assert list(offer.shown) == [waiting[1], waiting[0], waiting[3]]
    assert (offer.resting, offer.skipped) == (0, 1)


def test_the_page_keeps_what_was_set_and_tells_nobody_else(app: Flask, session: Session) -> None:
    moderator_id = make_moderator(app, Role.MODERATOR)
    visitor = sign_in_as(app, moderator_id)
    page = visitor.get("/desk/you/reading")
    assert "Read today: 0, 0 of 8 points. Only you see this." in page.text
    values = {**page.form("/desk/you/reading").values, "skipped": "abuse", "ceiling": "5"}
    saved = visitor.post("/desk/you/reading", values)
    assert "0 of 5 points" in saved.text
    assert saved.form("/desk/you/reading").values["skipped"] == "abuse"
    boss = signed_in(app, Role.ADMINISTRATOR)
    for path in (f"/desk/people/{moderator_id}", "/desk/people", "/desk/audit"):
        assert "abuse" not in boss.get(path).text
    assert boss.get("/desk/you/reading").status == 403
    lines = session.connection().exec_driver_sql("SELECT action FROM audit_entries").all()
    assert not [line for line in lines if "reading" in str(line)]
    rows = session.connection().exec_driver_sql("SELECT * FROM reading_preferences").all()
    assert moderator_id.hex not in str(rows)
    assert "abuse" not in str(rows)


@pytest.mark.parametrize("ceiling", ["2", "21", "", "many", "-1", "9" * 40])
def test_a_ceiling_out_of_bounds_is_told_at_the_field_with_everything_kept(
    app: Flask, ceiling: str
) -> None:
    visitor = signed_in(app, Role.MODERATOR)
    values = visitor.get("/desk/you/reading").form("/desk/you/reading").values
    page = visitor.post("/desk/you/reading", {**values, "skipped": "abuse", "ceiling": ceiling})
    assert page.status == 422
    assert "Enter a whole number from 3 to 20" in page.text
    kept = page.form("/desk/you/reading").values
    assert (kept["skipped"], kept["ceiling"]) == ("abuse", ceiling)


def test_a_label_that_is_none_is_refused(app: Flask) -> None:
    visitor = signed_in(app, Role.MODERATOR)
    values = visitor.get("/desk/you/reading").form("/desk/you/reading").values
    page = visitor.post("/desk/you/reading", {**values, "skipped": "nonsense", "ceiling": "8"})
    assert page.status == 422


@on_both
def test_what_somebody_set_and_read_outlives_a_change_of_keys(database_url: str) -> None:
    with application(with_keys(database_url, OLD)) as app:
        moderator_id = make_moderator(app, Role.MODERATOR)
        with transaction() as session:
            moderator = session.get_one(Moderator, moderator_id)
            set_preferences(session, moderator, ["abuse"], 5)
            note_reading(session, moderator, 3, now=NOW())
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        moderator = session.get_one(Moderator, moderator_id)
        meter = meter_of(session, moderator, now=NOW())
        assert (meter.points, meter.ceiling) == (3, 5)
