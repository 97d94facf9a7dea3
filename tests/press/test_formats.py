"""The files: the same figures in each format, typed, and no cell a formula."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import frictionless
import jsonschema
import openpyxl
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from coalition import clock
from coalition.db import transaction
from coalition.petition.models import Region
from coalition.press.formats import FORMATS, REPORTING_SAFELY, About, to_csv, to_xlsx
from coalition.press.schemas import COUNTS, SCHEMAS, Column, Schema
from coalition.press.tables import Table
from coalition.web.data import FORMULA_STARTS
from tests.conftest import Site
from tests.factories import make_endorsement, make_signature
from tests.pressing import MONDAY, count, fold_at, freeze_week
from tests.visitor import Visitor

ABOUT = About("A coalition", "https://example.org/press/x")
AS_AT = datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC)


def some_figures() -> None:
    day = date(2026, 11, 1)
    count(day, 33, region=Region.LONDON)
    count(day, 80)
    count(day, 3, region=Region.WALES)
    with transaction() as session:
        make_endorsement(session, name="=1+1", words="Zeilen\nund „Zeichen“, 漢字")
        make_endorsement(session, name='Kommas, "quotes" and ünïcode', website="")
    freeze_week()


def table_of(*values: Any) -> Table:
    columns = [Column("words", "string", "Words.", optional=True)]
    return Table(Schema("t", "T", "About.", columns, "words"), [(each,) for each in values], AS_AT)


def from_csv(text: bytes, schema: Schema) -> list[list[Any]]:
    """What the cells of a CSV file mean, by their schema."""
    readers: dict[str, Callable[[str], Any]] = {
        "integer": int,
        "date": date.fromisoformat,
        "datetime": lambda words: datetime.fromisoformat(words.replace("Z", "+00:00")),
        "boolean": {"true": True, "false": False}.__getitem__,
        "string": lambda words: words.removeprefix("'") if words[:2] == "'=" else words,
    }
    lines = list(csv.reader(io.StringIO(text.decode(), newline="")))
    assert lines[0] == [each.name for each in schema.columns]
    return [
        [readers[column.kind](value) if value else None for value, column in zip(line, schema.columns, strict=True)]
        for line in lines[1:]
    ]  # fmt: skip


def from_json(text: bytes, schema: Schema) -> list[list[Any]]:
    """What a JSON file says; dates and moments as such."""
    rows = []
    for row in json.loads(text)["rows"]:
        assert list(row) == [each.name for each in schema.columns]
        found = []
        for column in schema.columns:
            value = row[column.name]
            if value is not None and column.kind == "date":
                value = date.fromisoformat(value)
            elif value is not None and column.kind == "datetime":
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
            found.append(value)
        rows.append(found)
    return rows


def from_xlsx(data: bytes, schema: Schema) -> list[list[Any]]:
    """What a workbook says; its days and moments have their own formats."""
    sheet = openpyxl.load_workbook(io.BytesIO(data))[schema.name]
    lines = list(sheet.iter_rows())
    assert [each.value for each in lines[0]] == [each.name for each in schema.columns]
    rows = []
    for line in lines[1:]:
        found: list[Any] = []
        for cell, column in zip(line, schema.columns, strict=True):
            value = cell.value
            if value is not None and column.kind == "date":
                assert cell.number_format == "yyyy-mm-dd"
                value = value.date()
            elif value is not None and column.kind == "datetime":
                assert cell.number_format == "yyyy-mm-dd hh:mm:ss"
                value = value.replace(tzinfo=UTC)
            assert cell.data_type != "f"
            found.append(value)
        rows.append(found)
    return rows


def test_every_format_says_the_same(app: Flask, visitor: Visitor, still: datetime) -> None:
    some_figures()
    types = {"integer": int, "boolean": bool, "string": str, "date": date, "datetime": datetime}
    for name, schema in SCHEMAS.items():
        data = {ending: visitor.get(f"/press/{name}.{ending}").data for ending in FORMATS}
        found = from_xlsx(data["xlsx"], schema)
        assert found
        assert found == from_json(data["json"], schema)
        assert found == from_csv(data["csv"], schema)
        for row in found:
            for value, column in zip(row, schema.columns, strict=True):
                assert type(value) is types[column.kind] or (value is None and column.optional)


def test_a_csv_file_begins_with_its_header_and_ends_each_line_as_the_standard_says(
    app: Flask, visitor: Visitor
) -> None:
    some_figures()
    for name, schema in SCHEMAS.items():
        data = visitor.get(f"/press/{name}.csv").data
        header = ",".join(each.name for each in schema.columns)
        assert data.startswith(header.encode() + b"\r\n")  # RFC 4180, and no byte order mark
        assert data.endswith(b"\r\n")
        assert data.count(b"\n") == data.count(b"\r\n")


@given(st.sampled_from(FORMULA_STARTS), st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_words_are_a_formula_in_a_spreadsheet(start: str, words: str) -> None:
    table = table_of(start + words)
    (line,) = list(csv.reader(io.StringIO(to_csv(table, ABOUT).decode(), newline="")))[1:]
    assert line == [f"'{start}{words}"]
    cell = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, ABOUT)))["t"]["A2"]
    assert cell.data_type != "f"
    assert cell.hyperlink is None


@pytest.mark.parametrize("words", ["=1+1", "https://example.org", "12", "1/2", "TRUE", "{=1}"])
def test_words_stay_words_in_a_workbook(words: str) -> None:
    cell = openpyxl.load_workbook(io.BytesIO(to_xlsx(table_of(words), ABOUT)))["t"]["A2"]
    assert (cell.data_type, cell.value, cell.hyperlink) == ("s", words, None)


def test_the_same_figures_are_the_same_bytes() -> None:
    for each in FORMATS.values():
        assert each.write(table_of("a", None), ABOUT) == each.write(table_of("a", None), ABOUT)


def test_a_download_says_what_it_means_how_to_cite_it_and_how_to_report_safely(
    app: Flask, visitor: Visitor
) -> None:
    some_figures()
    told = json.loads(visitor.get("/press/regions.json").text)
    assert told["reporting_safely"] == REPORTING_SAFELY
    assert told["as_at"] == "2026-11-01T23:59:59Z"
    assert told["cite"] == (
        "StopSIM Coalition: Signatures by nation and region, as at 01 November 2026, 23:59 UTC. "
        "http://127.0.0.1:8000/press/regions.json"
    )
    book = openpyxl.load_workbook(io.BytesIO(visitor.get("/press/regions.xlsx").data))
    words = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert words["Reporting safely"] == REPORTING_SAFELY
    assert words["Definition"] == SCHEMAS["regions"].about
    assert words["ons_code"]


def test_a_frozen_file_names_its_own_address(app: Flask, visitor: Visitor) -> None:
    some_figures()
    path = f"/press/releases/{MONDAY}/counts.json"
    assert json.loads(visitor.get(path).text)["address"] == f"{visitor.origin}{path}"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder on a web server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def faults(report: Any) -> list[str]:
    return [f"{task.name}: {each.message}" for task in report.tasks for each in task.errors]


def test_frictionless_finds_nothing_wrong_with_the_package_as_it_is_served(site: Site) -> None:
    """Through a real socket, as somebody would who was sent its address."""
    report = frictionless.validate(f"{site.url}/press/datapackage.json")
    assert report.valid, [*map(str, report.errors), *faults(report)]
    assert [task.name for task in report.tasks] == list(SCHEMAS)


@pytest.mark.parametrize("folder", ["/press", f"/press/releases/{MONDAY}"])
def test_frictionless_finds_nothing_wrong_with_a_package_full_of_figures(
    app: Flask, visitor: Visitor, tmp_path: Path, folder: str
) -> None:
    some_figures()
    package = json.loads(visitor.get(f"{folder}/datapackage.json").text)
    for name in ["datapackage.json", *(each["path"] for each in package["resources"])]:
        (tmp_path / name).write_bytes(visitor.get(f"{folder}/{name}").data)
    with served(tmp_path) as address:
        report = frictionless.validate(f"{address}/datapackage.json")
        assert report.valid, [*map(str, report.errors), *faults(report)]
        assert sum(task.stats["rows"] for task in report.tasks) > 20
        # And that it would have found something.
        (tmp_path / "regions.csv").write_bytes(b"region,name\r\nnowhere,x\r\n")
        assert not frictionless.validate(f"{address}/datapackage.json").valid


def test_the_package_describes_every_column_in_its_order(visitor: Visitor) -> None:
    package = json.loads(visitor.get("/press/datapackage.json").text)
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    for resource in package["resources"]:
        schema = SCHEMAS[resource["name"]]
        fields = resource["schema"]["fields"]
        assert [each["name"] for each in fields] == [each.name for each in schema.columns]
        assert all(each["description"] for each in fields)
        assert resource["path"] == f"{schema.name}.csv"


def test_the_package_of_frozen_copies_says_how_long_each_is_and_its_sum(
    app: Flask, visitor: Visitor
) -> None:
    some_figures()
    folder = f"/press/releases/{MONDAY}"
    package = json.loads(visitor.get(f"{folder}/datapackage.json").text)
    assert [each["name"] for each in package["resources"]] == [
        "counts",
        "daily",
        "regions",
        "kinds",
    ]
    for resource in package["resources"]:
        data = visitor.get(f"{folder}/{resource['path']}").data
        assert resource["bytes"] == len(data)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_what_the_files_say_is_what_the_openapi_document_promises(
    app: Flask, visitor: Visitor
) -> None:
    some_figures()
    document = json.loads(visitor.get("/press/openapi.json").text)
    OpenAPIV31SpecValidator(document).validate()
    promised = 0
    for path, item in document["paths"].items():
        address = path.format(day=MONDAY, file="counts.json")
        answer = visitor.get(address)
        assert answer.status == 200, path
        content = item["get"]["responses"]["200"]["content"]
        media_type = answer.headers["content-type"]
        assert media_type in content or "*/*" in content
        if media_type == "application/json" and "*/*" not in content:
            jsonschema.validate(json.loads(answer.text), content[media_type]["schema"])
            promised += 1
    assert promised > 6
    assert document["servers"] == [{"url": visitor.origin}]


def test_every_address_of_figures_is_in_the_openapi_document(visitor: Visitor) -> None:
    paths = json.loads(visitor.get("/press/openapi.json").text)["paths"]
    for name in SCHEMAS:
        assert {f"/press/{name}.{ending}" for ending in FORMATS} < paths.keys()


def test_no_number_of_rows_is_too_many_for_a_workbook() -> None:
    """Ten years of days."""
    rows = [(f"row {number}", "T", number, AS_AT, "D") for number in range(4_000)]
    data = to_xlsx(Table(COUNTS, rows, AS_AT), ABOUT)
    assert len(from_xlsx(data, COUNTS)) == 4_000


def test_the_name_of_nobody_who_signed_is_in_any_file(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        make_signature(session, name="Zebedee Fictional", email="zeb@example.org", show_name=True)
    fold_at(clock.utc_now())
    for name in SCHEMAS:
        for ending in ("csv", "json"):
            text = visitor.get(f"/press/{name}.{ending}").text
            assert "Zebedee" not in text
            assert "zeb@" not in text
