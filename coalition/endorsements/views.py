"""The organisations that support the statement, for everybody to read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from time import monotonic
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from coalition.clock import day_in_uk
from coalition.db import db
from coalition.endorsements import queries
from coalition.endorsements.logos import MEDIA_TYPE
from coalition.endorsements.models import KIND_NAMES, NATION_NAMES, Nation, OrganisationKind
from coalition.endorsements.queries import Supporter
from coalition.web.access import Access, open_to
from coalition.web.caching import public_page
from coalition.web.data import csv_response, open_data
from coalition.web.headers import ONE_YEAR
from coalition.web.links import page_url

blueprint = Blueprint("supporters", __name__)
blueprint.app_context_processor(
    lambda: {"organisation_kinds": KIND_NAMES, "nation_names": NATION_NAMES}
)
REMEMBERED = 2.0  # seconds for which a process does not ask the database again
LONGEST_SEARCH = 100  # characters

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass
class _Memory:
    supporters: list[Supporter]
    asked_at: float


def everybody() -> list[Supporter]:
    """All organisations that the public may read, at most REMEMBERED seconds old."""
    memory: _Memory | None = current_app.extensions.get("supporters")
    if memory is None or monotonic() - memory.asked_at > REMEMBERED:
        memory = _Memory(queries.supporters(db.session()), monotonic())
        current_app.extensions["supporters"] = memory
    return memory.supporters


@blueprint.get("/supporters")
@open_to(Access.PUBLIC)
@public_page
def supporters() -> str:
    """All of them by name, or those that were asked for."""
    kind = _choice(OrganisationKind, "kind")
    nation = _choice(Nation, "nation")
    words = request.args.get("words", "")[:LONGEST_SEARCH].strip()
    found = queries.matching(everybody(), kind=kind, nation=nation, words=words)
    return render_template(
        "endorsements/supporters.html",
        by_letter=[(letter, list(each)) for letter, each in groupby(found, lambda s: s.initial)],
        found=len(found),
        count=sum(not each.is_withdrawn for each in everybody()),
        asked={"kind": kind, "nation": nation, "words": words},
        is_filtered=bool(kind or nation or words),
    )


def _choice(enum: type[Choice], name: str) -> Choice | None:
    """What was asked for, or None for whatever is not one of the choices."""
    try:
        return enum(request.args.get(name, ""))
    except ValueError:
        return None


@blueprint.get("/supporters/<slug>")
@open_to(Access.PUBLIC)
@public_page
def supporter(slug: str) -> str:
    found = queries.find_supporter(db.session(), slug) or abort(404)
    return render_template("endorsements/supporter.html", supporter=found)


def _as_data() -> list[dict[str, Any]]:
    return [
        {
            "name": each.entry.name,
            "status": "withdrawn" if each.is_withdrawn else "supports",
            "endorsed_on": each.endorsement.endorsed_on.isoformat(),
            "withdrew_on": (
                day_in_uk(each.endorsement.status_changed_at).isoformat()
                if each.is_withdrawn
                else None
            ),
            "statement_version": each.statement_version,
            "kind": each.entry.kind.value,
            "nation": each.entry.nation.value,
            "website": None if each.is_withdrawn else each.entry.website or None,
            "words": each.entry.words or None,
            "recorded_by_the_coalition": each.is_recorded,
            "page": page_url("supporters.supporter", slug=each.endorsement.slug),
        }
        for each in everybody()
    ]


@blueprint.get("/supporters.json")
@open_to(Access.PUBLIC)
@public_page
def supporters_json() -> Response:
    return open_data(jsonify(supporters=_as_data()))


@blueprint.get("/supporters.csv")
@open_to(Access.PUBLIC)
@public_page
def supporters_csv() -> Response:
    return open_data(csv_response(_as_data(), "supporters.csv"))


@blueprint.get("/supporters/logo/<uuid:logo_id>.webp")
@open_to(Access.PUBLIC)
def logo(logo_id: uuid.UUID) -> Response:
    """A logo that a public entry shows. What stands at its address never changes."""
    if not queries.is_public_logo(db.session(), logo_id):
        abort(404)
    return logo_response(logo_id, f"public, max-age={ONE_YEAR}, immutable")


def logo_response(logo_id: uuid.UUID, cache_control: str) -> Response:
    found = queries.find_logo(db.session(), logo_id) or abort(404)
    response = Response(found.data, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = cache_control
    return response
