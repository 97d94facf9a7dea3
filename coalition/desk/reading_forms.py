"""The form in which somebody says how they read."""

from __future__ import annotations

from wtforms import IntegerField, SelectMultipleField
from wtforms.validators import NumberRange

from coalition.desk.reading_rules import HIGHEST_CEILING, LOWEST_CEILING
from coalition.statements.queries import current_campaign
from coalition.web.forms import PublicForm

BOUNDS = f"Enter a whole number from {LOWEST_CEILING} to {HIGHEST_CEILING}"


class ReadingForm(PublicForm):
    """What somebody skips, and how much they read in a day."""

    skipped = SelectMultipleField("Do not offer me what")
    ceiling = IntegerField(
        "Points a day at most",
        validators=[NumberRange(LOWEST_CEILING, HIGHEST_CEILING, message=BOUNDS)],
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.skipped.choices = [
            (label.slug, label.words) for label in current_campaign().telling.labels
        ]

    def validate_ceiling(self, field: IntegerField) -> None:
        """What is no number has the same words as one out of bounds."""
        if field.process_errors:
            field.process_errors = [BOUNDS]
