"""Reading, editing and publishing: two different people, and nothing that its writer did not allow."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.audit.models import AuditEntry
from coalition.clock import day_in_uk
from coalition.db import db, transaction
from coalition.mail.models import OutboxMessage
from coalition.testimonies import actions, decisions
from coalition.testimonies.actions import Begun, Stale
from coalition.testimonies.choices import Use
from coalition.testimonies.codes import Ticket
from coalition.testimonies.decisions import Check, Checklist
from coalition.testimonies.emails import WAITING
from coalition.testimonies.models import DeclineCode, Edition, PublishedTestimony, Testimony
from coalition.testimonies.moving import edition_of, published_of
from coalition.testimonies.queries import (
    find_by_code,
    find_published,
    published_page,
    tag_counts,
    waiting,
)
from coalition.testimonies.redaction import Span, SpanKind
from coalition.testimonies.states import NotPossible, State
from tests.cleaning import clean_up_testimonies
from tests.mailbox import Mailbox, html_of, text_of
from tests.telling import (
    ALL_CLEAR,
    FRONT,
    TEXT,
    approve,
    edit,
    make_testimony,
    publish,
    told,
    two_readers,
)

NOW = clock.utc_now
SEEN = frozenset({"Officer Fictional"})


@pytest.fixture
def readers(app: Flask) -> tuple[uuid.UUID, uuid.UUID]:
    return two_readers(app)


def reader(number: uuid.UUID) -> Moderator:
    return db.session.get_one(Moderator, number)


def stands(ticket: Ticket) -> State:
    return db.session.get_one(Testimony, ticket.testimony_id, populate_existing=True).state


def turn(ticket: Ticket) -> int:
    return db.session.get_one(Testimony, ticket.testimony_id, populate_existing=True).turn


def sent(**choices: object) -> Ticket:
    with transaction() as session:
        return make_testimony(session, told(**choices))


# Two people


def test_nobody_reads_their_own_edit_as_the_second(readers: tuple[uuid.UUID, uuid.UUID]) -> None:
    ticket = sent()
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
    with pytest.raises(NotPossible, match="somebody else has to read it"), transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[1]), now=NOW())
        edition = edition_of(session, session.get_one(Testimony, ticket.testimony_id))
        assert edition is not None
    with pytest.raises(NotPossible, match="somebody else"), transaction() as session:
        decisions.approve(
            session, ticket.testimony_id, reader(readers[0]), ALL_CLEAR,
            edition_id=edition.id, turn=turn(ticket), now=NOW(),
        )  # fmt: skip
    assert stands(ticket) is State.SECOND_READING


def test_the_database_itself_refuses_one_person_twice(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Edition).values(second_by=readers[0]))


def edited_by_two(app: Flask, **choices: object) -> tuple[Ticket, list[uuid.UUID]]:
    """One that a first person began to edit, and gave back, and another one went on with."""
    ticket, people = sent(**choices), [*two_readers(app), *two_readers(app)]
    with transaction() as session:
        number = ticket.testimony_id
        decisions.take(session, number, reader(people[0]), now=NOW())
        decisions.save_edition(session, number, reader(people[0]), turn=turn(ticket), front=FRONT)
        decisions.give_back(session, number, reader(people[0]), now=NOW())
        edit(session, number, reader(people[1]))
    return ticket, people


def test_whoever_edited_it_once_is_not_its_second_reader_though_others_edited_it_since(
    app: Flask,
) -> None:
    ticket, people = edited_by_two(app)
    number = ticket.testimony_id
    assert waiting(db.session())[0].edited_by == set(people[:2])
    for who in people[:2]:
        with pytest.raises(NotPossible, match="somebody else has to"), transaction() as session:
            decisions.take(session, number, reader(who), now=NOW())
    with transaction() as session:
        decisions.take(session, number, reader(people[2]), now=NOW())
        edition = edition_of(session, session.get_one(Testimony, number))
        assert edition is not None
    for who in people[:2]:
        with pytest.raises(NotPossible, match="somebody else has to"), transaction() as session:
            decisions.approve(
                session, number, reader(who), ALL_CLEAR,
                edition_id=edition.id, turn=turn(ticket), now=NOW(),
            )  # fmt: skip
    with transaction() as session:
        decisions.send_back(
            session, number, reader(people[2]), "More.", turn=turn(ticket), now=NOW()
        )
        edit(session, number, reader(people[3]))
    with pytest.raises(NotPossible, match="somebody else has to"), transaction() as session:
        decisions.take(session, number, reader(people[0]), now=NOW())
    with transaction() as session:
        approve(session, number, reader(people[2]))
    assert stands(ticket) is State.APPROVED


@pytest.mark.parametrize("who", [0, 1])
def test_the_database_itself_refuses_everybody_who_edited_it(app: Flask, who: int) -> None:
    _, people = edited_by_two(app)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Edition).values(second_by=people[who]))
    with pytest.raises(IntegrityError), transaction() as session:
        # Nor does it help to say that somebody else was the first one.
        session.execute(update(Edition).values(first_by=people[2], second_by=people[who]))
    with transaction() as session:
        session.execute(update(Edition).values(second_by=people[2]))


def test_who_approved_it_and_edits_it_later_is_no_second_reader_any_more(app: Flask) -> None:
    ticket, people = edited_by_two(app)
    number = ticket.testimony_id
    with transaction() as session:
        approve(session, number, reader(people[2]))
        edition = edition_of(session, session.get_one(Testimony, number))
        assert edition is not None
        actions.ask_change(session, number, edition.id, "Please.", now=NOW())
        edit(session, number, reader(people[2]))
    for who in people[:3]:
        with pytest.raises(NotPossible, match="somebody else has to"), transaction() as session:
            decisions.take(session, number, reader(who), now=NOW())
    with transaction() as session:
        approve(session, number, reader(people[3]))


@pytest.mark.parametrize(
    "change",
    [
        {"second_by": None},
        {"edition_id": None},
        {"text": None},
        {"edition_id": uuid.uuid4()},
    ],
)
def test_the_database_itself_keeps_nothing_public_without_two_people(
    app: Flask, change: dict[str, object]
) -> None:
    publish(app)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(PublishedTestimony).values(**change))


def test_who_swaps_the_readers_of_what_is_public_is_refused_by_the_database(app: Flask) -> None:
    publish(app)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(
            update(PublishedTestimony).values(
                first_by=PublishedTestimony.second_by, second_by=PublishedTestimony.first_by
            )
        )


# What its writer allowed


def test_what_is_only_to_be_counted_is_offered_to_nobody(app: Flask) -> None:
    ticket = sent(use=Use.COUNT)
    assert stands(ticket) is State.APPROVED
    assert waiting(db.session()) == []


def test_what_is_only_to_be_read_cannot_be_edited_for_the_public(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent(use=Use.READ)
    with pytest.raises(NotPossible, match="does not wish"), transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
        decisions.accept(
            session, ticket.testimony_id, reader(readers[0]), turn=turn(ticket), now=NOW()
        )
    assert stands(ticket) is State.APPROVED
    with pytest.raises(NotPossible), transaction() as session:
        actions.agree(session, ticket.testimony_id, uuid.uuid4(), now=NOW())


def test_what_is_to_be_published_is_not_put_away_as_private(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
    seen = turn(ticket)
    with pytest.raises(NotPossible, match="wishes to have it published"), transaction() as session:
        decisions.accept(session, ticket.testimony_id, reader(readers[0]), turn=seen, now=NOW())


def test_its_writer_is_asked_first_unless_they_said_otherwise(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    asked, unasked = sent(), sent(ask_first=False)
    for ticket in (asked, unasked):
        with transaction() as session:
            edit(session, ticket.testimony_id, reader(readers[0]))
            approve(session, ticket.testimony_id, reader(readers[1]))
    assert stands(asked) is State.APPROVED
    assert stands(unasked) is State.PUBLISHED
    assert published_page(db.session()).total == 1


def test_a_change_that_its_writer_asks_for_needs_both_readers_again(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
        approve(session, ticket.testimony_id, reader(readers[1]))
        testimony = session.get_one(Testimony, ticket.testimony_id)
        edition = edition_of(session, testimony)
        assert edition is not None
        actions.ask_change(session, testimony.id, edition.id, "Take out more.", now=NOW())
        assert edition.second_by is None
        at = TEXT.index("Officer Fictional")
        assert edition.spans == [Span(at, at + 17, SpanKind.NAME)], "what was taken out is kept"
        assert testimony.answer == "Take out more."
    with pytest.raises(NotPossible), transaction() as session:
        actions.agree(session, ticket.testimony_id, edition.id, now=NOW())
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
        approve(session, ticket.testimony_id, reader(readers[1]))
        actions.agree(session, ticket.testimony_id, edition.id, now=NOW())
    assert stands(ticket) is State.PUBLISHED


def test_an_agreement_to_an_older_edit_publishes_nothing(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
        approve(session, ticket.testimony_id, reader(readers[1]))
    with pytest.raises(NotPossible, match="changed since"), transaction() as session:
        actions.agree(session, ticket.testimony_id, uuid.uuid4(), now=NOW())
    assert stands(ticket) is State.APPROVED


@pytest.mark.parametrize(
    ("choices", "name"),
    [
        ({"use": Use.PUBLISH_NAMED, "name": "A. Writer"}, "A. Writer"),
        ({"use": Use.PUBLISH, "name": "Chosen, and not chosen again"}, ""),
    ],
)
def test_the_public_name_is_the_one_that_its_writer_chose_whatever_a_reader_gives(
    readers: tuple[uuid.UUID, uuid.UUID], choices: dict[str, object], name: str
) -> None:
    ticket = sent(ask_first=False, **choices)
    number = ticket.testimony_id
    with transaction() as session:
        decisions.take(session, number, reader(readers[0]), now=NOW())
        decisions.save_edition(
            session, number, reader(readers[0]), turn=turn(ticket),
            front=replace(FRONT, name="Somebody Else"),
        )  # fmt: skip
        decisions.redact(
            session, number, reader(readers[0]), Checklist(ALL_CLEAR.clear, SEEN),
            turn=turn(ticket), now=NOW(),
        )  # fmt: skip
        decisions.take(session, number, reader(readers[1]), now=NOW())
        testimony = session.get_one(Testimony, number)
        edition = edition_of(session, testimony)
        assert edition is not None
        decisions.approve(
            session, number, reader(readers[1]), Checklist(ALL_CLEAR.clear, SEEN),
            edition_id=edition.id, turn=turn(ticket), now=NOW(),
        )  # fmt: skip
        published = published_of(session, testimony)
        assert published is not None
        assert published.front is not None
        assert (published.is_public, published.front.name) == (True, name)


def test_nothing_is_published_under_a_name_that_its_writer_did_not_choose(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent(ask_first=False)
    number = ticket.testimony_id
    with transaction() as session:
        edit(session, number, reader(readers[0]))
        edition = edition_of(session, session.get_one(Testimony, number))
        assert edition is not None
        edition.front = replace(FRONT, name="Somebody Else")
    with pytest.raises(NotPossible, match="the name"), transaction() as session:
        approve(session, number, reader(readers[1]))
    assert stands(ticket) is State.REDACTED


# What is public


def test_only_the_edited_text_is_public(app: Flask) -> None:
    ticket, slug = publish(app)
    published = find_published(db.session(), slug)
    assert published is not None
    assert published.text == TEXT.replace("Officer Fictional", "[name taken out]")
    assert published.front == FRONT
    assert tag_counts(db.session()) == {
        "care-refused": 1, "police-in-care": 1, "restraint-by-police": 1,
    }  # fmt: skip
    assert published_page(db.session(), tags=["police-in-care", "care-refused"]).total == 1
    assert published_page(db.session(), tags=["police-in-care", "abuse"]).total == 0
    assert published_page(db.session(), number=7).items == []
    assert ticket.testimony_id.hex not in slug


@pytest.mark.parametrize("verb", [actions.withdraw, actions.erase])
def test_what_is_taken_back_is_off_the_site_with_its_text(
    app: Flask, verb: Callable[..., None]
) -> None:
    ticket, slug = publish(app)
    with transaction() as session:
        verb(session, ticket.testimony_id, now=NOW())
    published = find_published(db.session(), slug)
    assert published is not None, "its address says that it was taken back"
    assert not published.is_public
    assert (published.text, published.front, published.edition_id) == (None, None, None)
    assert db.session.scalars(select(Edition)).all() == []
    assert tag_counts(db.session()) == {}


def test_it_comes_back_at_the_same_address(app: Flask) -> None:
    ticket, slug = publish(app)
    for verb in (actions.pause, actions.resume):
        with transaction() as session:
            verb(session, ticket.testimony_id, now=NOW())
        published = find_published(db.session(), slug)
        assert published is not None
        assert published.is_public == (verb is actions.resume)


def test_new_words_take_the_old_ones_off_until_they_are_read(
    app: Flask, readers: tuple[uuid.UUID, uuid.UUID]
) -> None:
    ticket, slug = publish(app)
    with transaction() as session:
        actions.rewrite(
            session, ticket.testimony_id, told("New words."), revision=1, sends=True, now=NOW()
        )
    assert stands(ticket) is State.SUBMITTED
    published = find_published(db.session(), slug)
    assert published is not None
    assert not published.is_public
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
        approve(session, ticket.testimony_id, reader(readers[1]))
        testimony = session.get_one(Testimony, ticket.testimony_id)
        edition = edition_of(session, testimony)
        assert edition is not None
        actions.agree(session, testimony.id, edition.id, now=NOW())
    found = find_published(db.session(), slug)
    assert found is not None
    assert found.text == "New words."


def test_what_the_desk_took_down_its_writer_cannot_put_back_and_nor_can_who_took_it_down(
    app: Flask, readers: tuple[uuid.UUID, uuid.UUID]
) -> None:
    ticket, slug = publish(app)
    with transaction() as session:
        decisions.take_down(session, ticket.testimony_id, reader(readers[0]), "Wait.", now=NOW())
    with pytest.raises(NotPossible, match="taken down by the coalition"), transaction() as session:
        actions.resume(session, ticket.testimony_id, now=NOW())
    with pytest.raises(NotPossible, match="somebody else"), transaction() as session:
        decisions.restore(
            session, ticket.testimony_id, reader(readers[0]), turn=turn(ticket), now=NOW()
        )
    with transaction() as session:
        decisions.restore(
            session, ticket.testimony_id, reader(readers[1]), turn=turn(ticket), now=NOW()
        )
    published = find_published(db.session(), slug)
    assert published is not None
    assert published.is_public


# The checklist


@pytest.mark.parametrize("check", list(Check))
def test_a_check_that_is_not_made_holds_it_back(
    readers: tuple[uuid.UUID, uuid.UUID], check: Check
) -> None:
    ticket = sent()
    gap = replace(ALL_CLEAR, clear=ALL_CLEAR.clear - {check})
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
        decisions.save_edition(
            session, ticket.testimony_id, reader(readers[0]), turn=turn(ticket), front=FRONT
        )
    with pytest.raises(NotPossible, match="checklist"), transaction() as session:
        decisions.redact(
            session, ticket.testimony_id, reader(readers[0]), gap, turn=turn(ticket), now=NOW()
        )
    assert stands(ticket) is State.CLAIMED


def test_a_name_that_was_overlooked_holds_it_back_until_somebody_has_looked_at_it(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    arguments = {"turn": 2, "now": NOW()}
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
        decisions.save_edition(
            session, ticket.testimony_id, reader(readers[0]), turn=turn(ticket), front=FRONT
        )
        arguments["turn"] = turn(ticket)
    with pytest.raises(NotPossible, match="Officer Fictional"), transaction() as session:
        decisions.redact(session, ticket.testimony_id, reader(readers[0]), ALL_CLEAR, **arguments)
    seen = Checklist(ALL_CLEAR.clear, frozenset({"Officer Fictional"}))
    with transaction() as session:
        decisions.redact(session, ticket.testimony_id, reader(readers[0]), seen, **arguments)
    assert stands(ticket) is State.REDACTED


def test_a_name_in_the_summary_is_found_as_well(readers: tuple[uuid.UUID, uuid.UUID]) -> None:
    ticket = sent(text="Nothing.")
    front = replace(FRONT, summary="Dr Fictional refused.")
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
        decisions.save_edition(
            session, ticket.testimony_id, reader(readers[0]), turn=turn(ticket), front=front
        )
    with pytest.raises(NotPossible, match="Dr Fictional"), transaction() as session:
        decisions.redact(
            session, ticket.testimony_id, reader(readers[0]), ALL_CLEAR, turn=turn(ticket),
            now=NOW(),
        )  # fmt: skip


# Meanwhile


@pytest.mark.parametrize("verb", [actions.withdraw, actions.erase, actions.pause])
def test_what_its_writer_takes_back_while_somebody_reads_cannot_be_decided(
    readers: tuple[uuid.UUID, uuid.UUID], verb: Callable[..., None]
) -> None:
    ticket = sent()
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
    seen = turn(ticket)
    with transaction() as session:
        verb(session, ticket.testimony_id, now=NOW())
    with pytest.raises(NotPossible, match="its writer has"), transaction() as session:
        decisions.decline(
            session, ticket.testimony_id, reader(readers[0]), DeclineCode.OTHER, "No.",
            turn=seen, now=NOW(),
        )  # fmt: skip


def test_what_was_rewritten_while_somebody_reads_has_to_be_opened_again(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
    seen = turn(ticket)
    with transaction() as session:
        actions.rewrite(
            session, ticket.testimony_id, told("Other."), revision=1, sends=True, now=NOW()
        )
    with pytest.raises(NotPossible, match="open it again"), transaction() as session:
        decisions.ask_writer(
            session, ticket.testimony_id, reader(readers[0]), "Why?", turn=seen, now=NOW()
        )


def test_an_appeal_is_looked_at_by_somebody_else(readers: tuple[uuid.UUID, uuid.UUID]) -> None:
    ticket = sent()
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
        decisions.decline(
            session, ticket.testimony_id, reader(readers[0]), DeclineCode.THREAT, "Sorry.",
            turn=turn(ticket), now=NOW(),
        )  # fmt: skip
    with transaction() as session:
        actions.answer(session, ticket.testimony_id, "I threaten nobody.", now=NOW())
    assert [each.is_appeal for each in waiting(db.session())] == [True]
    with pytest.raises(NotPossible, match="you declined it"), transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
    with transaction() as session:
        decisions.take(session, ticket.testimony_id, reader(readers[1]), now=NOW())
    assert stands(ticket) is State.CLAIMED


def test_the_same_form_sent_twice_is_one_testimony_and_other_words_overwrite_nothing(
    app: Flask,
) -> None:
    with transaction() as session:
        ticket = make_testimony(session)
        assert actions.begin(session, ticket, told(), sends=True, now=NOW()) is Begun.SAME
        other = told("Other words.")
        assert actions.begin(session, ticket, other, sends=True, now=NOW()) is Begun.OTHER
    found = find_by_code(db.session(), ticket.code)
    assert found is not None
    assert found.text == TEXT


def test_a_draft_in_two_windows_is_not_overwritten(app: Flask) -> None:
    with transaction() as session:
        ticket = make_testimony(session, sends=False)
        number = ticket.testimony_id
        actions.rewrite(session, number, told("One."), revision=1, sends=False, now=NOW())
    with pytest.raises(Stale), transaction() as session:
        actions.rewrite(session, number, told("Two."), revision=1, sends=False, now=NOW())
    found = find_by_code(db.session(), ticket.code)
    assert found is not None
    assert (found.text, found.state) == ("One.", State.DRAFT)


# What is told, and to whom


def test_the_mail_says_that_something_waits_and_not_what(
    app: Flask,
    readers: tuple[uuid.UUID, uuid.UUID],
    work: Callable[[], object],
    mailbox: Mailbox,
) -> None:
    with transaction() as session:
        ticket = make_testimony(session, told(contact="robin@example.org"))
        silent = make_testimony(session)
    for each in (ticket, silent):
        with transaction() as session:
            decisions.take(session, each.testimony_id, reader(readers[0]), now=NOW())
            decisions.ask_writer(
                session, each.testimony_id, reader(readers[0]), "Which year?",
                turn=turn(each), now=NOW(),
            )  # fmt: skip
    waits = select(OutboxMessage.reference).where(OutboxMessage.kind == WAITING)
    assert db.session.scalars(waits).all() == [ticket.testimony_id]
    work()
    mailbox.wait_for(1)
    mail = next(each for each in mailbox.received if each["To"] == "robin@example.org")
    whole = (mail.as_string() + text_of(mail) + html_of(mail)).lower()
    for word in (ticket.code, str(ticket.testimony_id), "which year", "testimon", "sim", "police"):
        assert word not in whole


def test_the_log_says_who_did_what_and_holds_nothing_of_what_was_written(
    app: Flask, readers: tuple[uuid.UUID, uuid.UUID]
) -> None:
    ticket, _ = publish(app)
    lines = db.session.scalars(
        select(AuditEntry).where(AuditEntry.subject == f"testimony {ticket.testimony_id}")
    ).all()
    assert [each.action for each in lines] == [
        "testimony: read", "testimony: edit",
        "testimony: read the edited version", "testimony: approve",
    ]  # fmt: skip
    assert all(each.actor.startswith("moderator ") for each in lines)
    whole = " ".join(f"{each.reason} {each.action}" for each in lines)
    assert not any(word in whole for word in ("nurse", "police", "Fictional"))


# Time


@pytest.mark.parametrize(("days", "left"), [(30, True), (31, False)])
def test_a_draft_is_erased_thirty_days_after_it_was_saved(
    app: Flask, days: int, left: bool
) -> None:
    with transaction() as session:
        ticket = make_testimony(session, sends=False)
        clean_up_testimonies(session, now=NOW() + timedelta(days=days))
    assert (find_by_code(db.session(), ticket.code) is not None) == left


def test_what_was_declined_goes_after_ninety_days_unless_its_writer_appealed(
    app: Flask, readers: tuple[uuid.UUID, uuid.UUID]
) -> None:
    tickets = [sent(), sent()]
    for ticket in tickets:
        with transaction() as session:
            decisions.take(session, ticket.testimony_id, reader(readers[0]), now=NOW())
            decisions.decline(
                session, ticket.testimony_id, reader(readers[0]), DeclineCode.OTHER, "No.",
                turn=turn(ticket), now=NOW(),
            )  # fmt: skip
    with transaction() as session:
        actions.answer(session, tickets[0].testimony_id, "Please look again.", now=NOW())
    with transaction() as session:
        clean_up_testimonies(session, now=NOW() + timedelta(days=90))
        assert all(find_by_code(session, each.code) for each in tickets)
        clean_up_testimonies(session, now=NOW() + timedelta(days=91))
        assert find_by_code(session, tickets[0].code)
        assert not find_by_code(session, tickets[1].code)


def test_what_nobody_answered_is_closed_and_says_why(
    app: Flask, readers: tuple[uuid.UUID, uuid.UUID]
) -> None:
    ticket = sent()
    with transaction() as session:
        edit(session, ticket.testimony_id, reader(readers[0]))
        approve(session, ticket.testimony_id, reader(readers[1]))
        private = make_testimony(session, told(use=Use.COUNT))
        clean_up_testimonies(session, now=NOW() + timedelta(days=91))
        testimony = session.get_one(Testimony, ticket.testimony_id)
        assert (testimony.state, testimony.decision_code) == (
            State.DECLINED, DeclineCode.NO_ANSWER,
        )  # fmt: skip
        kept = session.get_one(Testimony, private.testimony_id)
        assert kept.state is State.APPROVED, "nothing was asked about it"


def test_of_what_was_never_public_not_even_the_row_stays(app: Flask) -> None:
    published, slug = publish(app)
    with transaction() as session:
        ticket = make_testimony(session)
        for each in (ticket, published):
            actions.erase(session, each.testimony_id, now=NOW())
        clean_up_testimonies(session, now=NOW() + timedelta(days=31))
        assert session.get(Testimony, ticket.testimony_id) is None
        assert find_published(session, slug) is not None, "its address still says that it is gone"
        assert published_of(session, session.get_one(Testimony, published.testimony_id))


def test_whoever_declined_it_never_decides_about_the_appeal_whatever_is_asked_between(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    number, (first, second) = ticket.testimony_id, readers
    with transaction() as session:
        who, other = session.get_one(Moderator, first), session.get_one(Moderator, second)
        decisions.take(session, number, who, now=NOW())
        decisions.decline(
            session, number, who, DeclineCode.LIVE_CASE, "Why.", turn=turn(ticket), now=NOW()
        )
        actions.answer(session, number, "Look again.", now=NOW())
        decisions.take(session, number, other, now=NOW())
        decisions.ask_writer(session, number, other, "When?", turn=turn(ticket), now=NOW())
        actions.answer(session, number, "In May.", now=NOW())
        with pytest.raises(NotPossible, match="you declined it"):
            decisions.take(session, number, who, now=NOW())
        decisions.take(session, number, other, now=NOW())


def test_taking_it_and_giving_it_back_makes_it_wait_no_shorter(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    with transaction() as session:
        who = session.get_one(Moderator, readers[0])
        later = NOW() + timedelta(days=20)
        decisions.take(session, ticket.testimony_id, who, now=later)
        decisions.give_back(session, ticket.testimony_id, who, now=later)
        (waits,) = waiting(session)
        assert waits.since == day_in_uk(NOW())


def test_what_waits_for_its_writer_waits_for_them_after_a_pause(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent()
    number = ticket.testimony_id
    with transaction() as session:
        edit(session, number, session.get_one(Moderator, readers[0]))
        approve(session, number, session.get_one(Moderator, readers[1]))
        actions.pause(session, number, now=NOW())
        actions.resume(session, number, now=NOW())
        testimony = session.get_one(Testimony, number)
        edition = edition_of(session, testimony)
        assert testimony.state is State.APPROVED
        assert edition
        actions.agree(session, number, edition.id, now=NOW())


def test_an_address_that_was_taken_out_does_not_come_back_from_an_older_window(app: Flask) -> None:
    ticket = sent(contact="shared@example.org")
    number = ticket.testimony_id
    with transaction() as session:
        actions.rewrite(session, number, told(), revision=1, sends=True, now=NOW())
        with pytest.raises(Stale):
            actions.rewrite(
                session, number, told("New words.", contact="shared@example.org"),
                revision=1, sends=True, now=NOW(),
            )  # fmt: skip
        assert session.get_one(Testimony, number).contact is None


def test_a_change_of_the_address_alone_goes_to_no_reader(
    readers: tuple[uuid.UUID, uuid.UUID],
) -> None:
    ticket = sent(contact="one@example.org")
    number = ticket.testimony_id
    with transaction() as session:
        edit(session, number, session.get_one(Moderator, readers[0]))
        changed = told(contact="two@example.org")
        actions.rewrite(session, number, changed, revision=1, sends=True, now=NOW())
        testimony = session.get_one(Testimony, number)
        assert testimony.state is State.REDACTED
        approve(session, number, session.get_one(Moderator, readers[1]))


def test_whoever_left_an_address_is_told_that_it_was_closed_for_want_of_an_answer(
    readers: tuple[uuid.UUID, uuid.UUID], session: Session
) -> None:
    ticket = sent(contact="ada@example.org")
    with transaction() as writing:
        who = writing.get_one(Moderator, readers[0])
        decisions.take(writing, ticket.testimony_id, who, now=NOW())
        decisions.ask_writer(
            writing, ticket.testimony_id, who, "When?", turn=turn(ticket), now=NOW()
        )
    before = len(session.scalars(select(OutboxMessage.id)).all())
    with transaction() as writing:
        clean_up_testimonies(writing, now=NOW() + timedelta(days=91))
    session.rollback()
    assert len(session.scalars(select(OutboxMessage.id)).all()) == before + 1
