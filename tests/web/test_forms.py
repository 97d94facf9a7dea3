"""Forms for whoever hears a page, uses no mouse, or lets the browser fill it in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

import pytest
from flask import Flask

from coalition import clock
from coalition.db import transaction
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import SignatureStatus
from tests.factories import make_signature
from tests.visitor import Page, Visitor

Attributes = Mapping[str, str | None]


class _Tags(HTMLParser):
    """Every start tag of a page, in order, each with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Attributes]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(page: Page, *names: str) -> list[Attributes]:
    """The attributes of every tag of a page with one of these names, or of all."""
    reader = _Tags()
    reader.feed(page.text)
    return [attributes for tag, attributes in reader.found if not names or tag in names]


def fields(page: Page) -> list[Attributes]:
    """What can be filled in."""
    return [
        each for each in tags(page, "input", "select", "textarea") if each.get("type") != "hidden"
    ]


def field(page: Page, name: str) -> Attributes:
    return next(each for each in fields(page) if each.get("name") == name)


def sign(visitor: Visitor, **answers: str) -> Page:
    return visitor.submit(visitor.get("/petition"), "/petition/sign", **answers)


def ask_for_a_link(visitor: Visitor) -> Page:
    return visitor.submit(visitor.get("/petition/your-signature"), "/petition/resend")


def type_a_code(visitor: Visitor) -> Page:
    return visitor.submit(visitor.get("/petition/code"), "/petition/code")


def private_page(visitor: Visitor) -> Page:
    with transaction() as session:
        signature = make_signature(session, status=SignatureStatus.HELD)
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    return visitor.get(f"/petition/signature/{token}")


def correct(visitor: Visitor) -> Page:
    return visitor.submit(private_page(visitor), "/details", name="", kind="ally")


def appeal(visitor: Visitor) -> Page:
    return visitor.submit(private_page(visitor), "/appeal", words="")


def check_email(visitor: Visitor) -> Page:
    return sign(visitor, name="Ada", email="ada@example.org", consent="yes")


# What is sent wrongly, and which fields are at fault.
WRONG: list[tuple[Callable[[Visitor], Page], set[str]]] = [
    (lambda visitor: sign(visitor, kind="ally"), {"name", "email", "consent", "kind_consent"}),
    (lambda visitor: sign(visitor, website="x"), {"name", "email", "consent", "website"}),
    (ask_for_a_link, {"email"}),
    (type_a_code, {"email", "code"}),
    (correct, {"name", "kind_consent"}),
    (appeal, {"words"}),
]
WRONG_NAMES = ["sign", "sign as a robot", "ask for a link", "type a code", "correct", "appeal"]


@pytest.mark.parametrize(("send", "wrong"), WRONG, ids=WRONG_NAMES)
def test_each_error_is_told_in_the_summary_and_at_its_field(
    visitor: Visitor, send: Callable[[Visitor], Page], wrong: set[str]
) -> None:
    page = send(visitor)
    assert page.status == 422
    (summary,) = [each for each in tags(page, "div") if each.get("class") == "errors"]
    assert summary["role"] == "alert"
    assert "autofocus" in summary
    assert summary["tabindex"] == "-1"
    names = {each["id"]: each.get("name") for each in fields(page) if "id" in each}
    listed = re.findall(r'<li><a href="#([^"]+)">', page.text)
    assert {names[each] for each in listed} == wrong
    assert {each.get("name") for each in fields(page) if each.get("aria-invalid")} == wrong
    for name in wrong:
        told_by = (field(page, name)["aria-describedby"] or "").split()
        error = re.search(rf'<p class="error" id="({name}-error)">', page.text)
        assert error, name
        assert error[1] in told_by


@pytest.mark.parametrize(
    "open_page",
    [
        lambda visitor: visitor.get("/petition"),
        lambda visitor: visitor.get("/petition/your-signature"),
        lambda visitor: visitor.get("/petition/code"),
        private_page,
        check_email,
        *(send for send, _ in WRONG),
    ],
    ids=["petition", "link", "code", "private", "check email", *WRONG_NAMES],
)
def test_each_field_has_a_label_and_whatever_describes_it_is_there(
    visitor: Visitor, open_page: Callable[[Visitor], Page]
) -> None:
    page = open_page(visitor)
    ids = Counter(each["id"] for each in tags(page) if "id" in each)
    assert set(ids.values()) == {1}
    labels = {each.get("for") for each in tags(page, "label")}
    assert fields(page)
    for each in fields(page):
        assert each.get("id") in labels, each
    for each in tags(page):
        for name in ("aria-describedby", "aria-labelledby"):
            for told_by in (each.get(name) or "").split():
                assert told_by in ids, told_by


def test_a_hint_is_heard_with_its_field(visitor: Visitor) -> None:
    page = visitor.get("/petition")
    for name in ("name", "email"):
        hint = f"{name}-hint"
        assert hint in (field(page, name).get("aria-describedby") or "").split()
        assert f'id="{hint}"' in page.text


def test_the_trap_for_robots_is_out_of_the_way_of_people(visitor: Visitor) -> None:
    page = visitor.get("/petition")
    trap = field(page, "website")
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")
    (around,) = [each for each in tags(page, "div") if each.get("class") == "trap"]
    assert around["aria-hidden"] == "true"


def test_the_browser_can_fill_in_what_it_knows(visitor: Visitor) -> None:
    sheet = visitor.get("/petition")
    assert field(sheet, "name")["autocomplete"] == "name"
    code = visitor.get("/petition/code")
    assert field(code, "code")["autocomplete"] == "one-time-code"
    assert field(code, "code")["inputmode"] == "numeric"
    for page in (sheet, code, visitor.get("/petition/your-signature")):
        email = field(page, "email")
        assert (email["type"], email["autocomplete"]) == ("email", "email")
        assert (email["spellcheck"], email["autocapitalize"]) == ("false", "none")


def test_what_is_wrong_is_told_in_the_words_of_the_site_and_not_of_the_browser(
    visitor: Visitor,
) -> None:
    for path in ("/", "/petition", "/petition/your-signature", "/petition/code"):
        forms = tags(visitor.get(path), "form")
        assert forms
        assert all("novalidate" in form for form in forms)


def test_an_error_is_never_folded_away(visitor: Visitor) -> None:
    def is_open(page: Page) -> bool:
        (more,) = [each for each in tags(page, "details") if each.get("class") == "more"]
        return "open" in more

    assert not is_open(visitor.get("/petition"))
    assert is_open(sign(visitor, kind="ally"))
    assert is_open(sign(visitor, kind="atlantis"))


def test_nothing_is_agreed_to_beforehand(visitor: Visitor) -> None:
    ticks = [each for each in fields(visitor.get("/petition")) if each.get("type") == "checkbox"]
    assert {each["name"] for each in ticks} == {
        "consent", "kind_consent", "show_name", "wants_updates",
    }  # fmt: skip
    assert not [each for each in ticks if "checked" in each]


def test_a_private_page_asks_each_search_not_to_keep_it(app: Flask, visitor: Visitor) -> None:
    for page in (private_page(visitor), check_email(visitor)):
        robots = [each for each in tags(page, "meta") if each.get("name") == "robots"]
        assert [each["content"] for each in robots] == ["noindex"]


def test_a_name_changes_nothing_of_the_page_that_shows_it(app: Flask, visitor: Visitor) -> None:
    """Neither by its markup nor by the direction that it is written in."""
    with transaction() as session:
        signature = make_signature(
            session,
            name="<b>Ada</b> \u05d0\u05d1",
            status=SignatureStatus.REMOVED,
            decision_reason="<i>spam</i>",
        )
    token = make_token(Purpose.MANAGE, signature.id, clock.utc_now())
    page = visitor.get(f"/petition/signature/{token}")
    assert "<bdi>&lt;b&gt;Ada&lt;/b&gt; \u05d0\u05d1</bdi>" in page.text
    assert "&lt;i&gt;spam&lt;/i&gt;" in page.text
    assert "<i>spam" not in page.text
