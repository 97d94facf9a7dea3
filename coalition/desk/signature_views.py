"""Signatures at the desk: clusters, the search, what it finds."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from coalition import clock
from coalition.accounts.guard import current_moderator, for_roles
from coalition.accounts.models import Role
from coalition.accounts.queries import name_of
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.desk.pages import page_number
from coalition.desk.queries import count_held
from coalition.desk.signature_forms import (
    STATUS_NAMES,
    SearchForm,
    filled_in,
)
from coalition.petition import queries
from coalition.petition.clusters import (
    LOOKED_BACK,
    MANY_OF_A_DOMAIN,
    MANY_OF_A_NETWORK,
    domain_clusters,
    network_clusters,
)
from coalition.petition.looks import record_cluster_look, record_search
from coalition.petition.models import BulkKind
from coalition.petition.search import PAGE, Search, count_found, find_page, finds
from coalition.web.errors import what_was_typed

blueprint = Blueprint("desk_signatures", __name__, url_prefix="/desk/signatures")
blueprint.app_context_processor(lambda: {"status_names": STATUS_NAMES})
ROLES = (Role.MODERATOR, Role.ADMINISTRATOR)
SEAL = "desk.search"
SEARCH_LIFETIME = timedelta(days=7)  # for which the address of what was found can be opened
LAST_SHOWN = 20  # bulk decisions on the first page

View = str | BaseResponse | tuple[str, int]


class SearchGone(Exception):
    """The address of what a search found is too old, or was not made here."""


@blueprint.errorhandler(SearchGone)
def search_gone(error: SearchGone) -> View:
    """Offer the form anew, with what was typed to copy."""
    return _home(SearchForm(formdata=None), gone=True, kept=what_was_typed()), 410


def seal_search(search: Search) -> str:
    """A search for an address: what was looked for can be read in no history and no log."""
    return keyring().seal(SEAL, search.as_text())


def unseal_search(sealed: str) -> Search:
    """What `seal_search` was given. Raises SearchGone."""
    try:
        text = keyring().unseal(SEAL, sealed, clock.utc_now(), SEARCH_LIFETIME)
    except (TokenInvalid, TokenExpired):
        raise SearchGone from None
    return Search.from_text(text)


def _home(form: SearchForm, **values: Any) -> str:
    session, now = db.session(), clock.utc_now()
    return render_template(
        "desk/signatures.html",
        form=form,
        held=count_held(session, current_moderator()),
        networks=network_clusters(session, now=now),
        domains=domain_clusters(session, now=now),
        proposals=queries.bulk_proposals(session),
        decisions=queries.last_bulk_decisions(session, LAST_SHOWN),
        seal=seal_search,
        who=partial(name_of, session),
        hours=int(LOOKED_BACK.total_seconds() / 3600),
        many={"network": MANY_OF_A_NETWORK, "domain": MANY_OF_A_DOMAIN},
        **values,
    )


@blueprint.get("")
@for_roles(*ROLES)
def home() -> str:
    """What might need somebody's eye, and the search. Not one signature is shown."""
    return _home(SearchForm(formdata=None))


@blueprint.post("/search")
@for_roles(*ROLES)
def search() -> View:
    form = SearchForm(request.form)
    if not form.validate():
        return _home(form), 422
    return redirect(url_for("desk_signatures.found", sealed=seal_search(form.search())), 303)


def _cluster(session: Session, search: Search) -> uuid.UUID | None:
    """The newest signature of the cluster that was opened, if it is what the search finds."""
    try:
        newest_id = uuid.UUID(request.args.get("cluster", ""))
    except ValueError:
        return None
    return newest_id if finds(session, search, newest_id) else None


@blueprint.get("/found/<sealed>")
@for_roles(*ROLES)
def found(sealed: str) -> View:
    """What a search finds, without names. Each look is written to the log."""
    search = unseal_search(sealed)
    page = page_number()
    with transaction() as session:
        by_status = count_found(session, search)
        count = sum(by_status.values())
        signatures = find_page(session, search, page)
        actor, now = current_moderator().actor, clock.utc_now()
        record_search(session, search, count, actor=actor, now=now)
        if cluster := _cluster(session, search):
            record_cluster_look(session, cluster, actor=actor, now=now)
    return render_template(
        "desk/signatures_found.html",
        search=search,
        sealed=sealed,
        form=filled_in(search),
        count=count,
        by_status=by_status,
        signatures=signatures,
        page=page,
        pages=-(-count // PAGE),
        kinds=list(BulkKind),
    )
