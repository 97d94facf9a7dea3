"""Which signatures are a moderator's own: somebody else decides about them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Session

from coalition.accounts.queries import find_actor
from coalition.mail.address import address_digests
from coalition.petition.models import Signature


def own_signatures(session: Session, *actors: str) -> ColumnElement[bool]:
    """Whether a signature is of the address of one of these actors of the log."""
    found = [find_actor(session, actor) for actor in actors]
    digests = [digest for each in found if each for digest in address_digests(each.email)]
    return Signature.address_digest.in_(digests) if digests else false()
