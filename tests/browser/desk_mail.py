"""How a moderator comes to each state of the desk's mail and of its log."""

from __future__ import annotations

import uuid
from datetime import timedelta

from playwright.sync_api import Page
from sqlalchemy import select

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import transaction
from coalition.mail.address import address_digests
from coalition.mail.models import Bounce, BounceKind, MessageState, OutboxMessage
from coalition.petition import emails
from coalition.petition.models import SignatureStatus
from coalition.testimonies import emails as testimonies
from tests.browser.desk import at_desk
from tests.browser.sites import Place, Sites
from tests.browser.ways import LONG_WORDS, press

HOPELESS = f"hopeless-{uuid.uuid4().hex[:8]}@example.org"


def put_mail(place: Place, address: str) -> uuid.UUID:
    """A mail that failed, one that waits for its next try, one that came back. Returns the id of
    the first."""
    now, digest_of = clock.utc_now(), address_digests
    signature_id = place.signature(email=address, status=SignatureStatus.AWAITING)
    with place.app.app_context(), transaction() as session:
        failed, stuck = (
            OutboxMessage(
                id=uuid.uuid4(),
                kind=emails.SIGNING,
                reference=signature_id,
                state=state,
                attempts=3,
                created_at=now,
                due_at=now + timedelta(days=1),
                finished_at=now if state is MessageState.FAILED else None,
                failure="SMTP 550",
                recipient_digest=digest_of(address)[0],
            )
            for state in (MessageState.FAILED, MessageState.WAITING)
        )
        session.add_all([failed, stuck])
        session.add(
            Bounce(
                id=uuid.uuid4(),
                message_id=uuid.uuid4(),
                mail_kind=emails.SIGNING,
                address_digest=digest_of(HOPELESS)[0],
                kind=BounceKind.PERMANENT,
                status="5.1.1",
                at=now,
                diagnostic=LONG_WORDS[:500],
            )
        )
        return failed.id


def see_mail(page: Page, sites: Sites) -> None:
    put_mail(sites.main, f"ada-{uuid.uuid4().hex[:8]}@example.org")
    at_desk("/desk/mail")(page, sites)


def _button(page: Page, message_id: uuid.UUID, words: str) -> None:
    form = page.locator(f'form[action="/desk/mail/{message_id}/send-again"]')
    form.get_by_role("button", name=words).click()


def open_mail(page: Page, sites: Sites) -> None:
    message_id = put_mail(sites.main, f"ada-{uuid.uuid4().hex[:8]}@example.org")
    at_desk("/desk/mail")(page, sites)
    _button(page, message_id, "To whom?")


def open_mail_to_a_writer(page: Page, sites: Sites) -> None:
    """To somebody who told what happened: their address is never shown."""
    message_id = put_mail(sites.main, f"ada-{uuid.uuid4().hex[:8]}@example.org")
    with sites.main.app.app_context(), transaction() as session:
        session.get_one(OutboxMessage, message_id).kind = testimonies.WAITING
    at_desk("/desk/mail")(page, sites)
    _button(page, message_id, "To whom?")


def open_bounce(page: Page, sites: Sites) -> None:
    see_mail(page, sites)
    page.get_by_role("button", name="From whom?").first.click()


def send_again(page: Page, sites: Sites) -> None:
    message_id = put_mail(sites.main, f"ada-{uuid.uuid4().hex[:8]}@example.org")
    at_desk("/desk/mail")(page, sites)
    _button(page, message_id, "Send again")


def send_again_in_vain(page: Page, sites: Sites) -> None:
    """To an address from which mail came back for good."""
    with sites.main.app.app_context(), transaction() as session:
        digests = address_digests(HOPELESS)
        held = session.scalars(
            select(OutboxMessage).where(OutboxMessage.recipient_digest.in_(digests))
        ).first()
        message_id = held.id if held else None
    message_id = message_id or put_mail(sites.main, HOPELESS)
    at_desk("/desk/mail")(page, sites)
    _button(page, message_id, "Send again")


def prove_log(page: Page, sites: Sites) -> None:
    at_desk("/desk/audit")(page, sites)
    press(page, "Prove it")


def prove_against_nonsense(page: Page, sites: Sites) -> None:
    at_desk("/desk/audit")(page, sites)
    page.get_by_label("What an earlier proof told").fill("12")
    press(page, "Prove it")


def prove_a_broken_log(page: Page, sites: Sites) -> None:
    """A line is changed, and changed back once the page is there."""
    _name_actor(sites.main, "somebody else")
    try:
        prove_log(page, sites)
    finally:
        _name_actor(sites.main, "test")


def _name_actor(place: Place, actor: str) -> None:
    with place.app.app_context(), transaction() as session:
        session.get_one(AuditEntry, 1).actor = actor
