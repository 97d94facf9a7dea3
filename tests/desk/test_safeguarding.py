"""Flags for the safeguarding lead: raised by whoever has read it, apart from publishing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.desk import safeguarding_views
from coalition.desk.reading_actions import meter_of
from coalition.testimonies import actions, decisions
from coalition.testimonies.actions import Told
from coalition.testimonies.choices import Use
from coalition.testimonies.models import Testimony
from coalition.testimonies.safeguarding import delete_past_flags
from coalition.testimonies.safeguarding_models import CLOSED_FLAG_LIFETIME, SafeguardingFlag
from coalition.testimonies.states import State
from tests.caring import EXCEPTIONS, RULE, open_rule
from tests.cleaning import clean_up_testimonies
from tests.conftest import run_command
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.mailbox import Mailbox, text_of
from tests.telling import make_testimony, told
from tests.test_cli import NEW, OLD, application, with_keys
from tests.visitor import Page, Visitor

NOW = clock.utc_now
WORDS = "Somebody may be in danger in Fictional Street."
Work = Callable[[], object]


def in_hand(app: Flask, what: Told | None = None) -> tuple[uuid.UUID, uuid.UUID]:
    """A testimony that a reader has opened, and that reader."""
    reader_id = make_moderator(app, Role.MODERATOR, name="Rea Fictional")
    with transaction() as session:
        open_rule(session)
    app.extensions.pop("campaign", None)  # nothing older may be remembered
    with transaction() as session:
        testimony_id = make_testimony(session, what).testimony_id
        decisions.take(session, testimony_id, session.get_one(Moderator, reader_id), now=NOW())
    return testimony_id, reader_id


def flag_path(testimony_id: uuid.UUID) -> str:
    return f"/desk/testimonies/{testimony_id}/flag"


def raise_it(visitor: Visitor, testimony_id: uuid.UUID, words: str = WORDS) -> Page:
    path = flag_path(testimony_id)
    return visitor.submit(visitor.get(path), path, flag_words=words)


def the_flag(session: Session) -> SafeguardingFlag:
    session.expire_all()
    return session.scalars(select(SafeguardingFlag)).one()


def raised(app: Flask, what: Told | None = None) -> tuple[uuid.UUID, Visitor, SafeguardingFlag]:
    """A flagged testimony, the lead's browser, and the flag."""
    testimony_id, reader_id = in_hand(app, what)
    assert raise_it(sign_in_as(app, reader_id), testimony_id).status == 200
    lead = signed_in(app, Role.SAFEGUARDING, name="Lea Fictional")
    with transaction() as session:
        return testimony_id, lead, the_flag(session)


def opened(lead: Visitor, flag: SafeguardingFlag) -> Page:
    path = f"/desk/safeguarding/{flag.id}"
    page = lead.get(path)
    is_shut = any(form.action == f"{path}/open" for form in page.forms)
    return lead.submit(page, f"{path}/open") if is_shut else page


def close(lead: Visitor, page: Page, flag: SafeguardingFlag, **answers: str) -> Page:
    return lead.submit(page, f"/desk/safeguarding/{flag.id}/close", **answers)


def test_the_lead_is_told_without_a_word_of_it_and_the_testimony_stays_where_it_is(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    testimony_id, reader_id = in_hand(app)
    make_moderator(app, Role.SAFEGUARDING, email="lea@desk.example.org")
    make_moderator(app, Role.ADMINISTRATOR, email="ada@desk.example.org")
    work()
    mailbox.received.clear()
    page = raise_it(sign_in_as(app, reader_id), testimony_id)
    assert "It is with the lead" in page.text
    assert WORDS not in page.text
    work()
    (mail,) = mailbox.received
    assert mail["To"] == "lea@desk.example.org"
    assert mail["Subject"] == "Something waits for you at the desk"
    for personal in ("Fictional Street", "danger", str(testimony_id), "Rea"):
        assert personal not in text_of(mail)
    session.expire_all()
    assert session.get_one(Testimony, testimony_id).state is State.CLAIMED


def test_where_nobody_is_lead_the_administrators_are_told_that(
    app: Flask, work: Work, mailbox: Mailbox
) -> None:
    testimony_id, reader_id = in_hand(app)
    make_moderator(app, Role.ADMINISTRATOR, email="ada@desk.example.org")
    work()
    mailbox.received.clear()
    raise_it(sign_in_as(app, reader_id), testimony_id)
    work()
    (mail,) = mailbox.received
    assert mail["To"] == "ada@desk.example.org"
    assert "nobody is safeguarding lead" in " ".join(text_of(mail).split())


def test_a_flag_without_words_or_too_long_is_told_at_the_field(
    app: Flask, session: Session
) -> None:
    testimony_id, reader_id = in_hand(app)
    visitor = sign_in_as(app, reader_id)
    assert "what worries you" in raise_it(visitor, testimony_id, " ").text
    long = raise_it(visitor, testimony_id, "x" * 4_001)
    assert long.status == 422
    assert "x" * 4_001 in long.text
    assert not session.scalars(select(SafeguardingFlag)).all()


def test_whoever_has_not_opened_it_cannot_flag_it_and_keeps_the_words(app: Flask) -> None:
    testimony_id, _ = in_hand(app)
    page = raise_it(signed_in(app, Role.MODERATOR), testimony_id)
    assert page.status == 409
    assert "you have not opened it" in page.text
    assert WORDS in page.text


def test_a_withdrawal_while_the_words_are_written_keeps_the_words(app: Flask) -> None:
    testimony_id, reader_id = in_hand(app)
    visitor = sign_in_as(app, reader_id)
    page = visitor.get(flag_path(testimony_id))
    with transaction() as session:
        actions.withdraw(session, testimony_id, now=NOW())
    late = visitor.submit(page, flag_path(testimony_id), flag_words=WORDS)
    assert late.status == 409
    assert "its writer has withdrawn it" in late.text
    assert WORDS in late.text


@on_both
def test_the_same_form_sent_twice_makes_one_flag(app: Flask, session: Session) -> None:
    testimony_id, reader_id = in_hand(app)
    visitor = sign_in_as(app, reader_id)
    page = visitor.get(flag_path(testimony_id))
    for _ in range(2):
        visitor.submit(page, flag_path(testimony_id), flag_words=WORDS)
    assert the_flag(session)


def test_the_lead_opens_it_deliberately_and_the_log_says_so(app: Flask, session: Session) -> None:
    _, lead, flag = raised(app)
    before = lead.get("/desk/safeguarding").text + lead.get(f"/desk/safeguarding/{flag.id}").text
    assert WORDS not in before
    assert "two police officers" not in before
    path = f"/desk/safeguarding/{flag.id}"
    assert "two police officers" not in lead.get(f"{path}?to=all").text, "it is not opened yet"
    page = opened(lead, flag)
    assert WORDS in page.text
    assert "two police officers" in lead.get(f"{path}?to=all").text
    lines = str(session.connection().exec_driver_sql("SELECT * FROM audit_entries").all())
    assert "safeguarding: read" in lines
    assert "Fictional Street" not in lines
    for role in (Role.MODERATOR, Role.ADMINISTRATOR):
        assert signed_in(app, role).get(f"/desk/safeguarding/{flag.id}").status == 403


@pytest.fixture
def told_of_detention(app: Flask) -> Told:
    with transaction():
        return told(labels=("detention",), contact="m.o+me@gmail.com")


def test_a_lead_whose_address_its_writer_left_leaves_it_to_others(
    app: Flask, told_of_detention: Told
) -> None:
    _, lead, flag = raised(app, told_of_detention)
    mo = sign_in_as(app, make_moderator(app, Role.SAFEGUARDING, email="mo@gmail.com"))
    token, path = mo.get("/desk").form("/desk/leave").values, f"/desk/safeguarding/{flag.id}"
    for page in (mo.get(path), *(mo.post(f"{path}/{each}", token) for each in ("open", "close"))):
        assert page.status == 403
        assert "judged your own account" in page.text
        assert WORDS not in page.text
    assert WORDS in opened(lead, flag).text


def test_the_lead_reads_what_it_is_about_first_then_the_text_a_passage_at_a_time(
    app: Flask, told_of_detention: Told
) -> None:
    _, lead, flag = raised(app, told_of_detention)
    path = f"/desk/safeguarding/{flag.id}"
    assert "describes being detained" in lead.get(path).text
    page = opened(lead, flag)
    assert "two police officers" not in page.text
    assert "0 of 2 passages shown" in page.text
    for to, shown in ((1, [True, False]), (2, [True, True])):
        page = lead.get(next(each for each in page.links if f"?to={to}#" in each))
        assert [each in page.text for each in ("two police officers", "asked for a nurse")] == shown


def test_what_the_lead_opens_counts_once_among_what_they_read_today(
    app: Flask, told_of_detention: Told
) -> None:
    _, _, flag = raised(app, told_of_detention)
    who = make_moderator(app, Role.SAFEGUARDING)
    lead = sign_in_as(app, who)
    page = lead.get(f"/desk/safeguarding/{flag.id}")
    for _ in range(2):
        lead.submit(page, f"/desk/safeguarding/{flag.id}/open")
    with transaction() as session:
        meter = meter_of(session, session.get_one(Moderator, who), now=NOW())
    assert (meter.readings, meter.points) == (1, 2)


def test_a_flag_that_was_opened_is_shut_again_after_a_while(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, lead, flag = raised(app)
    assert WORDS in opened(lead, flag).text
    monkeypatch.setattr(safeguarding_views, "LEASE", timedelta(0))
    assert WORDS not in lead.get(f"/desk/safeguarding/{flag.id}?to=all").text


def test_the_lead_is_told_that_its_writer_changed_it_since_it_was_flagged(
    app: Flask,
) -> None:
    testimony_id, lead, flag = raised(app)
    changed = "changed something since it was flagged"
    assert changed not in opened(lead, flag).text
    with transaction() as session:
        revision = session.get_one(Testimony, testimony_id).revision
        actions.rewrite(
            session,
            testimony_id,
            told("They asked me things."),
            revision=revision,
            sends=True,
            now=NOW(),
        )
    assert changed in opened(lead, flag).text


def test_the_rule_beside_it_is_the_one_that_its_writer_saw(app: Flask) -> None:
    _, lead, flag = raised(app)
    with transaction() as session:
        open_rule(session, "We may send police.")
    page = lead.get(f"/desk/safeguarding/{flag.id}").text
    assert RULE in page
    assert "We may send" not in page
    assert all(each in page for each in EXCEPTIONS)


def test_no_exception_is_what_stands_there_first(app: Flask, session: Session) -> None:
    testimony_id, lead, flag = raised(app)
    done = close(lead, opened(lead, flag), flag)
    assert "No flag waits" in done.text
    found = the_flag(session)
    assert (found.outcome, found.exception) == ("none", None)
    reader = sign_in_as(app, found.raised_by)
    page = reader.get(flag_path(testimony_id))
    assert "It is with the lead" in page.text
    assert "exception" not in page.text.lower()


def test_an_exception_needs_what_was_done_and_whether_the_writer_was_told(
    app: Flask, session: Session
) -> None:
    _, lead, flag = raised(app)
    page = close(lead, opened(lead, flag), flag, outcome="2")
    assert page.status == 422
    assert "Write what was done" in page.text
    assert "Say whether the writer was told" in page.text
    page = close(lead, page, flag, outcome="2", done="We rang the school.", told="yes")
    found = the_flag(session)
    assert (found.exception, found.done, found.writer_told) == (2, "We rang the school.", "yes")
    late = close(lead, opened_form(lead, flag), flag, outcome="none")
    assert late.status == 409
    assert "it is closed already" in late.text


def opened_form(lead: Visitor, flag: SafeguardingFlag) -> Page:
    """A page that was open before the flag was closed."""
    with transaction() as session:
        found = session.get_one(SafeguardingFlag, flag.id)
        kept = (found.outcome, found.closed_at)
        found.outcome = found.closed_at = None
    page = opened(lead, flag)
    with transaction() as session:
        found = session.get_one(SafeguardingFlag, flag.id)
        found.outcome, found.closed_at = kept
    return page


@pytest.mark.parametrize("outcome", ["3", "0", "nonsense"])
def test_an_exception_that_is_none_is_refused(app: Flask, outcome: str) -> None:
    _, lead, flag = raised(app)
    answers = {"outcome": outcome, "done": "We rang.", "told": "yes"}
    assert close(lead, opened(lead, flag), flag, **answers).status == 422


@pytest.mark.parametrize("take_back", [actions.withdraw, actions.erase])
def test_once_its_writer_takes_it_back_the_flag_says_so_and_holds_no_text(
    app: Flask, session: Session, take_back: Callable[..., None]
) -> None:
    testimony_id, lead, flag = raised(app)
    with transaction() as writing:
        take_back(writing, testimony_id, now=NOW())
    assert the_flag(session).words is None
    page = opened(lead, flag)
    assert "has withdrawn or erased it" in page.text
    assert WORDS not in page.text
    assert "two police officers" not in page.text
    with transaction() as writing:
        for days in (100, 200):
            clean_up_testimonies(writing, now=NOW() + timedelta(days=days))
    assert the_flag(session).testimony_id is None
    assert opened(lead, flag).status == 200


def pause(session: Session, testimony_id: uuid.UUID) -> None:
    actions.pause(session, testimony_id, now=NOW())


def let_it_be_counted_alone(session: Session, testimony_id: uuid.UUID) -> None:
    new = told("Only for me: two police officers.", use=Use.COUNT)
    actions.rewrite(session, testimony_id, new, revision=1, sends=True, now=NOW())


@pytest.mark.parametrize("closes", [pause, let_it_be_counted_alone])
def test_what_its_writer_closes_to_readers_is_closed_to_the_lead(
    app: Flask, closes: Callable[[Session, uuid.UUID], None]
) -> None:
    testimony_id, lead, flag = raised(app)
    with transaction() as writing:
        closes(writing, testimony_id)
    assert "two police officers" not in opened(lead, flag).text


def test_a_flag_is_deleted_90_days_after_it_is_closed_and_not_before(
    app: Flask, session: Session
) -> None:
    _, lead, flag = raised(app)
    with transaction() as writing:
        assert delete_past_flags(writing, now=NOW() + timedelta(days=1_000)) == 0
    close(lead, opened(lead, flag), flag)
    with transaction() as writing:
        early = NOW() + CLOSED_FLAG_LIFETIME - timedelta(minutes=5)
        assert delete_past_flags(writing, now=early) == 0
        assert (
            delete_past_flags(writing, now=NOW() + CLOSED_FLAG_LIFETIME + timedelta(minutes=5)) == 1
        )


@on_both
def test_a_flag_is_encrypted_and_outlives_a_change_of_keys(database_url: str) -> None:
    with application(with_keys(database_url, OLD)) as app:
        _, lead, flag = raised(app)
        close(lead, opened(lead, flag), flag, outcome="1", done="We rang.", told="yes")
        with transaction() as session:
            rows = session.connection().exec_driver_sql("SELECT * FROM safeguarding_flags").all()
            assert "Fictional Street" not in str(rows)
            assert "We rang." not in str(rows)
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        found = the_flag(session)
        assert (found.words, found.done) == (WORDS, "We rang.")


def test_html_in_words_is_words(app: Flask) -> None:
    testimony_id, reader_id = in_hand(app)
    raise_it(sign_in_as(app, reader_id), testimony_id, "<script>1</script>")
    lead = signed_in(app, Role.SAFEGUARDING)
    with transaction() as session:
        flag = the_flag(session)
    assert "<script>1" not in opened(lead, flag).text


def test_a_draft_cannot_be_flagged(app: Flask) -> None:
    reader_id = make_moderator(app, Role.MODERATOR)
    with transaction() as session:
        testimony_id = make_testimony(session, told(), sends=False).testimony_id
    assert raise_it(sign_in_as(app, reader_id), testimony_id).status == 409
