"""Moving a testimony from one state to the next, and keeping what is public true to it."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from coalition.clock import day_in_uk
from coalition.testimonies.models import (
    Edition,
    PublishedTag,
    PublishedTestimony,
    Testimony,
)
from coalition.testimonies.states import NotPossible, State, Verb, passed

SLUG_BYTES = 6  # of an address: nobody finds one by counting
# After these a text that was public may come back as it was.
KEEPS_PUBLISHED_TEXT = frozenset({Verb.PAUSE, Verb.TAKE_DOWN})

# Whoever takes it, or leaves it, puts it behind nothing else that waits.
KEEPS_ITS_PLACE = frozenset({Verb.CLAIM, Verb.GIVE_BACK, Verb.BEGIN_SECOND, Verb.GIVE_BACK_SECOND})


def locked(session: Session, testimony_id: uuid.UUID) -> Testimony:
    """The testimony, which nobody else changes until the end of the transaction.

    Raises NotPossible where there is none.
    """
    found = session.scalars(
        select(Testimony)
        .where(Testimony.id == testimony_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotPossible("there is no such testimony")
    return found


def move(
    session: Session,
    testimony: Testimony,
    verb: Verb,
    *,
    edition: Edition | None = None,
    now: datetime,
) -> None:
    """Take a locked testimony along a passage. What is public follows: a testimony is on the site
    if and only if it is in the state PUBLISHED, as the `edition` that is given then.

    Raises NotPossible where there is no such passage from where it stands.
    """
    after = passed(testimony.state, verb)
    if after is State.PUBLISHED:
        _put_up(session, testimony, edition, now)
    else:
        _take_off(session, testimony, keeps_text=verb in KEEPS_PUBLISHED_TEXT)
    testimony.state = after
    testimony.turn += 1
    testimony.state_on = day_in_uk(now)
    if verb not in KEEPS_ITS_PLACE:
        testimony.waits_since = testimony.state_on
    session.flush()


def edition_of(session: Session, testimony: Testimony) -> Edition | None:
    """The edited version of a testimony as it is written now, if somebody has begun one."""
    return session.scalars(
        select(Edition).where(
            Edition.testimony_id == testimony.id, Edition.revision == testimony.revision
        )
    ).one_or_none()


def published_of(session: Session, testimony: Testimony) -> PublishedTestimony | None:
    """What is, or was, public of a testimony."""
    return session.scalars(
        select(PublishedTestimony).where(PublishedTestimony.testimony_id == testimony.id)
    ).one_or_none()


def forget_approval(session: Session, testimony: Testimony) -> None:
    """What was public of a locked testimony stays off the site until two people have read it anew;
    what was edited is kept for them. It stays in the state where it is."""
    edition = edition_of(session, testimony)
    _take_off(session, testimony, keeps_text=False)
    if edition is not None:
        edition.second_by = None
    testimony.turn += 1
    session.flush()


def _put_up(session: Session, testimony: Testimony, edition: Edition | None, now: datetime) -> None:
    choices = testimony.choices
    if edition is None or choices is None or not choices.is_public:
        raise NotPossible("its writer did not agree to have it published")
    if edition.second_by is None or edition.revision != testimony.revision:
        raise NotPossible("two people have not approved it as it stands")
    if edition.front is None or edition.front.name != choices.public_name:
        raise NotPossible("the name before it is not the one that its writer chose")
    today = day_in_uk(now)
    published = published_of(session, testimony)
    if published is None:
        published = PublishedTestimony(
            slug=secrets.token_hex(SLUG_BYTES), testimony_id=testimony.id, published_on=today
        )
        session.add(published)
    published.edition_id = edition.id
    published.first_by, published.second_by = edition.first_by, edition.second_by
    published.text, published.front = edition.text, edition.front
    published.may_press = choices.may_press
    published.changed_on = today
    published.is_public = True
    session.flush()
    _tag(session, published)


def _tag(session: Session, published: PublishedTestimony) -> None:
    session.execute(delete(PublishedTag).where(PublishedTag.slug == published.slug))
    front = published.front
    if front is None:
        return
    tags = {front.label, *front.labels, *front.themes}
    session.execute(
        insert(PublishedTag), [{"slug": published.slug, "tag": tag} for tag in sorted(tags)]
    )


def _take_off(session: Session, testimony: Testimony, *, keeps_text: bool) -> None:
    published = published_of(session, testimony)
    if published is None:
        return
    published.is_public = False
    if not keeps_text:
        published.edition_id = published.first_by = published.second_by = None
        published.text = published.front = None
    session.execute(delete(PublishedTag).where(PublishedTag.slug == published.slug))
    session.flush()
