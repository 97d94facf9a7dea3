"""The shape of what signatories send."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length

from coalition.crypto import TokenExpired, TokenInvalid, keyring
from coalition.petition.actions import LONGEST_APPEAL, Agreed, Personal
from coalition.petition.address import LONGEST_ADDRESS, NotAnAddress, parse_address
from coalition.petition.codes import CODE_DIGITS, normal_code
from coalition.petition.models import KIND_NAMES, REGION_NAMES, Kind, Region

LONGEST_NAME = 200  # characters
LONGEST_TIDIED = 2_000  # characters
STAMP_PURPOSE = "petition.form"
STAMP_EVERY = timedelta(minutes=1)  # shared caches may keep the page for as long
STAMP_LIFETIME = timedelta(days=30)  # a form that was opened a week ago still submits
PREFER_NOT = "Prefer not to say"

_BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
_UNSHOWABLE = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI_CONTROLS}]")


class PublicForm(FlaskForm):  # type: ignore[misc]
    """A form of a public page: no session, hence no CSRF token; see web/origin.py."""

    class Meta:
        csrf = False


def make_stamp(agreed: Agreed, now: datetime) -> str:
    """A signed note of when a form was made, and of the texts that stood beside it.

    The same for everybody within a minute, so that shared caches may keep the page. It
    bounds for how long, and says under which texts, a form can be used; it does not tell
    people from robots.
    """
    versions = [agreed.petition_version_id, agreed.consent_version_id]
    return keyring().sign_token(STAMP_PURPOSE, versions, now.replace(second=0, microsecond=0))


def read_stamp(stamp: str, now: datetime) -> Agreed | None:
    """The versions of the texts that stood beside the form; None if the stamp is not ours, or
    is older than STAMP_LIFETIME.
    """
    try:
        versions = keyring().read_token(STAMP_PURPOSE, stamp, now, STAMP_LIFETIME)
    except (TokenInvalid, TokenExpired):
        return None
    return Agreed(*versions)


def _tidy(text: str | None) -> str:
    """`text` in NFC, without needless spaces. One too long for any field stays as it is: to
    normalise it could take seconds."""
    if text is None or len(text) > LONGEST_TIDIED:
        return text or ""
    return re.sub(r"[ \u00a0]+", " ", unicodedata.normalize("NFC", text)).strip()


def check_name(form: Form, field: Field) -> None:
    """A name of any script, with at least one character that can be seen."""
    if len(field.data) > LONGEST_NAME:
        raise ValidationError(
            f"Your name must have {LONGEST_NAME} characters or fewer. It has {len(field.data)}"
        )
    if _UNSHOWABLE.search(field.data):
        field.data = _tidy(_UNSHOWABLE.sub(" ", field.data))
        raise ValidationError(
            "Your name held a character that cannot be shown. We took it out: check the name "
            "and send it again"
        )
    if not any(unicodedata.category(character)[0] in "LNPS" for character in field.data):
        raise ValidationError("Enter your name")


def check_email(form: Form, field: Field) -> None:
    """One mail address. Whether it exists is found out by writing to it."""
    if not field.data:
        raise ValidationError("Enter your email address")
    if len(field.data) > LONGEST_ADDRESS:
        raise ValidationError(
            f"An email address has {LONGEST_ADDRESS} characters at most. "
            f"This one has {len(field.data)}"
        )
    try:
        field.data = parse_address(field.data)
    except NotAnAddress as error:
        raise ValidationError("Enter an email address in the form name@example.org") from error


def _choices(names: Mapping[Any, str]) -> dict[str, str]:
    return {"": PREFER_NOT, **{each.value: name for each, name in names.items()}}


def _email_field() -> StringField:
    return StringField("Email", filters=[_tidy], validators=[check_email])


class PersonalForm(PublicForm):
    """What signatories say of themselves."""

    name = StringField("Your name", filters=[_tidy], validators=[check_name])
    region = SelectField(
        "Where you live",
        choices=_choices(REGION_NAMES),
        default="",
    )
    kind = SelectField(
        "You sign as",
        choices=_choices(KIND_NAMES),
        default="",
    )
    kind_consent = BooleanField()
    show_name = BooleanField()
    wants_updates = BooleanField()
    stamp = HiddenField()

    def validate_kind_consent(self, field: BooleanField) -> None:
        if self.kind.data and not field.data:
            raise ValidationError(
                "Tick the box that says we may keep what you sign as, or choose “Prefer not to "
                "say” above it"
            )

    def personal(self) -> Personal:
        """The answers of a form that is valid."""
        return Personal(
            name=str(self.name.data),
            region=Region(self.region.data) if self.region.data else None,
            kind=Kind(self.kind.data) if self.kind.data else None,
            show_name=bool(self.show_name.data),
            wants_updates=bool(self.wants_updates.data),
        )


class SignForm(PersonalForm):
    """The petition's form."""

    email = _email_field()
    consent = BooleanField(
        validators=[
            InputRequired(
                "Tick the box that says you agree. Without it we may not keep your signature"
            )
        ]
    )
    website = StringField("Leave this field empty. It is here to catch robots")

    KEPT = ("name", "email", "region", "kind", "kind_consent", "show_name", "wants_updates",
            "consent")  # fmt: skip

    def validate_website(self, field: StringField) -> None:
        if field.data:
            raise ValidationError("This field must stay empty. Clear it, and send the form again")

    def kept(self) -> dict[str, Any]:
        """What was typed, to show it again later."""
        return {name: self[name].data for name in self.KEPT}


class EmailForm(PublicForm):
    """An address to send a link to."""

    email = _email_field()


class CodeForm(PublicForm):
    """The code from the mail, with the address that it went to."""

    email = _email_field()
    code = StringField(
        "Code",
        filters=[_tidy],
        validators=[
            InputRequired("Enter the code"),
            Length(max=40, message="The code has eight digits"),
        ],
    )

    def validate_code(self, field: StringField) -> None:
        if not re.fullmatch(rf"\d{{{CODE_DIGITS}}}", normal_code(field.data)):
            raise ValidationError("The code has eight digits. Check it against the mail")


class AppealForm(PublicForm):
    """A signatory's words against a decision."""

    words = TextAreaField(
        "What should the person who looks at it know?",
        filters=[lambda text: (text or "").replace("\x00", "").strip()],
        validators=[
            InputRequired("Write what we should know"),
            Length(max=LONGEST_APPEAL, message="Use %(max)d characters or fewer"),
        ],
    )
