"""One signature at the desk: taken, read, decided once, by somebody who may; and their queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.desk.queries import MOST_LISTED
from coalition.petition import actions
from coalition.petition.models import Region, Signature
from coalition.petition.tally import verify_tally
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.factories import make_signature
from tests.holding import (
    QUEUE,
    REASON,
    check,
    decide,
    held,
    let_leases_end,
    path,
    take,
    write_to_us,
)
from tests.mailbox import Mailbox, text_of
from tests.searching import Status, make, statuses
from tests.visitor import Visitor

Work = Callable[[], object]
NAME = "Somebody Fictional"


@pytest.fixture
def ada(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Ada")


@pytest.fixture
def grace(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Grace")


# The queue


def test_the_queue_begins_with_those_whose_owners_wrote_and_then_with_the_oldest(
    app: Flask, ada: Visitor
) -> None:
    now = clock.utc_now()
    late, early, removed, answered = (
        held(status, now=now - timedelta(days=days))
        for status, days in (
            (Status.HELD, 1), (Status.HELD, 2), (Status.REMOVED, 3), (Status.HELD, 1),
        )
    )  # fmt: skip
    held(Status.REMOVED)
    held(Status.VERIFIED)
    write_to_us(answered)
    write_to_us(removed)
    page = ada.get(QUEUE)
    asked = [path(each, "/take") for each in (answered, removed, early, late)]
    assert [form.action for form in page.forms if form.action.endswith("/take")] == asked
    assert "4 wait for a person" in page.text
    for secret in (NAME, "It &lt;b&gt;", "flood.example.org"):
        assert secret not in page.text
    assert "the owners of 2 have written to us" in ada.get("/desk/signatures").text


def test_an_empty_queue_says_so(app: Flask, ada: Visitor) -> None:
    assert "Nothing waits for you" in ada.get(QUEUE).text
    assert "No held signature waits" in ada.get("/desk/signatures").text


def test_a_long_queue_shows_its_beginning_and_its_length(app: Flask, ada: Visitor) -> None:
    make(MOST_LISTED + 1, status=Status.HELD)
    page = ada.get(QUEUE)
    assert len([form for form in page.forms if form.action.endswith("/take")]) == MOST_LISTED
    assert f"{MOST_LISTED + 1} wait for a person" in page.text


# Taking and reading


def test_nothing_is_read_before_it_is_taken(app: Flask, ada: Visitor, session: Session) -> None:
    signature_id = held(region=Region.WALES, decision_reason="An old reason.")
    write_to_us(signature_id)
    page = ada.get(path(signature_id))
    for secret in (NAME, "Wales", "An old reason.", "It &lt;b&gt;is&lt;/b&gt; me."):
        assert secret not in page.text
    page = take(ada, signature_id)
    for secret in (NAME, "Wales", "An old reason.", "It &lt;b&gt;is&lt;/b&gt; me."):
        assert secret in page.text
    assert "@flood" not in page.text
    session.rollback()
    line = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert line is not None
    assert (line.action, line.subject) == ("signature: looked at", f"signature {signature_id}")


@on_both
def test_two_cannot_have_the_same(app: Flask, ada: Visitor, grace: Visitor) -> None:
    signature_id = held()
    seen = grace.get(path(signature_id))
    page = take(ada, signature_id)
    late = grace.submit(seen, "/take")
    assert "<bdi>Ada</bdi> is looking at it" in late.text
    assert NAME not in late.text
    assert "somebody has it" in grace.get(QUEUE).text
    assert "Go on" in ada.get(QUEUE).text
    assert check(ada, page, "release").status == 200


def test_whoever_passes_it_on_is_not_asked_again_and_others_are(
    app: Flask, ada: Visitor, grace: Visitor
) -> None:
    signature_id = held()
    page = take(ada, signature_id)
    after = ada.post(path(signature_id, "/pass-on"), page.form("/give-back").values)
    assert "It is not offered to you again" in after.text
    assert "Nothing waits for you" in after.text
    assert "1 waits for a person" in grace.get(QUEUE).text


def test_what_is_given_back_is_free_at_once(app: Flask, ada: Visitor, grace: Visitor) -> None:
    signature_id = held()
    ada.submit(take(ada, signature_id), "/give-back")
    assert take(grace, signature_id).form("/preview")


def test_nobody_judges_their_own_signature(app: Flask, session: Session) -> None:
    own = sign_in_as(app, make_moderator(app, Role.MODERATOR, email="M.O+desk@gmail.com"))
    with transaction() as writing:
        signature_id = make_signature(writing, email="mo@gmail.com", status=Status.HELD).id
    assert "Nothing waits for you" in own.get(QUEUE).text
    page = own.get(path(signature_id))
    assert (page.status, "given with your own address" in page.text) == (403, True)
    token = own.get("/desk").form("/desk/leave").values
    for rest in ("/take", "/preview", "/decide", "/pass-on"):
        values = {**token, "decision": "release", "read": ""}
        assert own.post(path(signature_id, rest), values).status == 403
    assert statuses(session) == {Status.HELD: 1}


# Deciding


@pytest.mark.parametrize(
    ("decision", "before", "after", "told"),
    [
        ("hold", Status.VERIFIED, Status.HELD, REASON),
        ("release", Status.HELD, Status.VERIFIED, "It counts."),
        ("restore", Status.REMOVED, Status.VERIFIED, "It counts."),
        ("remove", Status.HELD, Status.REMOVED, REASON),
        ("keep", Status.HELD, Status.HELD, "It stays held"),
        ("keep", Status.REMOVED, Status.REMOVED, "It stays removed"),
    ],
)
def test_each_decision_shows_its_mail_first_and_sends_just_that(
    app: Flask, ada: Visitor, session: Session, work: Work, mailbox: Mailbox,
    decision: str, before: Status, after: Status, told: str,
) -> None:  # fmt: skip
    signature_id = held(before)
    if decision == "keep":
        write_to_us(signature_id)
    page = check(ada, take(ada, signature_id), decision)
    assert told in page.text
    assert "/petition/signature/" not in page.text
    assert statuses(session) == {before: 1}
    done = ada.submit(page, "/decide")
    assert "A mail tells whoever signed" in done.text
    assert statuses(session) == {after: 1}
    work()
    (mail,) = mailbox.received
    assert told in " ".join(text_of(mail).split())
    session.rollback()
    assert session.get_one(Signature, signature_id).appeal is None
    assert verify_tally(session) == (int(after is Status.VERIFIED), [])


@pytest.mark.parametrize("decision", ["restore", "remove"])
def test_what_nobody_confirmed_is_decided_about_without_a_mail_or_a_code(
    app: Flask, ada: Visitor, work: Work, mailbox: Mailbox, decision: str
) -> None:
    before = Status.REMOVED if decision == "restore" else Status.AWAITING
    signature_id = held(before, verified_at=None)
    page = check(ada, take(ada, signature_id), decision)
    assert "No mail goes: nobody confirmed this address" in page.text
    assert "No mail goes" in ada.submit(page, "/decide").text
    work()
    assert mailbox.received == []


def test_the_mail_to_whoever_must_confirm_again_is_shown_without_its_code(
    app: Flask, ada: Visitor
) -> None:
    signature_id = held(Status.REMOVED, verified_at=None)
    write_to_us(signature_id)
    page = check(ada, take(ada, signature_id), "restore")
    assert "type this code: [the reader’s private link or code]" in page.text
    assert "/petition/confirm/" not in page.text


@pytest.mark.parametrize("decision", ["hold", "keep", "remove"])
def test_a_decision_against_it_needs_its_reason(
    app: Flask, ada: Visitor, session: Session, decision: str
) -> None:
    before = Status.VERIFIED if decision == "hold" else Status.HELD
    signature_id = held(before)
    if decision == "keep":
        write_to_us(signature_id)
    page = take(ada, signature_id)
    for reason, says in ((" ", "Say why, in kind words"), ("x" * 501, "500 characters or fewer")):
        refused = check(ada, page, decision, reason)
        assert (refused.status, says in refused.text) == (422, True)
        assert refused.form("/preview").values["reason"] == reason.strip()
    assert statuses(session) == {before: 1}


@pytest.mark.parametrize("decision", ["release", "restore"])
def test_a_decision_for_it_needs_none(app: Flask, ada: Visitor, decision: str) -> None:
    signature_id = held(Status.HELD if decision == "release" else Status.REMOVED)
    assert decide(ada, signature_id, decision, "").status == 200


@pytest.mark.parametrize("decision", ["", "burn", "HOLD"])
def test_a_decision_that_is_none_is_refused(app: Flask, ada: Visitor, decision: str) -> None:
    page = take(ada, held())
    assert check(ada, page, decision).status == 400


def test_only_what_fits_its_state_is_offered(app: Flask, ada: Visitor) -> None:
    offered = {
        Status.AWAITING: ["remove"],
        Status.VERIFIED: ["hold", "remove"],
        Status.HELD: ["release", "remove"],
        Status.REMOVED: ["restore"],
    }
    for status, names in offered.items():
        page = take(ada, held(status))
        buttons = [value for _, value in page.form("/preview").buttons]
        assert buttons == names
    answered = held()
    write_to_us(answered)
    buttons = [value for _, value in take(ada, answered).form("/preview").buttons]
    assert buttons == ["release", "keep", "remove"]
    page = take(ada, held(Status.WITHDRAWN))
    assert not [form for form in page.forms if form.action.endswith("/preview")]


# What goes wrong


@on_both
def test_a_decision_posted_twice_is_carried_out_once(
    app: Flask, ada: Visitor, session: Session, work: Work, mailbox: Mailbox
) -> None:
    signature_id = held()
    page = check(ada, take(ada, signature_id), "release")
    ada.submit(page, "/decide")
    again = ada.submit(page, "/decide")
    assert (again.status, "Nothing was decided" in again.text) == (409, True)
    assert again.form("/preview").values["reason"] == REASON
    work()
    assert len(mailbox.received) == 1


def test_what_was_written_is_kept_when_the_lease_ran_out_and_somebody_else_took_it(
    app: Flask, ada: Visitor, grace: Visitor, session: Session
) -> None:
    signature_id = held()
    page = take(ada, signature_id)
    checked = check(ada, page, "remove")
    let_leases_end()
    take(grace, signature_id)
    for late in (check(ada, page, "remove"), ada.submit(checked, "/decide")):
        assert late.status == 409
        assert "Grace has taken this meanwhile" in late.text
        assert late.form("/preview").values["reason"] == REASON
        assert NAME not in late.text
    assert statuses(session) == {Status.HELD: 1}


def test_a_lease_that_ran_out_is_renewed_where_nobody_else_took_it(
    app: Flask, ada: Visitor
) -> None:
    page = take(ada, held())
    let_leases_end()
    assert check(ada, page, "release").status == 200


@pytest.mark.parametrize("change", ["name", "words", "state"])
def test_what_changed_since_it_was_read_is_not_decided_about(
    app: Flask, ada: Visitor, session: Session, change: str
) -> None:
    signature_id = held()
    page = take(ada, signature_id)
    checked = check(ada, page, "remove")
    if change == "words":
        write_to_us(signature_id)
    with transaction() as writing:
        signature = writing.get_one(Signature, signature_id)
        if change == "name":
            signature.name = "Another Name"
        elif change == "state":
            signature.status_changed_at += timedelta(seconds=1)
    for late in (check(ada, page, "remove"), ada.submit(checked, "/decide")):
        assert (late.status, "it was changed since you read it" in late.text) == (409, True)
        assert late.form("/preview").values["reason"] == REASON
    assert statuses(session) == {Status.HELD: 1}
    assert check(ada, late, "remove").status == 200


def test_words_about_a_signature_that_is_gone_are_given_back(app: Flask, ada: Visitor) -> None:
    signature_id = held()
    page = take(ada, signature_id)
    with transaction() as session:
        actions.erase_signature(session, signature_id, now=clock.utc_now())
    gone = check(ada, page, "remove", "My long reason.")
    assert (gone.status, "My long reason." in gone.text) == (410, True)
    for rest in ("/take", "/pass-on"):
        assert ada.post(path(signature_id, rest), page.form("/preview").values).status == 410


def test_html_in_reasons_is_words(app: Flask, ada: Visitor) -> None:
    signature_id = held(decision_reason="<i>old</i>", name="<b>Bo</b>")
    page = take(ada, signature_id)
    for raw in ("<i>old", "<b>Bo"):
        assert raw not in page.text
