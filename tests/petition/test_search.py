"""Finding signatures without names, and floods without being asked."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.mail.address import NotAnAddress
from coalition.petition import actions
from coalition.petition.clusters import (
    LOOKED_BACK,
    MANY_OF_A_DOMAIN,
    MANY_OF_A_NETWORK,
    SHORT_TIME,
    domain_clusters,
    network_clusters,
)
from coalition.petition.fingerprints import network_digest
from coalition.petition.looks import record_look, record_search
from coalition.petition.models import NETWORK_LIFETIME, Region, Signature, SignatureStatus
from coalition.petition.search import PAGE, Found, Search, count_found, find_page
from coalition.worker import delete_expired
from tests.asking import asked
from tests.conftest import run_command
from tests.factories import agreed_now, make_signature
from tests.signing import sign
from tests.test_cli import NEW, OLD, application, with_keys
from tests.visitor import Visitor, visitor_of

Status = SignatureStatus
ME = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)


def found(session: Session, **criteria: Any) -> set[uuid.UUID]:
    session.rollback()
    return {each.id for each in find_page(session, Search(**criteria), 1)}


@pytest.mark.parametrize("criteria", [{"address": "ada"}, {"domain": "not a domain"}])
def test_what_is_no_address_and_no_domain_is_said_to_be_none(
    app: Flask, session: Session, criteria: dict[str, str]
) -> None:
    with pytest.raises(NotAnAddress):
        count_found(session, Search(**criteria))


def test_an_address_is_found_in_any_spelling_and_a_domain_with_all_of_its_addresses(
    app: Flask, session: Session
) -> None:
    with transaction() as writing:
        ada = make_signature(writing, email="a.da@googlemail.com").id
        eve = make_signature(writing, email="eve@gmail.com").id
        make_signature(writing, email="ada@example.org")
    assert found(session, address="ADA+x@gmail.com") == {ada}
    assert found(session, address="nobody@gmail.com") == set()
    assert found(session, domain="GMAIL.com") == found(session, domain="googlemail.com")
    assert found(session, domain=" @gmail.com ") == {ada, eve}


def test_criteria_are_combined(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        old = make_signature(writing, network="203.0.113.7", now=now - timedelta(hours=3)).id
        new = make_signature(writing, network="203.0.113.7").id
        held = make_signature(writing, network="203.0.113.7", status=Status.HELD).id
        other = make_signature(writing, network="203.0.113.8").id
        unknown = make_signature(writing).id
    assert found(session, network_of=new) == {old, new, held}
    assert found(session, network_of=new, statuses=(Status.HELD,)) == {held}
    assert found(session, network_of=old, signed_from=now - timedelta(hours=1)) == {new, held}
    assert found(session, signed_until=now - timedelta(hours=3)) == {old}
    assert found(session, network_of=unknown) == found(session, network_of=uuid.uuid4()) == set()
    assert found(session, domain="example.org", network_of=other) == {other}
    assert found(session) == {old, new, held, other, unknown}
    assert count_found(session, Search(network_of=new)) == {Status.VERIFIED: 2, Status.HELD: 1}


def test_a_list_shows_a_hundred_at_a_time_the_newest_first_and_nobody_by_name(
    app: Flask, session: Session
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        ids = [
            make_signature(writing, now=now - timedelta(minutes=n), region=Region.WALES).id
            for n in range(PAGE + 1)
        ]
    session.rollback()
    first, second, third = (find_page(session, Search(), number) for number in (1, 2, 3))
    assert [each.id for each in [*first, *second]] == ids
    assert (len(first), len(second), len(third)) == (PAGE, 1, 0)
    assert set(Found.__dataclass_fields__) == {"id", "status", "signed_at", "region", "kind"}


@pytest.mark.parametrize(
    "search",
    [
        Search(),
        Search(
            address="ada@example.org",
            domain="example.org",
            network_of=uuid.uuid4(),
            signed_from=clock.utc_now(),
            signed_until=clock.utc_now(),
            statuses=(Status.HELD, Status.REMOVED),
        ),
    ],
    ids=["empty", "full"],
)
def test_a_search_can_be_kept_as_text(search: Search) -> None:
    assert Search.from_text(search.as_text()) == search


def test_looks_are_logged_by_kind_and_number_and_never_by_what_was_looked_for(
    app: Flask, session: Session
) -> None:
    told: dict[str, Any] = {"actor": "moderator one", "now": clock.utc_now()}
    signature_id = uuid.uuid4()
    with transaction() as writing:
        record_search(writing, Search(address="ada@secret.org", domain="secret.org"), 1, **told)
        record_search(writing, Search(), 7, **told)
        record_look(writing, signature_id, **told)
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(3)).all()
    assert [(line.action, line.subject) for line in lines[::-1]] == [
        ("signatures: searched", "by address, domain: 1 found"),
        ("signatures: searched", "by everything: 7 found"),
        ("signature: looked at", f"signature {signature_id}"),
    ]


def crowd(size: int, *, minutes: float = 50, **values: Any) -> list[uuid.UUID]:
    """So many signatures, evenly over so many minutes until now."""
    start = clock.utc_now() - timedelta(minutes=minutes)
    gap = timedelta(minutes=minutes) / size
    domain = values.pop("domain", None)
    with transaction() as session:
        return [
            make_signature(
                session,
                now=start + gap * number,
                email=f"{uuid.uuid4().hex}@{domain}" if domain else f"{uuid.uuid4().hex}@gmail.com",
                **values,
            ).id
            for number in range(size)
        ]


def test_a_network_is_a_cluster_from_the_number_on_and_not_before(
    app: Flask, session: Session
) -> None:
    crowd(MANY_OF_A_NETWORK - 1, network="203.0.113.1")
    ids = crowd(MANY_OF_A_NETWORK, network="203.0.113.2")
    session.rollback()
    (cluster,) = network_clusters(session, now=clock.utc_now())
    assert (cluster.count, cluster.domain, cluster.newest_id) == (MANY_OF_A_NETWORK, None, ids[-1])
    assert {each.id for each in find_page(session, cluster.search, 1)} == set(ids)
    assert domain_clusters(session, now=clock.utc_now()) == []


def test_many_over_a_long_time_are_no_cluster(app: Flask, session: Session) -> None:
    hours = SHORT_TIME.total_seconds() / 3600 * 3
    crowd(MANY_OF_A_NETWORK * 2, minutes=hours * 60, network="203.0.113.1")
    session.rollback()
    assert network_clusters(session, now=clock.utc_now()) == []


def test_the_largest_cluster_stands_first_and_old_ones_go(app: Flask, session: Session) -> None:
    small = crowd(MANY_OF_A_DOMAIN, domain="small.example.org")
    large = crowd(MANY_OF_A_DOMAIN + 5, domain="large.example.org")
    session.rollback()
    now = clock.utc_now()
    clusters = domain_clusters(session, now=now)
    assert [(each.domain, each.count) for each in clusters] == [
        ("large.example.org", len(large)),
        ("small.example.org", len(small)),
    ]
    assert sum(count_found(session, clusters[0].search).values()) == len(large)
    assert domain_clusters(session, now=now + LOOKED_BACK) == []


def test_a_large_provider_is_no_cluster(app: Flask, session: Session) -> None:
    crowd(MANY_OF_A_DOMAIN * 2, domain="googlemail.com")
    session.rollback()
    assert domain_clusters(session, now=clock.utc_now()) == []


def test_what_is_decided_about_is_no_cluster_any_more(app: Flask, session: Session) -> None:
    crowd(MANY_OF_A_NETWORK, network="203.0.113.1", status=Status.REMOVED)
    crowd(MANY_OF_A_NETWORK, network="203.0.113.2", status=Status.AWAITING)
    session.rollback()
    assert len(network_clusters(session, now=clock.utc_now())) == 1


def test_signing_keeps_a_digest_of_the_network_and_of_the_domain(
    app: Flask, session: Session
) -> None:
    for number, address in enumerate(["203.0.113.7", "203.0.113.7", "2001:db8:1:2::9"]):
        sign(visitor_of(app, address), email=f"p{number}@gmail.com")
    session.rollback()
    rows = session.scalars(select(Signature).order_by(Signature.signed_at)).all()
    assert len({row.domain_digest for row in rows}) == 1
    assert rows[0].network_digest == rows[1].network_digest != rows[2].network_digest
    assert rows[2].network_digest == network_digest("2001:db8:1:2::/64")


def test_signing_again_while_it_waits_keeps_the_last_network(app: Flask, session: Session) -> None:
    now = clock.utc_now()
    for network in ("203.0.113.7", "203.0.113.8"):
        with transaction() as writing:
            actions.sign_petition(
                writing, "ada@example.org", ME, agreed_now(), network=network, now=now
            )
    session.rollback()
    signature = session.scalars(select(Signature)).one()
    assert signature.network_digest == network_digest("203.0.113.8")


def test_signing_again_once_it_counts_keeps_the_first_network(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, email="ada@example.org", network="203.0.113.7")
        actions.sign_petition(
            writing, "ada@example.org", ME, agreed_now(),
            network="203.0.113.8", now=clock.utc_now(),
        )  # fmt: skip
    signature = session.scalars(select(Signature)).one()
    assert signature.network_digest == network_digest("203.0.113.7")


def test_signing_is_as_many_statements_as_ever(app: Flask, visitor: Visitor) -> None:
    agreed = agreed_now()
    with transaction() as session, asked() as ran:
        actions.sign_petition(
            session, "ada@example.org", ME, agreed, network="203.0.113.7", now=clock.utc_now()
        )
    writes = [each for each in ran if "INSERT" in each]
    assert len(ran) == len(writes) == (1 if db.engine.dialect.name == "postgresql" else 2)


def test_the_network_is_forgotten_after_thirty_days_by_the_worker(
    app: Flask, session: Session, visitor: Visitor
) -> None:
    now = clock.utc_now()
    with transaction() as writing:
        old = make_signature(
            writing, network="203.0.113.7", now=now - NETWORK_LIFETIME - timedelta(minutes=1)
        ).id
        young = make_signature(
            writing, network="203.0.113.7", now=now - NETWORK_LIFETIME + timedelta(minutes=1)
        ).id
    delete_expired()
    session.rollback()
    assert session.get_one(Signature, old).network_digest is None
    assert session.get_one(Signature, old).domain_digest is not None
    assert session.get_one(Signature, young).network_digest is not None
    notice = visitor.get("/privacy").text
    assert "The fingerprint of the network that you signed from: <strong>30 days</strong>" in notice


def test_digests_and_a_change_of_keys(database_url: str) -> None:
    """The domain is found under each key and after; what is left of networks is deleted."""
    with application(with_keys(database_url, OLD)), transaction() as session:
        make_signature(session, email="ada@some.example.org", network="203.0.113.7")
        # Signed before there was such a digest.
        make_signature(session, email="eve@some.example.org", domain_digest=None)
    with application(with_keys(database_url, NEW, OLD)), transaction() as session:
        assert count_found(session, Search(domain="some.example.org")) == {Status.VERIFIED: 1}
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        assert count_found(session, Search(domain="some.example.org")) == {Status.VERIFIED: 2}
        assert set(session.scalars(select(Signature.network_digest))) == {None}
