"""Charts as files: the campaign's colour, the same byte for byte, and errors for programs."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from coalition import clock
from coalition.db import transaction
from coalition.petition.models import Region
from coalition.press import drawing, figures
from coalition.statements.actions import publish_texts
from coalition.statements.queries import current_campaign, forget_campaign
from tests.conftest import ROOT
from tests.engines import on_sqlite
from tests.pressing import MONDAY, WEEK, count, freeze_week, problem
from tests.visitor import Visitor

pytestmark = on_sqlite  # what is drawn depends on figures alone
PATHS = [f"/press/charts/{name}{size}" for name in figures.CHARTS for size in ("", "-shared")]


@pytest.fixture(autouse=True)
def _some_weeks(app: Flask) -> None:
    for day in range(30):
        count(MONDAY - timedelta(days=40 - day), 10 * (30 - day), region=Region.WALES)
    count(MONDAY - WEEK, -30, region=Region.WALES)
    freeze_week()


def picture(visitor: Visitor, path: str) -> Image.Image:
    answer = visitor.get(path)
    assert answer.status == 200, answer.text
    return Image.open(io.BytesIO(answer.data)).convert("RGB")


@pytest.mark.parametrize("path", PATHS)
def test_each_is_a_png_of_its_size_in_the_campaign_s_colour(visitor: Visitor, path: str) -> None:
    shown = picture(visitor, f"{path}.png")
    assert shown.size == (1200, 630 if path.endswith("-shared") else 800)
    colours = [colour for _, colour in shown.getcolors(1_000_000) or []]
    accent = tuple(bytes.fromhex(current_campaign().details.accent[1:]))
    assert any(_near(each, accent) for each in colours)
    assert any(_near(each, tuple(bytes.fromhex(drawing.PAPER[1:]))) for each in colours)


def _near(colour: Any, other: tuple[int, ...]) -> bool:
    return all(abs(one - two) < 6 for one, two in zip(colour, other, strict=True))


@pytest.mark.parametrize("path", PATHS)
def test_each_is_an_svg_that_says_what_it_shows_and_does_nothing(
    visitor: Visitor, path: str
) -> None:
    answer = visitor.get(f"{path}.svg")
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "<script" not in answer.text
    assert re.search(r"<title>Signatures [a-z ]+</title>", answer.text)
    assert re.search(r"<dc:description>[^<]{30,}</dc:description>", answer.text)


def test_what_is_shown_can_be_told_without_its_colour(visitor: Visitor) -> None:
    """In shades of grey, what stands for figures is far from the paper (WCAG 1.4.11: 3 to 1)."""
    from coalition.statements.colour import contrast

    grey = picture(visitor, "/press/charts/daily.png").convert("L")
    darkest, lightest = grey.getextrema()
    levels = [f"#{level:02x}{level:02x}{level:02x}" for level in (int(darkest), int(lightest))]
    assert contrast(*levels) > 10
    assert contrast(current_campaign().details.accent, drawing.PAPER) > 3


def test_another_campaign_has_its_own_colour_and_name(visitor: Visitor) -> None:
    text = (ROOT / "campaign" / "campaign.toml").read_text()
    accent = current_campaign().details.accent
    with transaction() as session:
        changed = text.replace(accent, "#0b3d2e")
        publish_texts(session, {"campaign": changed}, actor="test", now=clock.utc_now())
    forget_campaign()
    colours = [
        each for _, each in picture(visitor, "/press/charts/total.png").getcolors(10**6) or []
    ]
    assert any(_near(each, (0x0B, 0x3D, 0x2E)) for each in colours)
    assert not any(_near(each, tuple(bytes.fromhex(accent[1:]))) for each in colours)


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_same_figures_make_the_same_file(visitor: Visitor, ending: str) -> None:
    chart = figures.in_total(_session(), clock.utc_now())
    first = drawing.draw(chart, ending)
    drawing.draw.cache_clear()
    assert drawing.draw(chart, ending) == first
    answer = visitor.get(f"/press/charts/total.{ending}")
    assert answer.data == first
    again = visitor.get(
        f"/press/charts/total.{ending}", **{"If-None-Match": answer.headers["etag"]}
    )
    assert again.status == 304


def _session() -> Any:
    from coalition.db import db

    return db.session()


@pytest.mark.parametrize(
    "path",
    ["pie.png", "daily.gif", "daily-large.png", "DAILY.png", "daily-shared-shared.svg", "%00.png"],
)
def test_what_does_not_exist_is_told_to_programs_with_what_does(
    visitor: Visitor, path: str
) -> None:
    told = problem(visitor, f"/press/charts/{path}", 404)
    assert "/press/charts/daily-shared.svg" in told["files"]
    for each in told["files"]:
        assert visitor.get(each).status == 200


def test_any_site_may_show_them(visitor: Visitor) -> None:
    headers = visitor.get("/press/charts/total.svg").headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=600" in headers["cache-control"]
