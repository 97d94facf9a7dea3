"""The shape of what signatories send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from wtforms import (
    BooleanField,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length

from coalition.mail.forms import email_field
from coalition.petition.actions import LONGEST_APPEAL, Agreed, Personal
from coalition.petition.models import KIND_NAMES, LONGEST_SOURCE, REGION_NAMES, Kind, Region
from coalition.web import forms
from coalition.web.errors import Typed, typed_in
from coalition.web.forms import Line, PublicForm, tidy, tidy_lines, trap_field

STAMP_PURPOSE = "petition.form"
PREFER_NOT = "Prefer not to say"
_SOURCE = re.compile(rf"[a-z0-9-]{{1,{LONGEST_SOURCE}}}", re.ASCII)


def make_stamp(agreed: Agreed, now: datetime) -> str:
    """The stamp of a form that stands beside these texts; see web/forms.py."""
    versions = [agreed.petition_version_id, agreed.consent_version_id]
    return forms.make_stamp(STAMP_PURPOSE, versions, now)


def read_stamp(stamp: str, now: datetime) -> Agreed | None:
    """The texts that stood beside the form; None if the stamp is too old, or not ours."""
    versions = forms.read_stamp(STAMP_PURPOSE, stamp, now)
    return Agreed(*versions) if versions else None


def read_source(tag: str | None) -> str:
    """The tag of the site by way of which somebody came; empty for what is none."""
    return tag if tag and _SOURCE.fullmatch(tag) else ""


def _choice_field(label: str, names: Mapping[Any, str]) -> SelectField:
    """One of `names`, or nothing. Checked by what may be chosen alone: WTForms makes anew, for
    each visitor, every choice that could be shown."""
    choices = {"": PREFER_NOT, **{each.value: name for each, name in names.items()}}
    one_of_them = AnyOf(choices, message=f"Choose one of the answers to “{label}”")
    return SelectField(
        label, choices=choices, default="", validate_choice=False, validators=[one_of_them]
    )


class PersonalForm(PublicForm):
    """What signatories say of themselves."""

    name = StringField(
        "Your name", filters=[tidy], validators=[Line("Your name", "Enter your name")]
    )
    region = _choice_field("Where you live", REGION_NAMES)
    kind = _choice_field("You sign as", KIND_NAMES)
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

    email = email_field()
    consent = BooleanField(
        validators=[
            InputRequired(
                "Tick the box that says you agree. Without it we may not keep your signature"
            )
        ]
    )
    source = HiddenField(filters=[read_source])
    website = trap_field()

    KEPT = ("name", "email", "region", "kind", "kind_consent", "show_name", "wants_updates",
            "consent", "source")  # fmt: skip

    TYPED: ClassVar = {
        "name": "Name",
        "email": "Email",
        "region": "Where you live",
        "kind": "You sign as",
    }

    def typed(self) -> list[Typed]:
        """What was typed and chosen, in words, for a page that has no form any more."""
        return typed_in(self, self.TYPED)

    def kept(self) -> dict[str, Any]:
        """What was typed, to show it again later."""
        return {name: self[name].data for name in self.KEPT}


class AppealForm(PublicForm):
    """A signatory's words against a decision."""

    words = TextAreaField(
        "What should the person who looks at it know?",
        filters=[tidy_lines],
        validators=[
            DataRequired("Write what we should know"),
            Length(max=LONGEST_APPEAL, message="Use %(max)d characters or fewer"),
        ],
    )
