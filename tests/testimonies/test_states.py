"""However writers and readers act on one testimony, in whatever order: it moves along the passages
that are told, and is public only as two people and its writer allowed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from coalition import clock
from coalition.accounts.models import Moderator, Role
from coalition.db import transaction
from coalition.testimonies import actions, decisions
from coalition.testimonies.actions import Stale
from coalition.testimonies.choices import Use
from coalition.testimonies.models import DeclineCode, PausedBy, Testimony
from coalition.testimonies.moving import edition_of, published_of
from coalition.testimonies.queries import find_by_code
from coalition.testimonies.states import PASSAGES, NotPossible, State, Verb, passed
from tests.cleaning import clean_up_testimonies
from tests.desking import make_moderator
from tests.telling import ALL_CLEAR, FRONT, make_testimony, told, two_readers

# What each side can try. The names of writers' steps begin with a w.
Try = Callable[[Session, Testimony, Moderator], object]
NOW = clock.utc_now


def _edition_id(session: Session, testimony: Testimony) -> uuid.UUID:
    edition = edition_of(session, testimony)
    return edition.id if edition else uuid.uuid4()


def _rewrite(words: str, **choices: object) -> Try:
    def do(session: Session, testimony: Testimony, _: Moderator) -> None:
        actions.rewrite(
            session, testimony.id, told(words, **choices), revision=testimony.revision,
            sends=True, now=NOW(),
        )  # fmt: skip

    return do


STEPS: dict[str, Try] = {
    "w save": lambda s, t, _: actions.rewrite(
        s, t.id, told("A draft."), revision=t.revision, sends=False, now=NOW()
    ),
    "w send anew": _rewrite("Something else happened."),
    "w send to be read only": _rewrite("Only for you.", use=Use.READ),
    "w send to be counted": _rewrite("Count me.", use=Use.COUNT),
    "w send, not to be asked": _rewrite("Just print it.", ask_first=False),
    "w answer": lambda s, t, _: actions.answer(s, t.id, "Because.", now=NOW()),
    "w agree": lambda s, t, _: actions.agree(s, t.id, _edition_id(s, t), now=NOW()),
    "w ask for a change": lambda s, t, _: actions.ask_change(
        s, t.id, _edition_id(s, t), "Please.", now=NOW()
    ),
    "w pause": lambda s, t, _: actions.pause(s, t.id, now=NOW()),
    "w resume": lambda s, t, _: actions.resume(s, t.id, now=NOW()),
    "w withdraw": lambda s, t, _: actions.withdraw(s, t.id, now=NOW()),
    "w erase": lambda s, t, _: actions.erase(s, t.id, now=NOW()),
    "take": lambda s, t, m: decisions.take(s, t.id, m, now=NOW()),
    "give back": lambda s, t, m: decisions.give_back(s, t.id, m, now=NOW()),
    "ask": lambda s, t, m: decisions.ask_writer(s, t.id, m, "When?", turn=t.turn, now=NOW()),
    "accept": lambda s, t, m: decisions.accept(s, t.id, m, turn=t.turn, now=NOW()),
    "decline": lambda s, t, m: decisions.decline(
        s, t.id, m, DeclineCode.OTHER, "Sorry.", turn=t.turn, now=NOW()
    ),
    "edit": lambda s, t, m: decisions.save_edition(
        s, t.id, m, turn=t.turn, spans=[], front=FRONT
    ),
    "hand on": lambda s, t, m: decisions.redact(s, t.id, m, ALL_CLEAR, turn=t.turn, now=NOW()),
    "send back": lambda s, t, m: decisions.send_back(s, t.id, m, "More.", turn=t.turn, now=NOW()),
    "approve": lambda s, t, m: decisions.approve(
        s, t.id, m, ALL_CLEAR, edition_id=_edition_id(s, t), turn=t.turn, now=NOW()
    ),
    "take down": lambda s, t, m: decisions.take_down(s, t.id, m, "Careful.", now=NOW()),
    "restore": lambda s, t, m: decisions.restore(s, t.id, m, turn=t.turn, now=NOW()),
    "reopen": lambda s, t, m: decisions.reopen(s, t.id, m, turn=t.turn, now=NOW()),
    "time passes": lambda s, t, _: clean_up_testimonies(s, now=NOW() + timedelta(days=100)),
}  # fmt: skip
TO_PUBLISH = [
    ("take", 0), ("edit", 0), ("hand on", 0), ("take", 1), ("approve", 1), ("w agree", 0),
]  # fmt: skip

steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2)).map(lambda step: [step]),
        st.just(TO_PUBLISH),
        st.just(TO_PUBLISH[:3]),
    ),
    max_size=10,
).map(lambda groups: [step for group in groups for step in group])


@given(steps, st.booleans())
@example([*TO_PUBLISH, ("take down", 0), ("restore", 0), ("restore", 1)], True)
@example([*TO_PUBLISH, ("take down", 0), ("reopen", 1), *TO_PUBLISH], True)
@example([("take", 1), ("edit", 1), ("give back", 1), *TO_PUBLISH], True)
@example([*TO_PUBLISH, ("w pause", 0), ("decline", 1), ("w resume", 0), ("w erase", 0)], True)
@example([*TO_PUBLISH, ("w send anew", 0), ("w resume", 0), ("w withdraw", 0)], True)
@example([("w erase", 0), ("time passes", 0), ("accept", 0)], False)
@example([*TO_PUBLISH[:5], ("w ask for a change", 0), *TO_PUBLISH, ("w withdraw", 0)], True)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_it_is_public_only_as_two_people_and_its_writer_allowed(
    app: Flask, story: list[tuple[str, int]], sends: bool
) -> None:
    if not hasattr(app, "readers"):
        third = make_moderator(app, Role.MODERATOR)
        app.readers = (*two_readers(app), third)  # type: ignore[attr-defined]
    readers: tuple[uuid.UUID, ...] = app.readers  # type: ignore[attr-defined]
    edits: set[tuple[int, uuid.UUID]] = set()  # of which revision, by whom
    with transaction() as session:
        ticket = make_testimony(session, sends=sends)
    for name, who in story:
        before = _state(ticket.testimony_id)
        with transaction() as session:
            testimony = session.get(Testimony, ticket.testimony_id, populate_existing=True)
            if testimony is None:
                break  # erased long ago, and never public
            try:
                with session.begin_nested():
                    STEPS[name](session, testimony, session.get_one(Moderator, readers[who]))
                if name in ("edit", "hand on"):
                    edits.add((testimony.revision, readers[who]))
            except (NotPossible, Stale):
                session.expire_all()
        after = _state(ticket.testimony_id)
        event(str(after))
        _check(ticket.testimony_id, name, before, after, edits)
    with transaction() as session:
        found = find_by_code(session, ticket.code)
        assert (found is None) == (_state_in(session, ticket.testimony_id) in (None, State.ERASED))


def _state(testimony_id: uuid.UUID) -> State | None:
    with transaction() as session:
        return _state_in(session, testimony_id)


def _state_in(session: Session, testimony_id: uuid.UUID) -> State | None:
    found = session.get(Testimony, testimony_id, populate_existing=True)
    return found.state if found else None


def _check(
    testimony_id: uuid.UUID,
    name: str,
    before: State | None,
    after: State | None,
    edits: set[tuple[int, uuid.UUID]],
) -> None:
    with transaction() as session:
        testimony = session.get(Testimony, testimony_id, populate_existing=True)
        if testimony is None:
            assert name == "time passes"
            return
        if before != after and before is not None and after is not None:
            ways = {verb for verb in Verb if before in PASSAGES[verb].before}
            assert after in {PASSAGES[verb].after for verb in ways} | _aged(ways, name), name
        published = published_of(session, testimony)
        assert (published is not None and published.is_public) == (after is State.PUBLISHED)
        if after is State.PUBLISHED:
            edition = edition_of(session, testimony)
            assert published
            assert edition
            assert testimony.choices
            assert published.edition_id == edition.id
            assert published.first_by != published.second_by
            assert (edition.revision, published.second_by) not in edits
            assert published.text == edition.text
            assert testimony.choices.is_public
            assert edition.revision == testimony.revision
        assert (testimony.paused_by is not None) <= (after is State.PAUSED), name
        if name.startswith("w ") and after is State.PUBLISHED and before is State.PAUSED:
            assert testimony.paused_by is not PausedBy.DESK
        if after is State.ERASED:
            assert testimony.code_digest is None
            left = (testimony.text, testimony.choices, testimony.contact, testimony.answer)
            assert not any(left)
            assert edition_of(session, testimony) is None
        if after in (State.WITHDRAWN, State.ERASED, State.SUBMITTED, State.DECLINED):
            assert published is None or published.text is None, "its text is still there"


def _aged(ways: set[Verb], name: str) -> set[State]:
    """Time may take two steps at once: what nobody answered is declined, and later erased."""
    return {State.ERASED} if name == "time passes" else set()


@pytest.mark.parametrize("verb", list(Verb))
def test_whoever_tries_what_is_not_possible_is_told_where_it_stands(verb: Verb) -> None:
    for state in set(State) - PASSAGES[verb].before:
        with pytest.raises(NotPossible, match=r"^it |^its |^somebody|^a second|^the readers"):
            passed(state, verb)


def test_every_state_can_be_reached_and_left_by_its_writer_alone() -> None:
    reached = {State.DRAFT}
    for _ in State:
        reached |= {
            passage.after for passage in PASSAGES.values() if not passage.before.isdisjoint(reached)
        }
    assert reached == set(State)
    assert PASSAGES[Verb.ERASE].before == set(State) - {State.ERASED}
