"""The audit log: some of its lines, all of them as a file, and the proof that it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.accounts.queries import name_of
from coalition.audit import queries
from coalition.audit.actions import record
from coalition.audit.proof import AuditBroken, Proof, verify_chain
from coalition.audit.queries import Page, Wanted
from coalition.db import db, transaction
from coalition.desk.audit_forms import AuditForm, ProofForm
from coalition.web.data import csv_stream

blueprint = Blueprint("desk_audit", __name__, url_prefix="/desk/audit")

COLUMNS = ("number", "at", "actor", "action", "subject", "reason", "digest")
_LARGEST = 2**31 - 1  # number of a line


@blueprint.get("")
@for_roles(Role.ADMINISTRATOR)
def log() -> tuple[str, int]:
    return _page(_form(request.args))


def _form(values: MultiDict[str, str]) -> AuditForm:
    form = AuditForm(values)
    form.offer(queries.known_actions(db.session()))
    return form


def _page(
    form: AuditForm,
    proof_form: ProofForm | None = None,
    proof: Proof | None = None,
    broken: AuditBroken | None = None,
) -> tuple[str, int]:
    session = db.session()
    valid = form.validate()
    before = request.args.get("before", type=int)
    before = before if before is not None and 0 < before <= _LARGEST else None
    page = queries.page_of_lines(session, form.wanted(), before=before) if valid else Page([], None)
    wanted = form.wanted() if valid else Wanted()
    proof_form = proof_form or ProofForm(formdata=None)
    text = render_template(
        "desk/audit.html",
        form=form,
        page=page,
        asked={name: value for name, value in form.data.items() if value and name != "csrf_token"},
        is_filtered=bool(wanted.narrowed_by),
        names={actor: name_of(session, actor) for actor in {line.actor for line in page.lines}},
        proof_form=proof_form,
        proof=proof,
        broken=broken,
        has_errors=bool(form.errors or proof_form.errors),
    )
    return text, 200 if valid and not proof_form.errors else 422


@blueprint.post("/export")
@for_roles(Role.ADMINISTRATOR)
def export() -> Response | tuple[str, int]:
    """Every line that is wanted, as CSV. That it was taken is a line of the log itself."""
    form = _form(request.form)
    if not form.validate():
        return _page(form)
    wanted, now = form.wanted(), clock.utc_now()
    narrowed = ", ".join(wanted.narrowed_by)
    with transaction() as session:
        record(
            session,
            actor=current_moderator().actor,
            action="audit log exported",
            subject="audit log",
            reason=f"narrowed by {narrowed}" if narrowed else "all of it",
            now=now,
        )
    return csv_stream(COLUMNS, _rows(wanted), f"audit-log-{now:%Y-%m-%d}.csv")


def _rows(wanted: Wanted) -> Iterator[tuple[Any, ...]]:
    for line in queries.all_lines(db.session(), wanted):
        yield (
            line.id, line.at.isoformat(), line.actor, line.action, line.subject, line.reason,
            bytes(line.digest).hex(),
        )  # fmt: skip


@blueprint.post("/prove")
@for_roles(Role.ADMINISTRATOR)
def prove() -> tuple[str, int]:
    """Prove that the log is whole, and say so; that, too, is written down."""
    form, proof_form = _form(MultiDict()), ProofForm(request.form)
    if not proof_form.validate():
        return _page(form, proof_form)
    proof, broken = None, None
    try:
        proof = verify_chain(db.session(), expected=proof_form.mark())
    except AuditBroken as error:
        broken = error
    with transaction() as session:
        record(
            session,
            actor=current_moderator().actor,
            action="audit log proved",
            subject=f"{proof.number} lines" if proof else "it does not hold",
            reason=str(broken or ""),
            now=clock.utc_now(),
        )
    return _page(form, proof_form, proof, broken)
