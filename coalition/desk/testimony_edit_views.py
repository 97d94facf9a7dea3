"""A first reader's work: words taken out, the title and summary, the public page beside the
original, the checklist, and on to a second reader."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition.accounts.guard import for_roles
from coalition.accounts.models import Moderator
from coalition.db import db
from coalition.desk.testimony_checklist import boxes, checklist_of
from coalition.desk.testimony_desk import (
    ROLES,
    View,
    act,
    in_hand,
    refused,
    sent_turn,
    to_queue,
    to_show,
)
from coalition.desk.testimony_forms import FrontForm, front_form
from coalition.desk.testimony_passages import (
    Kind,
    Passage,
    passages,
    pieces,
    spans_of,
    suggestions,
)
from coalition.testimonies import decisions, editing
from coalition.testimonies.models import Testimony
from coalition.testimonies.moving import edition_of
from coalition.testimonies.queries import find_testimony
from coalition.testimonies.redaction import IN_ITS_PLACE, Span, SpanKind, redacted
from coalition.testimonies.states import NotPossible, State

blueprint = Blueprint("desk_testimony_edit", __name__, url_prefix="/desk/testimonies")
KIND_WORDS = {
    SpanKind.NAME: "a name",
    SpanKind.PLACE: "a place",
    SpanKind.DATE: "a date",
    SpanKind.DETAIL: "another detail",
}
NOTHING_CHOSEN = (
    "Nothing was chosen. Tick words, or choose the first and the last word, or the whole passage"
)


def _spans(testimony: Testimony) -> list[Span]:
    edition = edition_of(db.session(), testimony)
    return edition.spans if edition else []


def _while_editing(testimony_id: uuid.UUID, page: Callable[[Testimony], View]) -> View:
    """A page of a first reader's, where they have it in hand, and what its writer chose asks for
    an edited version."""
    testimony = in_hand(testimony_id, State.CLAIMED)
    if testimony is None:
        return to_show(testimony_id)
    if testimony.choices is None or not testimony.choices.is_public:
        return refused(testimony.id, "its writer does not wish to have it published")
    return page(testimony)


@blueprint.get("/<uuid:testimony_id>/edit")
@for_roles(*ROLES)
def edit(testimony_id: uuid.UUID) -> View:
    """One passage, word by word."""
    number = request.args.get("passage", 1, int)
    return _while_editing(testimony_id, lambda testimony: _edit_page(testimony, number))


def _edit_page(testimony: Testimony, number: int, *, problem: str = "") -> View:
    text, spans = testimony.text or "", _spans(testimony)
    parts = passages(text)
    if not parts:
        return to_show(testimony.id)
    part = parts[min(max(number, 1), len(parts)) - 1]
    found = suggestions(text, spans)
    page = render_template(
        "desk/testimony_edit.html",
        testimony=testimony,
        part=part,
        parts=parts,
        pieces=pieces(text, part, spans),
        suggestions=[each for each in found if each.passage == part.number],
        elsewhere=sorted({each.passage for each in found} - {part.number}),
        out=len(spans),
        kinds=KIND_WORDS,
        in_its_place=IN_ITS_PLACE,
        problem=problem,
        done=request.args.get("done"),
    )
    return page, 422 if problem else 200


@blueprint.post("/<uuid:testimony_id>/edit")
@for_roles(*ROLES)
def change(testimony_id: uuid.UUID) -> View:
    """Take out, or put back. Sent twice, it is done once."""
    number = request.form.get("passage", 1, int)
    back = _place(request.form.get("back", ""))
    nothing = False

    def do(session: Session, moderator: Moderator, now: datetime) -> None:
        nonlocal nothing
        if back:
            editing.put_back(session, testimony_id, moderator, *back, turn=sent_turn())
            return
        testimony = find_testimony(session, testimony_id)
        spans = _chosen(testimony, number) if testimony else []
        nothing = not spans
        if spans:
            editing.take_out(session, testimony_id, moderator, spans, turn=sent_turn())

    failed = act(testimony_id, do, ends=False)
    if failed:
        return failed
    testimony = in_hand(testimony_id, State.CLAIMED)
    if nothing and testimony is not None:
        return _edit_page(testimony, number, problem=NOTHING_CHOSEN)
    where = url_for(
        "desk_testimony_edit.edit", testimony_id=testimony_id, passage=number,
        done="back" if back else "out", _anchor="passage",
    )  # fmt: skip
    return redirect(where, 303)


def _place(value: str) -> tuple[int, int] | None:
    """ "12-20" as the places that it names; None where it names none."""
    start, _, end = value.partition("-")
    if start.isdecimal() and end.isdecimal() and len(value) < 20 and int(start) < int(end):
        return int(start), int(end)
    return None


def _chosen(testimony: Testimony, number: int) -> list[Span]:
    """The places that the form asks to take out."""
    sent, text = request.form, testimony.text or ""
    suggested, _, suggested_kind = sent.get("suggested", "").rpartition("-")
    kind = _kind(suggested_kind or sent.get("kind", ""))
    part = next((each for each in passages(text) if each.number == number), None)
    if kind is None or part is None:
        return []
    if suggested:
        place = _place(suggested)
        return [Span(*place, kind)] if place else []
    if sent.get("whole"):
        return [Span(part.start, part.end, kind)]
    words = pieces(text, part, _spans(testimony))
    return [*spans_of(words, set(sent.getlist("word")), kind), *_range(part, kind)]


def _range(part: Passage, kind: SpanKind) -> Sequence[Span]:
    """From one word to another one, whichever comes first; one alone is that word."""
    ends = [_place(request.form.get(name, "")) for name in ("from", "to")]
    places = [each for each in ends if each and part.start <= each[0] < each[1] <= part.end]
    if not places:
        return []
    return [Span(min(each[0] for each in places), max(each[1] for each in places), kind)]


def _kind(value: str) -> SpanKind | None:
    return SpanKind(value) if value in set(SpanKind) else None


@blueprint.get("/<uuid:testimony_id>/front")
@for_roles(*ROLES)
def front(testimony_id: uuid.UUID) -> View:
    return _while_editing(testimony_id, _front_as_saved)


def _front_as_saved(testimony: Testimony) -> View:
    edition = edition_of(db.session(), testimony)
    form = front_form(edition.front if edition else None, testimony.choices)
    return _front_page(testimony, form)


def _front_page(testimony: Testimony, form: FrontForm) -> View:
    page = render_template(
        "desk/testimony_front.html",
        testimony=testimony,
        choices=testimony.choices,
        form=form,
        longest=decisions.LONGEST_SUMMARY,
    )
    return page, 422 if form.errors else 200


@blueprint.post("/<uuid:testimony_id>/front")
@for_roles(*ROLES)
def save_front(testimony_id: uuid.UUID) -> View:
    form = FrontForm(request.form)
    testimony = in_hand(testimony_id, State.CLAIMED)
    if not form.validate() and testimony is not None:
        return _front_page(testimony, form)

    def do(session: Session, moderator: Moderator, now: datetime) -> None:
        if form.errors:
            raise NotPossible("the lease ran out; take it again, then send this once more")
        decisions.save_edition(
            session, testimony_id, moderator, turn=sent_turn(), front=form.front()
        )

    failed = act(testimony_id, do, ends=False)
    if failed:
        return failed
    return _to("preview", testimony_id)


def _to(page: str, testimony_id: uuid.UUID) -> BaseResponse:
    return redirect(url_for(f"desk_testimony_edit.{page}", testimony_id=testimony_id), 303)


@blueprint.get("/<uuid:testimony_id>/preview")
@for_roles(*ROLES)
def preview(testimony_id: uuid.UUID) -> View:
    """The public page as it would be, beside the original."""
    return _while_editing(testimony_id, beside)


def beside(testimony: Testimony) -> View:
    """What is to be public beside what was written, whole."""
    edition = edition_of(db.session(), testimony)
    text, spans = testimony.text or "", edition.spans if edition else []
    return render_template(
        "desk/testimony_preview.html",
        testimony=testimony,
        front=edition.front if edition else None,
        public=redacted(text, spans),
        original=[pieces(text, part, spans) for part in passages(text)],
        is_second=testimony.state is State.SECOND_READING,
        out=Kind.OUT,
    )


@blueprint.get("/<uuid:testimony_id>/check")
@for_roles(*ROLES)
def check(testimony_id: uuid.UUID) -> View:
    return _while_editing(testimony_id, _check_page)


def _check_page(testimony: Testimony, *, was_sent: bool = False) -> View:
    edition = edition_of(db.session(), testimony)
    text = redacted(testimony.text or "", edition.spans if edition else [])
    front = edition.front if edition else None
    page = render_template(
        "desk/testimony_check.html",
        testimony=testimony,
        front=front,
        boxes=boxes(text, front, request.form if was_sent else None),
    )
    return page, 422 if was_sent else 200


@blueprint.post("/<uuid:testimony_id>/check")
@for_roles(*ROLES)
def hand_on(testimony_id: uuid.UUID) -> View:
    """On to a second reader, once nothing of the checklist is left."""
    testimony = in_hand(testimony_id, State.CLAIMED)
    if testimony is not None and testimony.turn == sent_turn():
        edition = edition_of(db.session(), testimony)
        text = redacted(testimony.text or "", edition.spans if edition else [])
        lines = boxes(text, edition.front if edition else None, request.form)
        if any(box.problem for box in lines):
            return _check_page(testimony, was_sent=True)
    failed = act(
        testimony_id,
        lambda session, moderator, now: decisions.redact(
            session, testimony_id, moderator, checklist_of(request.form), turn=sent_turn(), now=now
        ),
    )
    return failed or to_queue("edited")
