"""Every state of the desk's pages of texts; see states.py."""

from __future__ import annotations

from playwright.sync_api import Page

from coalition.accounts.models import Role
from tests.browser.desk import arrive, at_desk
from tests.browser.sites import Sites
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_WORDS, Way, press, then
from tests.desking import make_moderator
from tests.writing import save, text_of

NEWS = "/desk/texts/updates/news"


def with_draft(path: str, slug: str, old: str = "", new: str = "", *, base_version: int = 1) -> Way:
    """Open a page as somebody who has a draft of this text, with `new` in the place of `old`."""

    def way(page: Page, sites: Sites) -> None:
        app = sites.main.app
        writer = make_moderator(app, Role.EDITOR)
        with app.app_context():
            text = text_of(slug)
            changed = text.replace(old, new, 1) if old else f"{text}\n\n{LONG_WORDS}"
            save(writer, changed, slug=slug, base_version=base_version)
        arrive(page, sites.main, writer)
        page.goto(f"/desk/texts/{path}")

    return way


def save_in_two_windows(page: Page, sites: Sites) -> None:
    app = sites.main.app
    writer = make_moderator(app, Role.EDITOR)
    arrive(page, sites.main, writer)
    page.goto("/desk/texts/about")
    with app.app_context():
        save(writer, "Of the other window.", slug="about")
    page.get_by_label("The text").fill("Of this window.")
    press(page, "Save the draft")


def publish(page: Page, sites: Sites) -> None:
    """On a site of its own: what is public there may change."""
    arrive(page, sites.desk, make_moderator(sites.desk.app, Role.EDITOR))
    page.goto(f"{sites.desk.url}/desk/texts/reasons")
    page.get_by_label("The text").fill("Another text.")
    press(page, "Save, compare and publish")
    page.get_by_label("What changed").fill(LONG_WORDS[:400])
    page.get_by_role("button", name="Publish version").click()


REVIEW = ("would welcome a review", "welcomes a review")
TEXT_STATES = [
    State("desk texts", at_desk("/desk/texts", Role.EDITOR), "Everything that the campaign says"),
    State("desk text: Markdown", at_desk("/desk/texts/about", Role.EDITOR), "## A heading"),
    State("desk text: TOML", at_desk("/desk/texts/replies", Role.EDITOR), "asked_words"),
    State("desk text: a draft", with_draft("about", "about"), "You have a draft"),
    State("desk text: overtaken", with_draft("statement", "statement"), "while you wrote"),
    State(
        "desk text: broken",
        with_draft("replies", "replies", "\nas_of", "\nasof"),
        "asof is not known",
    ),
    State("desk text: two windows", save_in_two_windows, "saved in another window", 409),
    State(
        "desk text compared",
        with_draft("statement/compare", "statement", base_version=2),
        "Organisations put their name",
    ),
    wrong(
        "desk text compared: no note",
        then(with_draft("about/compare", "about"), "Publish version 2"),
        "Say what changed: readers see it",
    ),
    State("desk text preview", with_draft("petition/preview", "petition"), "Sign the petition"),
    State(
        "desk text preview: consent",
        with_draft("consent/preview?page=1", "consent", "\nauthority", "\nauthority "),
        "Put its name to",
    ),
    State(
        "desk text preview: logo",
        with_draft("logo/preview", "logo", "</svg>", "<desc>x</desc></svg>"),
        "The logo",
    ),
    State(
        "desk text preview: news",
        with_draft("updates/preview?page=1", "updates", *REVIEW),
        "All news",
    ),
    State(
        "desk text preview: broken",
        with_draft("demands/preview", "demands", "\nstate", "\nstat"),
        "Nothing to show yet",
    ),
    State("desk text discard", with_draft("about/discard", "about"), "It cannot be brought back"),
    State(
        "desk text versions", at_desk("/desk/texts/statement/versions", Role.EDITOR), "Version 1"
    ),
    State("desk text versions: published", publish, "is public now"),
    State("desk text version", at_desk("/desk/texts/statement/versions/2", Role.EDITOR), "to copy"),
    State("desk news", at_desk(NEWS, Role.EDITOR), "It goes into your draft"),
    wrong(
        "desk news: empty",
        then(at_desk(NEWS, Role.EDITOR), "Add it to the draft"),
        "Write the news",
    ),
]
