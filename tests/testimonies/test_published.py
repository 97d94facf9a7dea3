"""What the public meets: what an account is about before it can be read, and nothing of it once it
was taken back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.db import transaction
from coalition.testimonies import actions, decisions
from coalition.testimonies.actions import Begun, Stale
from coalition.testimonies.choices import Use
from coalition.testimonies.codes import Ticket
from coalition.testimonies.models import Testimony
from coalition.testimonies.states import State
from tests.telling import FRONT, make_testimony, publish, told, two_readers
from tests.visitor import Page, Visitor

ABOUT = "Describes restraint by police"
ALSO = "describes care that was refused"
TEXT = "I had asked for a nurse."
NOW = clock.utc_now
TAKEN_BACK: dict[str, Callable[..., None]] = {
    "withdrawn": actions.withdraw,
    "paused": actions.pause,
    "erased": actions.erase,
}


def read(visitor: Visitor, slug: str) -> Page:
    return visitor.get(f"/testimonies/{slug}")


def is_nowhere(visitor: Visitor, slug: str) -> None:
    """Not at its address, not in the list, not among what the list can be filtered by."""
    page = read(visitor, slug)
    assert page.status == 410
    assert "Error: This account is not here any more" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    listed = visitor.get("/testimonies")
    assert "Nothing is published here yet" in listed.text
    assert slug not in visitor.get("/sitemap.xml").text
    for answer in (page, listed, visitor.get("/testimonies?label=restraint-by-police")):
        for words in (TEXT, FRONT.summary, slug):
            assert words not in answer.text


@pytest.mark.parametrize("how", TAKEN_BACK)
def test_what_its_writer_takes_back_is_off_the_site_at_once(
    app: Flask, visitor: Visitor, how: str
) -> None:
    ticket, slug = publish(app)
    before = read(visitor, slug)
    assert before.status == 200
    with transaction() as session:
        TAKEN_BACK[how](session, ticket.testimony_id, now=NOW())
    again = visitor.get(f"/testimonies/{slug}", **{"If-None-Match": before.headers["etag"]})
    assert again.status == 410, "a cache that asks is told that it may keep what it has"
    is_nowhere(visitor, slug)


def test_new_words_are_not_public_before_they_are_read_nor_the_old_ones(
    app: Flask, visitor: Visitor
) -> None:
    ticket, slug = publish(app)
    with transaction() as session:
        testimony = session.get_one(Testimony, ticket.testimony_id)
        actions.rewrite(
            session, testimony.id, told("Other words."), revision=testimony.revision, sends=True,
            now=NOW(),
        )  # fmt: skip
    is_nowhere(visitor, slug)
    assert "Other words" not in read(visitor, slug).text


def test_what_one_moderator_takes_down_is_off_the_site_at_once(
    app: Flask, visitor: Visitor
) -> None:
    ticket, slug = publish(app)
    (somebody, _) = two_readers(app)
    with transaction() as session:
        moderator = session.get_one(Moderator, somebody)
        decisions.take_down(session, ticket.testimony_id, moderator, "Careful.", now=NOW())
    is_nowhere(visitor, slug)


@pytest.mark.parametrize("use", [Use.COUNT, Use.READ, Use.PUBLISH])
def test_what_is_not_published_is_at_no_address(app: Flask, visitor: Visitor, use: Use) -> None:
    with transaction() as session:
        ticket = make_testimony(session, told(use=use))
    for slug in (str(ticket.testimony_id), ticket.testimony_id.hex, ticket.code, "x" * 5000):
        page = read(visitor, slug)
        assert page.status == 404
        assert TEXT not in page.text
    assert "Nothing is published here yet" in visitor.get("/testimonies").text


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=x", "page=%00", "page=²", "page=" + "9" * 400, "label=%00",
        "label=nobody&theme=nothing", "label=" + "x" * 3000, "page=1&page=2",
    ],
)  # fmt: skip
def test_whatever_is_asked_of_the_list_it_answers(app: Flask, visitor: Visitor, query: str) -> None:
    publish(app)
    page = visitor.get(f"/testimonies?{query}")
    assert page.status == 200
    assert TEXT not in page.text


def test_what_it_is_about_stands_before_it_everywhere_and_its_text_only_when_it_is_opened(
    app: Flask, visitor: Visitor
) -> None:
    _, slug = publish(app)
    listed, page = visitor.get("/testimonies"), read(visitor, slug)
    for answer in (listed, page):
        main = answer.text.partition("<article")[2]  # behind the choices of the filter
        assert main.index(ABOUT) < main.index(ALSO) < main.index(FRONT.summary)
    assert TEXT not in listed.text
    folded = re.findall(r"<details[^>]*>(.*?)</details>", page.text, re.DOTALL)
    assert [TEXT in each for each in folded] == [True]
    assert page.text.count(TEXT) == 1
    assert "<details open" not in page.text
    assert "Officer Fictional" not in page.text
    assert "[name taken out]" in page.text
    assert "not allowed newspapers" in page.text


def test_other_sites_and_searches_are_given_nothing_to_keep(app: Flask, visitor: Visitor) -> None:
    _, slug = publish(app)
    page = read(visitor, slug)
    head = page.text.partition("</head>")[0]
    assert 'content="noarchive, nosnippet"' in head
    assert FRONT.summary not in head
    for answer in (page, visitor.get("/testimonies")):
        assert answer.headers["cache-control"] == "public, max-age=10, must-revalidate"
        assert "set-cookie" not in answer.headers


def test_words_in_any_script_are_shown_as_words_and_nothing_else(
    app: Flask, visitor: Visitor
) -> None:
    text = "<script>alert(1)</script> & «كنت أحتاج إلى ممرضة» then English, then עברית."
    _, slug = publish(app, told(text, use=Use.PUBLISH_NAMED, name="<b>ليلى</b>", may_press=True))
    page = read(visitor, slug)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; «كنت أحتاج إلى ممرضة»" in page.text
    assert "<bdi>&lt;b&gt;ليلى&lt;/b&gt;</bdi>" in page.text
    assert '<div class="own-words" dir="auto">' in page.text
    assert "Its writer allows newspapers" in page.text


def test_the_list_is_paged_and_filtered_by_label_and_theme(app: Flask, visitor: Visitor) -> None:
    slugs = {publish(app)[1] for _ in range(11)}
    shown = re.compile(r'href="/testimonies/([0-9a-f]{12})"')
    first, second = visitor.get("/testimonies"), visitor.get("/testimonies?page=2")
    assert (len(shown.findall(first.text)), len(shown.findall(second.text))) == (10, 1)
    assert set(shown.findall(first.text + second.text)) == slugs
    assert 'rel="next"' in first.text
    assert 'rel="prev"' in second.text
    assert "Nothing" not in visitor.get("/testimonies?page=3").text
    assert "nothing on this page any more" in visitor.get("/testimonies?page=3").text
    for query, number in {
        "label=restraint-by-police": 11, "label=care-refused&theme=police-in-care": 11,
        "theme=afterwards": 0, "label=detention": 0,
    }.items():  # fmt: skip
        assert f"{number} accounts match" in visitor.get(f"/testimonies?{query}").text
    assert 'value="detention"' not in first.text, "a choice that finds nothing"
    sitemap = visitor.get("/sitemap.xml").text
    assert all(f"/testimonies/{slug}<" in sitemap for slug in slugs)


def test_a_saved_draft_that_is_sent_by_the_same_form_is_not_said_to_be_sent(app: Flask) -> None:
    with transaction() as session:
        ticket = make_testimony(session, sends=False)
    assert begin_again(ticket) is Begun.OTHER
    assert stands(ticket) is State.DRAFT


def test_a_form_that_is_sent_again_after_withdrawing_does_not_say_that_it_is_there(
    app: Flask,
) -> None:
    with transaction() as session:
        ticket = make_testimony(session)
    assert begin_again(ticket) is Begun.SAME
    with transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=NOW())
    assert begin_again(ticket) is Begun.OTHER
    assert stands(ticket) is State.WITHDRAWN


def test_saving_in_one_tab_sends_nothing_that_another_tab_has_sent(app: Flask) -> None:
    with transaction() as session:
        ticket = make_testimony(session, sends=False)
    rewrite(ticket, told(), sends=True)  # as it was saved, so of the same revision
    with pytest.raises(Stale):
        rewrite(ticket, told("Not yet for you."), sends=False)
    with transaction() as session:
        kept = session.get_one(Testimony, ticket.testimony_id)
        assert (kept.text, kept.state) == (told().text, State.SUBMITTED)


def begin_again(ticket: Ticket) -> Begun:
    with transaction() as session:
        return actions.begin(session, ticket, told(), sends=True, now=NOW())


def rewrite(ticket: Ticket, what: actions.Told, *, sends: bool) -> None:
    with transaction() as session:
        actions.rewrite(session, ticket.testimony_id, what, revision=1, sends=sends, now=NOW())


def stands(ticket: Ticket) -> State:
    with transaction() as session:
        return session.get_one(Testimony, ticket.testimony_id, populate_existing=True).state
