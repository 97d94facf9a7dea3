"""What must hold for every state of every page. The name of a failing test tells the state."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.states import State
from tests.browser.visits import DESK, PHONE, Scheme, Visit

LARGEST_PAGE = 100 * 1024  # bytes, fonts included
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# axe leaves these out of its own accord.
MORE_RULES = ("color-contrast-enhanced", "target-size")
LARGE_TEXT = "html { font-size: 200% !important }"
# WCAG 1.4.12
WIDE_SPACING = """
    * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
    p { margin-bottom: 2em !important }
"""


# What is heard on the way. First, for what follows sets the focus elsewhere.


def test_it_is_what_it_is_called(state: State, visit: Visit) -> None:
    assert visit.status == state.status
    assert state.says in visit.page.get_by_role("main").inner_text()


def test_an_error_is_summed_up_with_the_focus_on_it(state: State, visit: Visit) -> None:
    summary = visit.look("summary")
    wrong = [link["field"] for link in summary["links"]]
    assert summary["marked"] == wrong, "the summary does not name the fields that are marked"
    if state.wrong_form:
        assert wrong, "no field is marked"
        expect(visit.page.get_by_role("alert")).to_be_focused()
    for link in summary["links"]:
        assert link["words"] in link["wordsAtField"], "the field says something else"


def test_the_title_says_when_something_is_wrong(state: State, visit: Visit) -> None:
    title = visit.page.title()
    assert title.startswith("Error: ") == (state.status >= 400), title


def test_nothing_comes_from_elsewhere(visit: Visit) -> None:
    ours = urlsplit(visit.page.url).netloc
    assert [each.url for each in visit.loaded if urlsplit(each.url).netloc != ours] == []
    assert visit.failed == []


def test_no_cookie_is_set_on_any_public_page(visit: Visit) -> None:
    """But at the desk, which keeps one, out of reach of scripts."""
    cookies = visit.page.context.cookies()
    if "/desk" not in urlsplit(visit.page.url).path:
        assert cookies == []
        assert [each.url for each in visit.loaded if each.header_value("set-cookie")] == []
    assert [each["name"] for each in cookies] in ([], ["desk"])
    assert all(each["httpOnly"] and each["sameSite"] == "Strict" for each in cookies)


def test_the_browser_has_nothing_to_complain_of(visit: Visit) -> None:
    assert visit.complaints == []


def test_it_weighs_little(state: State, visit: Visit) -> None:
    sizes = {each.url: each.request.sizes()["responseBodySize"] for each in visit.loaded}
    # No visitor sees the page of all components, which loads what no other page loads together,
    # nor a hundred lines of the log, nor moderators by the dozen, as the tests make them. What
    # somebody wrote at length comes back to them whole.
    heavy = ("components", "desk log", "desk people", "tell: too long")
    largest = LARGEST_PAGE * (2 if state.name.startswith(heavy) else 1)
    assert sum(sizes.values()) <= largest, sizes


# What a screen reader tells


def test_its_headings_and_landmarks_make_an_outline(visit: Visit) -> None:
    outline = visit.look("outline")
    levels = [level for level, _ in outline["headings"]]
    assert levels.count(1) == 1, outline["headings"]
    steps = zip([1, *levels], levels, strict=False)
    assert all(after <= before + 1 for before, after in steps), outline["headings"]
    assert [outline[part] for part in ("mains", "banners", "feet")] == [1, 1, 1]
    assert len(set(outline["navigations"])) == len(outline["navigations"])
    assert all(outline["navigations"]), "a navigation has no label"
    assert outline["language"] == "en-GB"


def test_axe_finds_nothing(visit: Visit) -> None:
    visit.show()
    assert visit.violations(TAGS, MORE_RULES) == []


def test_axe_finds_nothing_in_the_dark(visit: Visit) -> None:
    """Where nothing but colours is different, so that only the rules about them have to be asked
    again."""
    visit.show()
    in_the_light = visit.look("shape")
    visit.show(scheme="dark")
    assert visit.look("shape") == in_the_light
    assert visit.violations(["cat.color"], ["color-contrast-enhanced"]) == []


# What is seen


@pytest.mark.parametrize(
    ("size", "rules"),
    [
        pytest.param(PHONE, "", id="phone"),
        pytest.param(PHONE, LARGE_TEXT, id="phone, twice the text"),
        pytest.param(PHONE, WIDE_SPACING, id="phone, wide spacing"),
        pytest.param(DESK, LARGE_TEXT, id="desk, twice the text"),
        pytest.param(DESK, WIDE_SPACING, id="desk, wide spacing"),
    ],
)
def test_it_fits(visit: Visit, size: ViewportSize, rules: str) -> None:
    visit.show(size=size, rules=rules)
    assert visit.faults("misfits") == []


def test_it_can_be_used_without_its_colours(visit: Visit) -> None:
    visit.show(forced_colours=True)
    assert visit.faults_by_keyboard("without_colours") == []


def test_nothing_moves_for_those_who_want_no_motion(visit: Visit) -> None:
    visit.show()
    assert visit.look("motion") == []


# What the keyboard reaches


@pytest.mark.parametrize(
    ("size", "scheme"),
    [pytest.param(PHONE, "light", id="phone"), pytest.param(DESK, "dark", id="desk")],
)
def test_tab_reaches_everything_in_order_and_in_sight(
    visit: Visit, size: ViewportSize, scheme: Scheme
) -> None:
    visit.show(size=size, scheme=scheme)
    wanted: list[str] = visit.look("walk")
    visit.press_tab(len(wanted) + 1)
    # Outside the page, no key that is let go is heard of.
    stops = [*visit.page.evaluate("window.reached"), None]
    reached: list[str] = []
    for expected, stop in zip(wanted, stops, strict=False):
        assert stop is not None, f"Tab left the page after {reached[-1:]}, before {expected}"
        assert stop["faults"] == [], stop["name"]
        reached.append(stop["name"])
    assert reached == wanted
    after = stops[len(wanted)]
    assert after is None or after["number"] == 0, f"Tab does not leave the page, but {after}"
