"""The figures: each is what the tally says, and the tally is what the signatures are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.endorsements.models import EndorsementStatus
from coalition.petition.actions import erase_signature, withdraw_signature
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import Aside, Cause, Kind, Region, Signature
from coalition.petition.tally import verify_tally
from coalition.press import queries, schemas, tables
from coalition.press.schemas import MEASURES
from tests.asking import asked
from tests.factories import make_endorsement, make_recorded, make_signature
from tests.pressing import MONDAY, at, count, fold_at, freeze_week, rows, values
from tests.visitor import Visitor

ONE_DAY = timedelta(days=1)


def decide_about(signature: Signature, name: str) -> None:
    with transaction() as session:
        told = {"reason": "why", "actor": "test", "now": clock.utc_now()}
        decide(session, DECISIONS[name], signature.id, **told)


def test_the_figures_agree_with_the_signatures_themselves(
    app: Flask, session: Session, visitor: Visitor, work: Callable[[], object]
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        earlier = [make_signature(writing, now=now - 3 * ONE_DAY) for _ in range(4)]
        signatures = [make_signature(writing) for _ in range(6)]
    for each in (signatures[0], signatures[1], earlier[0]):
        decide_about(each, "hold")
    decide_about(signatures[1], "remove")
    with transaction() as writing:
        withdraw_signature(writing, signatures[2].id, now=now)
        erase_signature(writing, signatures[3].id, now=now)
    work()
    found = values(visitor)
    session.rollback()
    total, differences = verify_tally(session)
    assert differences == []
    assert found["signatures"] == total == 5
    assert (found["held"], found["removed"], found["withdrawn"]) == (2, 1, 2)
    last = rows(visitor, "/press/daily.csv")[-1]
    assert int(last["total"]) + found["signatures_that_day"] == total


def test_what_is_not_yet_in_the_tally_is_in_no_figure(app: Flask, visitor: Visitor) -> None:
    count(clock.utc_now().date(), 5)
    assert values(visitor)["signatures"] == 0


def test_before_anything_was_counted_the_figures_are_zero(visitor: Visitor) -> None:
    assert set(values(visitor).values()) == {0}
    assert rows(visitor, "/press/daily.csv") == []
    for name in ("regions", "kinds"):
        assert {each["shown"] for each in rows(visitor, f"/press/{name}.csv")} == {"suppressed"}


def test_every_measure_has_a_figure_and_every_figure_a_definition(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    found = rows(visitor, "/press/counts.csv")
    assert [each["measure"] for each in found] == list(MEASURES)
    assert all(len(each["definition"]) > 40 for each in found)
    assert {each.value for each in Aside} < MEASURES.keys()
    assert tables.headline(session, clock.utc_now()).values().keys() == MEASURES.keys()


def test_days_without_a_change_are_in_the_series_and_today_is_not(
    app: Flask, visitor: Visitor
) -> None:
    count(date(2026, 10, 29), 7)
    count(date(2026, 11, 1), 4)
    count(date(2026, 11, 1), -2, cause=Cause.WITHDRAWN)
    count(date(2026, 11, 1), -1, cause=Cause.ERASED)
    count(date(2026, 11, 1), -3, cause=Cause.HELD)
    count(date(2026, 11, 1), 2, cause=Cause.RELEASED)
    count(date(2026, 11, 1), 1, cause=Cause.RESTORED)
    count(date(2026, 11, 1), -5, cause=Cause.REMOVED)
    count(date(2026, 11, 2), 9)
    fold_at(at(date(2026, 11, 2), 12))
    found = [tuple(each.values()) for each in rows(visitor, "/press/daily.csv")]
    assert found == [
        ("2026-10-29", "7", "0", "0", "0", "0", "7", "7"),
        ("2026-10-30", "0", "0", "0", "0", "0", "0", "7"),
        ("2026-10-31", "0", "0", "0", "0", "0", "0", "7"),
        ("2026-11-01", "4", "3", "3", "3", "5", "-4", "3"),
    ]
    assert values(visitor)["signatures"] == 12
    assert values(visitor)["signatures_that_day"] == 9


def test_every_cause_of_a_change_is_in_the_series(app: Flask, visitor: Visitor) -> None:
    for cause in Cause:
        if cause is not Cause.CORRECTED:  # changes the region or the kind, and no total
            count(MONDAY - ONE_DAY, 1, cause=cause)
    fold_at(at(MONDAY, 12))
    (row,) = rows(visitor, "/press/daily.csv")
    parts = sum(int(row[each]) for each in ("verified", "returned"))
    lost = sum(int(row[each]) for each in ("withdrawn", "held", "removed"))
    assert parts - lost == int(row["change"]) == len(Cause) - 1


def test_regions_and_kinds_are_rounded_suppressed_and_have_no_total(
    app: Flask, visitor: Visitor
) -> None:
    day = MONDAY - ONE_DAY
    count(day, 7, region=Region.WALES, kind=Kind.ALLY)
    count(day, 8, region=Region.SCOTLAND, kind=Kind.WORKER)
    count(day, 33, region=Region.LONDON, kind=Kind.SURVIVOR)
    count(day, 60)
    freeze_week()
    regions = {each["region"]: each for each in rows(visitor, "/press/regions.csv")}
    assert {each: row["signatures"] for each, row in regions.items() if row["signatures"]} == {
        "scotland": "10",
        "london": "35",
    }
    assert regions["wales"]["shown"] == regions["east-of-england"]["shown"] == "suppressed"
    assert {each["as_at"] for each in regions.values()} == {"2026-11-01T23:59:59Z"}
    assert list(regions) == [each.value for each in Region]
    kinds = {each["kind"]: each["signatures"] for each in rows(visitor, "/press/kinds.csv")}
    assert kinds == {"survivor": "35", "family": "", "worker": "10", "ally": ""}


def test_every_region_of_the_kingdom_has_its_official_code_and_every_kind_a_name() -> None:
    assert set(Region) - tables.ONS_CODES.keys() == {Region.OUTSIDE}
    assert len(set(tables.ONS_CODES.values())) == len(tables.ONS_CODES)
    assert tables.KIND_TITLES.keys() == set(Kind)


def test_every_table_has_the_columns_of_its_schema(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_endorsement(writing)
    count(MONDAY - ONE_DAY, 60)
    freeze_week()
    assert tables.TABLES.keys() == schemas.SCHEMAS.keys()
    for name, make in tables.TABLES.items():
        table = make(session, clock.utc_now())
        assert table.schema is schemas.SCHEMAS[name]
        assert table.rows
        for row in table.rows:
            assert len(row) == len(table.schema.columns)
    frozen = [each.schema for each in tables.frozen_tables(session, MONDAY, clock.utc_now())]
    assert frozen == [each for each in schemas.SCHEMAS.values() if each.is_frozen]


def test_organisations_are_those_of_the_public_list(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    with transaction() as writing:
        make_endorsement(writing, name="Published", website="https://a.example.org")
        make_endorsement(writing, name="Gone", status=EndorsementStatus.WITHDRAWN)
        make_recorded(writing, name="Recorded", website="")
        for status in EndorsementStatus:
            if status not in (EndorsementStatus.PUBLISHED, EndorsementStatus.WITHDRAWN):
                make_endorsement(writing, name="Not public", status=status)
    found = {each["name"]: each for each in rows(visitor, "/press/organisations.csv")}
    assert found.keys() == {"Published", "Gone", "Recorded"}
    assert found["Published"]["website"] == "https://a.example.org"
    assert found["Gone"]["status"] == "withdrawn"
    assert found["Gone"]["website"] == ""
    assert found["Gone"]["withdrew_on"]
    assert found["Recorded"]["recorded_by_the_coalition"] == "true"
    assert values(visitor)["organisations"] == queries.count_public(session)["organisations"] == 2
    for each in found.values():
        assert visitor.get(each["page"].removeprefix(visitor.origin)).status == 200


def test_no_figure_is_made_from_the_signatures(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    """So that all cost the same, however many there are."""
    with transaction() as writing:
        make_signature(writing, now=at(MONDAY - ONE_DAY), region=Region.WALES)
    freeze_week()
    with asked() as found:
        for name in schemas.SCHEMAS:
            assert visitor.get(f"/press/{name}.json").status == 200
    assert len(found) >= len(schemas.SCHEMAS)
    assert not any("signatures" in each.split() for each in found)
