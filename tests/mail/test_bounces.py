"""Mail that comes back: read from any server's form, believed only about mail that we sent."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from time import monotonic

import pytest
from aiosmtpd.smtp import Envelope
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import db, transaction
from coalition.mail import actions, queries
from coalition.mail.address import address_digests
from coalition.mail.bounce_actions import (
    BOUNCES_KEPT,
    Outcome,
    delete_old_bounces,
    delete_old_counts,
    record_bounce,
)
from coalition.mail.bounces import LARGEST, LONGEST_DIAGNOSTIC, NotAMail, Report, read_bounce
from coalition.mail.models import Bounce, BounceKind, OutboxMessage, UnknownBounces
from coalition.mail.worker import Batch
from coalition.petition import actions as petition
from coalition.petition import emails
from coalition.petition.actions import Personal, sign_petition
from coalition.petition.models import SignatureStatus
from coalition.petition.queries import find_by_address, waiting_but_bounced
from tests.commands import run_coalition
from tests.conftest import environment, run_command
from tests.factories import agreed_now, make_endorsement, make_signature
from tests.mail import bounce_samples as samples
from tests.mail.bounce_samples import fill
from tests.mailbox import Mailbox, free_port
from tests.test_cli import NEW, OLD, application, with_keys

Work = Callable[[], Batch]
PERMANENT, TEMPORARY = BounceKind.PERMANENT, BounceKind.TEMPORARY
ID = uuid.uuid4()
OURS = f"<{ID.hex}@example.org>"
ADA = Personal("Ada", region=None, kind=None, show_name=False, wants_updates=False)


@pytest.mark.parametrize("sample", samples.NOT_BOUNCES.values(), ids=samples.NOT_BOUNCES.keys())
def test_what_is_no_bounce_says_nothing(sample: str) -> None:
    assert read_bounce(fill(sample, OURS)) is None


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"hello\n", b"\x00\xff\xfe", b" : x\n"])
def test_what_is_no_mail_is_told(data: bytes) -> None:
    with pytest.raises(NotAMail):
        read_bounce(data)


@pytest.mark.parametrize(
    ("sample", "kind", "status", "says"),
    [
        (samples.POSTFIX, PERMANENT, "5.1.1", "ada@example.org: smtp; 550 5.1.1 <ada@example.org>"),
        (samples.POSTFIX_DELAY, TEMPORARY, "4.4.1", "Connection timed out"),
        (samples.POSTFIX_GIVEN_UP, TEMPORARY, "4.4.1", "Connection timed out"),
        (samples.EXIM, PERMANENT, "5.0.0", "ada@example.org: smtp; 550 No such user here"),
        (samples.EXIM_TEXT, PERMANENT, "5.2.1", "ada@example.org: host mx.example.org"),
        (samples.QMAIL_TEXT, PERMANENT, "5.1.1", "sorry, no mailbox here by that name"),
        (samples.EXCHANGE, PERMANENT, "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"),
        (samples.GMAIL, PERMANENT, "5.2.2", "over quota"),
    ],
    ids=["postfix", "delay", "given up", "exim", "exim text", "qmail", "exchange", "gmail"],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_bounces_of_common_servers_are_read(
    sample: str, kind: BounceKind, status: str, says: str, line_end: str
) -> None:
    report = read_bounce(fill(sample, OURS).replace(b"\n", line_end.encode()))
    assert report is not None
    assert (report.kind, report.status) == (kind, status)
    assert report.message_ids[0] == ID
    assert says in report.diagnostic


def test_a_notification_without_the_mail_that_it_returns_is_known_by_what_it_answers() -> None:
    returned = samples.GMAIL.index("--000000000000aaaabbbb\nContent-Type: message/rfc822")
    report = read_bounce(fill(samples.GMAIL[:returned], OURS))
    assert report is not None
    assert report.message_ids == (ID,)


def test_of_several_recipients_the_one_that_failed_is_told() -> None:
    two = samples.POSTFIX.replace(
        "Final-Recipient: rfc822; ada@example.org\n",
        "Final-Recipient: rfc822; grace@example.org\nAction: delayed\nStatus: 4.2.2\n\n"
        "Final-Recipient: rfc822; ada@example.org\n",
    )
    report = read_bounce(fill(two, OURS))
    assert report is not None
    assert (report.kind, report.status) == (PERMANENT, "5.1.1")


def test_a_long_or_hostile_diagnostic_is_one_short_line() -> None:
    hostile = samples.POSTFIX.replace("User unknown", "\x1b[2J \u202e" + "x" * 5000)
    report = read_bounce(fill(hostile, OURS))
    assert report is not None
    assert len(report.diagnostic) == LONGEST_DIAGNOSTIC
    assert report.diagnostic.isprintable()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([samples.POSTFIX, samples.EXIM_TEXT, samples.EXCHANGE, samples.GMAIL]),
    st.integers(0, 4000),
    st.integers(0, 60),
    st.binary(max_size=40),
)
def test_whatever_is_sent_is_read_or_refused(
    sample: str, start: int, length: int, noise: bytes
) -> None:
    mail = fill(sample, OURS)
    damaged = mail[:start] + noise + mail[start + length :]
    try:
        report = read_bounce(damaged)
    except NotAMail:
        return
    assert report is None or report.status[0] in "45"


def signed(mailbox: Mailbox, work: Work, email: str = "ada@example.org") -> EmailMessage:
    """The mail that asks somebody to confirm, sent through the real server."""
    with transaction() as session:
        sign_petition(session, email, ADA, agreed_now(), now=clock.utc_now())
    assert work().sent == 1
    return mailbox.received[-1]


def came_back(mail: EmailMessage, sample: str = samples.POSTFIX) -> Outcome:
    report = read_bounce(fill(sample, str(mail["Message-ID"])))
    assert report is not None
    with transaction() as session:
        return record_bounce(session, report, now=clock.utc_now())


def bounces() -> list[Bounce]:
    db.session.remove()
    return list(db.session.scalars(select(Bounce)))


def unknown() -> int:
    db.session.remove()
    return db.session.scalar(select(func.sum(UnknownBounces.number))) or 0


def pipe(values: dict[str, str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """What a mail server does: `coalition mail bounce < message`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COALITION_")}
    return run_coalition(("mail", "bounce"), {**clean, **values}, data)


def test_a_bounce_that_names_no_mail_of_ours_is_counted_and_not_kept(app: Flask) -> None:
    for message_id in (OURS, "<someone-else@example.org>", f"<{'0' * 31}g@example.org>"):
        report = read_bounce(fill(samples.POSTFIX, message_id))
        assert report is not None
        with transaction() as session:
            assert record_bounce(session, report, now=clock.utc_now()) is Outcome.UNKNOWN
    assert bounces() == []
    assert unknown() == 3


def test_a_mail_that_was_never_tried_or_was_refused_cannot_have_come_back(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    mailbox.answer = lambda envelope: "550 5.1.1 no"
    with transaction() as session:
        sign_petition(session, "ada@example.org", ADA, agreed_now(), now=clock.utc_now())
    for _ in range(2):
        message_id = db.session.scalars(select(OutboxMessage.id)).one()
        report = Report((message_id,), PERMANENT, "5.1.1", "")
        with transaction() as session:
            assert record_bounce(session, report, now=clock.utc_now()) is Outcome.UNKNOWN
        work()
    assert bounces() == []


def test_a_bounce_that_overtakes_the_note_of_sending_is_asked_to_come_again(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    with transaction() as session:
        message_id = actions.queue_message(
            session, emails.ERASED, now=clock.utc_now(), details={"address": "ada@example.org"}
        )
    seen: list[Outcome] = []
    report = Report((message_id,), PERMANENT, "5.1.1", "")

    def answer(envelope: Envelope) -> str:
        with app.app_context(), transaction() as session:
            seen.append(record_bounce(session, report, now=clock.utc_now()))
        return "250 OK"

    mailbox.answer = answer
    work()
    with transaction() as session:
        seen.append(record_bounce(session, report, now=clock.utc_now()))
    assert seen == [Outcome.TOO_EARLY, Outcome.RECORDED]


def test_a_mail_that_came_back_is_kept_without_its_address_in_clear(
    app: Flask, mailbox: Mailbox, work: Work
) -> None:
    assert came_back(signed(mailbox, work)) is Outcome.RECORDED
    (bounce,) = bounces()
    assert (bounce.kind, bounce.status, bounce.mail_kind) == (PERMANENT, "5.1.1", emails.SIGNING)
    assert bounce.address_digest == address_digests("ADA@example.org")[0]
    assert bounce.diagnostic.startswith("ada@example.org: smtp; 550 5.1.1")
    for table in ("bounces", "outbox_messages", "unknown_bounces", "audit_entries"):
        for row in db.session.execute(text(f"SELECT * FROM {table}")):
            assert b"ada@" not in b" ".join(
                bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode()
                for each in row
            )


def test_a_bounce_that_comes_twice_is_kept_once(app: Flask, mailbox: Mailbox, work: Work) -> None:
    mail = signed(mailbox, work)
    assert came_back(mail, samples.POSTFIX_DELAY) is Outcome.RECORDED
    assert came_back(mail) is Outcome.RECORDED
    assert came_back(mail, samples.EXIM) is Outcome.KNOWN
    assert sorted(each.kind for each in bounces()) == [PERMANENT, TEMPORARY]


def test_a_waiting_signature_whose_mail_came_back_for_good_is_shown(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    came_back(signed(mailbox, work, "grace@example.org"), samples.POSTFIX_DELAY)
    came_back(signed(mailbox, work))
    session.rollback()
    ada = find_by_address(session, "ada@example.org")
    assert ada is not None
    ((signature_id, bounce),) = waiting_but_bounced(session)
    assert (signature_id, bounce.status) == (ada.id, "5.1.1")
    with transaction() as writing:
        writing.merge(ada).status = SignatureStatus.VERIFIED
    assert waiting_but_bounced(session) == []


def test_who_signs_again_after_a_bounce_waits_like_anybody(
    app: Flask, session: Session, mailbox: Mailbox, work: Work
) -> None:
    came_back(signed(mailbox, work))
    signed(mailbox, work)
    session.rollback()
    assert waiting_but_bounced(session) == []


@pytest.mark.parametrize("way", ["erase", "disown", "erase an endorsement"])
def test_whoever_is_erased_leaves_no_bounce_behind(
    app: Flask, mailbox: Mailbox, work: Work, way: str
) -> None:
    now = clock.utc_now()
    came_back(signed(mailbox, work))
    with transaction() as session:
        signature = find_by_address(session, "ada@example.org")
        assert signature is not None
        if way == "erase":
            petition.erase_signature(session, signature.id, now=now)
        elif way == "disown":
            petition.disown_signature(session, signature.id)
        else:
            from coalition.endorsements.actions import erase_endorsement

            endorsement = make_endorsement(session, email="ada@example.org")
            erase_endorsement(session, endorsement.id, now=now)
    assert bounces() == []


def test_what_came_back_is_deleted_after_its_time(app: Flask, mailbox: Mailbox, work: Work) -> None:
    came_back(signed(mailbox, work))
    now = clock.utc_now()
    with transaction() as session:
        assert record_bounce(session, Report((), PERMANENT, "5.1.1", ""), now=now)
        delete_old_bounces(session, now=now + BOUNCES_KEPT - timedelta(minutes=1))
        delete_old_counts(session, now=now + BOUNCES_KEPT - timedelta(minutes=1))
    assert (len(bounces()), unknown()) == (1, 1)
    with transaction() as session:
        assert delete_old_bounces(session, now=now + BOUNCES_KEPT + timedelta(days=1)) == 1
        delete_old_counts(session, now=now + BOUNCES_KEPT + timedelta(days=1))
    assert (len(bounces()), unknown()) == (0, 0)


def test_bounces_outlive_a_change_of_secrets(database_url: str) -> None:
    now = clock.utc_now()
    with application(with_keys(database_url, OLD)), transaction() as session:
        make_signature(session, email="ada@example.org", status=SignatureStatus.AWAITING, now=now)
        session.add(
            Bounce(
                id=uuid.uuid4(), message_id=uuid.uuid4(), mail_kind=emails.SIGNING, at=now,
                address_digest=address_digests("ada@example.org")[0], kind=PERMANENT,
                status="5.1.1", diagnostic="no such user",
            )
        )  # fmt: skip
    rotated = run_command(with_keys(database_url, NEW, OLD), "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    with application(with_keys(database_url, NEW)), transaction() as session:
        ((_, bounce),) = waiting_but_bounced(session)
        assert bounce.diagnostic == "no such user"


def test_mail_comes_back_to_the_address_for_it_and_answers_go_to_the_sender(
    make_app: Callable[..., Flask], mailbox: Mailbox
) -> None:
    senders: list[str | None] = []

    def answer(envelope: Envelope) -> str:
        senders.append(envelope.mail_from)
        return "250 OK"

    mailbox.answer = answer
    for changes in ({}, {"BOUNCE_ADDRESS": "bounces@petition.example.org"}):
        app = make_app(**changes)
        with app.app_context():
            with transaction() as session:
                details = {"address": "ada@example.org"}
                actions.queue_message(session, emails.ERASED, now=clock.utc_now(), details=details)
            send(app)
            db.session.remove()
    assert senders == ["petition@example.org", "bounces@petition.example.org"]
    assert {str(mail["From"]) for mail in mailbox.received} == {"Petition <petition@example.org>"}


def send(app: Flask) -> None:
    from threading import Event

    from coalition.mail.transports import make_transport
    from coalition.mail.worker import Pace, deliver_batch
    from coalition.worker import WRITERS

    transport = make_transport(app.extensions["settings"].mail_url)
    deliver_batch(transport, WRITERS, pace=Pace(1000), stop=Event())
    transport.close()


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 65, b"this is no mail"),
        (b"\x00\x01\x02", 65, b"this is no mail"),
        (fill(samples.VACATION, OURS), 0, b"not a bounce"),
        (fill(samples.POSTFIX, OURS), 0, b"counted"),
        (fill(samples.POSTFIX, OURS) + b"x" * (2 * LARGEST), 0, b"counted"),
    ],
    ids=["nothing", "noise", "holiday", "unknown", "huge"],
)
def test_the_pipe_answers_as_a_mail_server_expects(
    app: Flask, database_url: str, data: bytes, status: int, words: bytes
) -> None:
    result = pipe(environment(database_url, "smtp://127.0.0.1"), data)
    assert result.returncode == status, result.stderr
    assert words in result.stdout + result.stderr
    assert b"Traceback" not in result.stderr
    assert b"ada@" not in result.stdout + result.stderr


def test_a_bounce_comes_through_the_pipe(
    app: Flask, mailbox: Mailbox, work: Work, database_url: str
) -> None:
    mail = signed(mailbox, work)
    values = environment(database_url, mailbox.url)
    for words in (b"recorded\n", b"it came before\n"):
        result = pipe(values, fill(samples.EXCHANGE, str(mail["Message-ID"])))
        assert (result.returncode, result.stdout, result.stderr) == (0, words, b"")
    assert [each.status for each in bounces()] == ["5.1.10"]


def test_while_the_site_cannot_take_it_the_mail_server_keeps_the_bounce(tmp_path: object) -> None:
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    empty = f"sqlite:///{tmp_path}/empty.db"
    for values in (
        environment(away, "smtp://127.0.0.1"),
        environment(empty, "smtp://127.0.0.1"),
        {},
        {**environment(empty, "smtp://127.0.0.1"), "COALITION_SECRET_KEYS": "short"},
    ):
        result = pipe(values, fill(samples.POSTFIX, OURS))
        assert result.returncode == 75, result.stderr
        (line,) = result.stderr.decode().splitlines()
        assert line.startswith("coalition: ")


def test_the_list_tells_what_waits_and_what_failed_and_a_mail_is_sent_again(
    app: Flask, mailbox: Mailbox, work: Work, database_url: str
) -> None:
    values = environment(database_url, mailbox.url)
    alone = "No worker has ever looked after the mail: start one.\n"
    assert run_command(values, "mail", "list").stdout == alone + "Nothing waits after a refusal.\n"
    assert run_command(values, "mail", "list", "--failed").stdout == alone + "Nothing failed.\n"
    mailbox.answer = lambda envelope: "550 no such person"
    with transaction() as session:
        signature = make_signature(session, status=SignatureStatus.AWAITING)
        message_id = actions.queue_message(
            session, emails.SIGNING, now=clock.utc_now(), reference=signature.id
        )
    assert "petition.signing: 1 wait, 0 of them refused before" in (
        run_command(values, "mail", "list").stdout
    )
    assert work().failed == 1
    failed = run_command(values, "mail", "list", "--failed").stdout
    assert failed == (
        "A worker looks after the mail.\n"
        f"{message_id} petition.signing, 1 tries, SMTP 550: there is no such mailbox\n"
    )
    mailbox.answer = lambda envelope: "250 OK"
    for words in ("It is sent as soon as a worker is free.\n", "It is due already.\n"):
        assert run_command(values, "mail", "retry", str(message_id)).stdout == words
    assert work().sent == 1
    assert run_command(values, "mail", "retry", "--refused").stdout.startswith("0 are sent")
    for words in ((), (str(message_id), "--refused")):
        assert run_command(values, "mail", "retry", *words).returncode == 2
    refused = run_command(values, "mail", "retry", str(message_id))
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: it has been sent since")
    assert queries.number_of(db.session(), actions.MessageState.SENT) == 1


POSTMASTER = b"From: postmaster@x.example\nContent-Type: text/plain\n\n"
NOTIFICATION = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
    b"--B\nContent-Type: message/delivery-status\n\n"
)


@pytest.mark.parametrize(
    "mail",
    [
        POSTMASTER + b"\n" * LARGEST,
        POSTMASTER + b"> \n" * (LARGEST // 3),
        NOTIFICATION + b"Action: failed\n\n" * (LARGEST // 16) + b"--B--\n",
        NOTIFICATION + b"Action: failed\nDiagnostic-Code: " + b"=?utf-8?q?a?= " * (LARGEST // 14),
        b"Content-Type: multipart/report;" + b" a=b;" * (LARGEST // 5) + b"\n\nx",
        b"From: postmaster@x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 50_000,
    ],
    ids=["empty lines", "marks of quoting", "recipients", "coded words", "parameters", "parts"],
)
def test_no_mail_takes_long_to_read(mail: bytes) -> None:
    begun = monotonic()
    read_bounce(mail)
    assert monotonic() - begun < 20  # seconds; some took hours, and anybody can send one
