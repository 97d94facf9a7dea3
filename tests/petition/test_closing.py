"""Closing the petition: nobody signs any more, and its number is fixed for good."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.endorsements.models import Endorsement, EndorsementStatus
from coalition.mail.private_links import Purpose, make_token
from coalition.mail.worker import Batch
from coalition.petition import actions, queries
from coalition.petition.actions import Personal, Verification
from coalition.petition.bulk import decide_all
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import (
    BulkKind,
    CountEvent,
    Kind,
    Region,
    Signature,
    SignatureStatus,
)
from coalition.petition.search import Search
from coalition.petition.tally import SETTLED, fix_final_number, fold, verify_tally
from coalition.press.actions import freeze, last_monday, monday_of
from coalition.press.figures import days_over
from coalition.statements import closing as closings
from coalition.statements.closing import (
    REOPENABLE,
    CannotClose,
    close_campaign,
    current_closing,
    find_closing,
    forget_closing,
    reopen_campaign,
)
from coalition.statements.models import Closing
from coalition.testimonies.models import Testimony
from tests.asking import asked
from tests.commands import run_coalition
from tests.conftest import environment
from tests.desking import signed_in
from tests.endorsing import entry_path, made
from tests.factories import make_endorsement, make_signature
from tests.mailbox import Mailbox, link_in, text_of
from tests.visitor import Visitor

Status = SignatureStatus
Work = Callable[[], Batch]
CLOSED = "This petition closed on"
PLACES = ["/", "/petition", "/statement", "/statement/easy-read", "/demands", "/supporters",
          "/supporters/endorse", "/testimonies/share", "/embed", "/embed/count", "/embed/sign"]  # fmt: skip


def close(now: datetime | None = None) -> None:
    with transaction() as session:
        close_campaign(session, actor="test", now=now or clock.utc_now())
    forget()


def reopen(now: datetime | None = None) -> None:
    with transaction() as session:
        reopen_campaign(session, actor="test", now=now or clock.utc_now())
    forget()


def forget() -> None:
    """As in a process that asks the database anew, some seconds later."""
    forget_closing()
    current_app.extensions.pop("count", None)


def counted(**values: object) -> Signature:
    with transaction() as session:
        return make_signature(session, **values)  # type: ignore[arg-type]


def folded(now: datetime | None = None) -> int:
    with transaction() as session:
        return fold(session, now=now or clock.utc_now())


def fixed(now: datetime | None = None) -> int | None:
    with transaction() as session:
        return fix_final_number(session, now=now or clock.utc_now() + SETTLED)


def public_count(session: Session) -> int:
    session.rollback()
    return queries.read_count(session, now=clock.utc_now()).signatures


def kept(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Signature)) or 0


def token(purpose: Purpose, row: Signature) -> str:
    return make_token(purpose, row.id, clock.utc_now())


# Closing


def test_closing_is_noted_with_the_moment_and_by_whom(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    close(now)
    closing = find_closing(session)
    assert closing is not None
    assert (closing.closed_at, closing.closed_by) == (now, "test")
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert (line.at, line.actor, line.action) == (now, "test", "petition closed")


def test_it_closes_once(app: Flask) -> None:
    close()
    with pytest.raises(CannotClose, match="closed already"):
        close()


def test_other_processes_know_within_seconds(
    make_app: Callable[..., Flask], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_app().app_context():
        assert current_closing() is None
        with transaction() as session:
            close_campaign(session, actor="test", now=clock.utc_now())
        assert current_closing() is None  # asked a moment ago
        later = closings.monotonic() + closings.REMEMBERED + 0.01
        monkeypatch.setattr(closings, "monotonic", lambda: later)
        assert current_closing() is not None


def test_a_hundred_pages_ask_the_database_once(app: Flask) -> None:
    close()
    with app.test_request_context(), asked() as found:
        for _ in range(100):
            assert current_closing() is not None
    assert len([each for each in found if "closings" in each]) == 1


# What visitors meet


@pytest.mark.parametrize("path", PLACES)
def test_each_place_says_that_it_is_closed_when_and_with_how_many(
    app: Flask, visitor: Visitor, path: str
) -> None:
    counted()
    counted()
    folded()
    before = visitor.get(path)
    assert CLOSED not in before.text
    close()
    page = visitor.get(path)
    assert page.status == 200
    assert f"{CLOSED} " in page.text
    assert "2 signatures" in page.text
    assert [each.action for each in page.forms if each.action != "/supporters"] == []


def test_no_button_says_sign(app: Flask, visitor: Visitor) -> None:
    close()
    for path in (*PLACES, "/petition/your-signature", "/updates", "/about", "/evidence"):
        text = visitor.get(path).text
        # What the campaign's own words link to is theirs to change.
        assert not re.search('class="button"[^>]*>(Sign|Add|Tell)', text), path


def test_a_form_that_comes_too_late_keeps_its_words_and_nothing_is_kept(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    page = visitor.get("/petition")
    close()
    given = {"name": "Ada Fictional", "email": "ada@example.org", "consent": "yes",
             "region": "wales", "kind": "ally", "kind_consent": "yes"}  # fmt: skip
    answer = visitor.submit(page, "/petition/sign", **given)
    assert answer.status == 410
    for words in ("Ada Fictional", "ada@example.org", "Wales", "I am an ally", CLOSED):
        assert words in answer.text
    assert kept(session) == 0


def test_a_form_too_late_with_nothing_in_it_says_so_as_well(app: Flask, visitor: Visitor) -> None:
    page = visitor.get("/petition")
    close()
    assert visitor.submit(page, "/petition/sign", name="", email="not an address").status == 410


def test_a_link_that_comes_too_late_counts_nothing_and_looking_changes_nothing(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    row = counted(status=Status.AWAITING)
    close()
    path = f"/petition/confirm/{token(Purpose.CONFIRM, row)}"
    page = visitor.get(path)
    assert page.status == 410
    assert "It is not counted" in page.text
    assert kept(session) == 1
    assert "is deleted" in visitor.submit(page, "/petition/not-me").text
    assert kept(session) == 0
    assert public_count(session) == 0


def test_the_button_pressed_too_late_deletes_what_was_typed(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    row = counted(status=Status.AWAITING)
    page = visitor.get(f"/petition/confirm/{token(Purpose.CONFIRM, row)}")
    close()
    answer = visitor.submit(page, "/petition/confirm")
    assert answer.status == 410
    assert "What was typed is deleted" in answer.text
    folded()
    assert (kept(session), public_count(session)) == (0, 0)


def test_a_process_that_does_not_know_yet_counts_nothing(app: Flask, session: Session) -> None:
    row = counted(status=Status.AWAITING)
    assert current_closing() is None
    with transaction() as writing:
        close_campaign(writing, actor="test", now=clock.utc_now())
    assert current_closing() is None
    with transaction() as writing:
        found = actions.verify_signature(writing, row.id, row.revision, now=clock.utc_now())
    assert found is Verification.TOO_LATE
    assert kept(session) == 0


def test_a_mail_that_goes_out_after_the_closing_asks_for_nothing(
    visitor: Visitor, work: Work, mailbox: Mailbox, app: Flask
) -> None:
    page = visitor.get("/petition")
    visitor.submit(page, "/petition/sign", name="Ada", email="ada@example.org", consent="yes")
    close()
    work()
    message = mailbox.wait_for(1)
    assert "closed before the address was confirmed" in text_of(message)
    assert "Delete it now" in visitor.get(link_in(message, "not-me")).text


def test_one_can_still_see_correct_withdraw_and_erase(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    row = counted(region=Region.WALES)
    close()
    page = visitor.get(f"/petition/signature/{token(Purpose.MANAGE, row)}")
    assert page.status == 200
    page = visitor.submit(page, "/details", name="Ada Corrected")
    assert "Ada Corrected" in page.text
    page = visitor.submit(page, "/withdraw")
    assert "is withdrawn" in page.text
    assert "Sign again" not in page.text
    erasing = visitor.get(f"{page.url.split('?')[0]}/erase")
    visitor.submit(erasing, "/erase")
    assert kept(session) == 0


def test_the_count_says_so_to_programs(app: Flask, visitor: Visitor) -> None:
    counted()
    folded()
    assert "closed_at" not in json.loads(visitor.get("/petition/count.json").text)
    now = clock.utc_now()
    close(now)
    answer = json.loads(visitor.get("/petition/count.json").text)
    assert answer["count"] == 1
    assert answer["closed_at"] == f"{now:%Y-%m-%dT%H:%M:%SZ}"


# Organisations and testimonies


def test_an_organisation_that_comes_too_late_gets_its_words_back(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    page = visitor.get("/supporters/endorse")
    close()
    given = {"name": "Fictional Friends", "words": "We agree.", "kind": "charity",
             "email": "ada@example.org", "contact_name": "Ada Fictional"}  # fmt: skip
    answer = visitor.submit(page, "/supporters/endorse", **given)
    assert answer.status == 410
    for words in ("Fictional Friends", "We agree.", "ada@example.org", "Ada Fictional"):
        assert words in answer.text
    assert session.scalar(select(func.count()).select_from(Endorsement)) == 0


def test_an_organisation_that_confirms_too_late_is_told(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        row = make_endorsement(session, status=EndorsementStatus.AWAITING)
    close()
    path = f"/supporters/confirm/{make_token(Purpose.ENDORSE_CONFIRM, row.contact_id, clock.utc_now())}"
    page = visitor.get(path)
    assert page.status == 410
    assert "no organisation is added" in page.text
    assert "is deleted" in visitor.submit(page, "/supporters/not-me").text


def test_an_organisation_on_the_list_can_withdraw(app: Flask, visitor: Visitor) -> None:
    row = made()
    close()
    page = visitor.get(entry_path(row))
    assert "Withdrawn" in visitor.submit(page, "/withdraw").text


def test_a_testimony_that_comes_too_late_gets_its_words_back(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    close()
    sent = {"step": "send", "text": "What happened to me.", "use": "count", "consent": "yes"}
    answer = visitor.post("/testimonies/share", sent)
    assert answer.status == 410
    assert "What happened to me." in answer.text
    assert session.scalar(select(func.count()).select_from(Testimony)) == 0


# The final number


def test_it_is_fixed_once_and_stays_whatever_is_withdrawn_or_erased(
    app: Flask, session: Session
) -> None:
    rows = [counted(region=Region.WALES, kind=Kind.ALLY) for _ in range(3)]
    close()
    with transaction() as writing:
        actions.withdraw_signature(writing, rows[0].id, now=clock.utc_now())
    assert fixed() == 3
    assert fixed() is None
    with transaction() as writing:
        actions.erase_signature(writing, rows[1].id, now=clock.utc_now())
        personal = Personal("Ada", Region.LONDON, None, False, False)
        actions.correct_signature(writing, rows[2].id, personal, 1, now=clock.utc_now())
    folded(clock.utc_now() + timedelta(days=1))
    assert public_count(session) == 3
    assert verify_tally(session) == (1, [])  # the signatures, and what waits beside the tally
    closing = find_closing(session)
    assert closing is not None
    assert closing.final_count == 3


def test_it_is_not_fixed_before_all_that_began_earlier_is_in(app: Flask, session: Session) -> None:
    counted()
    now = clock.utc_now()
    close(now)
    assert fixed(now + SETTLED - timedelta(seconds=1)) is None
    assert fixed(now + SETTLED) == 1


def test_what_was_confirmed_in_time_counts_although_it_is_committed_later(
    app: Flask, session: Session
) -> None:
    """Its event is appended by a transaction that found the petition open."""
    row = counted(status=Status.AWAITING)
    close()
    with transaction() as writing:
        signature = actions.locked(writing, row.id)
        assert signature is not None
        signature.verified_at = clock.utc_now()
        verified = actions.Cause.VERIFIED
        actions.set_status(writing, signature, Status.VERIFIED, verified, now=clock.utc_now())
    assert fixed() == 1


def test_the_worker_says_as_at_the_closing(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    counted()
    folded(now - timedelta(minutes=1))
    close(now)
    folded(now + timedelta(minutes=5))
    fixed(now + SETTLED)
    count = queries.read_count(session, now=now + timedelta(hours=1))
    assert count.as_at == now.replace(microsecond=0)


def test_decisions_about_one_or_many_do_not_move_it(app: Flask, session: Session) -> None:
    rows = [counted() for _ in range(3)]
    close()
    fixed()
    with transaction() as writing:
        told = {"reason": "why", "actor": "test", "now": clock.utc_now()}
        decide(writing, DECISIONS["remove"], rows[0].id, **told)  # type: ignore[arg-type]
    with transaction() as writing:
        decide_all(
            writing,
            uuid.uuid4(),
            BulkKind.HOLD,
            Search(),
            counted=2,
            limit=2,
            **told,  # type: ignore[arg-type]
        )
    assert folded() == 0
    assert public_count(session) == 3
    assert verify_tally(session) == (0, [])


# Figures


def test_the_week_of_the_closing_is_frozen_and_none_after_it(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    counted(now=now - timedelta(days=8))
    counted(now=now)
    close(now)
    fixed(now + SETTLED)
    frozen = []
    for days in range(30):
        with transaction() as writing:
            made = freeze(writing, site_url="http://x", now=now + timedelta(days=days, minutes=11))
        frozen += [made] if made else []
    assert frozen == [monday_of(now), last_monday(now)]


def test_the_daily_figures_end_with_the_day_of_the_closing(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    counted(now=now)
    close(now)
    fixed(now + SETTLED)
    days = days_over(session, now + timedelta(days=90))
    assert days[-1]["date"] == now.date()
    assert days[-1]["total"] == 1


# Reopening


def test_reopened_it_takes_signatures_and_counts_what_happened_meanwhile(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    rows = [counted() for _ in range(3)]
    close()
    fixed()
    with transaction() as writing:
        actions.withdraw_signature(writing, rows[0].id, now=clock.utc_now())
    reopen()
    assert folded() == 1
    assert public_count(session) == 2
    page = visitor.get("/petition")
    given = {"name": "Ada", "email": "ada@example.org", "consent": "yes"}
    assert "Check your email" in visitor.submit(page, "/petition/sign", **given).text
    assert verify_tally(session) == (2, [])
    close()  # and what happened in the first closing is no part of this one
    assert fixed() == 2


def test_it_cannot_be_reopened_when_open_late_or_while_things_are_deleted(
    app: Flask, session: Session
) -> None:
    with pytest.raises(CannotClose, match="it is open"):
        reopen()
    now = clock.utc_now()
    close(now)
    with pytest.raises(CannotClose, match="more than 30 days"):
        reopen(now + REOPENABLE + timedelta(seconds=1))
    with transaction() as writing:
        closing = find_closing(writing)
        assert closing is not None
        closing.deleting_since = now
    with pytest.raises(CannotClose, match="deleted"):
        reopen(now)
    assert session.scalar(select(func.count()).select_from(Closing)) == 1


# The command line


def test_the_commands_ask_once_more_and_say_what_they_do(
    app: Flask, database_url: str, session: Session
) -> None:
    values = environment(database_url, "smtp://127.0.0.1")

    def coalition(*words: str, typed: bytes = b"") -> tuple[int, str]:
        done = run_coalition(words, {**os.environ, **values}, typed)
        return done.returncode, (done.stdout + done.stderr).decode()

    counted()
    counted(status=Status.AWAITING)
    folded()
    ended, told = coalition("campaign", "close", typed=b"n\n")
    assert ended != 0
    assert "1 signatures count now" in told
    assert "1 wait to be confirmed" in told
    session.rollback()
    assert find_closing(session) is None
    assert coalition("campaign", "close", typed=b"y\n")[0] == 0
    ended, told = coalition("campaign", "close", "--yes")
    assert (ended, "closed already" in told) == (1, True)
    assert "not fixed yet" in coalition("tally", "verify")[1]
    fixed()
    ended, told = coalition("tally", "verify")
    assert (ended, "with 1 signatures: the final number stands" in told) == (0, True)
    assert coalition("campaign", "reopen", "--yes")[0] == 0
    session.rollback()
    assert find_closing(session) is None


def test_events_are_told_apart_by_the_closing_that_stands(app: Flask, session: Session) -> None:
    row = counted()
    close()
    with transaction() as writing:
        actions.withdraw_signature(writing, row.id, now=clock.utc_now())
    closing = find_closing(session)
    assert closing is not None
    ids = session.scalars(select(CountEvent.closing_id).order_by(CountEvent.id)).all()
    assert ids == [None, closing.id]


def test_the_desk_explains_the_difference_to_what_can_be_handed_in(
    app: Flask, session: Session
) -> None:
    rows = [counted() for _ in range(3)]
    close()
    fixed()
    with transaction() as writing:
        actions.withdraw_signature(writing, rows[0].id, now=clock.utc_now())
    visitor = signed_in(app, Role.ADMINISTRATOR)
    page = visitor.get("/desk/hand-in").text
    assert "the difference of 1 came after that" in page
    assert "cannot be explained" not in page
    with transaction() as writing:
        closing = find_closing(writing)
        assert closing is not None
        closing.deleting_since = clock.utc_now()
        writing.execute(delete(Signature))
    forget()
    page = visitor.get("/desk/hand-in").text
    assert "nothing left to hand in but the number" in page
    assert "cannot be explained" not in page
