"""Forms about the audit log: which lines to show, and what an earlier proof told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from wtforms import Field, SelectField, StringField, ValidationError
from wtforms.validators import Length

from coalition.audit.proof import Mark
from coalition.audit.queries import Wanted
from coalition.web.forms import PublicForm, is_showable, tidy

_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)
_LONGEST = 200  # characters, as the columns


def _check_words(form: PublicForm, field: Field) -> None:
    if not is_showable(field.data or ""):
        raise ValidationError("Take out what cannot be seen, and search again")


def _check_day(form: PublicForm, field: Field) -> None:
    if field.data and _read_day(field.data) is None:
        raise ValidationError("Enter a day in the form 2026-03-31")


def _read_day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if _EARLIEST <= day <= _LATEST else None


def _line(label: str) -> StringField:
    too_long = Length(max=_LONGEST, message="Use %(max)d characters or fewer")
    return StringField(label, filters=[tidy], validators=[too_long, _check_words])


class AuditForm(PublicForm):
    """Which lines of the log to show."""

    actor = _line("Who")
    action = SelectField("What", default="")
    subject = _line("About what")
    first_day = StringField("From", filters=[tidy], validators=[_check_day])
    last_day = StringField("To", filters=[tidy], validators=[_check_day])

    def offer(self, actions: Sequence[str]) -> None:
        """Let the actions that stand in the log be chosen."""
        self.action.choices = [("", "Everything"), *((each, each) for each in actions)]
        self.action.validate_choice = False

    def validate_action(self, field: SelectField) -> None:
        if field.data and field.data not in dict(field.choices):
            raise ValidationError("Choose one of what is offered")

    def validate_last_day(self, field: Field) -> None:
        first, last = _read_day(self.first_day.data), _read_day(field.data)
        if first and last and last < first:
            raise ValidationError("The last day must not be before the first")

    def wanted(self) -> Wanted:
        """What was asked for, once the form is valid."""
        return Wanted(
            actor=self.actor.data,
            action=self.action.data,
            subject=self.subject.data,
            first_day=_read_day(self.first_day.data),
            last_day=_read_day(self.last_day.data),
        )


class ProofForm(PublicForm):
    """What was written down after an earlier proof, if anything was."""

    expected = StringField("What an earlier proof told", filters=[tidy])

    def validate_expected(self, field: Field) -> None:
        if field.data and self.mark() is None:
            raise ValidationError(
                "Enter it as it was told: a number, a colon, and 64 letters and digits"
            )

    def mark(self) -> Mark | None:
        """What was typed. None if nothing was, or nothing that a proof tells."""
        try:
            return Mark.parse(self.expected.data or "")
        except ValueError:
            return None
