"""Forms of readers who are worried, and of the lead."""

from __future__ import annotations

from wtforms import HiddenField, SelectField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, Length

from coalition.statements.telling import Telling
from coalition.testimonies.safeguarding import LONGEST_WORDS, Closing
from coalition.testimonies.safeguarding_models import TOLD_NAMES, WriterTold
from coalition.web.forms import PublicForm, tidy_lines

TOO_LONG = Length(max=LONGEST_WORDS, message="Use %(max)d characters or fewer")


class FlagForm(PublicForm):
    """What worries a reader."""

    flag_id = HiddenField()
    flag_words = TextAreaField(
        "What worries you",
        filters=[tidy_lines],
        validators=[DataRequired("Write in a sentence or two what worries you"), TOO_LONG],
    )


class ClosingForm(PublicForm):
    """How the lead closes a flag."""

    outcome = SelectField("What applies")
    done = TextAreaField("What was done", filters=[tidy_lines], validators=[TOO_LONG])
    told = SelectField(
        "Was the writer told before?",
        choices=[(each.value, name) for each, name in TOLD_NAMES.items()],
    )

    def __init__(self, rule: Telling, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        numbers = range(1, len(rule.exceptions) + 1)
        self.outcome.choices = [
            ("none", "No exception applies"),
            *((str(number), f"Exception {number} applies") for number in numbers),
        ]

    def validate_done(self, field: TextAreaField) -> None:
        if self.outcome.data != "none" and not field.data:
            raise ValidationError("Write what was done, by whom, and when")

    def validate_told(self, field: SelectField) -> None:
        if self.outcome.data != "none" and field.data == WriterTold.NOTHING_DONE:
            raise ValidationError("Say whether the writer was told before it was done")

    def closing(self) -> Closing:
        """The answers of a form that is valid."""
        number = None if self.outcome.data == "none" else int(self.outcome.data)
        return Closing(number, self.done.data or "", WriterTold(self.told.data))
