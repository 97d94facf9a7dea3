"""Whose a complaint is to decide: nobody's who sent it, wrote the text, or let it go to the public."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import with_role
from coalition.desk.models import ItemKind, PassedOn
from coalition.desk.testimony_queue import is_own
from coalition.testimonies.complaint_actions import open_complaints
from coalition.testimonies.complaint_models import Complaint
from coalition.testimonies.models import Edition, PublishedTestimony, Testimony


class Recusal(StrEnum):
    """Why somebody else decides; the values are those of the page that says so."""

    OWN = "own complaint"  # they sent it, or wrote the text
    LET_IT_GO = "own edition"  # they edited the text, or approved it


@dataclass(frozen=True)
class Standing:
    """A complaint, and whether it is one person's to decide."""

    complaint: Complaint
    recusal: Recusal | None
    is_last_resort: bool = False  # they let the text go, and nobody else is here


@dataclass(frozen=True)
class _Sides:
    """What somebody must have no part in."""

    complaint: Complaint
    addresses: tuple[str | None, str | None]  # of whoever complained, of the writer
    let_it_go: frozenset[uuid.UUID]
    passed_on: frozenset[uuid.UUID]  # by whom

    def recusal_of(self, moderator: Moderator) -> Recusal | None:
        if any(is_own(moderator, address) for address in self.addresses):
            return Recusal.OWN
        return Recusal.LET_IT_GO if moderator.id in self.let_it_go else None

    def others(self, readers: Iterable[Moderator], moderator: Moderator) -> bool:
        """Whether somebody else is here who could decide, and has not passed it on."""
        return any(
            each.id != moderator.id
            and each.id not in self.passed_on
            and self.recusal_of(each) is None
            for each in readers
        )

    def standing_of(self, moderator: Moderator, readers: Iterable[Moderator]) -> Standing:
        recusal = self.recusal_of(moderator)
        alone = recusal is Recusal.LET_IT_GO and not self.others(readers, moderator)
        return Standing(self.complaint, None if alone else recusal, alone)


def standing(session: Session, complaint: Complaint, moderator: Moderator) -> Standing:
    """Whether this complaint is this person's to decide."""
    (sides,) = _sides(session, [complaint])
    return sides.standing_of(moderator, with_role(session, Role.MODERATOR))


def open_for(session: Session, moderator: Moderator) -> list[Standing]:
    """The complaints that this person may decide, and has not passed on; in a few statements."""
    complaints = open_complaints(session)
    readers = with_role(session, Role.MODERATOR) if complaints else []
    found = [
        sides.standing_of(moderator, readers)
        for sides in _sides(session, complaints)
        if moderator.id not in sides.passed_on
    ]
    return [each for each in found if each.recusal is None]


def _sides(session: Session, complaints: Sequence[Complaint]) -> list[_Sides]:
    slugs = {each.slug for each in complaints}
    rows = session.execute(
        select(PublishedTestimony, Testimony.contact, Edition)
        .join(Testimony, Testimony.id == PublishedTestimony.testimony_id)
        .outerjoin(Edition, Edition.testimony_id == Testimony.id)
        .where(PublishedTestimony.slug.in_(slugs))
    ).all()
    contacts: dict[str, str | None] = {}
    let_go: dict[str, set[uuid.UUID]] = {slug: set() for slug in slugs}
    for published, contact, edition in rows:
        contacts[published.slug] = contact
        people = {published.first_by, published.second_by}
        if edition is not None:
            people |= {*edition.edited_by, edition.second_by}
        let_go[published.slug] |= {each for each in people if each is not None}
    passed = session.execute(
        select(PassedOn.item_id, PassedOn.moderator_id).where(
            PassedOn.kind == ItemKind.COMPLAINT,
            PassedOn.item_id.in_([each.id for each in complaints]),
        )
    ).all()
    return [
        _Sides(
            each,
            (each.email, contacts[each.slug]),
            frozenset(let_go[each.slug]),
            frozenset(who for item, who in passed if item == each.id),
        )
        for each in complaints
    ]
