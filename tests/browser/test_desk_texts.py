"""The pages on which texts are written, in the browser of their editor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from coalition.accounts.models import Role
from tests.browser import markup
from tests.browser.sites import Place, Sites
from tests.browser.test_states import LARGE_TEXT, RULES
from tests.browser.visits import DESK, PHONE, Visit, visiting
from tests.desking import make_moderator, sign_in_as
from tests.visitor import Visitor
from tests.writing import publish, save, text_of

PATHS = (
    "/desk/texts",
    "/desk/texts/about",
    "/desk/texts/about?done=saved",
    "/desk/texts/about/compare",
    "/desk/texts/about/preview",
    "/desk/texts/about/discard",
    "/desk/texts/about/versions",
    "/desk/texts/about/versions/2",
    "/desk/texts/questions",  # another version was published meanwhile
    "/desk/texts/replies",  # something is wrong with it
    "/desk/texts/replies/preview",
    "/desk/texts/petition/compare",
    "/desk/texts/petition/preview",
    "/desk/texts/consent/preview?page=1",
    "/desk/texts/campaign/preview",
    "/desk/texts/logo/preview",
    "/desk/texts/updates/news",
    "/desk/texts/updates/preview?page=1",
)
AXE = Axe()


@pytest.fixture(scope="module")
def place(sites: Sites) -> Place:
    return sites.texts


@pytest.fixture(scope="module")
def editor(place: Place) -> Visitor:
    """Somebody who has begun to write much, and was overtaken by somebody else."""
    with place.app.app_context():
        writer = make_moderator(place.app, Role.EDITOR)
        other = make_moderator(place.app, Role.EDITOR, name="Grace Fictional")
        publish(other, save(other, f"{text_of('about')}\nOne more.", slug="about"), slug="about")
        save(other, "Of somebody else.", slug="about", base_version=2)
        save(writer, f"{text_of('about')}\n\nAnd *one* more.", slug="about", base_version=2)
        save(writer, f"{text_of('questions')}\n\nMine.", slug="questions")
        theirs = save(other, f"{text_of('questions')}\n\nTheirs.", slug="questions")
        publish(other, theirs, slug="questions")
        save(writer, text_of("replies").replace("as_of", "asof", 1), slug="replies")
        save(writer, text_of("petition").replace(" and ", " or "), slug="petition")
        for slug in ("consent", "campaign"):
            save(writer, f"{text_of(slug)}# A note.", slug=slug)
        save(writer, text_of("logo").replace("</svg>", "<title>x</title></svg>"), slug="logo")
        news = text_of("updates").replace("would welcome a review", "welcomes a review")
        save(writer, news, slug="updates")
    return sign_in_as(place.app, writer)


@pytest.fixture(scope="module")
def desk(browser: Browser, place: Place, editor: Visitor) -> Iterator[Visit]:
    with visiting(browser, place.url) as visit:
        visit.page.context.add_cookies(
            [
                {"name": name, "value": value, "url": place.url}
                for name, value in editor.cookies.items()
            ]
        )
        yield visit


@pytest.mark.parametrize("path", PATHS)
def test_it_is_as_good_as_a_public_page(desk: Visit, path: str) -> None:
    desk.show()
    desk.page.goto(path)
    assert desk.status == 200
    outline = desk.look("outline")
    assert [level for level, _ in outline["headings"]].count(1) == 1, outline["headings"]
    for scheme in ("light", "dark"):
        desk.show(scheme=scheme)  # type: ignore[arg-type]
        found = AXE.run(desk.page, options=RULES).response["violations"]
        assert [
            f"{fault['id']}: {node['html']} {node['failureSummary']}"
            for fault in found
            for node in fault["nodes"]
        ] == []
    for size in (PHONE, DESK):
        for rules in ("", LARGE_TEXT):
            desk.show(size=size, rules=rules)
            assert desk.faults("misfits") == []
    assert desk.complaints == []


@pytest.mark.parametrize("path", PATHS)
def test_tab_reaches_everything(desk: Visit, path: str) -> None:
    desk.show()
    desk.page.goto(path)
    wanted = desk.look("begin")
    reached = []
    for _ in wanted:
        desk.page.keyboard.press("Tab")
        stop = desk.look("stop")
        assert stop is not None
        assert stop["faults"] == [], stop["name"]
        reached.append(stop["name"])
    assert reached == wanted


def test_every_page_is_valid(desk: Visit, tmp_path: Path) -> None:
    sources = {}
    for path in PATHS:
        desk.page.goto(path)
        sources[path] = desk.source
    faults = markup.faults_of(sources, tmp_path)
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_text_is_written_looked_at_and_published(
    browser: Browser, place: Place, scripts: bool
) -> None:
    words = f"Said with scripts: {scripts}."
    writer = sign_in_as(place.app, make_moderator(place.app, Role.EDITOR))
    with visiting(browser, place.url, java_script_enabled=scripts) as visit:
        visit.page.context.add_cookies(
            [
                {"name": name, "value": value, "url": place.url}
                for name, value in writer.cookies.items()
            ]
        )
        page = visit.page
        page.goto("/desk")
        page.get_by_role("link", name="Texts").click()
        page.get_by_role("link", name="Reasons, on the front page", exact=True).click()
        page.get_by_label("The text").fill(f"{words}\n\n- A point.")
        page.get_by_role("button", name="Save and see it as readers will").click()
        expect(page.get_by_text("This is a preview.")).to_be_visible()
        expect(page.get_by_text(words)).to_be_visible()
        expect(page.get_by_role("button", name="Sign the petition")).to_be_disabled()
        page.get_by_role("link", name="compare and publish").click()
        page.get_by_role("button", name="Publish version").click()
        expect(
            page.get_by_text("Say what changed: readers see it in the history").first
        ).to_be_visible()
        page.get_by_label("What changed").fill("It is shorter.")
        page.get_by_role("button", name="Publish version").click()
        expect(page.get_by_text("is public now.")).to_be_visible()
        page.goto("/")
        expect(page.get_by_text(words)).to_be_visible()
