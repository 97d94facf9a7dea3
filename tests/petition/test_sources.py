"""By way of whose site people come: counted once they confirm, and then forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.db import transaction
from coalition.endorsements.models import Endorsement, EndorsementStatus
from coalition.mail.worker import Batch
from coalition.petition import actions
from coalition.petition.models import CountEvent, Signature, SignatureStatus
from coalition.petition.queries import verified_by_source
from coalition.petition.tally import fold, verify_tally
from tests.desking import signed_in
from tests.endorsing import entry_path, made
from tests.factories import make_signature
from tests.mailbox import Mailbox, link_in
from tests.visitor import Page, Visitor

TAG = "fictional-friends"


Work = Callable[[], Batch]


def sign_by_way_of(visitor: Visitor, path: str, **answers: str) -> Page:
    page = visitor.get(path)
    given = {"name": "Ada Fictional", "email": "ada@example.org", "consent": "yes", **answers}
    return visitor.submit(page, "/petition/sign", **given)


def kept(session: Session) -> list[str | None]:
    session.rollback()
    return list(session.scalars(select(Signature.source)))


def confirm(visitor: Visitor, mailbox: Mailbox) -> None:
    page = visitor.get(link_in(mailbox.wait_for(1), "confirm"))
    assert "is counted" in visitor.submit(page, "/petition/confirm").text


def folded(session: Session) -> dict[str, int]:
    with transaction() as writing:
        fold(writing, now=clock.utc_now())
    return verified_by_source(session)


@pytest.mark.parametrize("path", ["/petition", "/", "/embed/sign"])
def test_it_is_kept_until_they_confirm_and_then_counted_and_forgotten(
    visitor: Visitor, work: Work, mailbox: Mailbox, session: Session, path: str
) -> None:
    assert "Check your email" in sign_by_way_of(visitor, f"{path}?source={TAG}").text
    assert kept(session) == [TAG]
    assert folded(session) == {}
    work()
    confirm(visitor, mailbox)
    assert kept(session) == [None]
    assert folded(session) == {TAG: 1}
    assert list(session.scalars(select(CountEvent.id))) == []
    assert verify_tally(session) == (1, [])


def test_taking_it_back_leaves_what_was_counted_of_the_site(app: Flask, session: Session) -> None:
    with transaction() as writing:
        row = make_signature(writing, status=SignatureStatus.AWAITING, source=TAG)
        actions.verify_signature(writing, row.id, row.revision, now=clock.utc_now())
        actions.withdraw_signature(writing, row.id, now=clock.utc_now())
    assert folded(session) == {TAG: 1}
    assert verify_tally(session) == (0, [])


@pytest.mark.parametrize("tag", ["", "x" * 81, "Big", "a b", "a/../b", "<b>", "é", "a%00", "a'--"])
def test_a_tag_that_is_none_is_left_out_and_stops_nobody(
    visitor: Visitor, session: Session, tag: str
) -> None:
    form = visitor.get(f"/petition?source={TAG}").form("/petition/sign")
    answers = {"name": "Ada Fictional", "email": "ada@example.org", "consent": "yes"}
    page = visitor.post(form.action, {**form.values, **answers, "source": tag})
    assert "Check your email" in page.text
    assert kept(session) == [None]


def test_it_stays_in_a_form_that_comes_back_with_an_error(
    visitor: Visitor, session: Session
) -> None:
    page = sign_by_way_of(visitor, f"/petition?source={TAG}", email="")
    assert page.status == 422
    page = visitor.submit(page, "/petition/sign", email="ada@example.org")
    assert kept(session) == [TAG]
    page = visitor.get(next(link for link in page.links if "/petition/correct/" in link))
    assert page.form("/petition/sign").values["source"] == TAG


def test_the_lines_to_copy_and_what_they_show_carry_the_tag(visitor: Visitor) -> None:
    assert f"/embed/count?source={TAG}&#34; title=" in visitor.get(f"/embed?source={TAG}").text
    assert f"/petition?source={TAG}#sign" in visitor.get(f"/embed/count?source={TAG}").links
    assert "source" not in visitor.get("/embed/count?source=<b>").text


def test_an_organisation_finds_its_own_lines_and_the_press_office_its_number(
    app: Flask, visitor: Visitor, session: Session
) -> None:
    ours = made(EndorsementStatus.PUBLISHED, name="Fictional Friends")
    slug = session.get_one(Endorsement, ours.id, populate_existing=True).slug
    assert f"/embed?source={slug}" in visitor.get(entry_path(ours)).links
    with transaction() as writing:
        for tag in (slug, slug, "nobody-s"):
            row = make_signature(writing, status=SignatureStatus.AWAITING, source=tag)
            actions.verify_signature(writing, row.id, row.revision, now=clock.utc_now())
        fold(writing, now=clock.utc_now() + timedelta(seconds=1))
    page = signed_in(app, Role.PRESS).get("/desk/press").text
    assert "Fictional Friends" in page
    assert 'data-label="Confirmed">2<' in page
    assert "nobody-s" not in page
