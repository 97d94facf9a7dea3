"""What the petition's mails say, to whom, and what they keep to themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coalition import clock
from coalition.db import transaction
from coalition.mail.actions import block_address
from coalition.petition.models import SignatureStatus
from tests.factories import make_signature
from tests.mailbox import Mailbox, html_of, text_of
from tests.signing import sign
from tests.visitor import Visitor

Status = SignatureStatus
Work = Callable[[], object]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Status.AWAITING, "Or delete it now"),
        (Status.VERIFIED, "counted already"),
        (Status.HELD, "is held"),
        (Status.REMOVED, "was removed"),
        (Status.WITHDRAWN, "Or delete it now"),
    ],
)
def test_only_the_mail_tells_how_things_stand(
    visitor: Visitor, work: Work, mailbox: Mailbox, state: Status, words: str
) -> None:
    with transaction() as session:
        make_signature(session, email="ada@example.org", status=state)
    sign(visitor)
    work()
    assert words in text_of(mailbox.wait_for(1))


def test_the_mail_names_neither_the_campaign_nor_the_person(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    sign(visitor, name="Ada Fictional https://spam.example.org")
    work()
    mail = mailbox.wait_for(1)
    whole = mail.as_string() + text_of(mail) + html_of(mail)
    for word in ("SIM", "mental", "Ada", "spam"):
        assert word not in whole
    assert "<img" not in whole
    assert mail["Subject"] == "Please confirm your email address"
    # A lock screen shows the subject and the first line.
    preview = text_of(mail).partition("http")[0]
    assert "petition" not in preview.lower()


def test_mail_for_a_counted_signature_goes_to_the_address_that_was_proved(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    """ada+x@ may be another person's mailbox where the server knows no tags."""
    with transaction() as session:
        make_signature(session, email="ada@example.org")
    sign(visitor, email="ada+x@example.org")
    work()
    assert mailbox.recipients == ["ada@example.org"]


def test_a_blocked_address_gets_no_mail(visitor: Visitor, work: Work, mailbox: Mailbox) -> None:
    with transaction() as session:
        block_address(session, "ada@example.org", now=clock.utc_now())
    sign(visitor)
    visitor.submit(
        visitor.get("/petition/your-signature"), "/petition/resend", email="ada@example.org"
    )
    work()
    assert mailbox.received == []


def test_asking_for_the_private_link_does_not_read_like_signing(visitor: Visitor) -> None:
    page = visitor.get("/petition/your-signature")
    sent = visitor.submit(page, "/petition/resend", email="ada@example.org")
    assert "Opening its link changes nothing" in sent.text
    for untrue in ("another mail", "counts after that", "code"):
        assert untrue not in sent.text.partition("<main")[2].partition("</main")[0]
    again = visitor.submit(sent, "/petition/resend")
    assert "We have sent another mail" in again.text
    assert "Opening its link changes nothing" in again.text


def test_an_unknown_address_that_asks_for_its_link_is_told_that_there_is_none(
    visitor: Visitor, work: Work, mailbox: Mailbox
) -> None:
    page = visitor.get("/petition/your-signature")
    visitor.submit(page, "/petition/resend", email="nobody@example.org")
    work()
    assert "We hold no signature under this address" in text_of(mailbox.wait_for(1))


@pytest.mark.parametrize("state", [Status.HELD, Status.REMOVED])
def test_the_reason_of_a_decision_stands_in_a_paragraph_of_its_own(
    visitor: Visitor, work: Work, mailbox: Mailbox, state: Status
) -> None:
    with transaction() as session:
        make_signature(
            session, email="ada@example.org", status=state, decision_reason="They look alike."
        )
    sign(visitor)
    work()
    paragraphs = text_of(mailbox.wait_for(1)).replace("\r\n", "\n").split("\n\n")
    assert "The reason: They look alike." in paragraphs
