"""A page in the browser, and everything that was loaded and said while it came there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    CDPSession,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
)

LOOKS = Path(__file__).parent / "looks"
PHONE: ViewportSize = {"width": 320, "height": 640}
Scheme = Literal["light", "dark"]
TEXT_SIZE = 16  # pixels, as browsers come
RESTS, REST = 5, 200  # times, milliseconds
DESK: ViewportSize = {"width": 1280, "height": 800}


@dataclass
class Visit:
    """One page that a visitor has open, with what was heard on the way to it."""

    page: Page
    answers: list[Response] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _faultless: set[tuple[str, ...]] = field(default_factory=set)  # what axe need not see again

    def __post_init__(self) -> None:
        self.page.on("response", self._note)
        self.page.on("requestfailed", self._miss)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # Each page is weighed as if nobody had been on the site before.
        self._browser.send("Network.enable")
        self._browser.send("Network.setCacheDisabled", {"cacheDisabled": True})

    @cached_property
    def _browser(self) -> CDPSession:
        return self.page.context.new_cdp_session(self.page)

    def leave(self) -> None:
        """Let somebody else have the window, who finds nothing that is left of this visit but
        the page that was open last."""
        self.page.unroute_all()
        self.page.evaluate("sessionStorage.clear()")
        self.page.context.clear_cookies()
        for origin in {_origin(each.url) for each in self.answers}:
            self._browser.send(
                "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"}
            )
        self._browser.send("Page.resetNavigationHistory")
        self.page.set_viewport_size(DESK)
        self.page.emulate_media(color_scheme="null", forced_colors="null", reduced_motion="reduce")
        self.set_text_size(TEXT_SIZE)
        for heard in (self.answers, self.failed, self.complaints):
            heard.clear()

    def _note(self, answer: Response) -> None:
        self.answers.append(answer)

    def _miss(self, request: Request) -> None:
        # Whoever goes on before a page has loaded wholly breaks off what is still on its way.
        if request.failure != "net::ERR_ABORTED":
            self.failed.append(f"{request.url}: {request.failure}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # Chromium reports every page that tells of an error as an error of its own.
        if message.text.startswith("Failed to load resource: the server responded with a status"):
            where = message.location["url"]
            if any(each.url == where and _is_page(each) for each in self.answers):
                return
        self.complaints.append(message.text)

    @property
    def loaded(self) -> list[Response]:
        """What the page that is open now is made of: the page itself comes first."""
        pages = [number for number, each in enumerate(self.answers) if _is_page(each)]
        return self.answers[pages[-1] :]

    @property
    def status(self) -> int:
        return self.loaded[0].status

    @property
    def source(self) -> str:
        """The page's HTML as it was sent."""
        return self.loaded[0].text()

    def show(
        self,
        *,
        size: ViewportSize = DESK,
        scheme: Scheme = "light",
        forced_colours: bool = False,
        rules: str = "",
    ) -> None:
        """Show the page to somebody else: with another window, taste, or rules of their own.

        Nobody here wants motion: what glides to its place cannot be measured on its way.
        """
        self.page.set_viewport_size(size)
        self.page.emulate_media(
            color_scheme=scheme,
            forced_colors="active" if forced_colours else "none",
            reduced_motion="reduce",
        )
        self.look("wear", rules)

    def set_text_size(self, pixels: int) -> None:
        """As in the browser's own settings, which say TEXT_SIZE."""
        sizes = {"standard": pixels, "fixed": pixels}
        self._browser.send("Page.setFontSizes", {"fontSizes": sizes})

    def press_tab(self, times: int) -> None:
        """Press the key so many times in a row. Each press is done with before the next begins,
        but nobody here waits between two of them: what is to be seen then, the page must note."""
        tab = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        presses = [{"type": "rawKeyDown", **tab}, {"type": "keyUp", **tab}] * times

        async def send() -> None:
            # Playwright's blocking interface would wait for each.
            session = self._browser._impl_obj
            sent = (session.send("Input.dispatchKeyEvent", press, None) for press in presses)
            await asyncio.gather(*sent)

        self._browser._sync(send())

    def faults_by_keyboard(self, name: str) -> list[str]:
        """What a look finds after Tab was pressed, so that the browser shows where the focus is."""
        self.page.keyboard.press("Tab")
        return self.faults(name)

    def violations(self, tags: Sequence[str], more_rules: Sequence[str]) -> list[str]:
        """What axe finds fault with, by its rules with these tags, and those it leaves out of its
        own accord: a line for each element.

        What stands around every page's own part is looked at once in each of its forms, as long as
        nothing is wrong with it: it is two thirds of most pages.
        """
        around = {place: (*tags, kind) for place, kind in self.look("around")}
        known = [[place] for place, kind in around.items() if kind in self._faultless]
        options = {
            "runOnly": {"type": "tag", "values": tags},
            "rules": {rule: {"enabled": True} for rule in more_rules},
            "resultTypes": ["violations"],
        }
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        run = "([exclude, options]) => axe.run({ exclude }, options)"
        found = self.page.evaluate(run, [known, options])
        if not found["violations"]:
            self._faultless.update(around.values())
        return [
            f"{fault['id']}: {fault['help']}: {node['html']} {node['failureSummary']}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]

    def look(self, name: str, argument: Any = None) -> Any:
        """What the script looks/NAME.js finds on the page."""
        words, script = (_script("words"), _script(name))
        return self.page.evaluate(
            f"argument => {{ {words}\nreturn ({script})(argument) }}", argument
        )

    def faults(self, name: str) -> list[str]:
        """The faults that the script looks/NAME.js still finds once the page has come to rest:
        a font or a new width may need a moment."""
        found: list[str] = self.look(name)
        for _ in range(RESTS):
            if not found:
                break
            self.page.wait_for_timeout(REST)
            found = self.look(name)
        return found


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def _is_page(answer: Response) -> bool:
    return answer.request.is_navigation_request()


@cache
def _script(name: str) -> str:
    return (LOOKS / f"{name}.js").read_text().strip().removesuffix(";")


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """A browser that was never on the site before."""
    page = new_page(browser, url, **options)
    try:
        yield Visit(page)
    finally:
        page.context.close()


def new_page(browser: Browser, url: str, **options: Any) -> Page:
    """A window of a browser that was nowhere before, at home at this address."""
    context = browser.new_context(base_url=url, **{"viewport": DESK, **options})
    context.set_default_timeout(15_000)
    return context.new_page()


class Turns:
    """One window that one visitor takes after another: to open it takes a browser longer than to
    show all the pages that most of them look at. Each finds it as the first one did, and wants no
    motion: before each button, one would wait for a second until the page has glided there."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._visit: Visit | None = None

    @contextmanager
    def next(self) -> Iterator[Visit]:
        visit = self._visit or Visit(new_page(self._browser, self._url, reduced_motion="reduce"))
        self._visit = None  # until it is known that nothing is left
        try:
            yield visit
            visit.leave()
            self._visit = visit
        finally:
            if self._visit is None:
                visit.page.context.close()

    def end(self) -> None:
        if self._visit:
            self._visit.page.context.close()
