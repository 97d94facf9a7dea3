"""What the commands must not leave behind, and what they must write down."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coalition import clock
from coalition.accounts.actions import invite_moderator, remove_moderator
from coalition.accounts.models import Role
from coalition.accounts.queries import find_by_address as find_moderator_by_address
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.endorsements.actions import Contact, appeal_decision, ask_contact_change
from coalition.endorsements.models import EndorsementStatus
from coalition.endorsements.queries import find_change_of, with_contact
from coalition.petition.actions import Personal, Verification, sign_petition, verify_signature
from coalition.petition.decisions import DECISIONS, decide
from coalition.petition.models import Signature
from coalition.petition.queries import find_by_address
from tests.conftest import run_command
from tests.factories import agreed_now, make_endorsement, make_signature
from tests.test_cli import NEW, OLD, application, with_keys


@pytest.mark.parametrize("decision", ["hold", "remove"])
def test_a_decision_outlives_a_change_of_keys(database_url: str, decision: str) -> None:
    now = clock.utc_now()
    with application(with_keys(database_url, OLD)), transaction() as session:
        signature = make_signature(session, email="ada@example.org")
        decide(
            session, DECISIONS[decision], signature.id, reason="because", actor="test", now=now
        )  # fmt: skip
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)):
        with transaction() as session:
            session.delete(session.scalars(select(Signature)).one())
        me = Personal("Ada", region=None, kind=None, show_name=False, wants_updates=False)
        with transaction() as session:
            sign_petition(session, "ADA+x@example.org", me, agreed_now(), now=now)
            again = find_by_address(session, "ada@example.org")
            assert again is not None
            assert verify_signature(session, again.id, 1, now=now) is Verification.HELD


def test_a_change_of_keys_is_written_to_the_audit_log(database_url: str) -> None:
    assert run_command(with_keys(database_url, NEW, OLD), "keys", "rotate").returncode == 0
    with application(with_keys(database_url, NEW)), transaction() as session:
        assert "keys rotated" in session.scalars(select(AuditEntry.action)).all()


def test_an_organisation_and_its_contacts_outlive_a_change_of_keys(database_url: str) -> None:
    now = clock.utc_now()
    with application(with_keys(database_url, OLD)), transaction() as session:
        endorsement = make_endorsement(
            session, email="ada@example.org", status=EndorsementStatus.DECLINED
        )
        appeal_decision(session, endorsement.id, "Look again.", now=now)
        new = Contact("grace@example.org", "Grace Fictional", "Treasurer")
        assert ask_contact_change(session, endorsement.id, new, now=now)
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        (found,) = with_contact(session, "ADA@example.org")
        assert (found.contact_email, found.contact_name, found.contact_role, found.appeal) == (
            "ada@example.org",
            "Ada Fictional",
            "Chair",
            "Look again.",
        )
        change = find_change_of(session, found.id)
        assert change is not None
        assert (change.email, change.name, change.role) == (
            "grace@example.org",
            "Grace Fictional",
            "Treasurer",
        )


def test_an_address_of_two_accounts_leads_to_the_newer_after_a_change_of_keys(
    database_url: str,
) -> None:
    now, email = clock.utc_now(), "mo@desk.example.org"
    with application(with_keys(database_url, OLD)):
        with transaction() as session:
            former = invite_moderator(session, email, "Mo", [Role.EDITOR], actor="test", now=now)
            remove_moderator(session, former, actor="test", now=now)
        with transaction() as session:
            roles = [Role.EDITOR]
            newest = invite_moderator(session, email, "Mo", roles, actor="test", now=now).id
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        found = find_moderator_by_address(session, email)
        assert found is not None
        assert found.id == newest
