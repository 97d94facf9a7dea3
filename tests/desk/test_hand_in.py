"""The hand-in at the desk: bad input and misuse first, then the way of an administrator."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.petition.hand_in_job import make_next_hand_in
from coalition.petition.hand_in_models import HAND_IN_LIFETIME, HandIn, HandInState
from coalition.petition.models import Region
from coalition.petition.tally import fold
from tests.desking import signed_in
from tests.factories import make_signature
from tests.printed import read_pdf
from tests.visitor import Page, Visitor


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    return signed_in(app, Role.ADMINISTRATOR)


def signed(**values: object) -> None:
    with transaction() as session:
        make_signature(session, name="Ada Unlogged", show_name=True, **values)
        make_signature(session, name="Silent Unlogged", **values)


def list_made(visitor: Visitor) -> str:
    """Ask for a list, and have it made. Returns its address."""
    page = visitor.submit(visitor.get("/desk/hand-in"), "/desk/hand-in/ask")
    assert "It waits for its turn" in page.text
    assert make_next_hand_in(Event())
    return page.url


def download(visitor: Visitor, page: Page, file: str) -> Page:
    return visitor.post(
        page.form("/download").action, {**page.form("/download").values, "file": file}
    )


@pytest.mark.parametrize("version", ["0", "99", "x", "-1", "1; DROP TABLE"])
def test_a_version_that_is_not_there_is_refused(
    app: Flask, session: Session, administrator: Visitor, version: str
) -> None:
    page = administrator.submit(
        administrator.get("/desk/hand-in"), "/desk/hand-in/ask", version=version
    )
    assert page.status == 422
    assert "Choose one of the versions that are there" in page.text
    assert session.scalars(select(HandIn)).all() == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nobody_but_an_administrator_gets_names(
    app: Flask, administrator: Visitor, role: Role
) -> None:
    signed()
    url = list_made(administrator)
    other = signed_in(app, role)
    token = {"csrf_token": other.get("/desk").form("/desk/leave").values["csrf_token"]}
    assert other.get(url).status == 403
    for act, values in (("download", {"file": "names.csv"}), ("delete", {})):
        assert other.post(f"{url}/{act}", {**token, **values}).status == 403
    assert other.post("/desk/hand-in/ask", {**token, "version": ""}).status == 403
    assert administrator.get(url).status == 200


def test_a_press_officer_sees_the_count_and_no_way_to_names(app: Flask) -> None:
    signed(region=Region.LONDON)
    page = signed_in(app, Role.PRESS).get("/desk/hand-in")
    assert page.status == 200
    assert "2 verified signatures" in page.text
    assert "Make the list" not in page.text
    assert "Unlogged" not in page.text


def test_a_list_that_somebody_else_asked_for_is_not_handed_over(
    app: Flask, administrator: Visitor
) -> None:
    signed()
    url = list_made(administrator)
    yours = administrator.get(url).form("/download")
    other = signed_in(app, Role.ADMINISTRATOR)
    page = other.get(url)
    assert "Only whoever asked for it can download it" in page.text
    assert not [form for form in page.forms if "/download" in form.action]
    token = page.form("/delete").values["csrf_token"]
    refused = other.post(yours.action, {"csrf_token": token, "file": "names.csv"})
    assert refused.status == 403
    assert "only they can download it" in refused.text
    assert b"Ada" not in refused.data


def test_another_administrator_can_delete_it(app: Flask, administrator: Visitor) -> None:
    url = list_made(administrator)
    other = signed_in(app, Role.ADMINISTRATOR)
    page = other.submit(other.get(url), "/delete")
    assert "The list and its files are deleted" in page.text
    assert administrator.get(url).status == 404


def test_a_list_past_its_time_is_refused_even_before_it_is_deleted(
    app: Flask, administrator: Visitor
) -> None:
    signed()
    url = list_made(administrator)
    page = administrator.get(url)
    with transaction() as session:
        late = clock.utc_now() - HAND_IN_LIFETIME - timedelta(seconds=1)
        session.execute(update(HandIn).values(asked_at=late))
    refused = download(administrator, page, "names.csv")
    assert refused.status == 404
    assert "There is no such file" in refused.text
    assert administrator.get(url).status == 404
    assert url not in administrator.get("/desk/hand-in").text


@pytest.mark.parametrize("file", ["", "names.pdf", "../names.csv", "petition-02.pdf"])
def test_a_file_that_is_not_there_is_refused(app: Flask, administrator: Visitor, file: str) -> None:
    page = administrator.get(list_made(administrator))
    assert download(administrator, page, file).status == 404


@pytest.mark.parametrize("act", ["", "/download", "/delete"])
def test_a_list_that_never_was_is_not_found(administrator: Visitor, act: str) -> None:
    url = f"/desk/hand-in/{uuid.uuid4()}{act}"
    if act:
        token = administrator.get("/desk").form("/desk/leave").values["csrf_token"]
        page = administrator.post(url, {"csrf_token": token, "file": "names.csv"})
    else:
        page = administrator.get(url)
    assert page.status == 404
    assert "There is no such file" in page.text


def test_a_list_that_is_not_done_has_no_files(app: Flask, administrator: Visitor) -> None:
    signed()
    waiting = administrator.submit(administrator.get("/desk/hand-in"), "/desk/hand-in/ask")
    token = waiting.form("/delete").values["csrf_token"]
    page = administrator.post(f"{waiting.url}/download", {"csrf_token": token, "file": "names.csv"})
    assert page.status == 404


def test_asking_twice_leads_to_the_same_list(app: Flask, administrator: Visitor) -> None:
    page = administrator.get("/desk/hand-in")
    first = administrator.submit(page, "/desk/hand-in/ask")
    assert administrator.submit(page, "/desk/hand-in/ask").url == first.url


def test_the_progress_is_told_in_words_and_the_page_does_not_reload_itself(
    app: Flask, administrator: Visitor
) -> None:
    page = administrator.submit(administrator.get("/desk/hand-in"), "/desk/hand-in/ask")
    with transaction() as session:
        session.execute(
            update(HandIn).values(state=HandInState.RUNNING, total=20_000, done_count=5_000)
        )
    page = administrator.get(page.url)
    assert "5,000 of 20,000 names are in the files" in page.text
    assert '<progress id="progress" max="20000" value="5000">' in page.text
    assert page.url in page.links
    assert "http-equiv" not in page.text


def test_a_list_that_failed_says_what_to_do(app: Flask, administrator: Visitor) -> None:
    page = administrator.submit(administrator.get("/desk/hand-in"), "/desk/hand-in/ask")
    with transaction() as session:
        session.execute(update(HandIn).values(state=HandInState.FAILED))
    page = administrator.get(page.url)
    assert "It could not be made" in page.text
    assert "nothing else is lost" in page.text


def test_letters_that_no_font_has_are_told_at_the_desk(app: Flask, administrator: Visitor) -> None:
    with transaction() as session:
        make_signature(session, name="Ada \u0378", show_name=True)
    page = administrator.get(list_made(administrator))
    assert "1 name has letters that no font of this machine has" in page.text


def test_the_desk_says_what_the_public_page_says_and_what_is_coming(
    app: Flask, administrator: Visitor
) -> None:
    signed()
    page = administrator.get("/desk/hand-in")
    assert "The public page says 0" in page.text
    assert "The difference of 2 is on its way there" in page.text
    with transaction() as session:
        fold(session, now=clock.utc_now())
    assert "That is the same." in administrator.get("/desk/hand-in").text


def test_an_administrator_gets_the_list_as_csv_and_pdf_and_deletes_it(
    app: Flask, session: Session, administrator: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    signed(region=Region.LONDON)
    url = list_made(administrator)
    page = administrator.get(url)
    assert "It is done: 1 name, as at" in page.text
    table = download(administrator, page, "names.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"].startswith("attachment; filename=")
    assert "no-store" in table.headers["cache-control"]
    assert int(table.headers["content-length"]) == len(table.data)
    found = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"), newline="")))
    assert [row["name"] for row in found] == ["Ada Unlogged"]
    pdf = download(administrator, page, "petition.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert "Ada Unlogged" in read_pdf(pdf.data).of("LBody")
    gone = administrator.submit(page, "/delete")
    assert "deleted" in gone.text
    assert administrator.get(url).status == 404
    lines = session.scalars(select(AuditEntry).where(AuditEntry.action.like("hand-in %"))).all()
    assert [(line.action, line.reason) for line in lines] == [
        ("hand-in asked for", "every version of the petition"),
        ("hand-in made", "names: 1, every version of the petition"),
        ("hand-in downloaded", "names.csv, names: 1, every version of the petition"),
        ("hand-in downloaded", "petition.pdf, names: 1, every version of the petition"),
        ("hand-in deleted", "names: 1, every version of the petition"),
    ]
    assert "Unlogged" not in caplog.text
