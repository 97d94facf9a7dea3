"""Complaints about a published text: sent with nothing lost, decided with both sides told."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.desk.claims import pass_on
from coalition.desk.models import ItemKind
from coalition.testimonies import actions
from coalition.testimonies.codes import Ticket
from coalition.testimonies.complaint_actions import delete_past_complaints
from coalition.testimonies.complaint_forms import NEEDED
from coalition.testimonies.complaint_models import (
    CLOSED_COMPLAINT_LIFETIME,
    Complaint,
    ComplaintState,
    Ground,
)
from coalition.testimonies.models import PausedBy, PublishedTestimony, Testimony
from coalition.testimonies.states import State
from tests.conftest import run_command
from tests.desking import make_moderator, sign_in_as, signed_in
from tests.engines import on_both
from tests.mailbox import Mailbox, text_of
from tests.telling import come_back, publish, told
from tests.test_cli import NEW, OLD, application, with_keys
from tests.visitor import Page, Visitor, visitor_of

NOW = clock.utc_now
Work = Callable[[], object]
ANSWERS = {
    "statement": "The second line.",
    "about": "me",
    "words": "My neighbours know me by it.",
    "meaning": "That I lied.",
    "inaccurate": "I did not.",
    "knows_writer": "no",
    "share_name": "no",
    "share_email": "no",
    "name": "Nell Fictional",
    "email": "nell@example.org",
}


def path_of(slug: str) -> str:
    return f"/testimonies/{slug}/complain"


def form_for(visitor: Visitor, slug: str, ground: str) -> Page:
    page = visitor.get(path_of(slug))
    values = page.form(path_of(slug)).values
    return visitor.post(path_of(slug), {**values, "ground": ground, "step": "ground"})


def send(visitor: Visitor, slug: str, page: Page, **answers: str) -> Page:
    values = page.form(path_of(slug)).values
    return visitor.post(path_of(slug), {**values, **answers, "step": "send"})


def complained(app: Flask, ground: Ground = Ground.IDENTIFIES, **answers: str) -> str:
    """A published text about which somebody has complained. Returns its address."""
    _, slug = publish(app)
    visitor = visitor_of(app)
    sent = {name: ANSWERS[name] for name in NEEDED[ground]}
    page = send(visitor, slug, form_for(visitor, slug, ground), **{**sent, **answers})
    assert page.status == 200, page.text
    return slug


def the_complaint(session: Session) -> Complaint:
    session.expire_all()
    return session.scalars(select(Complaint)).one()


def the_testimony(session: Session) -> Testimony:
    session.expire_all()
    return session.scalars(select(Testimony)).one()


def take(visitor: Visitor, complaint: Complaint) -> Page:
    path = f"/desk/complaints/{complaint.id}/take"
    return visitor.submit(visitor.get(f"/desk/complaints/{complaint.id}"), path)


def decide(visitor: Visitor, page: Page, decision: str, *, sure: bool = True, **words: str) -> Page:
    form = page.form("/decide")
    values = {**form.values, **words, "decision": decision}
    values.pop("", None)
    after = visitor.post(form.action, values)
    if sure and after.status == 200 and "Before the answer goes" in after.text:
        after = visitor.submit(after, "/decide")
    return after


@pytest.mark.parametrize("ground", list(Ground))
def test_each_ground_asks_for_what_it_needs_and_keeps_everything_typed(
    app: Flask, session: Session, ground: Ground
) -> None:
    _, slug = publish(app)
    visitor = visitor_of(app)
    needed = {name: words for name, words in NEEDED[ground].items() if words}
    page = send(visitor, slug, form_for(visitor, slug, ground))
    assert page.status == 422
    for words in needed.values():
        assert words in page.text
    for name in needed:  # each by itself is missed
        sent = {each: ANSWERS[each] for each in NEEDED[ground] if each != name}
        one = send(visitor, slug, form_for(visitor, slug, ground), **sent)
        assert one.status == 422, name
        kept = one.form(path_of(slug)).values
        assert {each: kept[each] for each in sent} == sent
    assert not session.scalars(select(Complaint)).all()
    done = send(
        visitor, slug, form_for(visitor, slug, ground), **{n: ANSWERS[n] for n in NEEDED[ground]}
    )
    assert done.status == 200
    found = the_complaint(session)
    assert found.number in done.text
    assert found.details == {name: ANSWERS[name] for name in NEEDED[ground]}


def test_another_ground_keeps_what_was_typed_for_the_first(app: Flask) -> None:
    _, slug = publish(app)
    visitor = visitor_of(app)
    page = form_for(visitor, slug, "defamation")
    values = {**page.form(path_of(slug)).values, **ANSWERS, "step": "change"}
    page = visitor.post(path_of(slug), values)
    values = {**page.form(path_of(slug)).values, "ground": "other", "step": "ground"}
    page = visitor.post(path_of(slug), values)
    kept = page.form(path_of(slug)).values
    assert {name: kept[name] for name in ANSWERS} == ANSWERS


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"email": "nell@"}, "in the form name@example.org"),
        ({"words": "x" * 5_001}, "Use 5,000 characters or fewer"),
        ({"name": "N" * 201}, "200 characters or fewer"),
        ({"website": "http://robots.example"}, "This field must stay empty"),
        ({"share_name": "perhaps"}, "Not a valid choice"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_lost(
    app: Flask, answers: dict[str, str], says: str
) -> None:
    _, slug = publish(app)
    visitor = visitor_of(app)
    page = form_for(visitor, slug, "defamation")
    back = send(visitor, slug, page, **{**ANSWERS, **answers})
    assert back.status == 422
    assert says in back.text
    assert ANSWERS["inaccurate"] in back.text
    for typed in answers.values():
        assert typed in back.text or typed == "perhaps"


@pytest.mark.parametrize("ground", ["", "nonsense"])
def test_no_ground_is_told_at_the_field(app: Flask, ground: str) -> None:
    _, slug = publish(app)
    page = form_for(visitor_of(app), slug, ground)
    assert page.status == 422
    assert "Choose what it is about" in page.text


def test_the_same_form_makes_one_complaint_and_other_words_another(
    app: Flask, session: Session
) -> None:
    _, slug = publish(app)
    visitor = visitor_of(app)
    page = form_for(visitor, slug, "other")
    for _ in range(2):
        send(visitor, slug, page, words="The same.")
    assert the_complaint(session)
    send(visitor, slug, page, words="Not the same.")
    session.expire_all()
    assert len(session.scalars(select(Complaint)).all()) == 2


def test_a_form_that_lay_open_for_too_long_comes_back_filled_in(app: Flask) -> None:
    _, slug = publish(app)
    visitor = visitor_of(app)
    page = form_for(visitor, slug, "other")
    late = send(visitor, slug, page, words="Still here.", form_id="long ago")
    assert late.status == 422
    assert "open for a very long time" in late.text
    assert send(visitor, slug, late).status == 200


def test_too_many_are_slowed_down_with_everything_kept(make_app: Callable[..., Flask]) -> None:
    app = make_app(LIMIT_ADDRESS="1 per hour")
    with app.app_context():
        _, slug = publish(app)
        visitor = visitor_of(app)
        answers = {name: ANSWERS[name] for name in NEEDED[Ground.COPYRIGHT]}
        page = form_for(visitor, slug, "copyright")
        assert send(visitor, slug, page, **answers).status == 200
        late = send(visitor, slug, page, **{**answers, "words": "Once more."})
    assert late.status == 429
    kept = late.form(path_of(slug)).values
    assert (kept["words"], kept["email"]) == ("Once more.", ANSWERS["email"])


def test_a_text_that_is_withdrawn_meanwhile_gives_the_words_back(app: Flask) -> None:
    ticket, slug = publish(app)
    visitor = visitor_of(app)
    page = form_for(visitor, slug, "other")
    with transaction() as session:
        actions.withdraw(session, ticket.testimony_id, now=NOW())
    late = send(visitor, slug, page, words="Words of mine.")
    assert late.status == 410
    assert "Words of mine." in late.text
    assert visitor.get(path_of(slug)).status == 410
    assert visitor.get(path_of("nowhere")).status == 404


def test_the_receipt_says_what_happens_when_and_nothing_of_what_it_is_about(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    complained(app, Ground.DEFAMATION)
    work()
    (mail,) = mailbox.received
    found = the_complaint(session)
    assert mail["To"] == "nell@example.org"
    assert mail["Subject"] == f"We have your message {found.number}"
    for personal in ("Nell", "lied", "complain", "testimon", "reputation"):
        assert personal not in text_of(mail)


@on_both
def test_a_complaint_is_encrypted_and_outlives_a_change_of_keys(database_url: str) -> None:
    with application(with_keys(database_url, OLD)) as app:
        complained(app, Ground.DEFAMATION)
        visitor = signed_in(app, Role.MODERATOR)
        with transaction() as session:
            complaint = the_complaint(session)
        page = take(visitor, complaint)
        decide(visitor, page, "refuse", words="We do not think so.")
        with transaction() as session:
            rows = str(session.connection().exec_driver_sql("SELECT * FROM complaints").all())
        for personal in ("Nell", "nell@example.org", "lied", "think so"):
            assert personal not in rows
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        found = the_complaint(session)
        assert (found.email, found.decision_words) == ("nell@example.org", "We do not think so.")


def who_let_it_go(session: Session) -> tuple[uuid.UUID, uuid.UUID]:
    """Who edited the published text, and who approved it."""
    found = session.scalars(select(PublishedTestimony)).one()
    assert found.first_by is not None
    assert found.second_by is not None
    return found.first_by, found.second_by


def refuses(visitor: Visitor, complaint: Complaint, why: str) -> None:
    """Neither queue nor number shows it, and no way leads to it."""
    home = visitor.get("/desk")
    assert "complaint about a text" not in home.text
    assert "Nothing waits for you" in visitor.get("/desk/complaints").text
    token, path = home.form("/desk/leave").values, f"/desk/complaints/{complaint.id}"
    words = {"decision": "take-down", "writer_words": "Words."}
    for page in (
        visitor.get(path),
        visitor.post(f"{path}/take", token),
        visitor.post(f"{path}/decide", {**token, **words}),
        visitor.post(f"{path}/pass-on", token),
    ):
        assert page.status == 403
        assert why in page.text
        assert ANSWERS["words"] not in page.text


@pytest.mark.parametrize("side", ["complainant", "writer"])
def test_nobody_decides_what_they_sent_or_wrote_themselves(
    app: Flask, session: Session, side: str
) -> None:
    addresses = {"complainant": "else@example.org", "writer": "other@example.org"}
    addresses[side] = "m.o+me@gmail.com"
    with transaction():
        what = told(contact=addresses["writer"])
    _, slug = publish(app, what)
    visitor = visitor_of(app)
    answers = {"words": ANSWERS["words"], "email": addresses["complainant"]}
    send(visitor, slug, form_for(visitor, slug, "other"), **answers)
    mo = sign_in_as(app, make_moderator(app, Role.MODERATOR, email="mo@gmail.com"))
    refuses(mo, the_complaint(session), "judged yourself")
    assert "1 complaint about a text" in signed_in(app, Role.MODERATOR).get("/desk").text
    assert the_testimony(session).state is State.PUBLISHED


def test_whoever_edited_or_approved_the_text_leaves_the_complaint_to_others(
    app: Flask, session: Session
) -> None:
    complained(app)
    other = signed_in(app, Role.MODERATOR)
    for reader in who_let_it_go(session):
        refuses(sign_in_as(app, reader), the_complaint(session), "judged your own work")
    assert "1 complaint about a text" in other.get("/desk").text
    assert ANSWERS["words"] in take(other, the_complaint(session)).text


def test_where_nobody_else_is_here_they_decide_and_the_page_says_so(
    app: Flask, session: Session
) -> None:
    complained(app)
    other = make_moderator(app, Role.MODERATOR)
    first, second = (sign_in_as(app, each) for each in who_let_it_go(session))
    complaint = the_complaint(session)
    refuses(first, complaint, "judged your own work")
    with transaction() as writing:  # it is offered to nobody any more
        moderator = writing.get_one(Moderator, other)
        pass_on(writing, ItemKind.COMPLAINT, complaint.id, moderator, now=NOW())
    for visitor in (first, second):
        assert "1 complaint about a text" in visitor.get("/desk").text
    page = take(first, complaint)
    assert "nobody else is here who could decide" in page.text
    # Whoever has taken it finishes it, though somebody came meanwhile.
    newcomer = signed_in(app, Role.MODERATOR)
    assert "is looking at it" in newcomer.get(f"/desk/complaints/{complaint.id}").text
    refuses(second, complaint, "judged your own work")
    decide(first, page, "refuse", words="It tells nobody.")
    assert the_complaint(session).state is ComplaintState.NOT_UPHELD


def test_nothing_is_read_before_it_is_taken_and_the_log_holds_no_word(
    app: Flask, session: Session
) -> None:
    complained(app)
    complaint = the_complaint(session)
    visitor = signed_in(app, Role.MODERATOR)
    before = visitor.get("/desk/complaints").text
    before += visitor.get(f"/desk/complaints/{complaint.id}").text
    assert ANSWERS["words"] not in before
    assert ANSWERS["email"] not in before
    page = take(visitor, complaint)
    assert ANSWERS["words"] in page.text
    lines = str(session.connection().exec_driver_sql("SELECT * FROM audit_entries").all())
    assert "complaint: read" in lines
    assert ANSWERS["email"] not in lines
    assert signed_in(app, Role.ADMINISTRATOR).get("/desk/complaints").status == 403


def test_the_clock_that_runs_out_first_is_on_top_and_overdue_is_said(
    app: Flask, session: Session
) -> None:
    complained(app)
    with transaction() as writing:
        the_complaint(writing).received_at -= timedelta(days=40)
    visitor = signed_in(app, Role.MODERATOR)
    assert "<strong>Overdue:</strong> look at it by" in visitor.get("/desk/complaints").text
    page = take(visitor, the_complaint(session))
    decide(visitor, page, "leave")
    assert "<strong>Overdue:</strong> decide by" in visitor.get("/desk/complaints").text


def test_one_person_takes_the_text_down_and_somebody_else_puts_it_back(
    app: Flask, session: Session
) -> None:
    slug = complained(app)
    first, second = signed_in(app, Role.MODERATOR), signed_in(app, Role.MODERATOR)
    complaint = the_complaint(session)
    page = decide(first, take(first, complaint), "take-down", writer_words="We look at it.")
    assert "The text is off the site" in page.text
    assert visitor_of(app).get(path_of(slug)).status == 410
    assert the_testimony(session).decision_words == "We look at it."
    first.submit(page, "/give-back")
    done = decide(second, take(second, complaint), "refuse", words="It tells nobody.")
    assert "You did not agree. A mail says why." in done.text
    assert the_testimony(session).state is State.PUBLISHED
    assert the_complaint(session).state is ComplaintState.NOT_UPHELD


def test_whoever_took_it_down_does_not_put_it_back(app: Flask, session: Session) -> None:
    complained(app)
    visitor = signed_in(app, Role.MODERATOR)
    page = decide(visitor, take(visitor, the_complaint(session)), "take-down", writer_words="Wait.")
    done = decide(visitor, page, "refuse", words="It tells nobody.")
    assert "somebody else has to put it back" in done.text
    assert the_testimony(session).state is State.PAUSED


@pytest.mark.parametrize(
    ("then", "state"), [("edit-anew", State.SUBMITTED), ("names-somebody", State.DECLINED)]
)
def test_a_complaint_that_is_right_keeps_the_text_off_and_both_sides_are_told(
    app: Flask, session: Session, work: Work, mailbox: Mailbox, then: str, state: State
) -> None:
    with transaction():
        what = told(contact="writer@example.org")
    _, slug = publish(app, what)
    visitor = visitor_of(app)
    answers = {name: ANSWERS[name] for name in NEEDED[Ground.IDENTIFIES]}
    send(visitor, slug, form_for(visitor, slug, "identifies"), **answers)
    work()
    mailbox.received.clear()
    desk = signed_in(app, Role.MODERATOR)
    page = take(desk, the_complaint(session))
    words = {"words": "You are right.", "writer_words": "It told of somebody.", "then": then}
    shown = decide(desk, page, "uphold", sure=False, **words)
    assert "You are right." in shown.text
    assert the_testimony(session).state is State.PUBLISHED
    desk.submit(shown, "/decide")
    found = the_testimony(session)
    assert (found.state, found.decision_words) == (state, "It told of somebody.")
    assert visitor.get(path_of(slug)).status == 410
    work()
    mails = {mail["To"]: text_of(mail) for mail in mailbox.received}
    assert "You are right." in mails["nell@example.org"]
    assert "It told of somebody" not in str(mails)
    assert "writer@example.org" in mails


def paused_and_complained(app: Flask) -> tuple[Ticket, str]:
    """A text about which somebody has complained, and which its writer has paused since."""
    with transaction():
        what = told(contact="writer@example.org")
    ticket, slug = publish(app, what)
    visitor = visitor_of(app)
    send(visitor, slug, form_for(visitor, slug, "other"), words="It is wrong.")
    with transaction() as writing:
        actions.pause(writing, ticket.testimony_id, now=NOW())
    return ticket, slug


PUBLIC = "They came with two police officers."


@pytest.mark.parametrize("before", [(), ("take-down",)])
@pytest.mark.parametrize("then", ["edit-anew", "names-somebody"])
def test_what_its_writer_has_paused_stays_paused_and_is_read_anew_once_they_go_on(
    app: Flask, session: Session, before: tuple[str, ...], then: str
) -> None:
    ticket, slug = paused_and_complained(app)
    desk = signed_in(app, Role.MODERATOR)
    page = take(desk, the_complaint(session))
    for decision in before:
        page = decide(desk, page, decision, writer_words="Wait, please.")
        assert 'value="take-down"' not in page.text, "there is nothing to take down any more"
    words = {"words": "You are right.", "writer_words": "It told of somebody.", "then": then}
    decide(desk, page, "uphold", **words)
    assert the_complaint(session).state is ComplaintState.UPHELD
    found = the_testimony(session)
    assert (found.state, found.paused_by) == (State.PAUSED, PausedBy.WRITER)
    assert (found.decision_words, found.decision_code) == ("It told of somebody.", None)
    assert "testimony to read" not in desk.get("/desk").text, "no reader is given it"
    written = come_back(visitor_of(app), ticket.code)
    assert "You have paused it" in written.text
    assert "It told of somebody." in written.text
    with transaction() as writing:
        actions.resume(writing, ticket.testimony_id, now=NOW())
    assert the_testimony(session).state is State.SUBMITTED
    assert visitor_of(app).get(f"/testimonies/{slug}").status == 410
    assert "1 testimony to read" in desk.get("/desk").text


def test_what_was_kept_off_in_a_pause_is_read_anew_though_nobody_agrees(
    app: Flask, session: Session
) -> None:
    ticket, slug = paused_and_complained(app)
    desk = signed_in(app, Role.MODERATOR)
    page = decide(desk, take(desk, the_complaint(session)), "take-down", writer_words="Wait.")
    decide(desk, page, "refuse", words="It tells nobody.")
    found = the_testimony(session)
    assert (found.state, found.paused_by) == (State.PAUSED, PausedBy.WRITER)
    with transaction() as writing:
        actions.resume(writing, ticket.testimony_id, now=NOW())
    assert the_testimony(session).state is State.SUBMITTED
    assert visitor_of(app).get(f"/testimonies/{slug}").status == 410


def test_while_its_writer_has_paused_it_nobody_reads_it_beside_the_complaint(
    app: Flask, session: Session
) -> None:
    ticket, _ = paused_and_complained(app)
    desk = signed_in(app, Role.MODERATOR)
    page = take(desk, the_complaint(session))
    assert PUBLIC not in page.text
    assert "Its writer has paused the text" in page.text
    with transaction() as writing:
        actions.resume(writing, ticket.testimony_id, now=NOW())
    assert PUBLIC in desk.get(page.url).text, "nobody has agreed: it is on the site as it was"
    with transaction() as writing:
        actions.withdraw(writing, ticket.testimony_id, now=NOW())
    page = desk.get(page.url)
    assert PUBLIC not in page.text
    assert "its writer took it back" in page.text


def test_a_complaint_about_what_was_withdrawn_can_still_be_answered(
    app: Flask, session: Session
) -> None:
    ticket, slug = publish(app)
    visitor = visitor_of(app)
    send(visitor, slug, form_for(visitor, slug, "other"), words="It is wrong.")
    with transaction() as writing:
        actions.erase(writing, ticket.testimony_id, now=NOW())
    desk = signed_in(app, Role.MODERATOR)
    page = take(desk, the_complaint(session))
    decide(desk, page, "uphold", words="It is gone.", writer_words="It was wrong.")
    assert the_complaint(session).state is ComplaintState.UPHELD
    assert the_testimony(session).state is State.ERASED


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        ("uphold", "whoever complained reads them"),
        ("uphold", "the writer reads them"),
        ("refuse", "whoever complained reads them"),
        ("take-down", "the writer reads them"),
    ],
)
def test_a_decision_without_its_words_is_told_at_the_field(
    app: Flask, session: Session, decision: str, says: str
) -> None:
    complained(app)
    visitor = signed_in(app, Role.MODERATOR)
    page = decide(visitor, take(visitor, the_complaint(session)), decision)
    assert page.status == 422
    assert says in page.text
    assert the_complaint(session).state is ComplaintState.OPEN


@on_both
def test_a_decision_posted_twice_is_carried_out_once_and_two_cannot_have_the_same(
    app: Flask, session: Session, work: Work, mailbox: Mailbox
) -> None:
    complained(app)
    work()
    mailbox.received.clear()
    first, second = signed_in(app, Role.MODERATOR, name="Ada"), signed_in(app, Role.MODERATOR)
    complaint = the_complaint(session)
    page = take(first, complaint)
    late = second.get(f"/desk/complaints/{complaint.id}")
    assert "<bdi>Ada</bdi> is looking at it" in late.text
    assert ANSWERS["words"] not in late.text
    shown = decide(first, page, "refuse", sure=False, words="It tells nobody.")
    first.submit(shown, "/decide")
    again = first.submit(shown, "/decide")
    assert again.status == 409
    assert "it is decided already" in again.text
    work()
    assert len(mailbox.received) == 1


def test_a_complaint_is_deleted_a_year_after_it_is_closed_and_not_before(
    app: Flask, session: Session
) -> None:
    complained(app)
    with transaction() as writing:
        assert delete_past_complaints(writing, now=NOW() + timedelta(days=1_000)) == 0
    visitor = signed_in(app, Role.MODERATOR)
    decide(visitor, take(visitor, the_complaint(session)), "refuse", words="It tells nobody.")
    with transaction() as writing:
        early = NOW() + CLOSED_COMPLAINT_LIFETIME - timedelta(minutes=5)
        assert delete_past_complaints(writing, now=early) == 0
        later = NOW() + CLOSED_COMPLAINT_LIFETIME + timedelta(minutes=5)
        assert delete_past_complaints(writing, now=later) == 1


def test_html_in_a_complaint_is_words(app: Flask, session: Session) -> None:
    complained(app, Ground.OTHER, words="<script>1</script>", name="<b>N</b>")
    page = take(signed_in(app, Role.MODERATOR), the_complaint(session))
    assert "<script>1" not in page.text
    assert "<b>N" not in page.text
