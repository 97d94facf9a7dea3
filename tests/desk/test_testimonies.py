"""Testimonies at the desk: told by labels, taken, read as far as one likes, decided by two."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.testimonies import actions
from coalition.testimonies.choices import Use
from coalition.testimonies.models import DeclineCode, Edition, PausedBy, Testimony
from coalition.testimonies.states import State
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.reading import (
    ALL_TICKED,
    approve,
    at,
    edit,
    edition,
    end_leases,
    hand_on,
    path,
    reader,
    send,
    sent,
    take,
    write_front,
)
from tests.telling import TEXT, address_of, publish, told
from tests.visitor import Page, Visitor

OPENING = "They came with two police officers."
NAMED = "Officer Fictional"


def withdraw(number: uuid.UUID) -> None:
    with transaction() as session:
        actions.withdraw(session, number, now=clock.utc_now())


def log_of(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


# Who may not


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.EDITOR, Role.PRESS, Role.SAFEGUARDING])
def test_nobody_but_a_reader_reads(app: Flask, role: Role) -> None:
    number = sent()
    visitor = signed_in(app, role)
    token = visitor.get("/desk").form("/desk/leave").values
    assert "/desk/testimonies" not in visitor.get("/desk").text
    for rest in ("", "/edit", "/front", "/preview", "/check", "/ask", "/decline", "/public"):
        assert visitor.get(path(number, rest)).status == 403
    for rest in ("/take", "/original", "/approve", "/take-down", "/accept", "/check"):
        assert visitor.post(path(number, rest), token).status == 403


def test_nobody_reads_what_they_wrote_themselves(app: Flask) -> None:
    number = sent(told(contact="m.o+me@gmail.com"))
    visitor = sign_in_as(app, make_moderator(app, Role.MODERATOR, email="mo@gmail.com"))
    assert "Nothing waits for you" in visitor.get("/desk/testimonies").text
    token = visitor.get("/desk").form("/desk/leave").values
    for page in (visitor.get(path(number)), visitor.post(path(number, "/take"), token)):
        assert page.status == 403
        assert "judged your own account" in page.text
    assert at(number) is State.SUBMITTED


def test_what_does_not_exist_is_not_there(app: Flask) -> None:
    assert reader(app).get(path(uuid.uuid4())).status == 404


def test_no_draft_can_be_opened(app: Flask) -> None:
    with transaction() as session:
        from tests.telling import make_testimony

        number = make_testimony(session, sends=False).testimony_id
    page = reader(app).get(path(number))
    assert page.status == 410
    assert OPENING not in page.text


# The queue


def test_the_queue_tells_labels_length_and_days_and_no_word_of_the_text(app: Flask) -> None:
    number = sent(told(labels=("care-refused",)))
    with transaction() as session:
        session.execute(
            update(Testimony).values(
                waits_since=clock.day_in_uk(clock.utc_now()).replace(year=2025)
            )
        )
    text = reader(app).get("/desk/testimonies").text
    assert "describes care that was refused" in text
    assert f"{len(TEXT)} characters" in text
    assert "for 365 days" in text
    assert "police officers" not in text
    assert "Fictional" not in text.replace("Mo Fictional", "")
    assert number.hex not in text.replace("-", "").split("/take")[1]


def test_labels_come_first_and_the_text_a_passage_at_a_time(app: Flask) -> None:
    number = sent(told(labels=("care-refused",)))
    visitor = reader(app)
    assert OPENING not in visitor.get(path(number, "?to=all")).text
    page = take(visitor, number)
    assert "describes care that was refused" in page.text
    assert OPENING not in page.text
    one = visitor.get(path(number, "?to=1"))
    assert OPENING in one.text
    assert "asked for a nurse" not in one.text
    assert "asked for a nurse" in visitor.get(path(number, "?to=2")).text
    assert "asked for a nurse" in visitor.get(path(number, "?to=all")).text
    for odd in ("?to=-1", "?to=x", "?to=", "?to=²", "?to=9999999999"):
        assert OPENING not in visitor.get(path(number, odd)).text


def test_taking_it_is_written_to_the_log_without_a_word_of_it(app: Flask, session: Session) -> None:
    number = sent()
    take(reader(app), number)
    assert log_of(session)[-1] == "testimony: read"
    rows = session.connection().exec_driver_sql("SELECT * FROM audit_entries").all()
    assert "police" not in str(rows)


def test_two_cannot_have_the_same(app: Flask) -> None:
    number = sent()
    first, second = reader(app, "Ada"), reader(app, "Grace")
    list_of_second = second.get("/desk/testimonies")
    take(first, number)
    late = second.submit(list_of_second, path(number, "/take"))
    assert "<bdi>Ada</bdi> is reading it" in late.text
    assert OPENING not in second.get(path(number, "?to=all")).text
    assert "Nothing waits for you" in second.get("/desk/testimonies").text


def test_taken_twice_it_is_still_the_same_turn(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    listed = visitor.get("/desk/testimonies")
    page = visitor.submit(listed, path(number, "/take"))
    ask = visitor.get(path(number, "/ask"))
    again = visitor.submit(listed, path(number, "/take"))
    assert again.status == page.status == 200
    assert send(visitor, ask, "/ask", [("step", "look")], words="When?").status == 200


def test_what_is_given_back_is_free_and_keeps_what_was_done(app: Flask) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    take(first, number)
    write_front(first, number)
    page = first.get(path(number))
    assert "What you had done stays" in first.submit(page, "/give-back").text
    assert at(number) is State.SUBMITTED
    take(second, number)
    assert "Somebody asked for a nurse" in second.get(path(number, "/front")).text


def test_what_is_passed_on_is_not_offered_again_and_nobody_asks_why(app: Flask) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    page = take(first, number)
    after = first.post(path(number, "/pass-on"), page.form("/give-back").values)
    assert "It is not offered to you again" in after.text
    assert "Nothing waits for you" in after.text
    assert at(number) is State.SUBMITTED
    assert take(second, number).status == 200


def test_giving_back_what_another_has_by_now_takes_it_from_nobody(app: Flask) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    page = take(first, number)
    end_leases()
    take(second, number)
    first.submit(page, "/give-back")
    assert at(number) is State.CLAIMED
    assert second.get(path(number, "/ask")).form("/ask")


# Withdrawn while somebody reads


@pytest.mark.parametrize(
    "rest", ["", "?to=all", "/edit", "/front", "/preview", "/check", "/ask", "/decline"]
)
def test_withdrawn_while_it_is_read_no_page_shows_a_word_of_it(app: Flask, rest: str) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    withdraw(number)
    page = visitor.get(path(number, rest))
    assert page.status == 410
    assert "Its writer has taken it back" in page.text
    assert "You did nothing wrong" in page.text
    for word in (OPENING, NAMED, "asked for a nurse"):
        assert word not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_words_written_when_it_was_withdrawn_are_kept_and_go_nowhere(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    ask = visitor.get(path(number, "/ask"))
    withdraw(number)
    page = send(visitor, ask, "/ask", [("step", "do")], words="When was that?")
    assert page.status == 409
    assert "Its writer has taken it back" in page.text
    assert "When was that?" in page.text
    assert OPENING not in page.text
    assert at(number) is State.WITHDRAWN


def test_paused_while_it_is_read_it_is_left_alone(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    with transaction() as session:
        actions.pause(session, number, now=clock.utc_now())
    page = visitor.get(path(number, "?to=all"))
    assert page.status == 410
    assert "Its writer has paused it" in page.text
    assert OPENING not in page.text


# The lease


def test_a_lease_that_ran_out_keeps_the_words_and_says_who_has_it(app: Flask) -> None:
    number = sent()
    first, second = reader(app, "Ada"), reader(app, "Grace")
    take(first, number)
    page = first.get(path(number, "/decline"))
    end_leases()
    take(second, number)
    late = send(first, page, "/decline", [("step", "do")], words="I am sorry.", code="live-case")
    assert late.status == 409
    assert "Grace has taken it meanwhile" in late.text
    assert "I am sorry." in late.text
    assert at(number) is State.CLAIMED


def test_a_lease_that_ran_out_is_renewed_where_nobody_else_took_it(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    page = visitor.get(path(number, "/ask"))
    end_leases()
    assert OPENING not in visitor.get(path(number, "?to=all")).text
    assert "is asked" in send(visitor, page, "/ask", [("step", "do")], words="When?").text
    assert at(number) is State.NEEDS_WRITER


def test_no_form_of_ones_own_making_reads_it_past_the_log(app: Flask, session: Session) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    take(first, number)
    end_leases()
    before = log_of(session).count("testimony: read")
    values = second.get("/desk").form("/desk/leave").values
    second.post(path(number, "/edit"), {**values, "turn": "3", "back": "0-1"})
    session.rollback()
    reads = OPENING in second.get(path(number, "?to=all")).text
    assert log_of(session).count("testimony: read") == before + reads


def test_a_form_from_before_somebody_else_had_it_is_stale(app: Flask) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    take(first, number)
    page = first.get(path(number, "/ask"))
    end_leases()
    second.submit(take(second, number), "/give-back")
    late = send(first, page, "/ask", [("step", "do")], words="When was that?")
    assert late.status == 409
    assert "ou do not have it; take it" in late.text
    assert "When was that?" in late.text


def test_what_its_writer_changed_meanwhile_is_not_decided_about(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    page = visitor.get(path(number, "/front"))
    with transaction() as session:
        actions.rewrite(
            session, number, told("Other words."), revision=1, sends=True, now=clock.utc_now()
        )
    late = send(visitor, page, "/front", label="detention", summary="Somebody was kept.")
    assert late.status == 409
    assert "Somebody was kept." in late.text


# Asked, declined, accepted


def test_asking_shows_what_its_writer_will_read_and_then_asks_it(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    page = send(
        visitor, visitor.get(path(number, "/ask")), "/ask", [("step", "look")], words="When?"
    )
    assert "What its writer reads" in page.text
    assert at(number) is State.CLAIMED
    back = send(visitor, page, "/ask", [("step", "back")])
    assert "When?" in back.form("/ask").values["words"]
    done = send(visitor, page, "/ask", [("step", "do")])
    assert "Its writer is asked" in done.text
    with transaction() as session:
        testimony = session.get_one(Testimony, number)
        assert (testimony.state, testimony.decision_words) == (State.NEEDS_WRITER, "When?")
    again = send(visitor, page, "/ask", [("step", "do")])
    assert again.status == 409


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"words": " ", "code": "method"}, "Write some words"),
        ({"words": "No.", "code": ""}, "Choose the reason"),
        ({"words": "x" * 4_001, "code": "method"}, "Use 4,000 characters or fewer"),
        ({"words": "No.", "code": "no-answer"}, "Not a valid choice"),
    ],
)
def test_a_refusal_without_reason_or_words_goes_nowhere(
    app: Flask, fields: dict[str, str], says: str
) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    page = visitor.get(path(number, "/decline"))
    for step in ("look", "do"):
        answer = send(visitor, page, "/decline", [("step", step)], **fields)
        assert answer.status == 422
        assert says in answer.text
        assert fields["words"].strip() in answer.text
    assert at(number) is State.CLAIMED


def test_a_step_that_is_none_is_refused(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    take(visitor, number)
    page = visitor.get(path(number, "/ask"))
    assert send(visitor, page, "/ask", [("step", "burn")], words="When?").status == 400


def test_a_refusal_is_looked_at_by_somebody_else_when_its_writer_asks(app: Flask) -> None:
    number = sent()
    first, second = reader(app, "Ada"), reader(app, "Grace")
    take(first, number)
    page = first.get(path(number, "/decline"))
    fields = {"words": "We thank you.", "code": DeclineCode.LIVE_CASE.value}
    shown = send(first, page, "/decline", [("step", "look")], **fields)
    assert "A court or an inquest deals with it now" in shown.text
    assert "Declined" in send(first, shown, "/decline", [("step", "do")]).text
    with transaction() as session:
        actions.answer(session, number, "The court is done.", now=clock.utc_now())
    assert "Nothing waits for you" in first.get("/desk/testimonies").text
    refused = first.post(path(number, "/take"), first.get("/desk").form("/desk/leave").values)
    assert refused.status == 409
    assert "ou declined it; somebody else has to look at the answer" in refused.text
    assert OPENING not in first.get(path(number, "?to=all")).text
    assert "an answer to a refusal" in second.get("/desk/testimonies").text
    page = take(second, number)
    assert "The court is done." in page.text
    assert "We thank you." in page.text


def test_what_is_for_us_alone_is_read_and_accepted_and_never_edited(app: Flask) -> None:
    number = sent(told(use=Use.READ))
    visitor = reader(app)
    page = take(visitor, number)
    assert "/edit" not in visitor.get(path(number, "?to=all")).text
    for rest in ("/edit", "/front", "/preview", "/check"):
        assert visitor.get(path(number, rest)).status == 409
    assert "kept private" in visitor.submit(page, "/accept").text
    assert at(number) is State.APPROVED
    assert visitor.submit(page, "/accept").status == 409


def test_what_is_to_be_published_cannot_be_kept_private(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    form = take(visitor, number).form("/give-back")
    turn = visitor.get(path(number, "/ask")).form("/ask").values["turn"]
    page = visitor.post(path(number, "/accept"), {**form.values, "turn": turn})
    assert page.status == 409
    assert "ts writer wishes to have it published" in page.text


# Two people


def test_two_readers_and_its_writer_publish_it(app: Flask, session: Session) -> None:
    number = sent()
    first, second = reader(app, "Ada"), reader(app, "Grace")
    assert "waits for a second reader" in edit(first, number).text
    assert at(number) is State.REDACTED
    page = take(second, number)
    assert NAMED not in page.text
    shown = second.get(path(number, "?to=all")).text
    assert NAMED not in shown
    assert "[name taken out] stayed." in shown
    done = send(second, page, "/approve", ALL_TICKED)
    assert "Its writer is asked now" in done.text
    assert at(number) is State.APPROVED
    edition_id = edition(number).id
    with transaction() as writing:
        actions.agree(writing, number, edition_id, now=clock.utc_now())
    assert at(number) is State.PUBLISHED
    actions_done = log_of(session)
    assert [each for each in actions_done if each.startswith("testimony")] == [
        "testimony: read", "testimony: edit",
        "testimony: read the edited version", "testimony: approve",
    ]  # fmt: skip


def test_its_writer_need_not_be_asked_and_then_it_is_public_at_once(app: Flask) -> None:
    number = sent(told(ask_first=False))
    edit(reader(app), number)
    second = reader(app)
    page = take(second, number)
    assert "Approve it, and publish it now" in page.text
    assert "It is on the site" in send(second, page, "/approve", ALL_TICKED).text
    assert at(number) is State.PUBLISHED


def test_nobody_is_the_second_reader_of_their_own_edit(app: Flask) -> None:
    number = sent()
    visitor = reader(app)
    edit(visitor, number)
    assert "Nothing waits for you" in visitor.get("/desk/testimonies").text
    token = visitor.get("/desk").form("/desk/leave").values
    taken = visitor.post(path(number, "/take"), token)
    assert taken.status == 409
    assert "ou edited it; somebody else has to read it now" in taken.text
    with transaction() as session:
        turn = session.get_one(Testimony, number).turn
    own = {
        **token, "turn": str(turn), "edition_id": edition(number).id.hex,
        "clear": "names-staff",
    }  # fmt: skip
    assert visitor.post(path(number, "/approve"), own).status == 409
    assert at(number) is State.REDACTED


@on_both
def test_the_database_itself_refuses_one_person_twice(app: Flask) -> None:
    number = sent()
    edit(reader(app), number)
    first_by = edition(number).first_by
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(
            update(Edition).where(Edition.testimony_id == number).values(second_by=first_by)
        )


def test_an_original_is_opened_on_purpose_alone_and_that_is_logged(
    app: Flask, session: Session
) -> None:
    number = sent()
    edit(reader(app), number)
    second = reader(app)
    page = take(second, number)
    for rest in ("", "?to=all", "/preview", "/edit", "/check"):
        assert NAMED not in second.get(path(number, rest)).text
    shown = second.submit(page, "/original")
    assert NAMED in shown.text
    assert "[name taken out]" in shown.text
    assert log_of(session)[-1] == "testimony: read the original"
    second.submit(page, "/give-back")
    assert NAMED not in second.submit(page, "/original").text


def test_a_second_reader_who_knows_the_original_is_asked_to_leave_it_to_others(app: Flask) -> None:
    number = sent()
    second = reader(app)
    second.submit(take(second, number), "/give-back")
    edit(reader(app), number)
    page = take(second, number)
    assert "You have read it before as it was written" in page.text
    second.submit(page, "/give-back")
    fresh = reader(app)
    page = take(fresh, number)
    assert "as it was written" not in page.text


def test_the_second_checklist_blocks_too(app: Flask) -> None:
    number = sent()
    edit(reader(app), number)
    second = reader(app)
    page = approve(second, number, ALL_TICKED[:-1])
    assert page.status == 422
    assert "It threatens nobody" in page.text
    assert page.text.count("checked") == len(ALL_TICKED) - 1
    assert at(number) is State.SECOND_READING


def test_an_edit_since_it_was_read_is_not_approved(app: Flask) -> None:
    number = sent()
    edit(reader(app), number)
    second = reader(app)
    page = take(second, number)
    other = send(second, page, "/approve", ALL_TICKED, edition_id=uuid.uuid4().hex)
    assert other.status == 409
    assert "t was edited since you read it" in other.text
    nonsense = send(second, page, "/approve", ALL_TICKED, edition_id="x")
    assert nonsense.status == 409
    assert at(number) is State.SECOND_READING


@on_both
def test_approved_twice_it_is_approved_once(app: Flask, session: Session) -> None:
    number = sent()
    edit(reader(app), number)
    second = reader(app)
    page = take(second, number)
    send(second, page, "/approve", ALL_TICKED)
    assert send(second, page, "/approve", ALL_TICKED).status == 409
    assert log_of(session).count("testimony: approve") == 1


def test_what_is_sent_back_comes_with_its_words_and_what_was_done(app: Flask) -> None:
    number = sent()
    first, second = reader(app), reader(app)
    edit(first, number)
    take(second, number)
    page = second.get(path(number, "/send-back"))
    shown = send(second, page, "/send-back", [("step", "look")], words="The ward, too.")
    assert "What your colleague reads" in shown.text
    assert "Sent back" in send(second, shown, "/send-back", [("step", "do")]).text
    again = take(first, number)
    assert "The ward, too." in again.text
    assert "1 place so far" in again.text
    assert hand_on(first, number).status == 200
    assert at(number) is State.REDACTED


def test_a_second_reader_may_decline(app: Flask) -> None:
    number = sent()
    edit(reader(app), number)
    second = reader(app)
    take(second, number)
    page = second.get(path(number, "/decline"))
    assert second.get(path(number, "/ask")).url == path(number)
    send(second, page, "/decline", [("step", "do")], words="Sorry.", code="threat")
    assert at(number) is State.DECLINED


# On the site


def published(app: Flask) -> tuple[uuid.UUID, str]:
    ticket, slug = publish(app)
    return ticket.testimony_id, slug


def take_down(visitor: Visitor, number: uuid.UUID, **words: str) -> Page:
    return send(visitor, visitor.get(path(number, "/public")), "/take-down", **words)


def test_one_person_takes_it_down_at_once_and_another_puts_it_back(app: Flask) -> None:
    number, slug = published(app)
    first, second = reader(app, "Ada"), reader(app, "Grace")
    assert path(number, "/public") in first.get("/desk/testimonies/published").text
    page = take_down(first, number, words="We look at one word.")
    assert "It is off the site" in page.text
    assert at(number) is State.PAUSED
    assert "somebody else has to look at it" in page.text
    own = first.submit(page, "/restore")
    assert own.status == 409
    assert "ou took it down; somebody else has to put it back" in own.text
    other = second.get(path(number, "/public"))
    assert "We look at one word." in other.text
    assert "<bdi>Ada</bdi>" in other.text
    assert "It is on the site again" in second.submit(other, "/restore").text
    assert at(number) is State.PUBLISHED
    assert second.submit(other, "/restore").status == 409
    with transaction() as session:
        assert address_of(session, number) == slug


def test_kind_words_stand_there_already_and_none_at_all_are_refused(app: Flask) -> None:
    number, _ = published(app)
    visitor = reader(app)
    empty = take_down(visitor, number, words=" ")
    assert empty.status == 422
    assert at(number) is State.PUBLISHED
    take_down(visitor, number)
    with transaction() as session:
        testimony = session.get_one(Testimony, number)
        assert testimony.paused_by is PausedBy.DESK
        assert "You did nothing wrong" in (testimony.decision_words or "").replace("\n", " ")


def test_taken_down_twice_is_told_and_the_words_are_kept(app: Flask) -> None:
    number, _ = published(app)
    visitor = reader(app)
    page = visitor.get(path(number, "/public"))
    send(visitor, page, "/take-down", words="One.")
    again = send(visitor, page, "/take-down", words="Another word.")
    assert again.status == 409
    assert "Another word." in again.text


def test_what_was_taken_down_is_edited_anew_by_two(app: Flask) -> None:
    number, _ = published(app)
    visitor = reader(app)
    page = take_down(visitor, number)
    values = page.form("/restore").values
    assert "to be edited anew" in visitor.post(path(number, "/reopen"), values).text
    assert at(number) is State.SUBMITTED
    assert "1 place so far" in take(visitor, number).text


def test_a_text_that_was_public_is_read_again_on_purpose_alone(
    app: Flask, session: Session
) -> None:
    number, _ = published(app)
    visitor = reader(app)
    page = take_down(visitor, number)
    assert "[name taken out]" not in page.text
    shown = visitor.submit(page, "/public/read")
    assert "[name taken out]" in shown.text
    assert log_of(session)[-1] == "testimony: read what was public"
    withdraw(number)
    assert "[name taken out]" not in visitor.submit(page, "/public/read").text
    assert visitor.get(path(number, "/public")).status == 410
    assert path(number, "/public") not in visitor.get("/desk/testimonies/published").text


def test_what_was_withdrawn_cannot_be_put_back(app: Flask) -> None:
    number, _ = published(app)
    page = take_down(reader(app), number)
    withdraw(number)
    assert reader(app).get("/desk/testimonies").status == 200
    other = reader(app)
    token = other.get("/desk").form("/desk/leave").values
    values = {**page.form("/restore").values, **token}
    assert other.post(path(number, "/restore"), values).status == 409
    assert at(number) is State.WITHDRAWN
