"""A token that is good at one door is tried at every other; and forged, late and borrowed ones."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from coalition import clock
from coalition.accounts.links import make_password_token
from coalition.accounts.models import Moderator, Role
from coalition.crypto import Keyring
from coalition.db import db, transaction
from coalition.endorsements.logo_fields import LOGO_SEAL
from coalition.endorsements.models import EndorsementStatus
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import SignatureStatus
from coalition.testimonies.codes import new_ticket
from coalition.testimonies.passes import PASS_PURPOSE, make_pass
from tests.attack.routes import routes
from tests.conftest import SECRET
from tests.desking import make_moderator
from tests.engines import on_sqlite
from tests.factories import make_endorsement, make_signature
from tests.telling import publish
from tests.visitor import Page, visitor_of

pytestmark = on_sqlite

# Doors to which each token is the key. What is sealed for the page that says to look for a mail is
# taken, too, where the form is filled in once more; a link that opens none is renewed by any.
KEYS: dict[str, set[str]] = {
    "petition.confirm": {"/petition/confirm/<token>"},
    "petition.disown": {"/petition/not-me/<token>"},
    "petition.manage": {"/petition/counted/<token>", "/petition/signature/<token>"},
    "endorsements.confirm": {"/supporters/confirm/<token>"},
    "endorsements.disown": {"/supporters/not-me/<token>"},
    "endorsements.manage": {"/supporters/entry/<token>"},
    "accounts.password": {"/desk/password/<token>"},
}  # fmt: skip
SHUT = (404, 410, 405, 303, 302)


def under(rule: str, doors: set[str]) -> bool:
    return any(rule == door or rule.startswith(f"{door}/") for door in doors)


def genuine(app: Flask) -> dict[str, str]:
    """A token of each purpose, as it is mailed, shown or kept in a form, each about somebody."""
    now = clock.utc_now()
    moderator_id = make_moderator(app, Role.ADMINISTRATOR)
    with transaction() as session:
        signature = make_signature(session, status=SignatureStatus.AWAITING).id
        contact = make_endorsement(session, status=EndorsementStatus.AWAITING).contact_id
        moderator = session.get_one(Moderator, moderator_id)
        assert contact is not None
        subjects = {each: contact if each.startswith("endorse") else signature for each in Purpose}
        made = {each.value: make_token(each, subjects[each], now) for each in Purpose}
        made["accounts.password"] = make_password_token(moderator, now)
    ring: Keyring = app.extensions["keyring"]
    # As they would be if somebody could choose what is in them: the words of another's subject.
    for purpose in ("press.embargo", "petition.form", "endorsements.form", "endorsements.form-id"):
        made[purpose] = ring.sign_token(purpose, signature.hex, now)
    for purpose in (PASS_PURPOSE, LOGO_SEAL, "petition.check-email", "endorsements.check-email"):
        made[f"sealed {purpose}"] = ring.seal(purpose, signature.hex)
    made["sealed ticket"] = new_ticket(now)
    made["session of the desk"] = session_cookie(app, moderator_id)
    made["id of a signature"] = signature.hex
    made["id of a contact"] = str(contact)
    return made


def session_cookie(app: Flask, moderator_id: uuid.UUID) -> str:
    serializer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(serializer.dumps({"_user_id": moderator_id.hex}))


def doors(app: Flask) -> list[str]:
    """Every route with a secret in its address."""
    found = {route.rule for method in ("GET", "POST") for route in routes(app, method)
             if "<token>" in route.rule}  # fmt: skip
    assert len(found) > 20
    return sorted(found)


def knock(app: Flask, rule: str, token: str) -> list[Page]:
    path = rule.replace("<token>", token).replace("<purpose>", "petition.disown")
    visitor = visitor_of(app)
    return [visitor.get(path, follow=False), visitor.post(path, {"block": "yes"}, follow=False)]


def opens(page: Page) -> bool:
    """Whether a door has opened: a page, or the way to one that is not the sign-in."""
    if page.status in (302, 303):
        return not page.headers["location"].startswith(("/desk/sign-in", "/petition/"))
    return page.status not in (400, 401, 403, 404, 405, 410)


def waiting(app: Flask) -> int:
    db.session.rollback()
    return db.session.connection().exec_driver_sql("SELECT count(*) FROM signatures").scalar_one()


def test_no_token_opens_another_door(app: Flask) -> None:
    tokens = genuine(app)
    before, wrong = waiting(app), []
    for name, token in tokens.items():
        for rule in doors(app):
            if under(rule, KEYS.get(name, set())) or "/renew/" in rule:
                continue
            if name.startswith("endorsements.change") and rule == "/supporters/change/<token>":
                continue  # about a change that is not there: 410
            wrong += [(name, rule, page.status) for page in knock(app, rule, token) if opens(page)]
    assert wrong == []
    assert waiting(app) == before


def test_each_token_opens_its_own_door(app: Flask) -> None:
    """Else nothing above would say anything."""
    tokens = genuine(app)
    for name, own in KEYS.items():
        for rule in own - {"/petition/counted/<token>"}:
            path = rule.replace("<token>", tokens[name])
            assert visitor_of(app).get(path, follow=False).status == 200, (name, rule)


def test_a_link_is_renewed_for_its_own_purpose_alone(app: Flask) -> None:
    """One that is about nothing in this room is gone, and nobody is written to."""
    tokens = genuine(app)
    for room, own in (("petition", "petition."), ("supporters", "endorsements.")):
        for purpose in [*Purpose, "petition.nothing", "accounts.password", "", "..", "%00"]:
            for name, token in tokens.items():
                if name != purpose or not name.startswith(own):
                    page = visitor_of(app).post(
                        f"/{room}/renew/{purpose}/{token}", {}, follow=False
                    )
                    assert page.status in (308, 404, 405, 410), (room, purpose, name)


FORMER = "another-secret-that-is-long-enough-too"


def forged(token: str) -> dict[str, str]:
    """What somebody makes of a token, or without one."""
    body, moment, seal = token.rsplit(".", 2)
    payload = base64.urlsafe_b64encode(uuid.uuid4().hex.encode()).decode().rstrip("=")
    later = base64.urlsafe_b64encode((2**33).to_bytes(5)).decode().rstrip("=")
    other = URLSafeTimedSerializer(FORMER, salt="petition.confirm")
    return {
        "another subject": f"{payload}.{moment}.{seal}",
        "a later moment": f"{body}.{later}.{seal}",
        "no seal": f"{body}.{moment}.",
        "a seal of nothing": f"{body}.{moment}.{'A' * len(seal)}",
        "compressed": f".{body}.{moment}.{seal}",
        "twice": f"{token}.{seal}",
        "a library's own": other.dumps(uuid.uuid4().hex),
        "an alg of none": "eyJhbGciOiJub25lIn0.e30.",
        "with a newline": f"{token}%0A",
        "with a space": f"%20{token}",
        "with NUL": f"{token}%00",
        "in capitals": token.upper(),
    }


def test_no_forged_token_opens_its_door(app: Flask) -> None:
    tokens = genuine(app)
    for name, own in KEYS.items():
        for rule in own:
            for kind, token in forged(tokens[name]).items():
                assert not any(map(opens, knock(app, rule, token))), (rule, kind)


def test_a_token_of_another_site_opens_nothing(app: Flask) -> None:
    """Of one that knows the same rows, under secrets of its own: a restored copy, a test site."""
    assert FORMER != SECRET
    ring = Keyring([FORMER])
    for name, own in KEYS.items():
        subject = genuine(app)["id of a signature"]
        token = ring.sign_token(name, subject, clock.utc_now())
        for rule in own:
            assert not any(map(opens, knock(app, rule, token))), name


@pytest.mark.parametrize("age", [timedelta(days=7, seconds=1), timedelta(days=400)])
def test_an_old_token_does_nothing_at_any_door(app: Flask, age: timedelta) -> None:
    subjects, before = genuine(app), waiting(app)
    then = clock.utc_now() - age
    for purpose in Purpose:
        about = subjects[
            "id of a contact" if purpose.startswith("endorse") else "id of a signature"
        ]
        token = make_token(purpose, uuid.UUID(about), then)
        for rule in KEYS.get(purpose.value, set()):
            assert not any(map(opens, knock(app, rule, token))), (purpose, rule)
    assert waiting(app) == before


def test_no_sealed_text_is_taken_for_another(app: Flask) -> None:
    """In the hidden fields of testimonies, and of pages that were made after a form was sent."""
    ticket, _ = publish(app)
    tokens = genuine(app)
    tokens["the pass itself"] = make_pass(ticket.testimony_id, clock.utc_now())
    sealed = {name: token for name, token in tokens.items() if "itself" not in name}
    visitor = visitor_of(app)
    for name, token in sealed.items():
        for step in ("edit", "erase-now", "withdraw", "agree"):
            page = visitor.post("/testimonies/return", {"step": step, "key": token})
            assert page.status == (410 if name == f"sealed {PASS_PURPOSE}" else 401), (name, step)
        page = visitor.post("/testimonies/note", {"sealed": token}, follow=False)
        assert not re.search(r"\d{4} \d{4} \d{4} \d{4}", page.text), name
        for path in ("/petition/check-email/", "/supporters/check-email/", "/supporters/preview/"):
            if path.split("/")[1] not in name.replace("endorsements", "supporters"):
                shown = visitor.get(path + token)
                assert shown.status in (200, 404), (name, path)
                assert tokens["id of a signature"] not in shown.text
    opened = visitor.post(
        "/testimonies/return", {"step": "erase", "key": tokens["the pass itself"]}
    )
    assert opened.status == 200
