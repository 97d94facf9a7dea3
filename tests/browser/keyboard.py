"""What somebody does who uses the keys of a keyboard alone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

MOST_STOPS = 80  # of the Tab key on one page


HAS_FOCUS = "element => element === document.activeElement"


def go_to(target: Locator) -> None:
    """Press Tab until the focus is there."""
    element = target.element_handle()  # to look for it at every stop takes longer than to go there
    for _ in range(MOST_STOPS):
        if element.evaluate(HAS_FOCUS):
            return
        target.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def press(page: Page, role: Any, name: str) -> None:
    go_to(page.get_by_role("main").get_by_role(role, name=name, exact=True))
    page.keyboard.press("Enter")


def write(page: Page, label: str, words: str) -> None:
    go_to(page.get_by_label(label, exact=True))
    page.keyboard.type(words)


def choose(page: Page, label: str, choice: str) -> None:
    go_to(page.get_by_label(label, exact=True))
    page.keyboard.type(choice)


def tick(page: Page, name: str) -> None:
    go_to(page.locator(f"#{name}"))
    page.keyboard.press("Space")
