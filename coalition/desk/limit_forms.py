"""Forms of the limits."""

from __future__ import annotations

import re

from wtforms import Field, StringField, ValidationError

from coalition.web.forms import Line, PublicForm, tidy
from coalition.web.limit_rules import LARGEST_FACTOR, parse_limits, parse_network


class GeneralLimitForm(PublicForm):
    """One of the general limits."""

    limits = StringField("Limits", filters=[tidy])

    def validate_limits(self, field: Field) -> None:
        _check_limits(field)


class NetworkForm(PublicForm):
    """A network, and how much more may be sent from it."""

    network = StringField("Network", filters=[tidy])
    factor = StringField("Times the general limits", filters=[tidy])
    limits = StringField("Or limits of its own", filters=[tidy])
    note = StringField(
        "Whose network it is",
        filters=[tidy],
        validators=[Line("This", "Say whose network it is, such as a ward or a day centre")],
    )

    def validate_network(self, field: Field) -> None:
        if len(field.data) > 100:
            raise ValidationError("Enter one network address")
        try:
            parse_network(field.data)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def validate_factor(self, field: Field) -> None:
        if not field.data:
            return
        if (
            not re.fullmatch(r"[0-9]{1,4}", field.data)
            or not 2 <= int(field.data) <= LARGEST_FACTOR
        ):
            raise ValidationError(f"Enter a whole number from 2 to {LARGEST_FACTOR}")

    def validate_limits(self, field: Field) -> None:
        if bool(field.data) == bool(self.factor.data):
            raise ValidationError("Fill in one of the two: how many times, or limits of its own")
        if field.data:
            _check_limits(field)


def _check_limits(field: Field) -> None:
    try:
        parse_limits(field.data)
    except ValueError as error:
        raise ValidationError(str(error)) from error
