"""Importing supporters: all of them or none, each fault with its row."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.endorsements.actions import withdraw_endorsement
from coalition.endorsements.cli import endorsement_commands
from coalition.endorsements.decisions import remove
from coalition.endorsements.models import Endorsement, EndorsementStatus, Origin
from coalition.statements.queries import current_campaign
from tests.factories import make_endorsement
from tests.mailbox import Mailbox, code_in, link_in, text_of
from tests.visitor import Page, Visitor

HEADING = "name,website,kind,nation,words,endorsed_on,contact_name,contact_role,contact_email"
FIRST = "Élan Group,elan.example.org,user-led,wales,We agree.,2021-04-29,,,"
SECOND = '"Bold, Union",,union,uk,"Two\nlines",2021-05-01,Ada,Chair,ada@example.org'
Run = Callable[..., Result]
Work = Callable[[], object]


@pytest.fixture
def run(app: Flask, tmp_path: Path) -> Run:
    """`coalition endorsements import` of a file with these lines."""

    def do(*lines: str, options: tuple[str, ...] = (), data: bytes | None = None) -> Result:
        file = tmp_path / "supporters.csv"
        file.write_bytes(data if data is not None else "\n".join(lines).encode())
        runner = app.test_cli_runner()
        return runner.invoke(endorsement_commands, ["import", str(file), *options])

    return do


def confirm(visitor: Visitor, page: Page) -> Page:
    return visitor.submit(page, "/supporters/confirm/", authority="yes", consent="yes")


def count(session: Session) -> int:
    session.rollback()
    return int(session.scalar(select(func.count()).select_from(Endorsement)) or 0)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([""], "the column “name” is missing"),
        ([HEADING], "there is no organisation in the file"),
        (["name,kind", "A,union"], "the column “nation” is missing"),
        ([HEADING + ",colour", FIRST + ",red"], "the column “colour” is not known"),
        (["name," + HEADING, FIRST], "the column “name” is there more than once"),
        ([HEADING, "", " ,,,", FIRST, "", "A"], "row 6: kind must be one of"),
        ([HEADING, FIRST, FIRST], "row 3: the same name as in row 2"),
        ([HEADING, FIRST, FIRST.replace("Élan", "The ELAN")], "row 3: the same name as in row 2"),
        ([HEADING, FIRST.replace("Élan Group", " ")], "row 2: the name must have 1 to 200"),
        ([HEADING, FIRST.replace("user-led", "circus")], "row 2: kind must be one of user-led, "),
        ([HEADING, FIRST.replace("wales", "moon")], "row 2: nation must be one of uk, "),
        ([HEADING, FIRST.replace("elan.example.org", "here")], "row 2: website: Enter the"),
        ([HEADING, FIRST.replace("2021-04-29", "29/4/21")], "row 2: endorsed_on must be a day"),
        ([HEADING, FIRST.replace("2021-04-29", "2999-01-01")], "row 2: endorsed_on lies in the"),
        ([HEADING, FIRST.replace("We agree.", "x" * 3_001)], "row 2: words must have 3000"),
        ([HEADING, FIRST + "ada@"], "row 2: contact_email must be in the form"),
        ([HEADING, FIRST.replace(",,,", ",Ada,,")], "row 2: a contact needs contact_email"),
        ([HEADING, FIRST + ",more"], "row 2: more cells than the heading has"),
        ([HEADING, "Only a name"], "row 2: kind must be one of"),
        ([HEADING, '"not closed'], "row"),
        ([HEADING, FIRST.replace("Élan", "A\0B")], "row 2: name holds a character"),
        ([HEADING, FIRST.replace("Élan", "A\u202eB")], "row 2: name holds a character"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["for real", "dry run"])
def test_a_fault_is_told_with_its_row_and_nothing_is_imported(
    run: Run, session: Session, lines: list[str], problem: str, options: tuple[str, ...]
) -> None:
    result = run(*lines, options=options)
    assert result.exit_code == 1
    assert problem in result.stderr
    assert count(session) == 0


def test_every_fault_of_every_row_is_told_at_once(run: Run) -> None:
    wrong = FIRST.replace("user-led", "circus").replace("wales", "moon")
    result = run(HEADING, wrong, SECOND.replace("2021-05-01", "May"), wrong.replace("Élan", "Sun"))
    told = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert told == ["row 2", "row 2", "row 3", "row 4", "row 4"]


def test_a_file_that_is_not_utf_8_is_told_so(run: Run) -> None:
    result = run(data=f"{HEADING}\n{FIRST}".encode("latin-1"))
    assert result.exit_code == 1
    assert "not UTF-8" in result.stderr


def test_a_file_that_is_not_there_is_told_so(app: Flask, tmp_path: Path) -> None:
    words = ["import", str(tmp_path / "nowhere.csv")]
    result = app.test_cli_runner().invoke(endorsement_commands, words)
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_a_dry_run_changes_nothing(run: Run, session: Session) -> None:
    result = run(HEADING, FIRST, SECOND, options=("--dry-run",))
    assert result.exit_code == 0
    assert "2 organisations could be imported; nothing was changed." in result.output
    assert count(session) == 0


def test_imported_organisations_are_marked_as_recorded_until_they_confirm(
    run: Run, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    result = run(HEADING, FIRST, SECOND, options=("--invite",))
    assert "2 organisations are on the list" in result.output
    for slug in ("elan-group", "bold-union"):
        text = visitor.get(f"/supporters/{slug}").text
        assert "Recorded by the coalition as a supporter since" in text
    assert "since 29 April 2021" in visitor.get("/supporters/elan-group").text
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert (line.action, line.subject) == ("endorsements imported", "2 organisations")
    work()
    (mail,) = mailbox.received
    assert mail["To"] == "ada@example.org"
    assert "as the coalition has recorded it" in text_of(mail)
    page = visitor.get(link_in(mail, "supporters/confirm"))
    refused = visitor.submit(page, "/supporters/confirm/", consent="yes")
    assert refused.status == 422
    assert "the organisation has decided this" in refused.text
    assert "Confirmed." in confirm(visitor, page).text
    assert (
        "Recorded by the coalition as a supporter since"
        not in visitor.get("/supporters/bold-union").text
    )
    assert (
        "Recorded by the coalition as a supporter since"
        in visitor.get("/supporters/elan-group").text
    )
    session.rollback()
    origins = {tuple(row) for row in session.execute(select(Endorsement.slug, Endorsement.origin))}
    assert origins == {("elan-group", Origin.RECORDED), ("bold-union", Origin.REGISTERED)}


def test_nobody_is_written_to_without_being_asked_for(
    run: Run, work: Work, mailbox: Mailbox
) -> None:
    run(HEADING, FIRST, SECOND)
    work()
    assert mailbox.received == []


def test_what_is_on_the_list_already_is_not_imported_twice(run: Run, session: Session) -> None:
    with transaction() as writing:
        make_endorsement(writing, name="The Elan Group", status=EndorsementStatus.PUBLISHED)
    for options in ((), ("--dry-run",)):
        result = run(HEADING, SECOND, FIRST, options=options)
        assert result.exit_code == 1
        assert "row 3: “The Elan Group” is on the list already" in result.stderr
    assert count(session) == 1


def test_a_file_as_a_spreadsheet_saves_it_is_read(run: Run, session: Session) -> None:
    text = "\r\n".join((HEADING, FIRST, SECOND, ""))
    assert run(data=codecs.BOM_UTF8 + text.encode()).exit_code == 0
    assert count(session) == 2


def test_a_recorded_one_can_be_confirmed_without_an_invitation_and_at_any_time(
    run: Run, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    run(HEADING, SECOND)
    with transaction() as writing:
        writing.scalars(select(Endorsement)).one().registered_at -= timedelta(days=300)
    visitor.post("/supporters/resend", {"email": "ada@example.org"})
    work()
    (mail,) = mailbox.received
    page = visitor.get(link_in(mail, "supporters/entry"))
    assert "as recorded by the coalition" in page.text
    (link,) = {each for each in page.links if "/supporters/confirm/" in each}
    assert link_in(mail, "supporters/confirm")
    assert "Confirmed." in confirm(visitor, visitor.get(link)).text
    session.expire_all()
    found = session.scalars(select(Endorsement)).one()
    assert found.origin is Origin.REGISTERED
    assert found.consent_version_id == current_campaign().consent.version_id
    assert found.verified_at is not None


def test_the_code_of_a_recorded_one_works_for_as_long_as_it_waits(
    run: Run, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    run(HEADING, SECOND, options=("--invite",))
    work()
    with transaction() as writing:
        writing.scalars(select(Endorsement)).one().registered_at -= timedelta(days=300)
    code = code_in(mailbox.received[0])
    answers = {"email": "ada@example.org", "code": code}
    page = visitor.post("/supporters/code", answers)
    assert "put your organisation on its list" in page.text


@pytest.mark.parametrize("ended", ["withdrawn", "removed"])
def test_a_recorded_one_that_is_off_the_list_cannot_be_confirmed(
    run: Run, session: Session, visitor: Visitor, work: Work, mailbox: Mailbox, ended: str
) -> None:
    run(HEADING, SECOND, options=("--invite",))
    work()
    page = visitor.get(link_in(mailbox.received[0], "supporters/confirm"))
    endorsement_id = session.scalars(select(Endorsement.id)).one()
    with transaction() as writing:
        if ended == "withdrawn":
            withdraw_endorsement(writing, endorsement_id, now=clock.utc_now())
        else:
            remove(writing, endorsement_id, words="No.", actor="test", now=clock.utc_now())
    assert confirm(visitor, page).status == 410
    again = visitor.get(link_in(mailbox.received[0], "supporters/confirm"))
    assert "no longer on our list" in again.text
    assert "Yes, my organisation supports" not in again.text


def test_many_of_one_name_stem_have_addresses_of_their_own(run: Run, session: Session) -> None:
    rows = [SECOND.replace("Bold, Union", f"Group {number}") for number in range(1, 40)]
    assert run(HEADING, *rows, SECOND.replace("Bold, Union", "Endorse")).exit_code == 0
    slugs = set(session.scalars(select(Endorsement.slug)))
    assert {"group-1", "group-39", "endorse-2"} <= slugs
    assert len(slugs) == 40
