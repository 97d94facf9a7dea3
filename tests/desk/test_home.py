"""The desk's first page: what waits for whoever opens it, in numbers, and what they have taken."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.actions import ask_reset
from coalition.accounts.models import RESET_LIFETIME, Moderator, Role, SecondFactorReset
from coalition.db import db, transaction
from coalition.desk import waiting
from coalition.desk.claims import pass_on
from coalition.desk.models import ItemKind
from coalition.desk.reading_actions import note_reading, set_preferences
from coalition.endorsements.models import EndorsementStatus
from coalition.mail import actions as outbox
from coalition.mail.models import MailPulse, MessageState, OutboxMessage
from coalition.mail.queries import LATE_AFTER, SILENT_AFTER, STUCK_AFTER
from coalition.petition import emails
from coalition.petition.clusters import MANY_OF_A_DOMAIN, MANY_OF_A_NETWORK
from coalition.petition.hand_in_actions import DOWNLOADED, ask_hand_in, note
from coalition.petition.hand_in_models import HandInState
from coalition.petition.models import BulkDecision, BulkKind, BulkState
from coalition.statements.drafts import save_draft
from coalition.statements.queries import current_campaign, latest_versions
from coalition.testimonies.complaint_models import Complaint, ComplaintState, Ground
from coalition.testimonies.models import PublishedTestimony, Testimony
from coalition.testimonies.safeguarding_models import SafeguardingFlag
from tests.asking import asked
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.endorsing import made
from tests.engines import on_both
from tests.holding import decide, held, take, write_to_us
from tests.judging import take as take_organisation
from tests.reading import edit as edit_testimony
from tests.reading import sent
from tests.reading import take as take_testimony
from tests.searching import Status, make
from tests.telling import TEXT, publish, told
from tests.visitor import Visitor

CALM = "Nothing waits for you."
DECIDES = [Role.MODERATOR, Role.ADMINISTRATOR]


@pytest.fixture(autouse=True)
def _worker_is_alive(app: Flask) -> None:
    with transaction() as session:
        outbox.beat(session, now=clock.utc_now())


@pytest.fixture(autouse=True)
def _clusters_are_looked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "REMEMBERED", -1.0)


def home(visitor: Visitor) -> str:
    """What stands on the page, in one line."""
    page = visitor.get("/desk")
    assert page.status == 200
    return " ".join(page.text.partition("What waits")[2].partition("Stop whenever")[0].split())


def sentence(page: str) -> str:
    """The same without its HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def in_past(**age: float) -> datetime:
    return clock.utc_now() - timedelta(**age)


def actor_of(moderator_id: uuid.UUID) -> str:
    with transaction() as session:
        return session.get_one(Moderator, moderator_id).actor


@pytest.mark.parametrize("role", list(Role))
def test_nothing_waits_where_nothing_does(app: Flask, role: Role) -> None:
    assert CALM in home(signed_in(app, role))


def test_every_line_leads_where_those_who_see_it_may_go(app: Flask) -> None:
    complained(app, in_past(days=2))
    told_days_ago()
    with transaction() as session:
        flagged(session, in_past(hours=7))
        for state in (MessageState.WAITING, MessageState.FAILED):
            queued(session, state=state, due_at=in_past(days=1), finished_at=in_past(days=1))
        session.delete(session.get_one(MailPulse, outbox.PULSE_ID))
    made(EndorsementStatus.IN_REVIEW)
    write_to_us(held())
    bulk("moderator x", BulkState.PROPOSED)
    make(MANY_OF_A_DOMAIN, domain="flood.example.org")
    for role in Role:
        visitor = signed_in(app, role)
        for link in re.findall(r'href="(/desk/[^"#]+)', home(visitor)):
            assert visitor.get(link).status == 200, (role, link)


# One sort after the other


@pytest.mark.parametrize("role", DECIDES)
def test_organisations_wait(app: Flask, role: Role) -> None:
    for days in (3, 1):
        made(EndorsementStatus.IN_REVIEW, name="Able Group", now=in_past(days=days))
    page = home(signed_in(app, role))
    assert 'href="/desk/organisations">2 organisations</a>' in page
    assert "the oldest for 3 days" in page
    assert "Able Group" not in page


def test_an_organisation_that_somebody_has_waits_for_nobody_else(app: Flask) -> None:
    endorsement = made(EndorsementStatus.IN_REVIEW, name="Able Group")
    ada, grace = (signed_in(app, Role.MODERATOR, name=name) for name in ("Ada", "Grace"))
    take_organisation(ada, endorsement)
    assert "1 organisation" in home(ada)
    assert f'href="/desk/organisations/{endorsement.id}"><bdi>Able Group</bdi>' in home(ada)
    assert CALM in home(grace)
    assert "What you have taken" not in home(grace)


@pytest.mark.parametrize("role", DECIDES)
@pytest.mark.parametrize("status", [Status.HELD, Status.REMOVED])
def test_a_signature_whose_owner_wrote_waits(app: Flask, role: Role, status: Status) -> None:
    held(status)
    visitor = signed_in(app, role)
    assert CALM in home(visitor)
    write_to_us(held(status, name="Unmistakable"), "Words to read.")
    page = home(visitor)
    assert 'href="/desk/signatures/held">1 signature that is held or removed' in page
    for secret in ("Unmistakable", "Words to read."):
        assert secret not in page


def test_an_answer_does_not_wait_for_who_decided_has_it_passed_on_or_sees_it_taken(
    app: Flask,
) -> None:
    ada, grace, mo = (signed_in(app, Role.MODERATOR, name=name) for name in ("Ada", "Grace", "Mo"))
    signature_id = held(Status.VERIFIED)
    decide(ada, signature_id, "hold")
    write_to_us(signature_id)
    assert CALM in home(ada)
    assert "1 signature" in home(grace)
    page = take(grace, signature_id)
    assert f'href="/desk/signatures/{signature_id}"><bdi>A signature</bdi></a>' in home(grace)
    assert CALM in home(mo)
    grace.post(f"/desk/signatures/{signature_id}/pass-on", page.form("/give-back").values)
    assert CALM in home(grace)
    assert "1 signature" in home(mo)


def bulk(actor: str, state: BulkState, **values: Any) -> None:
    with transaction() as session:
        session.add(
            BulkDecision(
                **{
                    "id": uuid.uuid4(), "kind": BulkKind.HOLD, "state": state, "actor": actor,
                    "reason": "why", "count": 500, "at": in_past(days=5), **values,
                }
            )
        )  # fmt: skip


@pytest.mark.parametrize("role", DECIDES)
def test_what_needs_a_second_person_waits_but_not_for_who_proposed_it(
    app: Flask, role: Role
) -> None:
    one = make_moderator(app, role)
    actor = actor_of(one)
    bulk(actor, BulkState.PROPOSED)
    bulk("moderator x", BulkState.DONE, undone_by=actor, undone_at=in_past(hours=2))
    bulk("moderator x", BulkState.DONE)
    bulk("moderator x", BulkState.UNDONE, undone_by="moderator y", undone_at=in_past(days=9))
    assert CALM in home(sign_in_as(app, one))
    page = sentence(home(signed_in(app, role)))
    assert (
        "2 decisions about many signatures that need a second person the oldest for 5 days" in page
    )


def test_a_cluster_waits_until_somebody_looked_at_it_and_again_when_it_grew(app: Flask) -> None:
    make(MANY_OF_A_DOMAIN, domain="flood.example.org")
    make(MANY_OF_A_NETWORK, domain="gmail.com", network="203.0.113.7")
    ada, grace = (signed_in(app, Role.MODERATOR, name=name) for name in ("Ada", "Grace"))
    assert "2 places from which many signed, and that nobody looked at" in home(ada)
    assert "flood" not in home(ada)
    clusters = [link for link in ada.get("/desk/signatures").links if "cluster=" in link]
    ada.get(clusters[0])
    assert "1 place from which many signed" in home(grace)
    ada.get(clusters[1])
    assert CALM in home(grace)
    make(1, domain="flood.example.org")
    assert "1 place from which many signed" in home(grace)


def test_a_look_at_something_else_is_no_look_at_a_cluster(app: Flask) -> None:
    make(MANY_OF_A_DOMAIN, domain="flood.example.org")
    make(1, domain="else.example.org")
    visitor = signed_in(app, Role.MODERATOR)
    link = next(link for link in visitor.get("/desk/signatures").links if "cluster=" in link)
    newest = link.partition("cluster=")[2]
    found = visitor.submit(visitor.get("/desk/signatures"), "/search", domain="else.example.org")
    for odd in (newest, "x", str(uuid.uuid4())):
        assert visitor.get(f"{found.url}?cluster={odd}").status == 200
    assert "1 place" in home(visitor)


def test_clusters_are_not_looked_for_at_each_opening(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "REMEMBERED", 60.0)
    visitor = signed_in(app, Role.MODERATOR)
    assert CALM in home(visitor)
    make(MANY_OF_A_DOMAIN, domain="flood.example.org")
    assert CALM in home(visitor)
    app.extensions["clusters"].looked_at -= 61
    assert "1 place" in home(visitor)


def queued(session: Session, **values: Any) -> None:
    message_id = outbox.queue_message(
        session, emails.ERASED, details={"address": "a@example.org"}, now=clock.utc_now()
    )
    message = session.get_one(OutboxMessage, message_id)
    for name, value in values.items():
        setattr(message, name, value)


@pytest.mark.parametrize("role", DECIDES)
def test_mail_that_failed_waits(app: Flask, role: Role) -> None:
    with transaction() as session:
        for hours in (50, 2):
            queued(
                session, state=MessageState.FAILED, failure="SMTP 550",
                finished_at=in_past(hours=hours),
            )  # fmt: skip
    page = sentence(home(signed_in(app, role)))
    assert "2 mails that failed the oldest for 2 days" in page
    assert "example.org" not in page


def test_mail_that_is_late_or_stuck_waits_and_mail_that_goes_slowly_on_purpose_does_not(
    app: Flask,
) -> None:
    now, second = clock.utc_now(), timedelta(seconds=30)
    visitor = signed_in(app, Role.MODERATOR)
    with transaction() as session:
        queued(session, due_at=now - LATE_AFTER + second)
        queued(session, created_at=now - timedelta(days=1), due_at=now + second)
        queued(session, created_at=now - STUCK_AFTER + second, failure="SMTP 450")
    assert CALM in home(visitor)
    with transaction() as session:
        queued(session, created_at=now - LATE_AFTER - second, due_at=now - LATE_AFTER - second)
        queued(session, created_at=now - timedelta(hours=3), due_at=now + second, failure="x")
    assert "2 mails that wait too long the oldest for 3 hours" in sentence(home(visitor))


def test_a_worker_that_is_gone_and_a_server_that_takes_nothing_are_told(app: Flask) -> None:
    visitor = signed_in(app, Role.ADMINISTRATOR)
    with transaction() as session:
        outbox.note_server(session, "SMTP 530", now=in_past(hours=3))
    assert "Our mail server takes no mail for 3 hours" in sentence(home(visitor))
    with transaction() as session:
        pulse = session.get_one(MailPulse, outbox.PULSE_ID)
        pulse.beat_at -= SILENT_AFTER
    assert "No worker looks after the mail for 2 minutes" in sentence(home(visitor))
    with transaction() as session:
        session.delete(session.get_one(MailPulse, outbox.PULSE_ID))
    assert "No worker looks after the mail" in home(visitor)


def test_a_lost_second_proof_waits_for_another_administrator(app: Flask) -> None:
    lost, asker = make_moderator(app, Role.ADMINISTRATOR), make_moderator(app, Role.ADMINISTRATOR)
    other = signed_in(app, Role.ADMINISTRATOR)
    with transaction() as session:
        people = [session.get_one(Moderator, each) for each in (lost, asker)]
        ask_reset(session, *people, now=clock.utc_now())
        session.get_one(SecondFactorReset, lost).asked_at = in_past(hours=5)
    page = home(other)
    assert f'href="/desk/people/{lost}">1 second proof that is lost' in page
    assert "for 5 hours" in page
    for nobody in (lost, asker):
        assert CALM in home(sign_in_as(app, nobody))
    assert CALM in home(signed_in(app, Role.MODERATOR))
    with transaction() as session:
        session.get_one(SecondFactorReset, lost).asked_at = clock.utc_now() - RESET_LIFETIME
    assert CALM in home(other)


def test_a_list_to_hand_in_waits_until_it_was_fetched(app: Flask) -> None:
    asker, other = (make_moderator(app, Role.ADMINISTRATOR) for _ in range(2))
    actor = actor_of(asker)
    with transaction() as session:
        hand_in = ask_hand_in(session, None, actor=actor, now=in_past(days=1))
        hand_in.state = HandInState.WAITING
    assert CALM in home(sign_in_as(app, asker))
    with transaction() as session:
        session.merge(hand_in).state = HandInState.DONE
        session.merge(hand_in).finished_at = in_past(hours=2)
    assert "1 list to hand in that is ready for 2 hours" in sentence(home(sign_in_as(app, asker)))
    assert CALM in home(sign_in_as(app, other))
    with transaction() as session:
        note(session, hand_in, DOWNLOADED, what="x", actor=actor, now=clock.utc_now())
    assert CALM in home(sign_in_as(app, asker))


@pytest.mark.parametrize("role", [Role.EDITOR, Role.ADMINISTRATOR])
def test_ones_own_drafts_wait(app: Flask, role: Role) -> None:
    writer = make_moderator(app, role)
    with transaction() as session:
        for slug, days in (("about", 4), ("questions", 1)):
            newest = latest_versions(session)[slug]
            save_draft(
                session, slug, writer, text="# New\n", note="", base_version=newest.version,
                revision=None, now=in_past(days=days),
            )  # fmt: skip
    page = sentence(home(sign_in_as(app, writer)))
    assert "2 drafts of yours the oldest for 4 days" in page
    assert CALM in home(signed_in(app, role))


def test_complaints_wait_for_moderators_and_flags_for_the_lead(app: Flask) -> None:
    complained(app, in_past(days=2))
    with transaction() as session:
        flagged(session, in_past(hours=7))
    page = sentence(home(signed_in(app, Role.MODERATOR)))
    assert page.startswith("1 complaint about a text for 2 days")
    page = sentence(home(signed_in(app, Role.SAFEGUARDING)))
    assert page.startswith("1 flag by a reader for 7 hours")
    for role in (Role.EDITOR, Role.PRESS, Role.ADMINISTRATOR):
        assert CALM in home(signed_in(app, role))


def complained(app: Flask, at: datetime) -> uuid.UUID:
    """Somebody complains about a text that is public."""
    slug = db.session.scalars(select(PublishedTestimony.slug)).first() or publish(app)[1]
    with transaction() as session:
        complaint = Complaint(
            id=uuid.uuid4(), slug=slug, ground=Ground.OTHER, stored_details="{}",
            received_at=at, state=ComplaintState.OPEN,
        )  # fmt: skip
        session.add(complaint)
        return complaint.id


def flagged(session: Session, at: datetime) -> None:
    """A reader is worried about somebody whose testimony is gone."""
    session.add(
        SafeguardingFlag(
            id=uuid.uuid4(), rules_version_id=latest_versions(session)["about"].id, raised_at=at,
            raised_by=session.scalars(select(Moderator.id)).first(), words="Words to read.",
        )
    )  # fmt: skip
    session.flush()


def told_days_ago(days: int = 0, text: str = TEXT, **choices: Any) -> uuid.UUID:
    """A testimony that waits to be read."""
    number = sent(told(text, **choices))
    with transaction() as session:
        since = clock.day_in_uk(in_past(days=days))
        session.execute(
            update(Testimony)
            .where(Testimony.id == number)
            .values(state_on=since, waits_since=since)
        )
    return number


def test_testimonies_wait_for_readers_as_a_number_alone(app: Flask) -> None:
    visitor = signed_in(app, Role.MODERATOR)
    told_days_ago(text="Unmistakable words.", labels=("abuse",))
    page = home(visitor)
    assert 'href="/desk/testimonies">1 testimony to read</a>' in page
    assert "for" not in sentence(page), "how long it waits is known to the day"
    told_days_ago(4)
    page = home(visitor)
    assert "2 testimonies to read the oldest for 4 days" in sentence(page)
    for secret in ("Unmistakable", "abuse"):
        assert secret not in page
    for role in set(Role) - {Role.MODERATOR}:
        assert CALM in home(signed_in(app, role))


def test_what_is_not_theirs_to_read_now_waits_for_nobody(app: Flask) -> None:
    one = make_moderator(app, Role.MODERATOR)
    ada, grace = sign_in_as(app, one), signed_in(app, Role.MODERATOR)
    number = told_days_ago(labels=("detention",))
    take_testimony(grace, number)
    assert CALM in home(ada)
    assert "What you have taken" in home(grace)
    assert "testimony to read" not in home(grace)
    told_days_ago(labels=("detention",))
    assert "1 testimony to read" in home(ada)
    with transaction() as session:
        set_preferences(session, session.get_one(Moderator, one), ["detention"], 8)
    assert CALM in home(ada)
    told_days_ago(labels=("what-helped",))
    assert "1 testimony to read" in home(ada)
    with transaction() as session:
        for _ in range(4):
            note_reading(session, session.get_one(Moderator, one), 2, now=clock.utc_now())
    assert CALM in home(ada), "they have read enough for a day"


def test_a_complaint_that_was_passed_on_waits_for_others(app: Flask) -> None:
    one, other = make_moderator(app, Role.MODERATOR), signed_in(app, Role.MODERATOR)
    complaint_id = complained(app, in_past(days=2))
    with transaction() as session:
        moderator = session.get_one(Moderator, one)
        pass_on(session, ItemKind.COMPLAINT, complaint_id, moderator, now=clock.utc_now())
    assert CALM in home(sign_in_as(app, one))
    assert "1 complaint" in home(other)


def skips(who: uuid.UUID, *labels: str) -> None:
    with transaction() as session:
        set_preferences(session, session.get_one(Moderator, who), labels, 8)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SAFEGUARDING])
def test_what_is_offered_to_nobody_is_told_as_a_number_alone(app: Flask, role: Role) -> None:
    one, other = (make_moderator(app, Role.MODERATOR, name=name) for name in ("Ada", "Grace"))
    looks = signed_in(app, role)
    number = told_days_ago(labels=("detention",))
    skips(one, "detention")
    assert CALM in home(looks), "somebody is left to whom it is offered"
    with transaction() as session:
        grace = session.get_one(Moderator, other)
        pass_on(session, ItemKind.TESTIMONY, number, grace, now=clock.utc_now())
    page = home(looks)
    assert "1 testimony is offered to nobody" in page
    for secret in ("Ada", "Grace", "detention", "skip", str(number)):
        assert secret not in page
    for hidden in set(Role) - {Role.ADMINISTRATOR, Role.SAFEGUARDING}:
        assert "offered to nobody" not in home(signed_in(app, hidden))
    assert CALM in home(looks), "a new reader is here"


def test_what_nobody_else_may_read_is_offered_to_nobody_unless_somebody_has_it(app: Flask) -> None:
    looks = signed_in(app, Role.ADMINISTRATOR)
    told_days_ago(contact="m.o+me@gmail.com")
    assert "1 testimony is offered to nobody" in home(looks), "nobody reads at all"
    mo = make_moderator(app, Role.MODERATOR, email="mo@gmail.com")
    db.session.rollback()  # what was read before would hide from the page who has come
    assert "1 testimony is offered to nobody" in home(looks), "its own writer does not count"
    edited = told_days_ago()
    mo_reads = sign_in_as(app, mo)
    assert "1 testimony is offered to nobody" in home(looks)
    take_testimony(mo_reads, edited)
    skips(mo, *(each.slug for each in current_campaign().telling.labels))
    assert "1 testimony is offered to nobody" in home(looks), "the other one is in a hand"
    edit_testimony(mo_reads, edited)
    assert "2 testimonies are offered to nobody" in home(looks), "no second reader is here"
    ada = make_moderator(app, Role.MODERATOR)
    db.session.rollback()
    assert CALM in home(looks)
    with transaction() as session:
        session.get_one(Moderator, ada).active = False
    assert "2 testimonies are offered to nobody" in home(looks)


# What it costs


@on_both
def test_however_much_waits_it_costs_as_many_statements(app: Flask) -> None:
    admin = make_moderator(app, *Role)
    visitor = sign_in_as(app, admin)
    counts = []
    for size in (1, 12):
        for _ in range(size):
            made(EndorsementStatus.IN_REVIEW)
            write_to_us(held())
            bulk("moderator x", BulkState.PROPOSED)
            complained(app, in_past(days=2))
            told_days_ago(labels=("detention",))
            with transaction() as session:
                flagged(session, in_past(hours=7))
                queued(session, state=MessageState.FAILED, finished_at=in_past(hours=1))
            make(MANY_OF_A_DOMAIN, domain=f"d{uuid.uuid4().hex}.example.org")
            take(visitor, held())
            take_organisation(visitor, made(EndorsementStatus.PUBLISHED))
        # Now and then a page asks, too, whether the texts or the limits are still the newest.
        counts.append(min(statements(visitor) for _ in range(3)))
    assert counts[0] == counts[1] < 48


def statements(visitor: Visitor) -> int:
    with asked() as found:
        home(visitor)
    return len(found)
