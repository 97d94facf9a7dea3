"""Signing: the same answer for every address, and a mail that fits."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.mail.models import OutboxMessage
from coalition.mail.private_links import Purpose, make_token
from coalition.petition import actions, queries
from coalition.petition.actions import UNVERIFIED_LIFETIME, Personal, Verification
from coalition.petition.models import (
    CountEvent,
    Kind,
    Region,
    Signature,
    SignatureStatus,
)
from tests.factories import agreed_now, make_signature
from tests.mailbox import Mailbox, code_in, link_in
from tests.signing import sign
from tests.visitor import Visitor, visitor_of

Status = SignatureStatus
Work = Callable[[], object]


def only_signature(session: Session) -> Signature:
    session.rollback()
    session.expire_all()
    return session.scalars(select(Signature)).one()


def test_a_signature_is_kept_with_the_versions_that_were_agreed_to(
    visitor: Visitor, session: Session
) -> None:
    sign(visitor, region="wales", kind="family", kind_consent="yes", wants_updates="yes")
    signature = only_signature(session)
    assert signature.status is Status.AWAITING
    assert (signature.region, signature.kind) == (Region.WALES, Kind.FAMILY)
    assert (signature.show_name, signature.wants_updates) == (False, True)
    agreed = agreed_now()
    assert signature.petition_version_id == agreed.petition_version_id
    assert signature.consent_version_id == agreed.consent_version_id


def test_the_kind_is_kept_only_with_its_own_consent(visitor: Visitor, session: Session) -> None:
    refused = sign(visitor, kind="survivor")
    assert refused.status == 422
    assert "Tick the box that says we may keep what you sign as" in refused.text
    assert refused.form("/petition/sign").values["kind"] == "survivor"
    assert session.scalar(select(func.count()).select_from(Signature)) == 0


STATES = [*Status, "unknown", "blocked"]


def _prepare_state(state: str, email: str) -> None:
    with transaction() as session:
        if state == "blocked":
            block_address(session, email, now=clock.utc_now())
        elif state != "unknown":
            make_signature(session, email=email, status=Status(state))


@pytest.mark.parametrize("path", ["/petition/sign", "/petition/resend"])
def test_the_answer_is_the_same_for_every_address(app: Flask, path: str) -> None:
    visitor = visitor_of(app)
    answers = set()
    for number, state in enumerate(STATES):
        email = f"someone{number}@example.org"
        _prepare_state(state, email)
        if path == "/petition/sign":
            page = visitor.get("/petition")
            answer = visitor.submit(
                page, path, follow=False, name="Ada", email=email, consent="yes"
            )
        else:
            page = visitor.get("/petition/your-signature")
            answer = visitor.submit(page, path, follow=False, email=email)
        shown = visitor.get(answer.headers["location"])
        assert email in shown.text
        sealed = answer.headers["location"].partition("?")[0].rpartition("/")[2]
        headers = {
            name: len(value) if name in ("location", "content-length") else value
            for name, value in {**answer.headers, **shown.headers}.items()
            if name not in ("date", "x-request-id")  # which each answer has of its own
        }
        answers.add(
            (
                answer.status,
                shown.status,
                shown.text.replace(email, "ADDRESS").replace(sealed, "SEALED"),
                tuple(sorted(headers.items())),
            )
        )
    assert len(answers) == 1


@pytest.mark.parametrize("state", STATES)
def test_the_same_is_written_for_every_address(
    session: Session, visitor: Visitor, state: str
) -> None:
    _prepare_state(state, "ada@example.org")
    before = session.scalar(select(func.count()).select_from(OutboxMessage)) or 0
    sign(visitor)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == before + 1
    assert session.scalar(select(func.count()).select_from(Signature)) == 1


def test_signing_again_before_verification_replaces_what_was_said(
    visitor: Visitor, session: Session
) -> None:
    sign(visitor, name="Ada Fictonal")
    first = only_signature(session)
    sign(visitor, name="Ada Fictional", show_name="yes")
    second = only_signature(session)
    assert second.id == first.id
    assert (second.name, second.show_name, second.revision) == ("Ada Fictional", True, 2)


def test_signing_again_changes_nothing_of_a_counted_signature(
    visitor: Visitor, session: Session
) -> None:
    with transaction() as writing:
        make_signature(writing, email="ada@example.org", name="Ada Fictional")
    sign(visitor, name="Somebody Else", show_name="yes", region="london")
    signature = only_signature(session)
    assert (signature.name, signature.show_name, signature.region) == (
        "Ada Fictional",
        False,
        None,
    )
    assert signature.status is Status.VERIFIED


def test_what_is_counted_is_what_was_shown(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    """Somebody else sends the form again between the opening of the link and the press."""
    sign(visitor)
    work()
    shown = visitor.get(link_in(mailbox.wait_for(1), "confirm"))
    sign(visitor, name="An Intruder", show_name="yes")
    pressed = visitor.submit(shown, "/petition/confirm")
    assert "nothing is counted yet" in pressed.text
    assert "An Intruder" in pressed.text
    assert only_signature(session).status is Status.AWAITING
    assert "is counted" in visitor.submit(pressed, "/petition/confirm").text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_a_link_changes_nothing(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session, method: str
) -> None:
    sign(visitor)
    work()
    mail = mailbox.wait_for(1)
    before = dict(vars(only_signature(session)))
    for place in ("confirm", "not-me"):
        for _ in range(3):
            assert visitor.request(method, link_in(mail, place), {}, b"", follow=True).status == 200
    after = dict(vars(only_signature(session)))
    before.pop("_sa_instance_state")
    after.pop("_sa_instance_state")
    assert before == after
    assert session.scalar(select(func.count()).select_from(CountEvent)) == 0


def test_pressed_again_it_is_already_counted(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    sign(visitor)
    work()
    page = visitor.get(link_in(mailbox.wait_for(1), "confirm"))
    assert "Your signature is counted" in visitor.submit(page, "/petition/confirm").text
    assert "Already counted" in visitor.submit(page, "/petition/confirm").text
    assert queries.read_count(session, now=clock.utc_now()).signatures == 0
    work()
    session.rollback()
    assert queries.read_count(session, now=clock.utc_now()).signatures == 1


@pytest.mark.parametrize("state", [Status.HELD, Status.REMOVED, Status.WITHDRAWN])
def test_a_link_does_not_undo_what_happened_since(app: Flask, state: Status) -> None:
    with transaction() as session:
        signature = make_signature(session, status=state)
    with transaction() as session:
        outcome = actions.verify_signature(session, signature.id, 1, now=clock.utc_now())
    assert outcome is Verification[state.name]
    with transaction() as session:
        assert session.get(Signature, signature.id).status is state  # type: ignore[union-attr]


def test_it_was_not_me_deletes_at_one_press(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session
) -> None:
    sign(visitor)
    work()
    link = link_in(mailbox.wait_for(1), "not-me")
    assert "Deleted" in visitor.submit(visitor.get(link), "/petition/not-me").text
    assert session.scalar(select(func.count()).select_from(Signature)) == 0
    assert "Nothing is left" in visitor.get(link).text


def test_it_was_not_me_can_stop_all_further_mail(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    sign(visitor)
    work()
    page = visitor.get(link_in(mailbox.wait_for(1), "not-me"))
    assert ("block", "yes") in page.form("/petition/not-me").buttons
    done = visitor.post(page.form("/petition/not-me").action, {"block": "yes"})
    assert "We will not write to you again" in done.text
    sign(visitor, email="a.d.a+again@example.org".replace("a.d.a", "ada"))
    work()
    assert len(mailbox.received) == 1


def test_it_was_not_me_does_not_delete_what_was_confirmed(app: Flask, visitor: Visitor) -> None:
    with transaction() as session:
        signature = make_signature(session)
    token = make_token(Purpose.DISOWN, signature.id, clock.utc_now())
    page = visitor.post(f"/petition/not-me/{token}", {})
    assert "This signature was confirmed" in page.text
    with transaction() as session:
        assert session.get(Signature, signature.id) is not None


def test_a_wrong_code_is_refused_as_an_unknown_address_is(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    sign(visitor)
    work()
    right = code_in(mailbox.wait_for(1))
    wrong = "".join(str((int(digit) + 1) % 10) for digit in right.replace(" ", ""))
    page = visitor.get("/petition/code")
    answers = [
        visitor.submit(page, "/petition/code", email=email, code=wrong)
        for email in ("ada@example.org", "nobody@example.org")
    ]
    assert [answer.status for answer in answers] == [422, 422]
    first, second = (answer.text for answer in answers)
    assert first.replace("ada@", "nobody@") == second
    assert 'value="ada@example.org"' in first
    assert (
        "Yes, count"
        in visitor.submit(page, "/petition/code", email="Ada@example.org", code=right).text
    )


def test_an_expired_link_says_why_and_sends_a_new_mail_at_one_press(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    with transaction() as session:
        signature = make_signature(session, status=Status.AWAITING)
    long_ago = clock.utc_now() - timedelta(days=8)
    token = make_token(Purpose.CONFIRM, signature.id, long_ago)
    page = visitor.get(f"/petition/confirm/{token}")
    assert page.status == 410
    assert "This link has run out" in page.text
    assert "Check your email" in visitor.submit(page, "/petition/renew").text
    work()
    assert mailbox.wait_for(1)
    fresh = visitor.get(link_in(mailbox.received[0], "confirm"))
    assert "Yes, count my signature" in fresh.text


def test_a_link_to_a_deleted_signature_says_so(app: Flask, visitor: Visitor) -> None:
    token = make_token(Purpose.CONFIRM, uuid.uuid4(), clock.utc_now())
    for page in (visitor.get(f"/petition/confirm/{token}"),
                 visitor.post(f"/petition/confirm/{token}", {"revision": "1"})):  # fmt: skip
        assert page.status == 410
        assert "There is nothing here any more" in page.text


def test_the_form_can_be_corrected_with_every_answer_kept(visitor: Visitor) -> None:
    checking = sign(visitor, email="ada@gmial.com", region="scotland", show_name="yes")
    assert "Did you mean" in checking.text
    assert "ada@gmail.com" in checking.text
    link = next(link for link in checking.links if "meant=1" in link)
    values = visitor.get(link).form("/petition/sign").values
    assert values["email"] == "ada@gmail.com"
    assert values["name"] == "Ada Fictional"
    assert values["region"] == "scotland"
    assert (values["show_name"], values["consent"]) == ("yes", "yes")
    assert "wants_updates" not in values


def test_the_mail_can_be_sent_again(visitor: Visitor, work: Work, mailbox: Mailbox) -> None:
    checking = sign(visitor)
    again = visitor.submit(checking, "/petition/resend")
    assert "We have sent another mail" in again.text
    assert "Your signature counts after that" in again.text
    work()
    first, second = mailbox.received
    assert code_in(first) == code_in(second)


def test_the_address_stands_in_no_location_and_no_log(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    page = visitor.get("/petition")
    answer = visitor.submit(
        page,
        "/petition/sign",
        follow=False,
        name="Ada",
        email="ada.fictional@example.org",
        consent="yes",
    )
    assert "fictional" not in answer.headers["location"].lower()
    assert "ada.fictional" not in caplog.text


def test_unverified_signatures_are_deleted_after_seven_days(app: Flask) -> None:
    now = clock.utc_now()
    with transaction() as session:
        old = now - UNVERIFIED_LIFETIME - timedelta(seconds=1)
        make_signature(session, status=Status.AWAITING, now=old)
        young = make_signature(session, status=Status.AWAITING, now=now - timedelta(days=6))
        counted = make_signature(session, now=old)
    with transaction() as session:
        assert actions.delete_unverified(session, now=now) == 1
        assert set(session.scalars(select(Signature.id))) == {young.id, counted.id}


def test_the_same_address_signed_under_an_older_key_is_one_signature(
    make_app: Callable[..., Flask],
) -> None:
    old, new = "o" * 40, "n" * 40
    personal = Personal("Ada", None, None, show_name=False, wants_updates=False)
    for keys in (old, f"{new},{old}"):
        with make_app(SECRET_KEYS=keys).app_context():
            with transaction() as session:
                now = clock.utc_now()
                actions.sign_petition(session, "ada@example.org", personal, agreed_now(), now=now)
            with transaction() as session:
                assert session.scalar(select(func.count()).select_from(Signature)) == 1
