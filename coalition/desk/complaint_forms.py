"""What somebody decides about a complaint."""

from __future__ import annotations

from wtforms import HiddenField, SelectField, TextAreaField, ValidationError
from wtforms.validators import Length

from coalition.testimonies.complaint_decisions import LONGEST_WORDS
from coalition.testimonies.models import DECLINE_NAMES, DeclineCode
from coalition.web.forms import PublicForm, tidy_lines

EDIT_ANEW = "edit-anew"
DECISIONS = ("take-down", "leave", "uphold", "refuse")
TOO_LONG = Length(max=LONGEST_WORDS, message="Use %(max)d characters or fewer")


class ComplaintDecisionForm(PublicForm):
    """Words to both sides, and what becomes of the text. What is decided, the button says."""

    words = TextAreaField(
        "Words to whoever complained", filters=[tidy_lines], validators=[TOO_LONG]
    )
    writer_words = TextAreaField("Words to the writer", filters=[tidy_lines], validators=[TOO_LONG])
    then = SelectField(
        "If you agree: what becomes of the text",
        choices=[
            (EDIT_ANEW, "It is edited anew, without what was wrong"),
            *(
                (code.value, f"It is declined: {name}")
                for code, name in DECLINE_NAMES.items()
                if code is not DeclineCode.NO_ANSWER
            ),
        ],
        default=EDIT_ANEW,
    )
    decision = HiddenField()

    def validate_words(self, field: TextAreaField) -> None:
        if self.decision.data in ("uphold", "refuse") and not field.data:
            raise ValidationError("Say why, in kind words: whoever complained reads them")

    def validate_writer_words(self, field: TextAreaField) -> None:
        if self.decision.data in ("take-down", "uphold") and not field.data:
            raise ValidationError("Say why, in kind words: the writer reads them")

    @property
    def code(self) -> DeclineCode | None:
        """Why the text is declined; None where it is edited anew."""
        return None if self.then.data == EDIT_ANEW else DeclineCode(self.then.data)
