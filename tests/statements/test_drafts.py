"""Drafts: written by one, seen by nobody else, published once, never over somebody else's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.petition.models import Signature
from coalition.statements import drafts
from coalition.statements.campaign import FILES
from coalition.statements.drafts import DraftChanged, NoDraft, NothingChanged, Overtaken
from coalition.statements.models import DRAFT_LIFETIME, DocumentVersion, Draft
from coalition.statements.queries import (
    changed_at_desk,
    current_campaign,
    drafts_of,
    forget_campaign,
    latest_versions,
    others_writing,
)
from coalition.statements.tables import CampaignInvalid
from coalition.worker import delete_expired
from tests.factories import make_signature
from tests.writing import make_writer, publish, save, text_of


def test_a_draft_publishes_nothing(session: Session) -> None:
    ada = make_writer()
    before = text_of("statement")
    save(ada, "Another text.")
    assert text_of("statement") == before
    assert drafts_of(session, ada)["statement"].text == "Another text.\n"
    assert session.scalar(select(func.count()).select_from(DocumentVersion)) == len(FILES)


def test_nothing_is_kept_of_a_form_in_which_nothing_was_written(session: Session) -> None:
    ada = make_writer()
    same = text_of("statement").replace("\n", "\r\n")
    assert save(ada, f"\r\n{same}\r\n") is None
    assert drafts_of(session, ada) == {}


def test_a_draft_of_one_is_not_anothers(session: Session) -> None:
    ada, grace = make_writer(), make_writer()
    save(ada, "Of Ada.")
    save(grace, "Of Grace.")
    session.rollback()
    assert drafts_of(session, ada)["statement"].text == "Of Ada.\n"
    assert drafts_of(session, grace)["statement"].text == "Of Grace.\n"
    assert drafts_of(session, make_writer()) == {}
    assert others_writing(session, "statement", ada) == 1
    assert others_writing(session, "about", ada) == 0


def test_a_draft_saved_from_another_window_is_not_overwritten(session: Session) -> None:
    ada = make_writer()
    first = save(ada, "First.")
    save(ada, "Second.", revision=first)
    for stale in (None, first, uuid.uuid4()):
        with pytest.raises(DraftChanged):
            save(ada, "Third.", revision=stale)
    session.rollback()
    assert drafts_of(session, ada)["statement"].text == "Second.\n"


def test_the_same_form_sent_twice_is_one_draft(session: Session) -> None:
    ada = make_writer()
    assert save(ada, "First.") == save(ada, "First.")


def test_what_nobody_can_see_and_no_database_stores_is_left_out(session: Session) -> None:
    ada = make_writer()
    save(ada, "One\x00 two\x0b\ud800.\r\n\tThree.\x7f")
    assert drafts_of(session, ada)["statement"].text == "One two.\n\tThree.\n"


def test_a_published_draft_is_the_next_version_and_is_gone(session: Session) -> None:
    ada = make_writer()
    revision = save(ada, "Another text.")
    publish(ada, revision, note="Shorter.")
    session.rollback()
    newest = latest_versions(session)["statement"]
    assert (newest.version, newest.text, newest.change_note) == (2, "Another text.\n", "Shorter.")
    assert (newest.published_by, newest.loaded) == (f"moderator {ada}", False)
    assert drafts_of(session, ada) == {}
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert (line.actor, line.action) == (f"moderator {ada}", "text published")
    assert (line.subject, line.reason) == ("statement version 2", "Shorter.")


def test_a_draft_published_twice_is_one_version(session: Session) -> None:
    ada = make_writer()
    revision = save(ada, "Another text.")
    publish(ada, revision)
    with pytest.raises(NoDraft):
        publish(ada, revision)
    assert latest_versions(session)["statement"].version == 2


def test_only_what_its_writer_looked_at_is_published(session: Session) -> None:
    ada = make_writer()
    seen = save(ada, "Seen.")
    save(ada, "Not seen.", revision=seen)
    with pytest.raises(DraftChanged):
        publish(ada, seen)
    assert latest_versions(session)["statement"].version == 1


def test_a_draft_that_says_what_is_public_is_not_a_version(session: Session) -> None:
    ada = make_writer()
    first = save(ada, "Another text.")
    revision = save(ada, text_of("statement"), revision=first)
    with pytest.raises(NothingChanged):
        publish(ada, revision)
    assert "statement" in drafts_of(session, ada)


def test_nothing_is_published_over_what_another_published_meanwhile(session: Session) -> None:
    ada, grace = make_writer(), make_writer()
    of_ada, of_grace = save(ada, "Of Ada."), save(grace, "Of Grace.")
    publish(ada, of_ada)
    with pytest.raises(Overtaken):
        publish(grace, of_grace)
    session.rollback()
    assert text_of("statement") == "Of Ada.\n"
    assert drafts_of(session, grace)["statement"].text == "Of Grace.\n"
    merged = save(grace, "Of both.", revision=of_grace, base_version=2)
    publish(grace, merged)
    session.rollback()
    assert latest_versions(session)["statement"].version == 3


@pytest.mark.parametrize(
    ("slug", "text", "problem"),
    [
        ("demands", "[[demands]\n", "not valid TOML"),
        ("about", "<script>alert(1)</script>", "HTML is not allowed"),
        ("about", "x" * 500_000, "longer than 200000 characters"),
        ("about", "[News](/updates/no-such-news)", "leads to /updates/no-such-news, which is not"),
        ("easy-read", "[[parts]]\ntitle = 'x'\n", "title is missing"),
    ],
)
def test_a_text_that_cannot_be_used_stays_a_draft(
    session: Session, slug: str, text: str, problem: str
) -> None:
    ada = make_writer()
    revision = save(ada, text, slug=slug)
    with pytest.raises(CampaignInvalid) as raised:
        publish(ada, revision, slug=slug)
    assert problem in str(raised.value)
    assert latest_versions(session)[slug].version == 1
    assert slug in drafts_of(session, ada)


def test_a_text_that_others_lead_to_cannot_be_taken_away(session: Session) -> None:
    ada = make_writer()
    publish(ada, save(ada, "[News](/updates/nsun-supports-us)", slug="about"), slug="about")
    news = text_of("updates").replace("nsun-supports-us", "nsun-helps-us")
    with pytest.raises(CampaignInvalid, match=r"about\.md: a link leads to /updates/nsun-supports"):
        publish(ada, save(ada, news, slug="updates"), slug="updates")
    assert latest_versions(session)["updates"].version == 1


def test_what_is_wrong_with_another_text_already_keeps_nothing_back(session: Session) -> None:
    ada = make_writer()
    with transaction() as writing:
        latest_versions(writing)["about"].text = "[Old](/updates/no-such-news)"
    publish(ada, save(ada, "Another text."))
    session.rollback()
    assert latest_versions(session)["statement"].version == 2


@pytest.mark.usefixtures("app")
def test_the_public_text_changes_at_once(app: Flask) -> None:
    ada = make_writer()
    assert "Another text" not in current_campaign().statement.html
    publish(ada, save(ada, "Another text."))
    forget_campaign()
    assert "Another text" in current_campaign().statement.html


def test_a_signature_stays_with_the_version_that_it_was_given_to(session: Session) -> None:
    ada = make_writer()
    with transaction() as writing:
        signature_id = make_signature(writing).id
    publish(ada, save(ada, "Another petition.", slug="petition"), slug="petition")
    session.rollback()
    signed = session.get_one(Signature, signature_id).petition_version_id
    assert session.get_one(DocumentVersion, signed).version == 1


def test_only_the_newest_saved_draft_is_discarded(session: Session) -> None:
    ada = make_writer()
    first = save(ada, "First.")
    second = save(ada, "Second.", revision=first)
    with pytest.raises(DraftChanged), transaction() as writing:
        drafts.discard_draft(writing, "statement", ada, revision=first)
    for _ in range(2):
        with transaction() as writing:
            drafts.discard_draft(writing, "statement", ada, revision=second)
    assert drafts_of(session, ada) == {}


def test_a_draft_that_nobody_saved_for_ninety_days_is_deleted(session: Session) -> None:
    ada = make_writer()
    now = clock.utc_now()
    save(ada, "Old.", slug="about", now=now - DRAFT_LIFETIME - timedelta(minutes=1))
    save(ada, "Not so old.", now=now - DRAFT_LIFETIME + timedelta(minutes=1))
    delete_expired()
    session.rollback()
    assert drafts_of(session, ada).keys() == {"statement"}


def test_what_was_written_at_the_desk_is_told_from_what_was_loaded(session: Session) -> None:
    ada = make_writer()
    loaded = text_of("statement")
    assert changed_at_desk(session) == {}
    publish(ada, save(ada, "Another text."))
    session.rollback()
    assert changed_at_desk(session).keys() == {"statement"}
    publish(ada, save(ada, loaded, base_version=2))
    session.rollback()
    assert changed_at_desk(session) == {}


def at_once(app: Flask, deeds: list[Callable[[], Any]]) -> list[str]:
    """The names of the errors that deeds end with, all begun at the same moment; "done" for each
    that ends well."""
    begin, found = threading.Barrier(len(deeds)), ["done"] * len(deeds)

    def do(number: int) -> None:
        with app.app_context():
            begin.wait()
            try:
                deeds[number]()
            except Exception as error:
                found[number] = type(error).__name__
            finally:
                db.session.remove()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_of_two_who_publish_at_the_same_moment_one_wins(app: Flask, session: Session) -> None:
    for version in range(1, 6):
        texts = {make_writer(): f"Of {name} {version}." for name in ("Ada", "Grace")}
        saved = {who: save(who, text, base_version=version) for who, text in texts.items()}
        session.rollback()
        found = at_once(
            app,
            [lambda who=who, of=of: publish(who, of) for who, of in saved.items()],  # type: ignore[misc]
        )
        assert found == ["Overtaken", "done"]
        session.rollback()
        assert latest_versions(session)["statement"].version == version + 1
        assert session.scalar(select(func.count()).select_from(Draft)) == version


def test_one_who_presses_publish_twice_at_once_publishes_once(app: Flask, session: Session) -> None:
    ada = make_writer()
    revision = save(ada, "Another text.")
    session.rollback()
    found = at_once(app, [lambda: publish(ada, revision)] * 3)
    assert found == ["NoDraft", "NoDraft", "done"]
    session.rollback()
    assert latest_versions(session)["statement"].version == 2


def test_two_texts_published_at_once_cannot_break_each_other(app: Flask, session: Session) -> None:
    """One takes the news away that the other begins to lead to: each is valid by itself."""
    ada, grace = make_writer(), make_writer()
    news = text_of("updates").replace("nsun-supports-us", "nsun-helps-us")
    of_ada = save(ada, news, slug="updates")
    of_grace = save(grace, "[News](/updates/nsun-supports-us)", slug="about")
    session.rollback()
    found = at_once(
        app,
        [
            lambda: publish(ada, of_ada, slug="updates"),
            lambda: publish(grace, of_grace, slug="about"),
        ],
    )
    assert found == ["CampaignInvalid", "done"]
