"""What waits for whoever opens the desk's first page: how many, since when, and where.

Numbers alone: no name, and no word that anybody wrote. Each sort takes a few statements, however
much waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition.accounts.models import Moderator, Role
from coalition.accounts.queries import resets_for
from coalition.clock import day_in_uk, start_of_day_in_uk
from coalition.desk.complaint_recusal import open_for
from coalition.desk.queries import answers_waiting, organisations_waiting
from coalition.desk.testimony_queue import offered_to_nobody, queue_for
from coalition.mail import queries as mail
from coalition.petition.clusters import Cluster, domain_clusters, network_clusters, unseen
from coalition.petition.hand_in_actions import hand_ins_to_fetch
from coalition.petition.queries import proposals_for
from coalition.statements.queries import count_drafts, current_campaign
from coalition.testimonies.safeguarding_models import SafeguardingFlag

REMEMBERED = 60.0  # seconds for which a process does not look for clusters again


@dataclass(frozen=True)
class Waiting:
    """One line of what waits."""

    words: str  # with its number
    since: datetime | None  # of what waits longest
    path: str  # empty where there is nothing to open
    is_many: bool = False


Look = Callable[[Session, Moderator, datetime], Waiting | None]


def what_waits(session: Session, moderator: Moderator, *, now: datetime) -> list[Waiting]:
    """What waits for this moderator, by their roles."""
    found = (look(session, moderator, now) for roles, look in SORTS if moderator.may(*roles))
    return [each for each in found if each is not None]


def _line(number: int, one: str, more: str, since: datetime | None, path: str) -> Waiting | None:
    if not number:
        return None
    return Waiting(f"{number:,} {one if number == 1 else more}", since, path, is_many=number > 1)


def _flags(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    number, since = session.execute(
        select(func.count(), func.min(SafeguardingFlag.raised_at)).where(
            SafeguardingFlag.closed_at.is_(None)
        )
    ).one()
    return _line(number, "flag by a reader", "flags by readers", since, "/desk/safeguarding")


def _organisations(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    lines = [
        each
        for each in organisations_waiting(session, moderator, now=now)
        if not each.is_taken and not each.is_for_another
    ]
    since = lines[0].since if lines else None
    return _line(len(lines), "organisation", "organisations", since, "/desk/organisations")


def _answers(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    written = answers_waiting(session, moderator, now=now)
    return _line(
        len(written),
        "signature that is held or removed, and whose owner wrote to us",
        "signatures that are held or removed, and whose owners wrote to us",
        min(written, default=None),
        "/desk/signatures/held",
    )


def _testimonies(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    """What this person may begin to read now: nothing, where they have read enough today."""
    queue = queue_for(session, moderator, current_campaign().telling, now=now)
    days = [each.waiting.since for each in queue.lines if not (each.is_mine or each.why_not)]
    oldest = min(days, default=None)
    # Only the day is known: of what came today, nobody knows for how long it waits.
    since = start_of_day_in_uk(oldest) if oldest and oldest < day_in_uk(now) else None
    return _line(len(days), "testimony to read", "testimonies to read", since, "/desk/testimonies")


def _offered_to_nobody(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    """What each reader skips, has passed on, or must not read. Administrators can invite more."""
    return _line(
        offered_to_nobody(session, now=now),
        "testimony is offered to nobody",
        "testimonies are offered to nobody",
        None,
        "/desk/people" if moderator.may(Role.ADMINISTRATOR) else "",
    )


def _complaints(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    theirs = [each.complaint.received_at for each in open_for(session, moderator)]
    since = min(theirs, default=None)
    return _line(
        len(theirs), "complaint about a text", "complaints about texts", since, "/desk/complaints"
    )


def _proposals(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    number, since = proposals_for(session, moderator.actor)
    return _line(
        number,
        "decision about many signatures that needs a second person",
        "decisions about many signatures that need a second person",
        since,
        "/desk/signatures#proposals",
    )


@dataclass
class _Memory:
    clusters: list[Cluster] = field(default_factory=list)
    looked_at: float = float("-inf")


def _clusters(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    """Clusters that nobody looked at since they grew. They are looked for among all signatures
    of the last days, so not at each opening of the page."""
    memory: _Memory = current_app.extensions.setdefault("clusters", _Memory())
    if monotonic() - memory.looked_at > REMEMBERED:
        memory.clusters = network_clusters(session, now=now) + domain_clusters(session, now=now)
        memory.looked_at = monotonic()
    new = unseen(session, memory.clusters)
    return _line(
        len(new),
        "place from which many signed, and that nobody looked at",
        "places from which many signed, and that nobody looked at",
        min((each.first for each in new), default=None),
        "/desk/signatures#clusters",
    )


def _worker(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    pulse = mail.pulse(session, now=now)
    if not pulse.is_alive:
        return Waiting("No worker looks after the mail", pulse.beat_at, "/desk/mail")
    if pulse.trouble:
        return Waiting("Our mail server takes no mail", pulse.trouble_since, "/desk/mail")
    return None


def _slow_mail(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    number, since = mail.count_slow(session, now=now)
    return _line(
        number, "mail that waits too long", "mails that wait too long", since, "/desk/mail#waiting"
    )


def _failed_mail(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    number, since = mail.count_failed(session)
    return _line(number, "mail that failed", "mails that failed", since, "/desk/mail#failed")


def _resets(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    resets = resets_for(session, moderator, now=now)
    if not resets:
        return None
    return _line(
        len(resets),
        "second proof that is lost: a second administrator must agree",
        "second proofs that are lost: a second administrator must agree",
        resets[0].asked_at,
        f"/desk/people/{resets[0].moderator_id}",
    )


def _hand_ins(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    ready = hand_ins_to_fetch(session, moderator.actor, now=now)
    since = min((each.finished_at for each in ready if each.finished_at), default=None)
    return _line(
        len(ready), "list to hand in that is ready", "lists to hand in that are ready", since,
        "/desk/hand-in",
    )  # fmt: skip


def _drafts(session: Session, moderator: Moderator, now: datetime) -> Waiting | None:
    number, since = count_drafts(session, moderator.id)
    return _line(number, "draft of yours", "drafts of yours", since, "/desk/texts")


DECIDES = (Role.MODERATOR, Role.ADMINISTRATOR)

# What may wait, for whom, in the order of the page. The routes themselves declare who may use them.
SORTS: tuple[tuple[tuple[Role, ...], Look], ...] = (
    ((Role.SAFEGUARDING,), _flags),
    (DECIDES, _answers),
    (DECIDES, _organisations),
    ((Role.MODERATOR,), _complaints),
    ((Role.MODERATOR,), _testimonies),
    ((Role.ADMINISTRATOR, Role.SAFEGUARDING), _offered_to_nobody),
    (DECIDES, _proposals),
    (DECIDES, _clusters),
    ((Role.ADMINISTRATOR,), _resets),
    (DECIDES, _worker),
    (DECIDES, _slow_mail),
    (DECIDES, _failed_mail),
    ((Role.ADMINISTRATOR,), _hand_ins),
    ((Role.EDITOR, Role.ADMINISTRATOR), _drafts),
)
