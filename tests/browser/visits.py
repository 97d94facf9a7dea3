"""A page in the browser, and everything that was loaded and said while it came there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

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
RESTS, REST = 5, 200  # times, milliseconds
DESK: ViewportSize = {"width": 1280, "height": 800}


@dataclass
class Visit:
    """One page that a visitor has open, with what was heard on the way to it."""

    page: Page
    answers: list[Response] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

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
        scheme: Literal["light", "dark"] = "light",
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
        """As in the browser's own settings, which say 16."""
        sizes = {"standard": pixels, "fixed": pixels}
        self._browser.send("Page.setFontSizes", {"fontSizes": sizes})

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


def _is_page(answer: Response) -> bool:
    return answer.request.is_navigation_request()


@cache
def _script(name: str) -> str:
    return (LOOKS / f"{name}.js").read_text().strip().removesuffix(";")


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """A browser that was never on the site before."""
    context = browser.new_context(base_url=url, **{"viewport": DESK, **options})
    context.set_default_timeout(15_000)
    try:
        yield Visit(context.new_page())
    finally:
        context.close()
