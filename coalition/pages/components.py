"""Every component of the design in every state it has, to be looked at while one changes it.

Exists only where the site's address is this very machine.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, render_template
from werkzeug.datastructures import MultiDict

from coalition import clock
from coalition.mail.forms import CodeForm
from coalition.petition.forms import SignForm
from coalition.petition.queries import Count
from coalition.petition.views import form_context
from coalition.statements.closing import Closed
from coalition.statements.comparison import compare
from coalition.statements.easy_read import known_symbols
from coalition.statements.queries import current_campaign
from coalition.statements.records import DemandState, Reply
from coalition.web.access import Access, open_to, refuse_other_machines
from coalition.web.errors import Typed

blueprint = Blueprint("components", __name__)
COUNTS = (0, 1, 12_345, 1_234_567)
SYMBOLS_SHOWN = 4


@blueprint.get("/dev/components")
@open_to(Access.LOOPBACK)
def components() -> str:
    refuse_other_machines()
    now = clock.utc_now().replace(microsecond=0)
    wrong = SignForm(formdata=MultiDict({"name": "", "email": "ada@", "kind": "ally"}))
    wrong.validate()
    demand = current_campaign().demands[0]
    return render_template(
        "pages/components.html",
        **{**form_context(wrong), "count": None},
        empty=SignForm(formdata=None, prefix="empty-"),
        code_form=CodeForm(formdata=None),
        closed=Closed(1, now, None),
        closed_counts=(None, *COUNTS),
        counts=[Count(signatures, now) for signatures in COUNTS],
        states=[replace(demand, state=state.value) for state in DemandState],
        replies=_replies(),
        paragraphs=compare("We ask for a review.", "We ask for an independent review."),
        kept=[
            Typed("name", "Ada Fictional", "Your name"),
            Typed("words", "A long answer. " * 12, "Your words"),
        ],
        symbols=sorted(known_symbols())[:SYMBOLS_SHOWN],
    )


def _replies() -> list[Reply]:
    """One that is silent, one that is overdue, one that has answered."""
    first = current_campaign().replies[0]
    silent = replace(first, body="Example Trust", answer="", answered_on="")
    return [
        replace(silent, due=silent.as_of + timedelta(days=9)),
        replace(silent, due=silent.as_of - timedelta(days=9)),
        replace(silent, answer="It thanks us for writing.", answered_on="in time"),
    ]
