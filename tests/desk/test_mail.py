"""Mail at the desk: numbers for moderators, addresses only where an administrator opens one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Role
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.desk.mails import ADDRESS_NEVER_SHOWN, KIND_NAMES, WRITERS, in_words
from coalition.mail import actions
from coalition.mail.address import address_digests
from coalition.mail.models import Bounce, BounceKind, MailPulse, OutboxMessage
from coalition.mail.worker import Batch
from coalition.petition import emails
from coalition.petition.models import Signature, SignatureStatus
from coalition.testimonies import complaint_emails as complaints
from coalition.testimonies import emails as testimonies
from coalition.testimonies import safeguarding_emails as safeguarding
from coalition.testimonies.models import Testimony
from tests.desking import signed_in
from tests.factories import make_signature
from tests.mailbox import Mailbox
from tests.telling import make_testimony, told
from tests.visitor import Page, Visitor

Work = Callable[[], Batch]
ADDRESS = "ada@example.org"


@pytest.fixture
def administrator(app: Flask) -> Visitor:
    return signed_in(app, Role.ADMINISTRATOR)


def queue_about(signature: Signature) -> uuid.UUID:
    with transaction() as session:
        return actions.queue_message(
            session, emails.SIGNING, now=clock.utc_now(), reference=signature.id
        )


@pytest.fixture
def signature(app: Flask) -> Signature:
    with transaction() as session:
        return make_signature(session, email=ADDRESS, status=SignatureStatus.AWAITING)


@pytest.fixture
def failed(app: Flask, signature: Signature, mailbox: Mailbox, work: Work) -> uuid.UUID:
    """A mail that the server refused for good."""
    message_id = queue_about(signature)
    mailbox.answer = lambda envelope: "550 5.1.1 no such person"
    assert work().failed == 1
    mailbox.answer = lambda envelope: "250 OK"
    return message_id


@pytest.fixture
def bounce(app: Flask, signature: Signature) -> uuid.UUID:
    with transaction() as session:
        session.add(
            row := Bounce(
                id=uuid.uuid4(), message_id=uuid.uuid4(), mail_kind=emails.SIGNING,
                address_digest=address_digests(ADDRESS)[0], kind=BounceKind.PERMANENT,
                status="5.1.1", at=clock.utc_now(), diagnostic=f"{ADDRESS}: no such user <b>",
            )
        )  # fmt: skip
        return row.id


def newest_lines(number: int = 1) -> list[tuple[str, str]]:
    db.session.remove()
    lines = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(number))
    return [(line.action, line.subject) for line in lines]


def press(visitor: Visitor, page: Page, action: str, button: str = "") -> Page:
    """Send the form of a row, or press the button of it that leads elsewhere."""
    form = page.form(action)
    return visitor.post(button or form.action, form.values)


def test_every_kind_of_mail_has_a_name() -> None:
    assert KIND_NAMES.keys() == WRITERS.keys()


def test_without_any_mail_the_page_says_so(administrator: Visitor) -> None:
    with transaction() as session:
        session.execute(delete(OutboxMessage))  # the administrator's own invitation
    page = administrator.get("/desk/mail")
    assert page.status == 200
    for words in (
        "No worker has looked yet",
        "Nothing waits",
        "Nothing failed",
        "Nothing came back",
    ):
        assert words in page.text


@pytest.mark.parametrize("attempts", ["", "x", "-1", "99999999999999999999"])
def test_a_press_without_what_was_seen_sends_nothing(
    administrator: Visitor, failed: uuid.UUID, attempts: str, work: Work
) -> None:
    form = administrator.get("/desk/mail").form("/send-again")
    answer = administrator.post(form.action, {**form.values, "attempts": attempts})
    assert answer.status == 400
    assert work().sent == 0


def test_what_is_gone_is_told(administrator: Visitor, failed: uuid.UUID) -> None:
    page = administrator.get("/desk/mail")
    with transaction() as session:
        session.delete(session.get_one(OutboxMessage, failed))
    again = press(administrator, page, "/send-again")
    assert again.status == 409
    assert "It was not sent again: this mail is no longer there." in again.text
    opened = press(administrator, page, "/send-again", f"/desk/mail/{failed}/open")
    assert opened.status == 404
    assert "no longer there" in opened.text
    token = page.form("/send-again").values
    assert administrator.post(f"/desk/mail/bounces/{failed}/open", token).status == 404


def test_moderators_see_numbers_and_reasons_and_no_buttons(
    app: Flask, failed: uuid.UUID, bounce: uuid.UUID, administrator: Visitor
) -> None:
    moderator = signed_in(app, Role.MODERATOR)
    page = moderator.get("/desk/mail")
    assert "there is no such mailbox (SMTP 550), after 1 try" in page.text
    assert "there is no such mailbox (5.1.1)" in page.text
    assert not [form for form in page.forms if "/desk/mail" in form.action]
    values = administrator.get("/desk/mail").form("/send-again").values
    own = {**values, "csrf_token": page.form("/desk/leave").values["csrf_token"]}
    for path in (f"{failed}/send-again", f"{failed}/open", f"bounces/{bounce}/open"):
        assert moderator.post(f"/desk/mail/{path}", own).status == 403
    assert newest_lines()[0][0] != "mail: address read"


def test_no_address_stands_on_the_page_until_one_is_opened_and_that_is_written_down(
    administrator: Visitor, failed: uuid.UUID, bounce: uuid.UUID
) -> None:
    page = administrator.get("/desk/mail")
    assert ADDRESS not in page.text
    opened = press(administrator, page, "/send-again", f"/desk/mail/{failed}/open")
    assert opened.status == 200
    assert ADDRESS in opened.text
    assert newest_lines() == [("mail: address read", f"mail {failed}")]
    opened = press(administrator, page, f"bounces/{bounce}/open")
    assert "ada@example.org: no such user &lt;b&gt;" in opened.text
    assert newest_lines() == [("mail: address read", f"bounce {bounce}")]


@pytest.fixture
def waiting(app: Flask) -> uuid.UUID:
    """A mail to the writer of a testimony."""
    with transaction() as session:
        ticket = make_testimony(session, told(contact=ADDRESS))
        testimonies.tell_writer(
            session, session.get_one(Testimony, ticket.testimony_id), now=clock.utc_now()
        )
        return session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.kind == testimonies.WAITING)
        ).one()


@pytest.mark.parametrize("roles", [[Role.ADMINISTRATOR], [Role.ADMINISTRATOR, Role.MODERATOR]])
def test_the_address_of_a_writer_is_shown_to_nobody(
    app: Flask, waiting: uuid.UUID, mailbox: Mailbox, work: Work, roles: list[Role]
) -> None:
    mailbox.answer = lambda envelope: f"550 5.1.1 no such person as {ADDRESS}"
    assert work().failed == 1
    visitor = signed_in(app, *roles)
    page = visitor.get("/desk/mail")
    opened = press(visitor, page, "/send-again", f"/desk/mail/{waiting}/open")
    assert opened.status == 200
    assert "Why: there is no such mailbox (SMTP 550)" in opened.text
    assert "with the receipt code" in opened.text
    assert "Ask the person" not in opened.text
    assert ADDRESS not in page.text + opened.text
    assert newest_lines()[0][0] != "mail: address read"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (testimonies.WAITING, "with the receipt code"),
        (complaints.RECEIVED, "finds it with the complaint"),
        (complaints.DECIDED, "finds it with the complaint"),
    ],
)
def test_what_came_back_about_a_testimony_names_nobody(
    administrator: Visitor, bounce: uuid.UUID, kind: str, says: str
) -> None:
    with transaction() as session:
        session.get_one(Bounce, bounce).mail_kind = kind
    opened = press(administrator, administrator.get("/desk/mail"), f"bounces/{bounce}/open")
    assert opened.status == 200
    assert "Why: there is no such mailbox (5.1.1)" in opened.text
    assert says in opened.text
    assert ADDRESS not in opened.text
    assert "no such user" not in opened.text
    assert newest_lines()[0][0] != "mail: address read"


def test_no_kind_of_mail_about_testimonies_shows_an_address() -> None:
    kinds = {kind for kind in KIND_NAMES if kind.startswith("testimonies.")}
    to_the_desk = {safeguarding.FLAGGED, safeguarding.NO_LEAD}
    assert kinds - to_the_desk == ADDRESS_NEVER_SHOWN


def test_a_mail_that_cannot_be_written_is_opened_without_an_address(
    administrator: Visitor, work: Work
) -> None:
    with transaction() as session:
        actions.queue_message(session, emails.ERASED, now=clock.utc_now(), details={"to": "x"})
    work()
    page = administrator.get("/desk/mail")
    assert "our own program could not write it (KeyError)" in page.text
    action = page.form("/send-again").action.replace("send-again", "open")
    opened = press(administrator, page, "/send-again", action)
    assert opened.status == 200
    assert "cannot be said any more" in opened.text


def test_two_presses_send_a_failed_mail_once(
    administrator: Visitor, failed: uuid.UUID, mailbox: Mailbox, work: Work
) -> None:
    page = administrator.get("/desk/mail")
    assert "as soon as a worker is free" in press(administrator, page, "/send-again").text
    assert "It was due already" in press(administrator, page, "/send-again").text
    assert newest_lines(2)[0] == ("mail sent again", f"mail {failed}")
    assert newest_lines(2)[1][0] != "mail sent again"
    assert work().sent == 1
    late = press(administrator, page, "/send-again")
    assert late.status == 409
    assert "has been sent since" in late.text
    assert mailbox.recipients == [ADDRESS]


def test_an_address_that_sent_mail_back_for_good_is_not_written_to_again(
    administrator: Visitor, failed: uuid.UUID, bounce: uuid.UUID, signature: Signature
) -> None:
    page = administrator.get("/desk/mail")
    assert f"{signature.id}</code>: there is no such mailbox" in page.text
    refused = press(administrator, page, "/send-again")
    assert refused.status == 409
    assert "came back for good" in refused.text
    assert "Another address is needed" in refused.text


def test_what_waits_stands_with_its_age_and_a_dead_worker_is_told(
    administrator: Visitor, signature: Signature, session: Session
) -> None:
    message_id = queue_about(signature)
    with transaction() as writing:
        writing.get_one(OutboxMessage, message_id).created_at -= timedelta(hours=5)
        writing.add(MailPulse(id=1, beat_at=clock.utc_now() - timedelta(minutes=7)))
    page = administrator.get("/desk/mail")
    assert "Confirm your signature" in page.text
    assert ">5 hours<" in page.text
    assert "No worker has looked for 7 minutes" in page.text


def test_a_server_that_takes_no_mail_is_told_with_what_to_do(
    administrator: Visitor, signature: Signature, mailbox: Mailbox, work: Work
) -> None:
    queue_about(signature)
    mailbox.answer = lambda envelope: "535 5.7.8 wrong password"
    work()
    page = administrator.get("/desk/mail")
    assert "Our mail server takes no mail since" in page.text
    assert "refuses our sign-in (SMTP 535)" in page.text
    mailbox.answer = lambda envelope: "250 OK"
    press(administrator, page, "/send-again")
    assert work().sent == 1
    assert "Yes. A worker looked less than a minute ago." in administrator.get("/desk/mail").text


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "less than a minute"), (1, "1 minute"), (119, "1 hour"), (60 * 49, "2 days")],
)
def test_a_length_of_time_is_one_number(minutes: int, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words
