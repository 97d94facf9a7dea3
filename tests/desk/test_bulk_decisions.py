"""Decisions about many signatures at the desk: counted, made once, by two where it takes two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition.accounts.models import Role
from coalition.mail.models import OutboxMessage
from coalition.petition.emails import DECIDED
from coalition.petition.models import BulkDecision, BulkState
from coalition.petition.tally import verify_tally
from tests.desking import signed_in
from tests.engines import on_both
from tests.searching import Status, confirm, make, preview, statuses
from tests.visitor import Visitor


@pytest.fixture
def moderator(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Mo Fictional")


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("hold", Status.VERIFIED, Status.HELD),
        ("release", Status.HELD, Status.VERIFIED),
        ("remove", Status.VERIFIED, Status.REMOVED),
    ],
)
def test_many_are_decided_about_and_undone(
    app: Flask, moderator: Visitor, session: Session, kind: str, before: Status, after: Status
) -> None:
    make(3, status=before)
    make(1, domain="else.example.org")
    done = confirm(moderator, preview(moderator, kind))
    assert (done.status, "Done on" in done.text) == (200, True)
    assert statuses(session) == Counter({after: 3}) + Counter({Status.VERIFIED: 1})
    undone = moderator.submit(done, "/undo")
    assert "3 of 3 are as they were" in undone.text
    assert statuses(session) == Counter({before: 3}) + Counter({Status.VERIFIED: 1})
    total = statuses(session)[Status.VERIFIED]
    session.rollback()
    assert verify_tally(session) == (total, [])
    again = moderator.submit(done, "/undo")
    assert (again.status, "3 of 3" in again.text) == (200, True)


def test_a_bulk_decision_without_a_reason_is_not_carried_out(
    app: Flask, moderator: Visitor, session: Session
) -> None:
    make()
    page = preview(moderator, "hold")
    for reason in ("", "x" * 501):
        refused = confirm(moderator, page, reason)
        assert refused.status == 422
        assert refused.form("/bulk/").values["reason"] == reason
    assert statuses(session) == {Status.VERIFIED: 3}


def test_a_number_that_has_changed_is_shown_and_nothing_is_done(
    app: Flask, moderator: Visitor, session: Session
) -> None:
    make(3)
    page = preview(moderator, "remove")
    make(1)
    changed = confirm(moderator, page)
    assert changed.status == 409
    assert "it is 4 now" in changed.text
    assert statuses(session) == {Status.VERIFIED: 4}
    form = changed.form("/bulk/").values
    assert (form["counted"], form["reason"]) == ("4", "These look alike.")
    assert confirm(moderator, changed).status == 200
    assert statuses(session) == {Status.REMOVED: 4}


@pytest.mark.parametrize("counted", ["", "-1", "0", "x", "9" * 40, "3.0"])
def test_a_number_that_nobody_was_shown_carries_nothing_out(
    app: Flask, moderator: Visitor, session: Session, counted: str
) -> None:
    make(3)
    assert confirm(moderator, preview(moderator, "hold"), counted=counted).status == 409
    assert statuses(session) == {Status.VERIFIED: 3}


@on_both
def test_a_double_post_is_carried_out_once(
    app: Flask, moderator: Visitor, session: Session
) -> None:
    make(3)
    page = preview(moderator, "hold")
    first, second = confirm(moderator, page), confirm(moderator, page)
    assert first.url == second.url
    session.rollback()
    assert session.scalar(select(func.count()).select_from(BulkDecision)) == 1
    mails = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == DECIDED)).all()
    assert len(mails) == 3
    assert verify_tally(session) == (0, [])


def test_what_is_above_the_limit_needs_a_second_person(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(BULK_LIMIT="2")
    one, two = (signed_in(app, Role.MODERATOR, name=name) for name in ("Mo One", "Kit Two"))
    make(3)
    shown = preview(one, "remove")
    assert "needs a second person" in shown.text or "waits for a second person" in shown.text
    proposal = confirm(one, shown)
    assert "Nothing is changed yet" in proposal.text
    assert not [form for form in proposal.forms if "/confirm" in form.action]
    forged = one.post(
        f"{proposal.url}/confirm", {**proposal.form("/refuse").values, "counted": "3"}
    )
    assert (forged.status, "somebody else" in forged.text) == (409, True)
    assert statuses(session) == {Status.VERIFIED: 3}
    home = two.get("/desk/signatures")
    assert "Wait for a second person" in home.text
    page = two.get(next(link for link in home.links if "/decisions/" in link))
    assert "Mo One" in page.text
    make(1)
    changed = two.submit(page, "/confirm")
    assert (changed.status, "it is 4 now" in changed.text) == (409, True)
    done = two.submit(changed, "/confirm")
    assert "Kit Two" in done.text
    assert two.submit(changed, "/confirm").status == 200
    assert statuses(session) == {Status.REMOVED: 4}
    session.rollback()
    assert verify_tally(session) == (0, [])


def test_a_proposal_is_refused_or_taken_back(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(BULK_LIMIT="0")
    one, two = (signed_in(app, Role.MODERATOR, name=name) for name in ("Mo One", "Kit Two"))
    make(1)
    for visitor in (one, two):
        proposal = confirm(one, preview(one, "hold"))
        refused = visitor.submit(visitor.get(proposal.url), "/refuse")
        assert "Nothing was changed" in refused.text
        late = two.post(f"{proposal.url}/confirm", two.get("/desk").form("/leave").values)
        assert late.status == 409
    session.rollback()
    assert {each.state for each in session.scalars(select(BulkDecision))} == {BulkState.REFUSED}
    assert statuses(session) == {Status.VERIFIED: 1}


def test_nothing_to_decide_about_offers_no_button(app: Flask, moderator: Visitor) -> None:
    make(1, status=Status.WITHDRAWN)
    page = preview(moderator, "hold")
    assert "nothing to hold" in page.text
    assert not [form for form in page.forms if "/bulk/" in form.action]


def test_what_one_decided_today_is_added_up_and_told_before(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(BULK_LIMIT="5")
    one = signed_in(app, Role.MODERATOR, name="Mo One")
    make(3)
    assert "at most 5 signatures in 24 hours" in preview(one, "hold").text
    confirm(one, preview(one, "hold"))
    make(3, domain="second.example.org")
    shown = preview(one, "hold", domain="second.example.org")
    assert "you have decided about 3" in shown.text
    assert "Propose to hold 3 signatures" in shown.text
    assert "Nothing is changed yet" in confirm(one, shown).text
    assert statuses(session) == {Status.HELD: 3, Status.VERIFIED: 3}


def test_a_form_that_was_opened_before_the_limit_was_reached_is_a_proposal(
    make_app: Callable[..., Flask], session: Session
) -> None:
    app = make_app(BULK_LIMIT="3")
    one = signed_in(app, Role.MODERATOR, name="Mo One")
    make(2)
    make(2, domain="second.example.org")
    pages = [preview(one, "hold"), preview(one, "hold", domain="second.example.org")]
    first, second = (confirm(one, page) for page in pages)
    assert "Done on" in first.text
    assert "Nothing is changed yet" in second.text
    assert statuses(session) == {Status.HELD: 2, Status.VERIFIED: 2}


def test_undoing_what_took_two_takes_two(make_app: Callable[..., Flask], session: Session) -> None:
    app = make_app(BULK_LIMIT="2")
    names = ("Mo One", "Kit Two", "Jo Three")
    one, two, three = (signed_in(app, Role.MODERATOR, name=name) for name in names)
    make(3)
    proposal = confirm(one, preview(one, "hold"))
    done = two.submit(two.get(proposal.url), "/confirm")
    assert "Propose to undo all of it" in done.text
    asked = two.submit(done, "/undo")
    assert "You want to undo it. Somebody else must agree" in asked.text
    assert not [form for form in asked.forms if form.action.endswith("/undo")]
    assert two.submit(done, "/undo").status == 200
    assert statuses(session) == {Status.HELD: 3}
    assert "to undo it waits for a second person" in three.get("/desk/signatures").text
    page = three.get(proposal.url)
    assert "<bdi>Kit Two</bdi> wants to undo it" in page.text
    undone = three.submit(page, "/undo")
    assert "<bdi>Kit Two</bdi> and <bdi>Jo Three</bdi>: 3 of 3" in undone.text
    assert statuses(session) == {Status.VERIFIED: 3}
    late = two.submit(asked, "/leave")
    assert (late.status, "undone already" in late.text) == (409, True)


def test_a_wish_to_undo_can_be_dropped(make_app: Callable[..., Flask], session: Session) -> None:
    app = make_app(BULK_LIMIT="2")
    one, two = (signed_in(app, Role.MODERATOR, name=name) for name in ("Mo One", "Kit Two"))
    make(3)
    proposal = confirm(one, preview(one, "hold"))
    done = two.submit(two.get(proposal.url), "/confirm")
    left = one.submit(two.submit(done, "/undo"), "/leave")
    assert left.status == 400  # the form of another session
    left = one.submit(one.get(proposal.url), "/leave")
    assert "Propose to undo all of it" in left.text
    assert statuses(session) == {Status.HELD: 3}


def test_what_nobody_confirmed_is_counted_before_it_is_removed(
    app: Flask, moderator: Visitor
) -> None:
    make(2, status=Status.AWAITING)
    make(1)
    assert "2 were never confirmed. No mail goes" in preview(moderator, "remove").text
    assert "never confirmed" not in preview(moderator, "hold").text
