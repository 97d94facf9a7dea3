"""Forms that ask for a mail address, or for the code that was sent to it."""

from __future__ import annotations

import re

from wtforms import Field, Form, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from coalition.mail.address import LONGEST_ADDRESS, NotAnAddress, parse_address
from coalition.mail.codes import CODE_DIGITS, normal_code
from coalition.web.forms import PublicForm, tidy


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


def email_field(label: str = "Email") -> StringField:
    return StringField(label, filters=[tidy], validators=[check_email])


class EmailForm(PublicForm):
    """An address to send a link to."""

    email = email_field()


class CodeForm(PublicForm):
    """The code from the mail, with the address that it went to."""

    email = email_field()
    code = StringField(
        "Code",
        filters=[tidy],
        validators=[
            InputRequired("Enter the code"),
            Length(max=40, message="The code has eight digits"),
        ],
    )

    def validate_code(self, field: StringField) -> None:
        if not re.fullmatch(rf"\d{{{CODE_DIGITS}}}", normal_code(field.data)):
            raise ValidationError("The code has eight digits. Check it against the mail")
