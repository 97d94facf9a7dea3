"""The pages for newspapers: each figure with its moment and meaning; releases when they are due."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.petition.models import Region
from coalition.petition.tally import verify_tally
from coalition.press.schemas import MEASURES
from coalition.statements import embargo
from coalition.statements.actions import publish_texts
from coalition.statements.press import parse_press
from coalition.statements.queries import forget_campaign
from coalition.statements.tables import CampaignInvalid
from tests.conftest import ROOT
from tests.desking import signed_in
from tests.factories import make_signature
from tests.pressing import MONDAY, WEEK, count, fold_at, freeze_week, rows
from tests.visitor import Page, Visitor

TEXT = (ROOT / "campaign" / "press.toml").read_text()
SOON = "not-before-tomorrow"
TITLE = "A fictional answer has come"


def release_under_embargo(until: datetime, title: str = TITLE) -> str:
    return TEXT + (
        f'\n[[releases]]\nslug = "{SOON}"\nembargo = {until.isoformat()}\ntitle = "{title}"\n'
        'summary = "What it is about."\ntext = "The *words* of it."\n'
    )


def publish(text: str) -> None:
    with transaction() as session:
        publish_texts(session, {"press": text}, actor="test", now=clock.utc_now())
    forget_campaign()


@pytest.fixture
def tomorrow(app: Flask) -> datetime:
    """When the embargo of a release ends that is published now."""
    moment = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    publish(release_under_embargo(moment))
    return moment


def press_officer(app: Flask) -> Visitor:
    return signed_in(app, Role.PRESS)


def make_link(officer: Visitor, **answers: str) -> Page:
    page = officer.get("/desk/press")
    return officer.submit(page, "/link", **{"slug": SOON, "desk": "The Fictional Times", **answers})


def link_on(page: Page) -> str:
    found = re.search(r"(/press/embargo/[\w.=-]+)</textarea>", page.text)
    assert found, page.text
    return found[1]


# Figures


def test_each_figure_stands_with_its_moment_and_its_meaning(
    visitor: Visitor, session: Session
) -> None:
    with transaction() as writing:
        for _ in range(3):
            make_signature(writing)
    fold_at(clock.utc_now())
    page = visitor.get("/press")
    for title, meaning in MEASURES.values():
        assert title in page.text
        assert meaning in page.text.replace("&#39;", "’").replace("&#34;", '"')
    assert page.text.count("as at <time") == len(MEASURES)
    number, _ = verify_tally(session)
    assert f'Signatures</dt>\n      <dd><span class="figure">{number}</span>' in page.text


def test_charts_have_a_sentence_and_their_figures_as_a_table(visitor: Visitor) -> None:
    for number, day in enumerate((MONDAY - WEEK, MONDAY - WEEK + timedelta(days=2)), 1):
        count(day, 1_200 * number, region=Region.WALES)
    freeze_week()
    page = visitor.get("/press").text
    assert "The number grew most on 28 October 2026, by 2,400" in page
    assert "3,600 people had signed at the end of" in page
    (shown,) = [
        each["signatures"] for each in rows(visitor, "/press/regions.csv") if each["signatures"]
    ]
    about = f"{int(shown):,}"
    assert f"the most, about {about}, are of Wales. 12 of 13 nations and regions are not" in page
    assert re.search(r"28 October 2026</th><td[^>]*>2,400<", page)
    assert re.search(rf"Wales</th><td[^>]*>{about}<", page)
    assert page.count("fewer than 8, or not shown") == 12
    assert page.count("<td") == 13 + 2 * 7  # a week is over since the first


def test_without_a_day_the_page_says_so(visitor: Visitor) -> None:
    page = visitor.get("/press")
    assert page.status == 200
    assert "No day is over yet." in page.text
    assert "The first ones come on a Monday." in page.text


def test_the_copies_that_never_change_are_named(visitor: Visitor) -> None:
    count(MONDAY - WEEK, 50)
    freeze_week()
    page = visitor.get("/press")
    path = f"/press/releases/{MONDAY.isoformat()}"
    for name in ("datapackage.json", "sha256sums.txt"):
        assert f"{path}/{name}" in page.links
        assert visitor.get(f"{path}/{name}").status == 200


def test_the_methodology_tells_the_numbers_that_the_code_uses(visitor: Visitor) -> None:
    page = visitor.get("/press/methodology").text
    for words in ("numbers from 1 to 7", "nearest 5", "at least 40 people", "for 7 days"):
        assert words in page


# Releases


def test_a_release_under_embargo_is_nowhere_to_be_found(
    tomorrow: datetime, visitor: Visitor
) -> None:
    for path in ("/press", "/sitemap.xml", "/updates.atom", "/", "/press/releases.json"):
        page = visitor.get(path)
        assert SOON not in page.text
        assert TITLE not in page.text
    answer, unknown = visitor.get(f"/press/releases/{SOON}"), visitor.get("/press/releases/never")
    assert (answer.status, answer.text) == (unknown.status, unknown.text)
    assert answer.status == 404


def test_a_link_opens_it_for_whoever_was_given_one_and_tells_until_when(
    app: Flask, tomorrow: datetime, visitor: Visitor, session: Session
) -> None:
    page = visitor.get(link_on(make_link(press_officer(app))))
    assert page.status == 200
    assert "Under embargo" in page.text
    assert "The <em>words</em> of it." in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry
    assert (entry.action, entry.subject, entry.reason) == (
        "press: link under embargo", f"press release {SOON}", "The Fictional Times",
    )  # fmt: skip


def test_after_its_embargo_it_is_public_by_itself_and_the_link_leads_there(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    publish(release_under_embargo(until))
    link = link_on(make_link(press_officer(app)))
    monkeypatch.setattr(clock, "utc_now", lambda: until)
    assert TITLE in visitor.get("/press").text
    page = visitor.get(f"/press/releases/{SOON}")
    assert "Under embargo" not in page.text
    assert page.headers["cache-control"].startswith("public")
    assert visitor.get(link).url == f"/press/releases/{SOON}"


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda _: "x"]
)
def test_a_link_that_is_not_ours_opens_nothing(
    app: Flask, tomorrow: datetime, visitor: Visitor, spoil: object
) -> None:
    assert callable(spoil)
    link = link_on(make_link(press_officer(app)))
    folder, _, token = link.rpartition("/")
    page = visitor.get(f"{folder}/{spoil(token)}")
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/html")  # for a person


def test_a_link_ends_with_its_time_and_with_the_release(
    app: Flask, tomorrow: datetime, visitor: Visitor
) -> None:
    release = parse_press(release_under_embargo(tomorrow)).find_release(SOON)
    assert release
    old = clock.utc_now() - embargo.LINK_LIFETIME - timedelta(seconds=1)
    assert visitor.get(f"/press/embargo/{embargo.sign_link(release, old)}").status == 404
    young = embargo.sign_link(release, clock.utc_now())
    assert visitor.get(f"/press/embargo/{young}").status == 200
    publish(TEXT)
    assert visitor.get(f"/press/embargo/{young}").status == 404


def test_a_link_needs_a_newsroom_and_a_release_that_waits(app: Flask, tomorrow: datetime) -> None:
    officer = press_officer(app)
    page = make_link(officer, desk=" ")
    assert page.status == 422
    assert "Name the newsroom" in page.text
    page = make_link(officer, slug="halt-and-review", desk="The Fictional Times")
    assert page.status == 422
    assert "Choose a release that is under embargo" in page.text
    assert 'value="The Fictional Times"' in page.text


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("+01:00", "", "embargo needs a time zone"),
        ("2021-04-29T12:00:00+01:00", "2021-04-29", "embargo must be a moment"),
        ('"halt-and-review"', '"Halt"', "must be small letters"),
        ("(/replies)", "(javascript:x)", "releases halt-and-review"),
        ("press@stopsim.example.org", "nobody", "contact: must be an email address"),
        ("[[quotes]]", "[[quote]]", "quotes: there must be at least one"),
        ("safely = [", "safe = [", "safely: there must be at least one"),
    ],
)
def test_what_is_wrong_with_the_text_is_told(old: str, new: str, why: str) -> None:
    with pytest.raises(CampaignInvalid) as error:
        parse_press(TEXT.replace(old, new))
    assert any(why in each for each in error.value.problems), error.value.problems
