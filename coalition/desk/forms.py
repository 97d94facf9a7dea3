"""Forms of the desk."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, SelectField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, NumberRange

from coalition.endorsements.decisions import LONGEST_WORDS
from coalition.endorsements.models import DECLINE_NAMES
from coalition.web.forms import PublicForm, tidy_lines


class DecisionForm(PublicForm):
    """A decision about an organisation. Which one, the button says."""

    entry_id = HiddenField()  # the words that were read
    words = TextAreaField(
        "Words to its contact",
        filters=[tidy_lines],
        validators=[Length(max=LONGEST_WORDS, message="Use %(max)d characters or fewer")],
    )
    code = SelectField(
        "Reason, when you decline",
        choices=[("", "Choose one"), *((code.value, name) for code, name in DECLINE_NAMES.items())],
        default="",
    )
    decision = HiddenField()

    def validate_words(self, field: TextAreaField) -> None:
        if self.decision.data != "approve" and not field.data:
            raise ValidationError("Say why, in kind words: its contact reads them")

    def validate_code(self, field: SelectField) -> None:
        if self.decision.data == "decline" and not field.data:
            raise ValidationError("Choose the reason")


class SendAgainForm(PublicForm):
    """A mail to send again: how often it had been tried when its sender looked."""

    attempts = IntegerField(validators=[InputRequired(), NumberRange(0, 10_000)])
