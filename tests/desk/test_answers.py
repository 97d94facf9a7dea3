"""What the owner of a held or removed signature writes is read by somebody else than who decided."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition.accounts.models import Role
from tests.desking import signed_in
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
from tests.searching import Status, confirm, preview, statuses
from tests.visitor import Visitor

NAME = "Somebody Fictional"


@pytest.fixture
def ada(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Ada")


@pytest.fixture
def grace(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Grace")


def test_an_answer_is_for_somebody_else_than_who_decided(
    app: Flask, ada: Visitor, grace: Visitor, session: Session
) -> None:
    signature_id = held(Status.VERIFIED)
    decide(ada, signature_id, "hold")
    write_to_us(signature_id)
    assert "you decided it: somebody else reads" in ada.get(QUEUE).text
    page = ada.get(path(signature_id))
    assert "You decided this, and its owner has written to us about it" in page.text
    token = ada.get("/desk").form("/desk/leave").values
    taken = ada.post(path(signature_id, "/take"), token)
    assert "It &lt;b&gt;" not in taken.text
    assert NAME not in taken.text
    page = take(grace, signature_id)
    assert "by <bdi>Ada</bdi>" in page.text
    assert "It &lt;b&gt;is&lt;/b&gt; me." in page.text
    grace.submit(check(grace, page, "release"), "/decide")
    assert statuses(session) == {Status.VERIFIED: 1}


def test_a_form_from_before_the_answer_cannot_decide_about_it(
    app: Flask, ada: Visitor, grace: Visitor, session: Session
) -> None:
    """Not even with the mark of what is there now: whoever decided is known."""
    signature_id = held(Status.VERIFIED)
    decide(ada, signature_id, "hold")
    page = take(ada, signature_id)
    write_to_us(signature_id)
    now_there = ada.get(path(signature_id))
    assert not [form for form in now_there.forms if form.action.endswith("/preview")]
    mark = take_mark(grace, signature_id)
    token = page.form("/preview").values
    for rest in ("/preview", "/decide"):
        values = {**token, "read": mark, "decision": "remove", "reason": REASON}
        refused = ada.post(path(signature_id, rest), values)
        assert (refused.status, "somebody else" in refused.text) == (409, True)
    assert statuses(session) == {Status.HELD: 1}


def take_mark(visitor: Visitor, signature_id: uuid.UUID) -> str:
    let_leases_end()
    page = take(visitor, signature_id)
    visitor.submit(page, "/give-back")
    return page.form("/preview").values["read"]


def test_whoever_kept_it_does_not_read_the_next_answer(
    app: Flask, ada: Visitor, grace: Visitor
) -> None:
    signature_id = held(Status.VERIFIED)
    decide(ada, signature_id, "hold")
    write_to_us(signature_id)
    decide(grace, signature_id, "keep")
    write_to_us(signature_id, "Once more.")
    assert "You decided this" in grace.get(path(signature_id)).text
    assert "Once more." in take(ada, signature_id).text


def test_words_against_a_decision_about_many_are_for_somebody_else(
    app: Flask, ada: Visitor, grace: Visitor
) -> None:
    signature_id = held(Status.VERIFIED)
    confirm(ada, preview(ada, "hold"))
    write_to_us(signature_id)
    assert "You decided this" in ada.get(path(signature_id)).text
    assert "It &lt;b&gt;" in take(grace, signature_id).text
