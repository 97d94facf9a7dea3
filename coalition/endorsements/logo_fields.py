"""The logo in a form: kept as soon as it comes, so that it outlives whatever else is wrong."""

from __future__ import annotations

import uuid
from typing import IO

from flask import request

from coalition import clock
from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.db import db, transaction
from coalition.endorsements import actions, queries
from coalition.endorsements.forms import PublicDetailsForm
from coalition.endorsements.logos import TOO_LARGE, LogoRefused, draw_logo
from coalition.web.forms import STAMP_LIFETIME
from coalition.web.uploads import BoundedFile

LOGO_SEAL = "endorsements.logo"


def take_logo(form: PublicDetailsForm) -> bool:
    """Keep the logo that came with a form, and put it into the form's hidden field, so that
    it outlives whatever else is wrong. Returns whether it, or its absence, is right."""
    if form.no_logo.data:
        form.logo.data, form.no_logo.data = "", False
    if form.logo.data and read_logo(form.logo.data) is None:
        form.logo.data = ""
        form.logo_file.errors = ["We no longer have the logo that you sent. Choose it again"]
        return False
    upload = request.files.get("logo_file")
    if upload is None or not upload.filename:
        return True
    try:
        form.logo.data = _kept(upload.stream)
    except LogoRefused as error:
        form.logo_file.errors = [str(error)]
        return False
    return True


def _kept(stream: IO[bytes]) -> str:
    if isinstance(stream, BoundedFile) and stream.is_too_large:
        raise LogoRefused(TOO_LARGE)
    drawn = draw_logo(stream.read())
    with transaction() as session:
        logo_id = actions.keep_logo(session, drawn, now=clock.utc_now())
    return seal_logo(logo_id)


def seal_logo(logo_id: uuid.UUID) -> str:
    return keyring().seal(LOGO_SEAL, logo_id.hex)


def read_logo(sealed: str | None) -> uuid.UUID | None:
    """The id of a logo that is kept; None where there is none."""
    if not sealed:
        return None
    try:
        logo_id = uuid.UUID(
            hex=keyring().unseal(LOGO_SEAL, sealed, clock.utc_now(), STAMP_LIFETIME)
        )
    except (TokenInvalid, TokenExpired):
        return None
    return logo_id if queries.find_logo(db.session(), logo_id) else None
