"""People at the desk: invited, given roles, removed, helped when a phone is lost."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import (
    RESET_LIFETIME,
    Moderator,
    Role,
    SecondFactorReset,
)
from coalition.accounts.queries import find_by_address
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.mailbox import Mailbox, link_in, text_of
from tests.visitor import Page, Visitor

Work = Callable[[], object]
NEW = {"name": "Grace Fictional", "email": "grace@desk.example.org", "roles": "moderator"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": " "}, "Enter their name"),
        ({"name": "www.example.org"}, "must not hold a web address"),
        ({"email": "grace@"}, "in the form name@example.org"),
        ({"roles": ""}, "valid choice"),
        ({"roles": "king"}, "valid choice"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_told(
    app: Flask, session: Session, wrong: dict[str, str], says: str
) -> None:
    visitor = signed_in(app, Role.ADMINISTRATOR)
    page = visitor.submit(visitor.get("/desk/people"), "/invite", **{**NEW, **wrong})
    assert page.status == 422
    assert says in page.text
    assert len(session.scalars(select(Moderator)).all()) == 1


def test_an_invitation_lets_somebody_in(
    app: Flask, work: Work, mailbox: Mailbox, visitor: Visitor
) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    assert "is on its way" in boss.submit(boss.get("/desk/people"), "/invite", **NEW).text
    work()
    (mail,) = [each for each in mailbox.received if each["To"] == NEW["email"]]
    assert "Grace Fictional" in visitor.get(link_in(mail, "desk/password")).text
    assert "has not come yet" in boss.get("/desk/people").text


def test_nobody_is_invited_twice(app: Flask, session: Session) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    for status in (200, 422):
        again = {**NEW, "email": "Grace@Desk.example.org" if status == 422 else NEW["email"]}
        assert boss.submit(boss.get("/desk/people"), "/invite", **again).status == status
    assert len(session.scalars(select(Moderator)).all()) == 2


def test_whoever_is_removed_is_out_at_once(app: Flask, session: Session) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    gone_id = make_moderator(app, Role.MODERATOR)
    gone = sign_in_as(app, gone_id)
    assert gone.get("/desk").url == "/desk"
    path = f"/desk/people/{gone_id}"
    boss.submit(boss.get(path), "/remove")
    assert gone.get("/desk").url.startswith("/desk/sign-in")
    session.rollback()
    found = session.get_one(Moderator, gone_id, populate_existing=True)
    assert (found.active, found.password, found.tf_totp_secret, found.roles) == (
        False, None, None, [],
    )  # fmt: skip


def test_nobody_acts_under_the_id_of_somebody_who_was_removed(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, visitor: Visitor
) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    gone_id = make_moderator(app, Role.ADMINISTRATOR, email=NEW["email"])
    gone = sign_in_as(app, gone_id)
    boss.submit(boss.get(f"/desk/people/{gone_id}"), "/remove")
    boss.submit(boss.get("/desk/people"), "/invite", **NEW)
    work()
    (mail,) = [each for each in mailbox.received if each["To"] == NEW["email"]]
    page = visitor.get(link_in(mail, "desk/password"))
    visitor.submit(page, "/desk/password", password="four words nobody knows")
    session.rollback()
    found = {
        each.id: each for each in session.scalars(select(Moderator)) if each.email == NEW["email"]
    }
    old = found.pop(gone_id)
    assert (old.active, old.password, old.roles) == (False, None, [])
    (new,) = found.values()
    assert new.active
    assert new.password
    assert not new.has_second_factor
    assert new.role_names == {Role.MODERATOR}
    assert find_by_address(session, NEW["email"]) is new
    assert gone.get("/desk").url.startswith("/desk/sign-in")
    assert "Removed." in boss.get(f"/desk/people/{gone_id}").text


def test_somebody_can_be_removed_and_invited_again_and_again(app: Flask, session: Session) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    for _ in range(3):
        assert boss.submit(boss.get("/desk/people"), "/invite", **NEW).status == 200
        session.rollback()
        here = find_by_address(session, NEW["email"])
        assert here is not None
        boss.submit(boss.get(f"/desk/people/{here.id}"), "/remove")
    session.rollback()
    assert len(session.scalars(select(Moderator)).all()) == 4


@pytest.mark.parametrize("action", ["roles", "remove"])
def test_the_last_administrator_stays_one(app: Flask, session: Session, action: str) -> None:
    boss_id = make_moderator(app, Role.ADMINISTRATOR)
    boss = sign_in_as(app, boss_id)
    page = boss.get(f"/desk/people/{boss_id}")
    values = page.form(f"/{action}").values
    if action == "roles":
        values["roles"] = "editor"
    refused = boss.post(f"/desk/people/{boss_id}/{action}", values)
    assert refused.status == 409
    assert "the last administrator" in refused.text
    assert boss.get("/desk/people").status == 200


@pytest.mark.parametrize("action", ["roles", "remove"])
def test_an_administrator_who_has_not_come_yet_does_not_count_as_another(
    app: Flask, action: str
) -> None:
    boss_id = make_moderator(app, Role.ADMINISTRATOR)
    boss = sign_in_as(app, boss_id)
    boss.submit(boss.get("/desk/people"), "/invite", **{**NEW, "roles": "administrator"})
    values = boss.get(f"/desk/people/{boss_id}").form(f"/{action}").values
    values["roles"] = "editor"
    refused = boss.post(f"/desk/people/{boss_id}/{action}", values)
    assert refused.status == 409
    assert "the last administrator who can sign in" in refused.text
    # But whoever was invited by mistake can be removed.
    (new,) = set(re.findall(r"/desk/people/[0-9a-f-]{36}", boss.get("/desk/people").text)) - {
        f"/desk/people/{boss_id}"
    }
    assert "Removed, and signed out" in boss.submit(boss.get(new), "/remove").text


def roles_sent(visitor: Visitor, moderator_id: uuid.UUID, *roles: Role) -> Page:
    """Send roles as the form of this person's page does, whether or not it is shown."""
    token = visitor.get("/desk").form("/desk/leave").values["csrf_token"]
    values = {"csrf_token": token, "roles": [role.value for role in roles]}
    return visitor.post(f"/desk/people/{moderator_id}/roles", values)


def told_of_roles(mailbox: Mailbox) -> dict[str, str]:
    """Who was told of a role that was given, and in which words."""
    found = [each for each in mailbox.received if "was given a role" in each["Subject"]]
    return {each["To"]: text_of(each) for each in found}


def test_nobody_changes_their_own_roles_while_somebody_else_can(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    boss_id = make_moderator(app, Role.ADMINISTRATOR)
    make_moderator(app, Role.ADMINISTRATOR, name="Ada Fictional")
    boss = sign_in_as(app, boss_id)
    page = boss.get(f"/desk/people/{boss_id}")
    assert "Who can change yours: <bdi>Ada Fictional</bdi>." in page.text
    assert "Change the roles" not in page.text
    refused = roles_sent(boss, boss_id, Role.ADMINISTRATOR, Role.SAFEGUARDING)
    assert refused.status == 409
    assert "nobody changes their own roles: ask another administrator" in refused.text
    assert "You ticked: Safeguarding lead, Administrator." in refused.text
    session.rollback()
    found = session.get_one(Moderator, boss_id, populate_existing=True)
    assert found.role_names == {Role.ADMINISTRATOR}
    work()
    assert not told_of_roles(mailbox)


def test_the_only_administrator_who_can_sign_in_changes_their_own_roles_and_the_readers_are_told(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    boss_id = make_moderator(app, Role.ADMINISTRATOR, email="boss@desk.example.org")
    make_moderator(app, Role.MODERATOR, email="reader@desk.example.org")
    boss = sign_in_as(app, boss_id)
    boss.submit(boss.get("/desk/people"), "/invite", **{**NEW, "roles": "administrator"})
    done = roles_sent(boss, boss_id, Role.ADMINISTRATOR, Role.MODERATOR)
    assert "The roles are changed" in done.text
    work()
    assert told_of_roles(mailbox).keys() == {"reader@desk.example.org"}


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.SAFEGUARDING])
@pytest.mark.parametrize("way", ["roles", "invite", "command line"])
def test_every_reader_and_administrator_is_told_of_a_new_reader(
    app: Flask, work: Work, mailbox: Mailbox, role: Role, way: str
) -> None:
    boss_id = make_moderator(app, Role.ADMINISTRATOR, email="boss@desk.example.org")
    for each in Role:
        make_moderator(app, each, email=f"{each}@desk.example.org")
    boss = sign_in_as(app, boss_id)
    if way == "roles":
        grace_id = make_moderator(app, Role.EDITOR, name=NEW["name"], email=NEW["email"])
        roles_sent(boss, grace_id, Role.EDITOR, role)
    elif way == "invite":
        boss.submit(boss.get("/desk/people"), "/invite", **{**NEW, "roles": role.value})
    else:
        from coalition.accounts.cli import moderator_commands

        words = ["invite", NEW["email"], "--name", NEW["name"], "--role", role.value]
        assert app.test_cli_runner().invoke(moderator_commands, words).exit_code == 0
    work()
    told = told_of_roles(mailbox)
    assert told.keys() == {
        f"{name}@desk.example.org"
        for name in ("boss", "administrator", "moderator", "safeguarding-lead")
    }
    words = {"moderator": "Moderator", "safeguarding-lead": "Safeguarding lead"}[role]
    for text in told.values():
        assert "Grace Fictional was given a role" in text
        assert f"just now: {words}." in text


def test_nobody_is_told_of_roles_that_read_nothing_or_were_there_before(
    app: Flask, work: Work, mailbox: Mailbox
) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    reader_id = make_moderator(app, Role.MODERATOR)
    roles_sent(boss, reader_id, Role.MODERATOR, Role.EDITOR, Role.PRESS)
    boss.submit(boss.get("/desk/people"), "/invite", **{**NEW, "roles": "press-officer"})
    work()
    assert not told_of_roles(mailbox)


@on_both
def test_two_administrators_cannot_take_the_role_from_each_other_at_one_moment(app: Flask) -> None:
    ids = [make_moderator(app, Role.ADMINISTRATOR) for _ in range(2)]
    sent = []
    for own, other in zip(ids, reversed(ids), strict=True):
        visitor = sign_in_as(app, own)
        values = {**visitor.get(f"/desk/people/{other}").form("/roles").values, "roles": "editor"}
        sent.append(partial(visitor.post, f"/desk/people/{other}/roles", values, follow=False))
    with ThreadPoolExecutor(2) as pool:
        with transaction() as holding:
            holding.execute(select(Moderator).with_for_update()).all()
            asked = [pool.submit(each) for each in sent]
            time.sleep(1)
        statuses = sorted(each.result().status for each in asked)
    assert statuses in ([303, 403], [303, 409])


def test_somebody_who_was_removed_is_given_no_roles(app: Flask, session: Session) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    gone_id = make_moderator(app, Role.MODERATOR)
    values = {**boss.get(f"/desk/people/{gone_id}").form("/roles").values, "roles": "editor"}
    boss.submit(boss.get(f"/desk/people/{gone_id}"), "/remove")
    refused = boss.post(f"/desk/people/{gone_id}/roles", values)
    assert refused.status == 409
    assert "invite them again" in refused.text
    session.rollback()
    assert not session.get_one(Moderator, gone_id, populate_existing=True).roles


def test_whoever_asked_for_a_reset_must_still_be_an_administrator(
    app: Flask, session: Session
) -> None:
    lost_id = make_moderator(app, Role.MODERATOR)
    first_id = make_moderator(app, Role.ADMINISTRATOR)
    first, second = sign_in_as(app, first_id), signed_in(app, Role.ADMINISTRATOR)
    path = f"/desk/people/{lost_id}"
    first.submit(first.get(path), "/reset")
    values = {**second.get(path).form("/reset").values, "agree": "yes"}
    second.submit(second.get(f"/desk/people/{first_id}"), "/remove")
    refused = second.post(f"{path}/reset", values)
    assert refused.status == 409
    assert "no administrator any more" in refused.text
    session.rollback()
    assert session.get_one(Moderator, lost_id, populate_existing=True).has_second_factor


def test_a_second_factor_is_reset_by_two_and_never_by_its_owner(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    lost_id = make_moderator(app, Role.ADMINISTRATOR, name="Ada")
    lost = sign_in_as(app, lost_id)
    first, second = (signed_in(app, Role.ADMINISTRATOR) for _ in range(2))
    path = f"/desk/people/{lost_id}"
    values = lost.get("/desk").form("/desk/leave").values
    assert lost.post(f"{path}/reset", values).status == 409
    page = first.get(path)
    first.submit(page, "/reset")
    token = page.form("/reset").values
    for visitor in (first, lost):
        own = {**visitor.get("/desk").form("/desk/leave").values, "agree": "yes"}
        assert visitor.post(f"{path}/reset", own).status == 409
    assert token
    session.rollback()
    assert session.get_one(Moderator, lost_id, populate_existing=True).has_second_factor
    values = {**second.get(path).form("/reset").values, "agree": "yes"}
    assert "is taken away" in second.post(f"{path}/reset", values).text
    session.rollback()
    assert not session.get_one(Moderator, lost_id, populate_existing=True).has_second_factor
    assert lost.get("/desk").url.startswith("/desk/sign-in")
    work()
    told = " ".join(text_of(mail) for mail in mailbox.received)
    assert "A second administrator has to agree" in told
    assert "was taken away" in told


def test_a_reset_that_was_asked_for_long_ago_is_asked_for_anew(
    app: Flask, session: Session
) -> None:
    lost_id = make_moderator(app, Role.MODERATOR)
    first, second = (signed_in(app, Role.ADMINISTRATOR) for _ in range(2))
    path = f"/desk/people/{lost_id}"
    first.submit(first.get(path), "/reset")
    values = {**second.get(path).form("/reset").values, "agree": "yes"}
    with transaction() as writing:
        writing.scalars(select(SecondFactorReset)).one().asked_at -= RESET_LIFETIME
    assert second.post(f"{path}/reset", values).status == 409
    assert "Ask for a new second proof" in second.get(path).text


def test_everything_that_is_done_with_people_is_in_the_log(app: Flask, session: Session) -> None:
    boss = signed_in(app, Role.ADMINISTRATOR)
    boss.submit(boss.get("/desk/people"), "/invite", **NEW)
    new = session.scalars(select(Moderator).order_by(Moderator.invited_at.desc())).first()
    assert new is not None
    path = f"/desk/people/{new.id}"
    boss.submit(boss.get(path), "/invite-again")
    boss.submit(boss.get(path), "/remove")
    session.rollback()
    actions = [line.action for line in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions[-3:] == ["account: invite", "account: invite again", "account: remove"]


def test_the_command_line_helps_where_nobody_can_sign_in(app: Flask, session: Session) -> None:
    from coalition.accounts.cli import moderator_commands

    moderator_id = make_moderator(app, Role.ADMINISTRATOR, email="mo@desk.example.org")
    runner = app.test_cli_runner()
    listed = runner.invoke(moderator_commands, ["list"]).output
    assert f"{moderator_id} Mo Fictional: administrator; second factor" in listed
    assert "desk.example.org" not in listed
    done = runner.invoke(moderator_commands, ["reset-second-factor", "mo@desk.example.org"])
    assert done.exit_code == 0
    assert "no second factor yet" in runner.invoke(moderator_commands, ["list"]).output
    refused = runner.invoke(moderator_commands, ["remove", "mo@desk.example.org"])
    assert refused.exit_code == 1
    assert "the last administrator" in refused.output
    unknown = runner.invoke(moderator_commands, ["remove", "nobody@example.org"])
    assert "nobody at the desk has this address" in unknown.output
    wrong = ["invite", "nobody@", "--role", "editor"]
    assert "not a mail address" in runner.invoke(moderator_commands, wrong).output
