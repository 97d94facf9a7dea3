"""What is deleted, and when. The worker does it every ten minutes; `coalition retention` shows it.

The lifetimes are those of the privacy notice, which takes them from the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import click
from flask.cli import AppGroup, with_appcontext

from coalition import clock
from coalition.accounts.actions import delete_past_resets, delete_past_sessions
from coalition.accounts.models import ENDED_SESSION_LIFETIME, RESET_LIFETIME
from coalition.after_closing import AT_ONCE, SORTS, Sort
from coalition.db import transaction
from coalition.desk.claims import delete_past_claims, delete_past_passes
from coalition.desk.models import LEASE, PASSED_LIFETIME
from coalition.desk.reading_actions import delete_past_readings
from coalition.desk.reading_models import READINGS_KEPT
from coalition.endorsements import retention as endorsements
from coalition.endorsements.models import (
    DECIDED_LIFETIME,
    LOOSE_LOGO_LIFETIME,
    UNCONFIRMED_LIFETIME,
)
from coalition.mail.actions import KEPT_AFTER_SENDING, delete_finished
from coalition.mail.bounce_actions import BOUNCES_KEPT, delete_old_bounces, delete_old_counts
from coalition.petition.actions import delete_old_networks, delete_unverified
from coalition.petition.bulk import PROPOSAL_LIFETIME, lapse_proposals
from coalition.petition.hand_in_actions import delete_past_hand_ins
from coalition.petition.hand_in_models import HAND_IN_LIFETIME
from coalition.petition.models import NETWORK_LIFETIME, UNVERIFIED_LIFETIME
from coalition.statements.drafts import delete_old_drafts
from coalition.statements.models import DRAFT_LIFETIME as TEXT_DRAFT_LIFETIME
from coalition.statements.models import KEPT_AFTER_CLOSING
from coalition.testimonies import models as testimony_models
from coalition.testimonies import retention as testimonies
from coalition.testimonies.complaint_actions import delete_past_complaints
from coalition.testimonies.complaint_models import CLOSED_COMPLAINT_LIFETIME
from coalition.testimonies.safeguarding import delete_past_flags
from coalition.testimonies.safeguarding_models import CLOSED_FLAG_LIFETIME

MOST_AT_A_TIME = 20  # batches of each sort, every ten minutes: a million signatures in two hours


class _OnlyLooking(Exception):
    """Undoes what a dry run did."""


@dataclass(frozen=True)
class CleanUp:
    """One sort of what is past its time: how to delete it, after how long, and what it is."""

    delete: Callable[..., int]  # takes a session and `now`; returns how many
    after: timedelta
    what: str

    @property
    def name(self) -> str:
        return self.delete.__name__

    def run(self, *, now: datetime) -> int:
        """Delete what is past its time. Returns how many."""
        with transaction() as session:
            return self.delete(session, now=now)

    def look(self, *, now: datetime) -> int:
        """How many there are: it is done, and undone."""
        found = 0
        with suppress(_OnlyLooking), transaction() as session:
            found = self.delete(session, now=now)
            raise _OnlyLooking
        return found


@dataclass(frozen=True)
class AfterClosing:
    """As a clean-up, for what goes when the petition has been closed for long enough: that may be
    a million rows, and so goes some at a time."""

    sort: Sort
    after: timedelta = KEPT_AFTER_CLOSING

    @property
    def name(self) -> str:
        return self.sort.name

    @property
    def what(self) -> str:
        return f"after the closing: {self.sort.what}"

    def run(self, *, now: datetime) -> int:
        """Delete what is past its time, MOST_AT_A_TIME times AT_ONCE at most: a worker that is
        stopped waits for this, and the rest goes the next time. Returns how many."""
        total = 0
        for _ in range(MOST_AT_A_TIME):
            with transaction() as session:
                found = self.sort.delete(session, now=now)
            total += found
            if found < AT_ONCE:
                break
        return total

    def look(self, *, now: datetime) -> int:
        """How many there are, without touching them."""
        with transaction() as session:
            return self.sort.count(session, now=now)


@dataclass(frozen=True)
class Done:
    """A clean-up, and how many it found; or why it failed."""

    clean_up: CleanUp | AfterClosing
    found: int | Exception


# Each in a transaction of its own: what goes with a row is locked with it, and two that each hold
# what the other needs would wait for one another.
CLEAN_UPS = (
    CleanUp(delete_unverified, UNVERIFIED_LIFETIME, "signatures that nobody confirmed"),
    CleanUp(delete_old_networks, NETWORK_LIFETIME, "fingerprints of networks, of signatures"),
    CleanUp(lapse_proposals, PROPOSAL_LIFETIME, "decisions about many that no second person made"),
    CleanUp(
        endorsements.delete_unconfirmed, UNCONFIRMED_LIFETIME, "organisations nobody confirmed"
    ),
    CleanUp(endorsements.delete_old_changes, UNCONFIRMED_LIFETIME, "contacts not confirmed twice"),
    CleanUp(endorsements.delete_decided, DECIDED_LIFETIME, "organisations that were declined"),
    CleanUp(
        endorsements.forget_contacts_of_the_withdrawn,
        DECIDED_LIFETIME,
        "contacts of organisations that withdrew",
    ),
    CleanUp(endorsements.delete_loose_logos, LOOSE_LOGO_LIFETIME, "logos that belong to nothing"),
    CleanUp(delete_past_sessions, ENDED_SESSION_LIFETIME, "sessions at the desk that are over"),
    CleanUp(delete_past_resets, RESET_LIFETIME, "second proofs that were not reset in time"),
    CleanUp(delete_past_claims, LEASE, "items at the desk that were taken and left"),
    CleanUp(delete_past_passes, PASSED_LIFETIME, "items at the desk that were passed on"),
    CleanUp(delete_past_hand_ins, HAND_IN_LIFETIME, "lists to hand in"),
    CleanUp(delete_finished, KEPT_AFTER_SENDING, "notes of mails that were sent"),
    CleanUp(delete_old_drafts, TEXT_DRAFT_LIFETIME, "drafts of the campaign's texts"),
    CleanUp(delete_old_bounces, BOUNCES_KEPT, "mails that came back"),
    CleanUp(delete_old_counts, BOUNCES_KEPT, "days of counts of other mails that came back"),
    CleanUp(
        testimonies.erase_past_drafts, testimony_models.DRAFT_LIFETIME, "drafts of testimonies"
    ),
    CleanUp(
        testimonies.close_unanswered,
        testimony_models.ANSWER_LIFETIME,
        "testimonies that wait for their writer, and are closed",
    ),
    CleanUp(testimonies.erase_declined, testimony_models.DECLINED_LIFETIME, "declined testimonies"),
    CleanUp(
        testimonies.erase_withdrawn, testimony_models.WITHDRAWN_LIFETIME, "withdrawn testimonies"
    ),
    CleanUp(
        testimonies.delete_erased,
        testimony_models.WITHDRAWN_LIFETIME,
        "empty rows of erased testimonies",
    ),
    CleanUp(delete_past_complaints, CLOSED_COMPLAINT_LIFETIME, "complaints that were answered"),
    CleanUp(delete_past_flags, CLOSED_FLAG_LIFETIME, "worries that the lead has closed"),
    CleanUp(delete_past_readings, READINGS_KEPT, "how much moderators read"),
)


AFTER_CLOSING = tuple(AfterClosing(each) for each in SORTS)
ALL: tuple[CleanUp | AfterClosing, ...] = (*CLEAN_UPS, *AFTER_CLOSING)


def clean_all(*, now: datetime, dry: bool = False) -> Iterator[Done]:
    """Delete what is past its time at `now`, sort by sort; what fails holds nothing else back.

    Where it is `dry`, each sort is only counted.
    """
    for clean_up in ALL:
        try:
            found: int | Exception = (clean_up.look if dry else clean_up.run)(now=now)
        except Exception as error:
            found = error
        yield Done(clean_up, found)


retention_commands = AppGroup("retention", help="What is deleted, and when.")


@retention_commands.command("run")
@click.option("--dry-run", "dry", is_flag=True, help="Only count what would be deleted.")
@with_appcontext
def run(dry: bool) -> None:
    """Delete what is past its time, as the worker does every ten minutes."""
    failed = 0
    click.echo(f"{'Number':>8}  {'After':<10}  What")
    for done in clean_all(now=clock.utc_now(), dry=dry):
        failed += isinstance(done.found, Exception)
        click.echo(f"{_number(done.found):>8}  {_words(done.clean_up.after):<10}  {_what(done)}")
    click.echo("Nothing was deleted: this was a dry run." if dry else "Deleted.")
    if failed:
        raise click.ClickException(f"{failed} failed; the others are done")


def _number(found: int | Exception) -> str:
    return "failed" if isinstance(found, Exception) else f"{found:,}"


def _what(done: Done) -> str:
    # The text of an error may hold what somebody typed: only its kind is shown.
    why = f" ({type(done.found).__name__})" if isinstance(done.found, Exception) else ""
    return done.clean_up.what + why


def _words(after: timedelta) -> str:
    return f"{after.days} days" if after.days else f"{after.total_seconds() / 60:.0f} minutes"
