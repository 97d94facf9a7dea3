"""Pictures of the main pages in screenshots/, for people to look at: `make screenshots`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.sites import Sites
from tests.browser.states import STATES, State
from tests.browser.visits import visiting
from tests.conftest import ROOT, prepare
from tests.mailbox import Mailbox

FOLDER = ROOT / "screenshots"
WIDTHS = (390, 768, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SHOWN = (
    "/", "/petition", "/statement", "/statement/easy-read", "/evidence", "/replies", "/demands",
    "/updates", "/questions", "/accessibility", "/help", "/privacy", "/supporters/endorse",
    "endorse: check", "supporters: A to Z", "supporter", "testimonies: some", "testimony", "testimony: opened", "sign: empty", "check email", "confirm", "counted", "yours", "erase", "404",
)  # fmt: skip


def take(browser: Browser, sites: Sites, state: State) -> None:
    """A state in each width and scheme, the whole page of it."""
    with visiting(browser, sites.main.url) as visit:
        state.way(visit.page, sites)
        name = state.name.strip("/").replace("/", "-").replace(": ", "-").replace(" ", "-")
        for width, scheme in product(WIDTHS, SCHEMES):
            visit.show(size={"width": width, "height": 900}, scheme=scheme)
            path = FOLDER / f"{name or 'home'}-{width}-{scheme}.png"
            visit.page.screenshot(path=path, full_page=True)


def main() -> None:
    path = find_chromium() or sys.exit(MISSING)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        prepared = Path(scratch) / "prepared.db"
        prepare(f"sqlite:///{prepared}")
        mailbox = stack.enter_context(Mailbox().running())
        sites = Sites(Path(scratch), prepared, mailbox, stack)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for state in STATES:
            if state.name in SHOWN:
                take(browser, sites, state)
        browser.close()
    sys.stdout.write(f"{len(list(FOLDER.iterdir()))} pictures are in {FOLDER.name}/\n")


if __name__ == "__main__":
    main()
