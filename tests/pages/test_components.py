"""The page that shows every component exists only for whoever changes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import ROOT
from tests.visitor import Visitor, visitor_of


def test_the_page_does_not_exist_on_a_public_site(make_app: Callable[..., Flask]) -> None:
    app = make_app(SITE_URL="https://petition.example.org")
    assert visitor_of(app).get("/dev/components").status == 404


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
def test_a_proxy_does_not_hand_it_on(visitor: Visitor, header: str) -> None:
    assert visitor.get("/dev/components", **{header: "for=192.0.2.1"}).status == 404


def test_another_machine_does_not_see_it(app: Flask) -> None:
    assert visitor_of(app, "192.0.2.1").get("/dev/components").status == 404


def test_every_component_stands_on_it(visitor: Visitor) -> None:
    assert visitor.get("/dev/components").status == 200
    source = (ROOT / "templates/pages/components.html").read_text(encoding="utf-8")
    of_other_pages = {
        "code_form", "contact_fields", "entry_facts", "entry_fields", "forms",
        "bulk_table", "mail_lines", "role_boxes", "safeguarding_form", "search_form", "send_again",  # of the desk
        "press_words", "press_corrections", "supporter_line", "testimony_front", "typed", "ways_on", "what_is_signed",
        "told_carried", "told_problems", "telling_rule",  # of telling what happened
    }  # fmt: skip
    for component in (ROOT / "templates/components").glob("*.html"):
        shown = f'"components/{component.name}"' in source
        assert shown or component.stem in of_other_pages, component.name
