"""Texts at the desk: written, looked at, compared and published in the browser, by whom they may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.desk.text_help import FIELDS, TITLES
from coalition.desk.text_previews import PREVIEWS
from coalition.statements import easy_read, press, records, telling
from coalition.statements.campaign import FILES
from coalition.statements.models import Draft
from coalition.statements.queries import latest_versions
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.factories import make_signature
from tests.visitor import Page, Visitor
from tests.writing import text_of

PLACES = (
    "", "/statement", "/statement/versions", "/statement/versions/1", "/statement/preview",
    "/statement/compare", "/statement/discard", "/updates/news", "/logo/draft.svg",
)  # fmt: skip


@pytest.fixture
def ada(app: Flask) -> Visitor:
    return signed_in(app, Role.EDITOR, name="Ada Fictional")


@pytest.fixture
def grace(app: Flask) -> Visitor:
    return signed_in(app, Role.ADMINISTRATOR, name="Grace Fictional")


def write(
    writer: Visitor, text: str, *, slug: str = "statement", then: str = "compare", **values: str
) -> Page:
    """Open the form of a text, write in it, and press one of its buttons."""
    page = writer.get(f"/desk/texts/{slug}")
    return send(writer, page, text=text, then=then, slug=slug, **values)


def send(
    writer: Visitor, page: Page, *, slug: str = "statement", then: str = "stay", **values: str
) -> Page:
    """Send the form of a page that was opened before, as a browser sends it: in parts."""
    form = next(each for each in page.forms if each.action == f"/desk/texts/{slug}")
    return writer.upload(form.action, {**form.values, **values, "then": then}, {})


def publish(writer: Visitor, text: str, *, slug: str = "statement", note: str = "Clearer.") -> Page:
    page = write(writer, text, slug=slug)
    return writer.submit(page, "/publish", note=note)


def version_of(slug: str) -> int:
    db.session.rollback()
    return latest_versions(db.session())[slug].version


@pytest.mark.parametrize("place", PLACES)
def test_only_editors_and_administrators_come_to_the_texts(
    app: Flask, visitor: Visitor, place: str
) -> None:
    assert visitor.get(f"/desk/texts{place}", follow=False).status == 303
    for role in Role:
        page = signed_in(app, role).get(f"/desk/texts{place}", follow=False)
        allowed = role in (Role.EDITOR, Role.ADMINISTRATOR)
        assert (page.status != 403) == allowed, role


@pytest.mark.parametrize("place", ["", "/compare", "/preview", "/versions", "/discard"])
def test_a_text_that_there_is_not_is_not_found(ada: Visitor, place: str) -> None:
    assert ada.get(f"/desk/texts/no-such-text{place}").status == 404
    for number in ("0", "2", "99999999", "x"):
        assert ada.get(f"/desk/texts/statement/versions/{number}").status == 404


@pytest.mark.parametrize("deed", ["", "/publish", "/discard"])
def test_a_text_that_there_is_not_cannot_be_written(ada: Visitor, deed: str) -> None:
    token = ada.get("/desk/texts/statement").form("/desk/leave").values["csrf_token"]
    answer = ada.post(f"/desk/texts/no-such-text{deed}", {"csrf_token": token, "text": "x"})
    assert answer.status == 404


def test_a_draft_is_saved_and_nobody_else_sees_it(
    ada: Visitor, grace: Visitor, visitor: Visitor
) -> None:
    page = write(ada, "Only for me.", then="stay")
    assert "Saved as your draft. Nothing is public yet." in page.text
    assert "Only for me." in ada.get("/desk/texts/statement").text
    for path in ("", "/statement", "/statement/compare", "/statement/preview"):
        assert "Only for me." not in grace.get(f"/desk/texts{path}").text
    assert "Somebody else has a draft" in grace.get("/desk/texts/statement").text
    assert "Only for me." not in visitor.get("/statement").text


def test_a_draft_outlives_its_session(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.EDITOR)
    first = sign_in_as(app, moderator_id)
    page = write(first, "Half a sentence", then="stay")
    first.submit(page, "/desk/leave")
    assert first.get("/desk/texts/statement", follow=False).status == 303
    assert "Half a sentence" in sign_in_as(app, moderator_id).get("/desk/texts/statement").text


def test_what_is_sent_after_the_session_ended_can_be_sent_again(app: Flask) -> None:
    moderator_id = make_moderator(app, Role.EDITOR)
    first = sign_in_as(app, moderator_id)
    page = first.get("/desk/texts/statement")
    first.submit(page, "/desk/leave")
    lost = send(first, page, text="A long thought. " * 20)
    assert lost.status == 401
    assert "A long thought. A long" in lost.text
    again = sign_in_as(app, moderator_id)
    lost = send(again, page, text="A long thought. " * 20)
    assert lost.status == 400
    saved = again.submit(lost, "/desk/texts/statement")
    assert "Saved as your draft" in saved.text
    assert "A long thought. A long" in saved.text


def test_saving_what_is_public_keeps_nothing(session: Session, ada: Visitor) -> None:
    page = write(ada, text_of("statement").replace("\n", "\r\n"), then="compare")
    assert "There is nothing to save" in page.text
    assert session.scalars(select(Draft)).all() == []


def test_a_note_is_needed_and_what_else_was_done_stays(ada: Visitor) -> None:
    page = write(ada, "Another text.")
    for note in ("", "  ", "x" * 501, "a\u202eb"):
        answer = ada.submit(page, "/publish", note=note)
        assert answer.status == 422
        assert "There is a problem" in answer.text
        assert "Another text." in answer.text
    assert version_of("statement") == 1


def test_a_text_is_published_with_its_note_and_readers_see_it_at_once(
    session: Session, ada: Visitor, visitor: Visitor
) -> None:
    assert "Another text." not in visitor.get("/statement").text
    etag = visitor.get("/statement").headers["etag"]
    page = publish(ada, "Another text.", note="It says it in fewer words.")
    assert "Version 2 is public now." in page.text
    public = visitor.request("GET", "/statement", {"If-None-Match": etag}, b"", follow=True)
    assert public.status == 200
    assert "Another text." in public.text
    assert "What changed: It says it in fewer words." in public.text
    assert "Ada Fictional" not in public.text
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert (line.subject, line.reason) == ("statement version 2", "It says it in fewer words.")
    assert "Ada" not in line.actor
    listed = ada.get("/desk/texts").text
    assert "Ada Fictional" in listed


def test_publish_pressed_twice_publishes_once(ada: Visitor) -> None:
    page = write(ada, "Another text.")
    answers = [ada.submit(page, "/publish", note="Clearer.") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert "it was published or discarded already" in answers[1].text
    assert version_of("statement") == 2


def test_only_what_was_compared_is_published(ada: Visitor) -> None:
    page = write(ada, "Another text.")
    write(ada, "Quite another text.")
    answer = ada.submit(page, "/publish", note="Clearer.")
    assert "nothing was published" in answer.text
    assert "Quite another text." in answer.text
    assert version_of("statement") == 1


def test_two_editors_meet_and_neither_overwrites_the_other(
    ada: Visitor, grace: Visitor, visitor: Visitor
) -> None:
    opened = grace.get("/desk/texts/statement")
    compared = write(grace, "Words of Grace.")
    publish(ada, "Words of Ada.", note="Ada's reasons.")
    answer = grace.submit(compared, "/publish", note="Of Grace, kept.")
    assert answer.status == 409
    for words in (
        "Version 2 was published while you wrote", "Words of Ada.", "Words of Grace.",
        "Ada Fictional", "Ada&#39;s reasons.", "Of Grace, kept.",
    ):  # fmt: skip
        assert words in answer.text, words
    assert "Words of Ada." in visitor.get("/statement").text
    # Not before she has said that she has what she needs of theirs.
    half = send(grace, answer, text="Half merged.")
    assert "Version 2 was published while you wrote" in half.text
    assert "so yours cannot be published yet" in grace.get("/desk/texts/statement/compare").text
    page = send(grace, half, text="Words of both.", merged="yes", then="compare")
    grace.submit(page, "/publish", note="Merged.")
    assert "Words of both." in visitor.get("/statement").text
    assert version_of("statement") == 3
    # A form that was opened before all this is kept as a draft, and publishes nothing.
    late = send(grace, opened, text="Of yesterday.")
    assert "Version 3 was published while you wrote" in late.text
    assert "Of yesterday." in late.text


def test_two_windows_of_one_writer_are_shown_side_by_side(ada: Visitor) -> None:
    first, second = ada.get("/desk/texts/statement"), ada.get("/desk/texts/statement")
    send(ada, first, text="Of the first window.")
    answer = send(ada, second, text="Of the second window.")
    assert answer.status == 409
    for words in ("saved in another window", "Of the first window.", "Of the second window."):
        assert words in answer.text
    send(ada, answer, text="Of both windows.")
    assert "Of both windows." in ada.get("/desk/texts/statement").text


@pytest.mark.parametrize(
    ("slug", "text", "told"),
    [
        ("demands", "[[demands]]\ntitle = Halt\n", "Line 2: not valid TOML: "),
        ("demands", '[[demands]]\ntitle = "Halt"\ntext = "x"\nstate = "new"\n', "Line 4: demands 1"),
        ("about", "One.\n\n[x](javascript:alert(1))", "Line 3: a link may not begin with javascript:"),
        ("about", "One.\n\n[x](/updates/none)", "Line 3: a link leads to /updates/none, which is"),
        ("about", "One.\n<script>alert(1)</script>", "Line 2: HTML is not allowed: &lt;script&gt;"),
        ("logo", "<svg><script/></svg>", "the element &lt;script&gt; is not allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_the_draft_is_kept(
    ada: Visitor, slug: str, text: str, told: str
) -> None:
    page = write(ada, text, slug=slug, then="stay", note="Kept too.")
    for each in (page, ada.get(f"/desk/texts/{slug}/compare")):
        assert "This draft cannot be published yet" in each.text
        assert told in each.text
        assert "<script>alert" not in each.text
    assert ada.get(f"/desk/texts/{slug}/preview").status == 200
    assert ada.get("/desk/texts/logo/draft.svg").status == 404
    form = page.form(f"/desk/texts/{slug}")
    assert form.values["text"].strip() == text.strip()
    assert form.values["note"] == "Kept too."
    compared = ada.get(f"/desk/texts/{slug}/compare")
    assert not [each for each in compared.forms if "publish" in each.action]
    token = page.form("/desk/leave").values["csrf_token"]
    values = {"csrf_token": token, "revision": form.values["revision"], "note": "Forced."}
    assert ada.post(f"/desk/texts/{slug}/publish", values).status == 409
    assert version_of(slug) == 1


def test_news_that_others_lead_to_cannot_be_taken_away(ada: Visitor) -> None:
    publish(ada, "[News](/updates/nsun-supports-us)", slug="about")
    text = text_of("updates").replace("nsun-supports-us", "nsun-helps-us")
    page = write(ada, text, slug="updates")
    assert "About us: Line 1: a link leads to /updates/nsun-supports-us" in page.text


def test_a_text_that_is_far_too_long_has_a_clear_answer(ada: Visitor, session: Session) -> None:
    page = write(ada, "Wörter " * 70_000, slug="about", then="stay")
    assert page.status == 200
    assert "It has 490,000 characters; at most 200,000 can be published." in page.text
    assert len(session.scalars(select(Draft.text)).one()) == 490_000
    compared = ada.get("/desk/texts/about/compare")
    assert "too long to be compared" in compared.text
    opened = ada.get("/desk/texts/about")
    huge = send(ada, opened, slug="about", text="x" * 5_000_000)
    assert huge.status == 413
    assert "Go back with your browser" in huge.text


def test_a_long_text_is_taken_in_whichever_way_it_is_sent(ada: Visitor) -> None:
    """The page that asks to send it again after a session ended does not send it in parts."""
    page = ada.get("/desk/texts/about")
    form = page.form("/desk/texts/about")
    answer = ada.post(form.action, {**form.values, "text": "Wort " * 30_000})
    assert "Saved as your draft" in answer.text


@pytest.mark.parametrize("slug", TITLES)
def test_each_text_has_a_form_a_comparison_a_preview_and_versions(ada: Visitor, slug: str) -> None:
    text = text_of(slug)
    more = "\n\nMore.\n" if FILES[slug].endswith(".md") else "\n# A note.\n"
    write(ada, text + ("<!-- A note. -->" if slug == "logo" else more), slug=slug)
    for number in range(len(PREVIEWS[slug])):
        page = ada.get(f"/desk/texts/{slug}/preview?page={number}")
        assert page.status == 200
        assert "This is a preview." in page.text
        assert page.text.count("<h1") == 1
        assert '<fieldset class="preview" disabled>' in page.text
    assert ada.get(f"/desk/texts/{slug}/preview?page=99").status == 404
    assert "Publish version 2" in ada.get(f"/desk/texts/{slug}/compare").text
    assert "Version 1" in ada.get(f"/desk/texts/{slug}/versions").text
    assert ada.get(f"/desk/texts/{slug}/versions/1").status == 200


def inside(page: Page) -> str:
    """What a preview shows of the public page."""
    return page.text.partition("</legend>")[2].rpartition("</fieldset>")[0]


def body(page: Page) -> str:
    """What a public page shows between its head and its foot."""
    return page.text.partition('tabindex="-1">')[2].partition("</main>")[0]


@pytest.mark.parametrize(
    ("slug", "path"),
    [
        ("demands", "/demands"), ("evidence", "/evidence"), ("replies", "/replies"),
        ("sides", "/replies"), ("updates", "/updates"), ("easy-read", "/statement/easy-read"),
        ("helplines", "/help"), ("support", "/help"), ("privacy", "/privacy"),
        ("questions", "/questions"), ("about", "/about"), ("statement", "/statement"),
        ("reasons", "/"), ("campaign", "/"), ("petition", "/petition"), ("consent", "/petition"),
    ],
)  # fmt: skip
def test_a_preview_is_what_readers_see_after_publishing(
    ada: Visitor, visitor: Visitor, slug: str, path: str
) -> None:
    text = text_of(slug)
    is_markdown = FILES[slug].endswith(".md")
    changed = f"Before all else.\n\n{text}" if is_markdown else f"# A note.\n{text}"
    page = write(ada, changed, slug=slug, note="Clearer.")
    seen = inside(ada.get(f"/desk/texts/{slug}/preview"))
    ada.submit(page, "/publish", note="Clearer.")
    public = body(visitor.get(path))
    assert ("Before all else." in seen) == is_markdown
    assert words_of(seen) == words_of(public)


def words_of(html: str) -> list[str]:
    """The content of a page, without what says when its form and its number were made."""
    lines = [line.strip() for line in html.replace("</div>", "\n</div>\n").splitlines()]
    return [
        line
        for line in lines
        if line and 'name="stamp"' not in line and "<time" not in line and line not in WRAPPING
    ]


WRAPPING = (
    "</div>", '<div class="document">', '<div class="narrow">', '<div class="">',
    '<div class="document easy">',
)  # fmt: skip


def test_a_preview_shows_html_as_words(ada: Visitor) -> None:
    """Whatever a draft holds, its writer's browser runs nothing of it."""
    write(ada, '`<script>alert(1)</script>` and ``<b onclick="x">``', slug="about")
    page = inside(ada.get("/desk/texts/about/preview"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "<b " not in page


def test_a_logo_is_previewed_by_its_writer_alone(ada: Visitor, grace: Visitor) -> None:
    write(ada, text_of("logo").replace("</svg>", "<title>Mine</title></svg>"), slug="logo")
    answer = ada.get("/desk/texts/logo/draft.svg")
    assert "<title>Mine</title>" in answer.text
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"] == "no-store"
    assert grace.get("/desk/texts/logo/draft.svg").status == 404


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("petition", "Whoever signed before now signed the earlier version."),
        ("consent", "new words do not bind them"),
        ("statement", "Organisations put their name to the version"),
    ],
)
def test_whoever_publishes_is_told_whom_it_touches(
    ada: Visitor, work: Callable[[], object], slug: str, words: str
) -> None:
    with transaction() as session:
        make_signature(session)
    work()
    page = write(ada, text_of(slug) + "\n# One more\n", slug=slug)
    assert words in page.text
    assert ("Counted now: 1 signature." in page.text) == (slug != "statement")


def test_a_draft_is_discarded_after_a_question(session: Session, ada: Visitor) -> None:
    write(ada, "Another text.", then="stay")
    asked = ada.get("/desk/texts/statement/discard")
    assert "It cannot be brought back" in asked.text
    write(ada, "More of it.", then="stay")
    changed = ada.submit(asked, "/discard")
    assert "nothing was deleted" in changed.text
    for _ in range(2):
        done = ada.submit(changed, "/discard")
        assert "Your draft is gone" in done.text
    assert session.scalars(select(Draft)).all() == []
    assert version_of("statement") == 1


def test_every_version_says_what_it_changed_and_by_whom(ada: Visitor, grace: Visitor) -> None:
    publish(ada, "We ask for a halt.", slug="about", note="Shorter.")
    publish(grace, "We ask for an immediate halt.", slug="about", note="Clearer.")
    listed = ada.get("/desk/texts/about/versions").text
    for words in ("Version 3", "Grace Fictional", "Clearer.", "Ada Fictional", "from a file"):
        assert words in listed
    page = ada.get("/desk/texts/about/versions/3").text
    assert "added: </span>an immediate<span" in page


NEWS = {
    "on": "2026-12-01",
    "title": "We were heard",
    "summary": "A judge listened.",
    "words": "A *judge* listened.\r\n\r\n[Who](/about)",
}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("on", "", "Give the day"),
        ("on", "tomorrow", "Give the day"),
        ("on", "2026-13-01", "Give the day"),
        ("title", "", "Give it a title"),
        ("title", "x" * 201, "200 characters or fewer"),
        ("summary", " ", "Say in one sentence"),
        ("words", "", "Write the news"),
        ("words", "One.\n<b>two</b>", "Line 2: HTML is not allowed"),
        ("words", "x" * 20_001, "Use 20,000 characters or fewer"),
    ],
)
def test_news_that_lack_something_are_not_added_and_nothing_is_lost(
    session: Session, ada: Visitor, field: str, value: str, told: str
) -> None:
    page = ada.get("/desk/texts/updates/news")
    answer = ada.submit(page, "/news", **{**NEWS, field: value})
    assert answer.status == 422
    assert told in answer.text
    values = answer.form("/news").values
    kept = {name: typed for name, typed in NEWS.items() if name not in (field, "words")}
    assert kept.items() <= values.items()
    assert session.scalars(select(Draft)).all() == []


def test_news_are_added_to_the_draft_seen_and_published(ada: Visitor, visitor: Visitor) -> None:
    page = ada.get("/desk/texts/updates/news")
    for _ in range(2):  # pressed twice, it is there once
        seen = ada.submit(page, "/news", **NEWS)
    assert seen.text.count("We were heard</a></h2>") == 1
    whole = ada.get("/desk/texts/updates/preview?page=1")
    assert "<em>judge</em>" in whole.text
    assert visitor.get("/updates/we-were-heard").status == 404
    compared = ada.get("/desk/texts/updates/compare")
    assert compared.form("/publish").values["note"] == "News: We were heard"
    ada.submit(compared, "/publish")
    assert "<em>judge</em>" in visitor.get("/updates/we-were-heard").text
    assert "We were heard" in visitor.get("/updates.atom").text
    assert text_of("updates").startswith("# News of the campaign.")


def test_news_cannot_be_added_to_a_draft_that_is_broken(ada: Visitor) -> None:
    write(ada, "[[updates]\n", slug="updates", then="stay")
    answer = ada.submit(ada.get("/desk/texts/updates/news"), "/news", **NEWS)
    assert answer.status == 422
    assert "Your draft of the news cannot be added to as it is" in answer.text
    assert answer.form("/news").values["summary"] == "A judge listened."


RECORDS = {
    "campaign": [records.Details],
    "consent": [records.Consent],
    "testimonies": [telling.Telling, telling.Label, telling.Theme],
    "helplines": [records.Helpline],
    "demands": [records.Demand, records.Step],
    "evidence": [records.Evidence],
    "replies": [records.Reply],
    "sides": [records.Side],
    "updates": [records.Update],
    "press": [press.Press, press.Quote, press.Release, press.Correction],
    "easy-read": [easy_read.EasyRead, easy_read.Part, easy_read.Point],
}


def test_the_help_names_every_field_and_no_other() -> None:
    assert TITLES.keys() == PREVIEWS.keys() == FILES.keys()
    assert RECORDS.keys() == FIELDS.keys()
    apart = {"version_id", "version", "steps", "parts", "points", "labels", "themes", "quotes", "releases",
             "corrections"}  # fmt: skip
    for slug, kinds in RECORDS.items():
        for kind, known in zip(kinds, FIELDS[slug].values(), strict=True):
            named = {each.name for each in known}
            assert named == {each.name for each in fields(kind)} - apart, slug


@pytest.mark.parametrize("slug", ["campaign", "updates"])
def test_brackets_in_brackets_without_end_are_told_and_can_be_taken_out(
    ada: Visitor, slug: str
) -> None:
    page = write(ada, "a = " + "[" * 5_000, slug=slug)
    assert "brackets stand in too many others" in page.text
    for path in ("", "/compare", "/preview", "/discard"):
        assert ada.get(f"/desk/texts/{slug}{path}").status == 200
    assert "brackets stand" not in write(ada, text_of(slug), slug=slug).text
