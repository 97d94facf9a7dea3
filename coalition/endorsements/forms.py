"""The shape of what organisations send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import idna
from wtforms import (
    BooleanField,
    Field,
    FileField,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length

from coalition.endorsements.actions import Agreed, Contact, PublicDetails
from coalition.endorsements.models import KIND_NAMES, NATION_NAMES, Entry, Nation, OrganisationKind
from coalition.mail.forms import email_field
from coalition.statements.queries import current_campaign
from coalition.web.errors import Typed, typed_in
from coalition.web.forms import (
    LONGEST_TIDIED,
    Line,
    PublicForm,
    is_showable,
    make_stamp,
    read_stamp,
    tidy,
    tidy_lines,
    trap_field,
)

LONGEST_WORDS = 3_000  # characters, some 500 words
LONGEST_WEBSITE = 300  # characters
LONGEST_ANSWER = 5_000  # characters
_TOO_LONG = f"The website's address must have {LONGEST_WEBSITE} characters or fewer"
CHOOSE = "Choose one"
STAMP_PURPOSE = "endorsements.form"


def normal_website(text: str) -> str:
    """A website's address as it is kept: with its scheme, its host as DNS knows it.

    Raises ValueError, with words for whoever typed it.
    """
    if len(text) > LONGEST_TIDIED:
        raise ValueError(_TOO_LONG)
    whole = text if re.match(r"[a-zA-Z][\w+.-]*:", text) else f"https://{text}"
    if not whole.lower().startswith(("http://", "https://")):
        raise ValueError("The website's address must begin with https:// or http://")
    advice = "Enter the website's address in the form https://example.org"
    try:
        parts = urlsplit(whole)
        port = f":{parts.port}" if parts.port else ""
        host = idna.encode(parts.hostname or "", uts46=True).decode()
    except (ValueError, UnicodeError) as error:
        raise ValueError(advice) from error
    if (
        not is_showable(whole)
        or "@" in parts.netloc
        or "." not in host
        or re.search(r"[\s<>\"\\]", whole)
    ):
        raise ValueError(advice)
    website = urlunsplit((parts.scheme, host + port, parts.path, parts.query, ""))
    if len(website) > LONGEST_WEBSITE:
        raise ValueError(_TOO_LONG)
    return website


def _check_website(form: Form, field: Field) -> None:
    if not field.data:
        return
    try:
        field.data = normal_website(field.data)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _check_showable(form: Form, field: Field) -> None:
    if not is_showable(field.data):
        raise ValidationError("This holds a character that cannot be shown. Type it once more")


def _check_words(form: Form, field: Field) -> None:
    if len(field.data) > LONGEST_WORDS:
        raise ValidationError(
            f"Your words must have {LONGEST_WORDS:,} characters or fewer. They have "
            f"{len(field.data):,}"
        )
    tag = re.search(r"</?[a-zA-Z][^>]{0,40}>?", field.data)
    if tag:
        raise ValidationError(
            f"Write plain text, without HTML: “{tag[0]}” would be shown as it is. Take it out"
        )


def make_form_stamp(now: datetime) -> str:
    """The stamp of a form that is shown now, beside the texts as they stand."""
    campaign = current_campaign()
    versions = [campaign.statement.version_id, campaign.consent.version_id]
    return make_stamp(STAMP_PURPOSE, versions, now)


def read_form_stamp(stamp: str | None, now: datetime) -> Agreed | None:
    """Which texts stood beside the form; None if it is not ours, or too old."""
    versions = read_stamp(STAMP_PURPOSE, stamp or "", now)
    return Agreed(*versions) if versions else None


def _choices(names: Mapping[Any, str]) -> dict[str, str]:
    return {"": CHOOSE, **{each.value: name for each, name in names.items()}}


class PublicDetailsForm(PublicForm):
    """What the public is to read."""

    name = StringField(
        "Name of the organisation",
        filters=[tidy],
        validators=[Line("The name", "Enter the organisation's name", in_mails=True)],
    )
    organisation_website = StringField("Website", filters=[tidy], validators=[_check_website])
    kind = SelectField(
        "Kind of organisation",
        choices=_choices(KIND_NAMES),
        default="",
        validators=[InputRequired("Choose what kind of organisation it is")],
    )
    nation = SelectField(
        "Where it works",
        choices=_choices(NATION_NAMES),
        default="",
        validators=[InputRequired("Choose where the organisation works")],
    )
    words = TextAreaField("In your own words", filters=[tidy_lines], validators=[_check_words])
    logo_file = FileField("Logo")
    logo = HiddenField()  # one that was sent before, sealed
    no_logo = BooleanField("Leave the logo out")
    logo_alt = StringField(
        "What the logo shows",
        filters=[tidy],
        validators=[
            Length(max=200, message="Describe the logo in %(max)d characters or fewer"),
            _check_showable,
        ],
    )

    def public_details(self, logo_id: Any) -> PublicDetails:
        """The answers of a form that is valid."""
        return PublicDetails(
            name=str(self.name.data),
            website=str(self.organisation_website.data),
            kind=OrganisationKind(self.kind.data),
            nation=Nation(self.nation.data),
            words=str(self.words.data),
            logo_id=logo_id,
            logo_alt=(self.logo_alt.data or f"Logo of {self.name.data}"[:200]) if logo_id else "",
        )


class ContactForm(PublicForm):
    """Who speaks for the organisation."""

    contact_name = StringField(
        "Your name",
        filters=[tidy],
        validators=[Line("Your name", "Enter your name", in_mails=True)],
    )
    contact_role = StringField(
        "Your role in the organisation",
        filters=[tidy],
        validators=[Line("Your role", "Enter your role, such as chair or member", in_mails=True)],
    )
    email = email_field("Your email at the organisation")

    def contact(self) -> Contact:
        """The answers of a form that is valid."""
        return Contact(
            email=str(self.email.data),
            name=str(self.contact_name.data),
            role=str(self.contact_role.data),
        )


class NewContactForm(ContactForm):
    """Who is to speak for the organisation, named by whoever does now."""

    contact_name = StringField(
        "Name of the new contact",
        filters=[tidy],
        validators=[Line("The name", "Enter the name of the new contact", in_mails=True)],
    )
    contact_role = StringField(
        "Their role in the organisation",
        filters=[tidy],
        validators=[Line("The role", "Enter their role, such as chair or member", in_mails=True)],
    )
    email = email_field("Their email")


def filled_with_entry(entry: Entry) -> dict[str, Any]:
    """What the fields of PublicDetailsForm hold for an entry, but for its logo."""
    return {**vars(entry), "organisation_website": entry.website}


class AgreeForm(PublicForm):
    """What whoever speaks for an organisation says and agrees to."""

    authority = BooleanField(
        validators=[
            InputRequired(
                "Tick the box that says the organisation has decided this. Without it we cannot "
                "put its name on the list"
            )
        ]
    )
    consent = BooleanField(
        validators=[
            InputRequired(
                "Tick the box that says we may keep your name and address, to write to you"
            )
        ]
    )
    stamp = HiddenField()

    def is_agreed(self, now: datetime) -> bool:
        """Whether both boxes are ticked, beside texts that are known."""
        valid: bool = self.validate()
        if valid and read_form_stamp(self.stamp.data, now) is None:
            self.consent.errors = ["This page had been open for a long time. Press once more"]
            return False
        return valid


class EndorseForm(PublicDetailsForm, ContactForm, AgreeForm):
    """The whole form of an organisation that registers."""

    replaces = HiddenField()  # what was sent before with another address, sealed
    nickname = trap_field()
    form_id = HiddenField()

    SENT_AGAIN = (
        "name", "organisation_website", "kind", "nation", "words", "logo", "logo_alt",
        "contact_name", "contact_role", "email", "authority", "consent", "stamp", "form_id", "replaces",
    )  # fmt: skip
    TYPED: ClassVar = {
        "name": "Name of the organisation",
        "organisation_website": "Website",
        "kind": "Kind",
        "nation": "Where it works",
        "words": "In your own words",
        "logo_alt": "What the logo shows",
        "contact_name": "Your name",
        "contact_role": "Your role",
        "email": "Your email",
    }

    def typed(self) -> list[Typed]:
        """What was typed and chosen, in words, for a page that has no form any more."""
        return typed_in(self, self.TYPED)


class AnswerForm(PublicForm):
    """What a contact answers to a moderator."""

    words = TextAreaField(
        "Your answer",
        filters=[tidy_lines],
        validators=[
            DataRequired("Write your answer"),
            Length(max=LONGEST_ANSWER, message="Use %(max)d characters or fewer"),
        ],
    )
