"""Signatures at the desk: clusters, search, and one of them."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.clock import LONDON
from coalition.crypto import keyring
from coalition.db import transaction
from coalition.desk.signature_views import SEAL, SEARCH_LIFETIME
from coalition.petition.clusters import MANY_OF_A_DOMAIN, MANY_OF_A_NETWORK
from coalition.petition.models import Region, Signature
from coalition.petition.search import PAGE, Search
from tests.desking import signed_in
from tests.searching import Status, make, preview, search, statuses
from tests.visitor import Visitor

NAME = "Somebody Fictional"


@pytest.fixture
def moderator(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Mo Fictional")


@pytest.fixture
def other(app: Flask) -> Visitor:
    return signed_in(app, Role.MODERATOR, name="Kit Fictional")


def log(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    lines = session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
    return [(line.action, line.subject) for line in lines if line.action.startswith("signature")]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"address": "ada"}, "Enter an email address"),
        ({"address": "a" * 400 + "@example.org"}, "characters or fewer"),
        ({"domain": "not a domain"}, "Enter a mail domain"),
        ({"network_of": "203.0.113.7"}, "Enter the number of a signature"),
        ({"signed_from": "yesterday"}, "Enter a day and a time"),
        ({"signed_from": "0001-01-01T00:00"}, "Enter a day and a time"),
        ({"signed_until": "9999-12-31T23:59"}, "Enter a day and a time"),
        ({"signed_from": "2021-04-29T14:00", "signed_until": "2021-04-29T13:00"}, "before the"),
        ({"status": "gone"}, "Not a valid choice"),
    ],
)
def test_a_search_that_cannot_be_is_refused_at_its_field_and_kept(
    app: Flask, moderator: Visitor, answers: dict[str, str], told: str
) -> None:
    page = search(moderator, **answers)
    assert page.status == 422
    assert "<title>Error: " in page.text
    assert told in page.text
    kept = page.form("/search").values
    assert all(kept[name] == value for name, value in answers.items() if name != "status")


@pytest.mark.parametrize("sealed", ["x", "gAAAAAB", "%00"])
def test_an_address_that_was_not_made_here_finds_nothing_and_offers_the_search(
    app: Flask, moderator: Visitor, sealed: str
) -> None:
    for path in (f"/desk/signatures/found/{sealed}", f"/desk/signatures/bulk/hold/{sealed}"):
        page = moderator.get(path)
        assert page.status == 410
        assert "Search again" in page.text
        assert page.form("/search")


def test_words_sent_to_a_search_that_is_too_old_are_given_back(
    app: Flask, moderator: Visitor, session: Session
) -> None:
    make()
    page = preview(moderator, "remove")
    long_ago = clock.utc_now() - SEARCH_LIFETIME - timedelta(minutes=1)
    newest = keyring()._fernet(SEAL)._fernets[0]
    sealed = json.dumps(Search().as_text()).encode()
    old = newest.encrypt_at_time(sealed, int(long_ago.timestamp()))
    values = {**page.form("/bulk/").values, "reason": "My long reason."}
    answer = moderator.post(f"/desk/signatures/bulk/remove/{old.decode()}", values)
    assert answer.status == 410
    assert "My long reason." in answer.text
    assert statuses(session) == {Status.VERIFIED: 3}


def test_what_is_not_there_is_said_to_be_gone(app: Flask, moderator: Visitor) -> None:
    page = moderator.get(f"/desk/signatures/{uuid.uuid4()}")
    assert (page.status, "is not there" in page.text) == (410, True)
    assert moderator.get(f"/desk/signatures/decisions/{uuid.uuid4()}").status == 404
    found = search(moderator)
    sealed = found.url.rpartition("/")[2]
    assert moderator.get(f"/desk/signatures/bulk/burn/{sealed}").status == 404


def test_an_address_that_was_searched_for_stands_in_no_location_and_no_log(
    app: Flask, moderator: Visitor, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    (signature_id,) = make(1, domain="unusual.example.org")
    with transaction() as writing:
        address = writing.get_one(Signature, signature_id).email
    page = search(moderator, address=address)
    assert "1 signature found" in page.text
    assert "unusual" not in page.url
    lines = session.scalars(select(AuditEntry)).all()
    told = caplog.text + "".join(line.subject + line.reason for line in lines)
    assert "unusual" not in told
    assert log(session)[-1] == ("signatures: searched", "by address: 1 found")


def test_a_list_names_nobody_and_one_signature_is_opened_on_the_record(
    app: Flask, moderator: Visitor, session: Session
) -> None:
    (signature_id,) = make(1, region=Region.WALES, network="203.0.113.7")
    for page in (moderator.get("/desk/signatures"), search(moderator)):
        assert NAME not in page.text
        assert "flood.example.org" not in page.text
    seen = moderator.get(f"/desk/signatures/{signature_id}")
    assert NAME not in seen.text
    assert "Wales" not in seen.text
    one = moderator.submit(seen, "/take")
    assert NAME in one.text
    assert "Wales" in one.text
    assert "@flood" not in one.text
    assert log(session)[-2:] == [
        ("signatures: searched", "by everything: 1 found"),
        ("signature: looked at", f"signature {signature_id}"),
    ]
    same = moderator.get(next(link for link in one.links if "/found/" in link))
    assert "1 signature found" in same.text


def test_more_than_a_page_is_shown_page_by_page(app: Flask, moderator: Visitor) -> None:
    make(PAGE + 1)
    first = search(moderator)
    second = moderator.get(next(link for link in first.links if "page=2" in link))
    assert "page 2 of 2" in second.text
    assert "There is no page 9" in moderator.get(first.url + "?page=9").text
    for odd in ("0", "-1", "x", "9" * 20):
        assert "page 1 of 2" in moderator.get(first.url + f"?page={odd}").text


def test_a_window_of_time_is_by_the_clock_of_the_united_kingdom(
    app: Flask, moderator: Visitor
) -> None:
    now = clock.utc_now().replace(second=30)
    make(1, now=now)
    here = now.astimezone(LONDON)
    minute = f"{here:%Y-%m-%dT%H:%M}"
    assert "1 signature found" in search(moderator, signed_from=minute, signed_until=minute).text
    day = f"{here:%Y-%m-%d}"
    assert "1 signature found" in search(moderator, signed_from=day, signed_until=day).text
    later = f"{here + timedelta(minutes=2):%Y-%m-%d %H:%M}"
    page = search(moderator, signed_from=later)
    assert "0 signatures found" in page.text
    assert page.form("/search").values["signed_from"] == later


def test_clusters_stand_first_without_being_asked_for(app: Flask, moderator: Visitor) -> None:
    assert "There are none." in moderator.get("/desk/signatures").text
    make(MANY_OF_A_NETWORK, network="203.0.113.7", domain="gmail.com")
    make(MANY_OF_A_DOMAIN, domain="flood.example.org")
    page = moderator.get("/desk/signatures")
    assert page.text.index("flood.example.org") < page.text.index("One network")
    assert page.text.index("One network") < page.text.index("Search</h2>")
    found = [moderator.get(link).text for link in page.links if "/found/" in link]
    assert f"{MANY_OF_A_DOMAIN} signatures found" in found[0]
    assert f"{MANY_OF_A_NETWORK} signatures found" in found[1]
