"""The form in which somebody says how they read."""

from __future__ import annotations

from wtforms import SelectMultipleField, StringField, ValidationError

from coalition.desk.reading_rules import HIGHEST_CEILING, LOWEST_CEILING
from coalition.statements.queries import current_campaign
from coalition.web.forms import PublicForm, tidy

LONGEST_NUMBER = 4  # characters
BOUNDS = f"Enter a whole number from {LOWEST_CEILING} to {HIGHEST_CEILING}"


class ReadingForm(PublicForm):
    """What somebody skips, and how much they read in a day."""

    skipped = SelectMultipleField("Do not offer me what")
    # As it was typed, so that what is no number is kept as well.
    ceiling = StringField("Points a day at most", filters=[tidy])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.skipped.choices = [
            (label.slug, label.words) for label in current_campaign().telling.labels
        ]

    def validate_ceiling(self, field: StringField) -> None:
        typed = field.data if len(field.data) <= LONGEST_NUMBER else ""
        if not typed.isdecimal() or not LOWEST_CEILING <= int(typed) <= HIGHEST_CEILING:
            raise ValidationError(BOUNDS)

    def points(self) -> int:
        """The ceiling of a form that is valid."""
        return int(self.ceiling.data)
