"""Rows for tests, made by plain functions."""

from __future__ import annotations

import io
import itertools
import uuid
from datetime import datetime
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from coalition import clock
from coalition.clock import day_in_uk
from coalition.endorsements import actions as endorsements
from coalition.endorsements import decisions
from coalition.endorsements.actions import Contact, PublicDetails
from coalition.endorsements.importing import Row, import_rows
from coalition.endorsements.models import (
    DeclineCode,
    Endorsement,
    EndorsementStatus,
    Nation,
    OrganisationKind,
)
from coalition.endorsements.queries import find_entry, with_contact
from coalition.mail.address import address_digests
from coalition.petition.actions import Agreed
from coalition.petition.fingerprints import domain_digest, network_digest
from coalition.petition.models import Cause, Signature, SignatureStatus
from coalition.petition.tally import append_count_event
from coalition.statements.queries import current_campaign

_numbers = itertools.count(1)


def agreed_now() -> Agreed:
    """The versions of the texts that are published."""
    campaign = current_campaign()
    return Agreed(campaign.petition.version_id, campaign.consent.version_id)


def make_signature(
    session: Session,
    *,
    email: str | None = None,
    status: SignatureStatus = SignatureStatus.VERIFIED,
    network: str | None = None,
    now: datetime | None = None,
    **values: Any,
) -> Signature:
    """A signature in a state of choice, with the count event that its state needs."""
    now = now or clock.utc_now()
    email = email or f"person{next(_numbers)}@example.org"
    signature = Signature(
        **{
            "id": uuid.uuid4(),
            "address_digest": address_digests(email)[0],
            "domain_digest": domain_digest(email),
            "network_digest": network_digest(network) if network else None,
            "email": email,
            "name": "Somebody Fictional",
            "region": None,
            "kind": None,
            "show_name": False,
            "wants_updates": False,
            "status": status,
            "signed_at": now,
            "verified_at": None if status is SignatureStatus.AWAITING else now,
            "status_changed_at": now,
            "revision": 1,
            **vars(agreed_now()),
            "choices_version_id": agreed_now().consent_version_id,
            **values,
        }
    )
    session.add(signature)
    if status is SignatureStatus.VERIFIED or signature.aside:
        append_count_event(
            session,
            Cause(signature.aside or Cause.VERIFIED),
            int(status is SignatureStatus.VERIFIED),
            region=signature.region,
            kind=signature.kind,
            entered=signature.aside,
            now=now,
        )
    session.flush()
    return signature


def _logo() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 120), "teal").save(buffer, "PNG")
    return buffer.getvalue()


LOGO = _logo()  # a PNG file


def public_details(**values: Any) -> PublicDetails:
    """What an organisation says of itself."""
    return PublicDetails(
        **{
            "name": f"Fictional Friends {next(_numbers)}",
            "website": "https://friends.example.org",
            "kind": OrganisationKind.USER_LED,
            "nation": Nation.SCOTLAND,
            "words": "We support it.",
            "logo_id": None,
            "logo_alt": "",
            **values,
        }
    )


def make_endorsement(
    session: Session,
    *,
    email: str | None = None,
    status: EndorsementStatus = EndorsementStatus.PUBLISHED,
    now: datetime | None = None,
    **values: Any,
) -> Endorsement:
    """An organisation's endorsement in a state of choice, brought there as it comes there."""
    now = now or clock.utc_now()
    contact = Contact(email or f"officer{next(_numbers)}@example.org", "Ada Fictional", "Chair")
    campaign = current_campaign()
    agreed = endorsements.Agreed(campaign.statement.version_id, campaign.consent.version_id)
    endorsement_id = uuid.uuid4()
    endorsements.register_endorsement(
        session, endorsement_id, public_details(**values), contact, agreed, now=now
    )
    if status is not EndorsementStatus.AWAITING:
        endorsements.confirm_endorsement(session, endorsement_id, now=now)
        _decide(session, endorsement_id, status, now)
    found = session.get_one(Endorsement, endorsement_id)
    assert found.status is status
    return found


def make_recorded(
    session: Session, *, email: str | None = None, now: datetime | None = None, **values: Any
) -> Endorsement:
    """An organisation that the coalition itself put on the list, with a contact."""
    now = now or clock.utc_now()
    address = email or f"officer{next(_numbers)}@example.org"
    contact = Contact(address, "Ada Fictional", "Chair")
    row = Row(2, public_details(**values), contact, day_in_uk(now))
    version_id = current_campaign().statement.version_id
    told: dict[str, Any] = {"invite": False, "actor": "test", "now": now}
    import_rows(session, [row], statement_version_id=version_id, **told)
    return with_contact(session, address)[0]


def _decide(
    session: Session, endorsement_id: uuid.UUID, status: EndorsementStatus, now: datetime
) -> None:
    entry = find_entry(session, endorsement_id)
    assert entry is not None
    told: dict[str, Any] = {"actor": "test", "now": now}
    if status is EndorsementStatus.MORE_ASKED:
        decisions.ask_for_more(session, endorsement_id, words="Who decided it?", **told)
    elif status is EndorsementStatus.DECLINED:
        code = DeclineCode.DUPLICATE
        decisions.decline(
            session, endorsement_id, entry_id=entry.id, code=code, words="It is there.", **told
        )
    elif status is not EndorsementStatus.IN_REVIEW:
        decisions.approve(session, endorsement_id, entry_id=entry.id, **told)
    if status is EndorsementStatus.WITHDRAWN:
        endorsements.withdraw_endorsement(session, endorsement_id, now=now)
    elif status is EndorsementStatus.REMOVED:
        decisions.remove(session, endorsement_id, words="It closed.", **told)
