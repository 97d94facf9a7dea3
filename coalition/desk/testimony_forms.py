"""Forms of whoever reads testimonies."""

from __future__ import annotations

from typing import Any

from wtforms import (
    Field,
    HiddenField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
    ValidationError,
)

from coalition.statements.queries import current_campaign
from coalition.testimonies.choices import Choices, Front
from coalition.testimonies.decisions import LONGEST_SUMMARY, LONGEST_WORDS
from coalition.testimonies.models import DECLINE_NAMES, DeclineCode
from coalition.web.forms import PublicForm, tidy_lines


class FrontForm(PublicForm):
    """What stands before the text: title, what else it describes, themes, a summary."""

    turn = HiddenField()
    label = SelectField("Title: what it describes above all", default="")
    labels = SelectMultipleField("What else it describes")
    themes = SelectMultipleField("Themes")
    summary = TextAreaField("Summary", filters=[tidy_lines])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        telling = current_campaign().telling
        labels = [(each.slug, each.words) for each in telling.labels]
        self.label.choices = [("", "Choose one"), *labels]
        self.labels.choices = labels
        self.themes.choices = [(each.slug, each.name) for each in telling.themes]

    def validate_label(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Choose the title")

    def validate_summary(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Write one or two plain sentences")
        if len(field.data) > LONGEST_SUMMARY:
            raise ValidationError(
                f"Use {LONGEST_SUMMARY} characters or fewer. It has {len(field.data)}"
            )

    def front(self) -> Front:
        """The front of a form that is valid. The name is not for a reader to write."""
        return Front(
            label=self.label.data,
            summary=self.summary.data,
            labels=tuple(each for each in self.labels.data or [] if each != self.label.data),
            themes=tuple(self.themes.data or []),
        )


def front_form(front: Front | None, choices: Choices | None) -> FrontForm:
    """The form as it was saved last, or else with what its writer says that it describes."""
    given = choices.labels if choices else ()
    shown = front or Front(label=given[0] if given else "", summary="", labels=given[1:])
    return FrontForm(
        formdata=None,
        data={
            "label": shown.label,
            "labels": list(shown.labels),
            "themes": list(shown.themes),
            "summary": shown.summary,
        },
    )


class WordsForm(PublicForm):
    """Words to somebody: the writer, or whoever edits it next."""

    turn = HiddenField()
    words = TextAreaField("Your words", filters=[tidy_lines])

    def validate_words(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Write some words: somebody reads them")
        if len(field.data) > LONGEST_WORDS:
            raise ValidationError(
                f"Use {LONGEST_WORDS:,} characters or fewer. It has {len(field.data):,}"
            )


class DeclineForm(WordsForm):
    """A refusal: its reason, and kind words."""

    code = SelectField(
        "Reason",
        # That nobody answered is for the clock to say.
        choices=[("", "Choose one")]
        + [(c.value, name) for c, name in DECLINE_NAMES.items() if c is not DeclineCode.NO_ANSWER],
        default="",
    )

    def validate_code(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Choose the reason")
