"""Every page on paper."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.browser.sites import Sites
from tests.browser.states import PAGES
from tests.browser.visits import visiting

MOST_SHEETS = 12


def letters(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


@pytest.mark.parametrize("path", PAGES)
def test_it_prints(browser: Browser, sites: Sites, path: str) -> None:
    with visiting(browser, sites.main.url, color_scheme="dark") as visit:
        visit.page.goto(path)
        title = visit.page.get_by_role("heading", level=1).inner_text()
        printed = PdfReader(io.BytesIO(visit.page.pdf(format="A4")))
    sheets = [letters(sheet.extract_text()) for sheet in printed.pages]
    assert 1 <= len(sheets) <= MOST_SHEETS
    assert letters(title) in sheets[0]
    assert all(sheets), "a sheet is empty"
