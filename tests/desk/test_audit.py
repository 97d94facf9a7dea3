"""The audit log at the desk: looking for lines, taking them away as a file, proving it whole."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.actions import record
from coalition.audit.models import AuditEntry
from coalition.audit.queries import LINES_AT_ONCE, PAGE, Wanted, all_lines
from coalition.db import db, transaction
from tests.auditing import begin_anew
from tests.desking import signed_in
from tests.visitor import Page, Visitor

SUMMER = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # on 2 July by the clock of the United Kingdom


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    return signed_in(app, Role.ADMINISTRATOR)


def write(number: int = 1, **values: str) -> None:
    with transaction() as session:
        for each in range(1, number + 1):
            line = {"actor": "Grace", "action": "looked", "subject": f"signature {each}", **values}
            record(session, now=SUMMER + timedelta(seconds=each), **line)


def subjects(page: Page) -> list[str]:
    return re.findall(r'data-label="About what"><bdi class="address">([^<]*)<', page.text)


def newest() -> tuple[str, str, str]:
    db.session.remove()
    line = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    return line.action, line.subject, line.reason


def rows(page: Page) -> list[list[str]]:
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(page.text)))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("first_day=yesterday", "Enter a day in the form 2026-03-31"),
        ("last_day=0001-01-01", "Enter a day in the form 2026-03-31"),
        ("last_day=9999-12-31", "Enter a day in the form 2026-03-31"),
        ("first_day=2026-03-02&last_day=2026-03-01", "must not be before the first"),
        ("action=nothing+like+it", "Choose one of what is offered"),
        ("actor=%00", "Take out what cannot be seen"),
        ("subject=" + "x" * 201, "Use 200 characters or fewer"),
    ],
)
def test_what_cannot_be_looked_for_is_told_and_kept(
    administrator: Visitor, asked: str, words: str
) -> None:
    page = administrator.get(f"/desk/audit?{asked}")
    assert page.status == 422
    assert words in page.text
    assert "Nothing that you typed is lost." in page.text
    assert subjects(page) == []


@pytest.mark.parametrize("before", ["x", "-1", "0", "99999999999999999999", "2147483648"])
def test_a_page_that_is_not_there_is_the_first_one(administrator: Visitor, before: str) -> None:
    page = administrator.get(f"/desk/audit?before={before}")
    assert page.status == 200
    assert subjects(page)


def test_lines_are_found_by_who_what_and_when(app: Flask, administrator: Visitor) -> None:
    write(1, actor="moderator x_1", subject="signature one")
    write(1, actor="moderator xy1", action="went", subject="signature 100%")
    found = {
        "actor=X_1": ["signature one"],
        "actor=moderator+x": ["signature 100%", "signature one"],
        "subject=100%25": ["signature 100%"],
        "action=went": ["signature 100%"],
        "action=went&actor=x_1": [],
        "first_day=2026-07-02&last_day=2026-07-02&actor=x": ["signature 100%", "signature one"],
        "last_day=2026-07-01": [],
        "first_day=2026-07-03&actor=x": [],
    }
    for asked, expected in found.items():
        page = administrator.get(f"/desk/audit?{asked}")
        assert page.status == 200
        assert subjects(page) == expected, asked
    assert "No line is like that." in administrator.get("/desk/audit?actor=nobody+at+all").text


def test_a_moderator_stands_there_by_name(app: Flask) -> None:
    visitor = signed_in(app, Role.ADMINISTRATOR, name="Ida <i>Fictional")
    visitor.submit(visitor.get("/desk/audit"), "/desk/audit/prove")
    assert "Ida &lt;i&gt;Fictional</bdi></a>" in visitor.get("/desk/audit").text


def test_a_long_log_is_read_page_by_page(app: Flask, administrator: Visitor) -> None:
    write(2 * PAGE + 1, action="counted")
    seen: list[str] = []
    page = administrator.get("/desk/audit?action=counted")
    while True:
        found = subjects(page)
        assert len(found) <= PAGE
        seen += found
        older = [link for link in page.links if "before=" in link]
        if not older:
            break
        page = administrator.get(older[0])
    assert seen == [f"signature {each}" for each in range(2 * PAGE + 1, 0, -1)]


def test_the_file_holds_what_was_looked_for_and_no_formula(
    app: Flask, administrator: Visitor
) -> None:
    write(1, subject="=1+1", reason="@SUM(A1)", actor="Grace, “the first”\n-2")
    page = administrator.get("/desk/audit?subject=%3D1")
    taken = administrator.submit(page, "/desk/audit/export")
    head, line = rows(taken)
    assert head == ["number", "at", "actor", "action", "subject", "reason", "digest"]
    assert line[2:6] == ["Grace, “the first”\n-2", "looked", "'=1+1", "'@SUM(A1)"]
    assert "attachment" in taken.headers["content-disposition"]
    assert "no-store" in taken.headers["cache-control"]


def test_taking_the_file_is_written_down_without_what_was_looked_for(
    app: Flask, administrator: Visitor
) -> None:
    write(1, subject="signature of Ada")
    page = administrator.get("/desk/audit?subject=Ada&first_day=2026-01-01")
    rows(administrator.submit(page, "/desk/audit/export"))
    expected = ("audit log exported", "audit log", "narrowed by subject, first day")
    assert newest() == expected
    everything = rows(administrator.submit(administrator.get("/desk/audit"), "/desk/audit/export"))
    assert newest()[2] == "all of it"
    assert everything[-1][3] == "audit log exported"  # the line of this very file is in it


def test_a_file_is_not_made_of_a_question_that_is_wrong(administrator: Visitor) -> None:
    token = administrator.get("/desk/audit").form("/desk/audit/export").values
    refused = administrator.post("/desk/audit/export", {**token, "first_day": "x"})
    assert refused.status == 422
    assert newest()[0] != "audit log exported"


def test_a_long_file_is_whole(app: Flask, administrator: Visitor) -> None:
    number = 2 * LINES_AT_ONCE + 7
    with transaction() as session:
        begin_anew(session)
        session.connection().execute(
            insert(AuditEntry.__table__),
            [
                {
                    "id": each, "at": SUMMER, "actor": "x" * 100, "action": "counted",
                    "subject": str(each), "reason": "", "digest": b"", "version": 2, "key": "",
                    "seal": b"",
                }
                for each in range(1, number + 1)
            ],
        )  # fmt: skip
    assert sum(1 for _ in all_lines(db.session(), Wanted(action="counted"))) == number
    page = administrator.get("/desk/audit?action=counted")
    lines = rows(administrator.submit(page, "/desk/audit/export"))
    assert [line[0] for line in lines[1:]] == [str(each) for each in range(1, number + 1)]


def prove(visitor: Visitor, expected: str = "") -> Page:
    return visitor.submit(visitor.get("/desk/audit"), "/desk/audit/prove", expected=expected)


def mark_in(page: Page) -> str:
    found = re.search(r"\b\d+:[0-9a-f]{64}\b", page.text)
    assert found
    return found[0]


@pytest.mark.parametrize("expected", ["x", "5", "5:abc"])
def test_what_no_proof_ever_told_is_refused(administrator: Visitor, expected: str) -> None:
    page = prove(administrator, expected)
    assert page.status == 422
    assert "Enter it as it was told" in page.text
    assert newest()[0] != "audit log proved"


def test_a_log_that_holds_is_proved_and_its_mark_is_good_later(
    app: Flask, administrator: Visitor
) -> None:
    first = prove(administrator)
    assert first.status == 200
    assert "The log holds: " in first.text
    assert newest()[0] == "audit log proved"
    write(3)
    later = prove(administrator, mark_in(first))
    assert "It has only grown since what you wrote down." in later.text


def test_a_line_that_was_changed_is_named_on_the_page_and_in_the_log(
    app: Flask, administrator: Visitor
) -> None:
    mark = mark_in(prove(administrator))
    with transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(reason="nothing"))
    page = prove(administrator)
    assert "The log does not hold" in page.text
    assert "What is wrong: line 2 was changed." in page.text
    assert newest() == ("audit log proved", "it does not hold", "line 2 was changed")
    assert "line 2 was changed" in prove(administrator, mark).text


def test_a_tail_that_was_cut_off_is_named_on_the_page(app: Flask, administrator: Visitor) -> None:
    write(3)
    last = db.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1))
    with transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == last))
    assert f"What is wrong: line {last} is missing." in prove(administrator).text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_the_log_is_for_administrators_alone(app: Flask, role: Role) -> None:
    assert signed_in(app, role).get("/desk/audit").status == 403


def test_a_moment_is_told_by_the_clock_of_the_united_kingdom() -> None:
    winter, summer = (
        clock.start_of_day_in_uk(SUMMER.replace(month=each).date()) for each in (1, 7)
    )
    assert (winter.hour, summer.hour) == (0, 23)
