"""Rows for tests, made by plain functions."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from coalition import clock
from coalition.petition.actions import Agreed
from coalition.petition.models import Cause, Signature, SignatureStatus
from coalition.petition.queries import address_digests
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
    if status is SignatureStatus.VERIFIED:
        append_count_event(
            session,
            Cause.VERIFIED,
            1,
            region=signature.region,
            kind=signature.kind,
            now=now,
        )
    session.flush()
    return signature
