"""What the forms of public pages share: tidying, checking a line, the stamp, the trap for robots."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, Form, StringField, ValidationError

from coalition.crypto import TokenExpired, TokenInvalid, keyring

LONGEST_LINE = 200  # characters, of a name or a title
LONGEST_TIDIED = 2_000  # characters
STAMP_LIFETIME = timedelta(days=30)  # a form that was opened a week ago still submits

_BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
_UNSHOWABLE = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI_CONTROLS}]")


class PublicForm(FlaskForm):  # type: ignore[misc]
    """A form of a public page: no session, hence no CSRF token; see web/origin.py."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf = False

        def bind_field(self, form: Form, unbound: Any, options: dict[str, Any]) -> Field:
            """A field of this form. It is put together once, and copied: to do so for each visitor
            takes longer than to check what they typed."""
            if options["prefix"]:
                return super().bind_field(form, unbound, options)
            if "put_together" not in vars(unbound):
                first = vars(unbound.bind(form=form, **options))
                unbound.put_together = {
                    name: value for name, value in first.items() if value not in (form, self)
                }
            # Not by copy.copy, which would get one that is not bound to any form.
            field = object.__new__(unbound.field_class)
            vars(field).update(unbound.put_together, meta=self, _form=form)
            return field


def tidy(text: str | None) -> str:
    """`text` in NFC, without needless spaces. One too long for any field stays as it is: to
    normalise it could take seconds."""
    if text is None or len(text) > LONGEST_TIDIED:
        return text or ""
    return re.sub(r"[ \u00a0]+", " ", unicodedata.normalize("NFC", text)).strip()


def is_showable(text: str) -> bool:
    """Whether a line holds no control character and nothing that turns the direction of others."""
    return _UNSHOWABLE.search(text) is None


def tidy_lines(text: str | None) -> str:
    """`text` of several lines, without what cannot be shown, ends of lines as one character."""
    plain = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(
        _UNSHOWABLE.sub("", line.replace("\t", " ")) for line in plain.split("\n")
    ).strip()


class Line:
    """Checks one line of any script, with at least one character that can be seen.

    `what` names it to its writer ("Your name"); `missing` says what to do when it is empty. One
    that stands `in_mails`, which go to whatever address was typed, may hold no web address.
    """

    def __init__(self, what: str, missing: str, *, in_mails: bool = False) -> None:
        self.what, self.missing, self.in_mails = what, missing, in_mails

    def __call__(self, form: Form, field: Field) -> None:
        if len(field.data) > LONGEST_LINE:
            raise ValidationError(
                f"{self.what} must have {LONGEST_LINE} characters or fewer. "
                f"It has {len(field.data)}"
            )
        if _UNSHOWABLE.search(field.data):
            field.data = tidy(_UNSHOWABLE.sub(" ", field.data))
            raise ValidationError(
                f"{self.what} held a character that cannot be shown. We took it out: check it "
                "and send the form again"
            )
        if self.in_mails and re.search(r"://|www\.", field.data, re.IGNORECASE):
            raise ValidationError(f"{self.what} must not hold a web address")
        if not any(unicodedata.category(character)[0] in "LNPS" for character in field.data):
            raise ValidationError(self.missing)


def trap_field() -> StringField:
    """A field that people do not see, and robots fill in."""
    return StringField(
        "Leave this field empty. It is here to catch robots", validators=[_must_be_empty]
    )


def _must_be_empty(form: Form, field: Field) -> None:
    if field.data:
        raise ValidationError("This field must stay empty. Clear it, and send the form again")


def make_stamp(purpose: str, versions: Sequence[int], now: datetime) -> str:
    """A signed note of when a form was made, and of the versions of the texts beside it.

    The same for everybody within a minute, so that shared caches may keep the page. It
    bounds for how long, and says under which texts, a form can be used; it does not tell
    people from robots.
    """
    return keyring().sign_token(purpose, list(versions), now.replace(second=0, microsecond=0))


def read_stamp(purpose: str, stamp: str, now: datetime) -> list[int] | None:
    """The versions of the texts that stood beside the form; None if the stamp is not ours, or
    is older than STAMP_LIFETIME.
    """
    try:
        versions: Any = keyring().read_common_token(purpose, stamp, now, STAMP_LIFETIME)
    except (TokenInvalid, TokenExpired):
        return None
    return list(versions)
