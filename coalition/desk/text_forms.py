"""The forms in which texts are written and published."""

from __future__ import annotations

import uuid
from datetime import date

from wtforms import (
    BooleanField,
    Field,
    Form,
    HiddenField,
    StringField,
    TextAreaField,
    ValidationError,
)

from coalition.statements import markdown
from coalition.statements.drafts import tidy_text
from coalition.web.forms import Line, PublicForm, is_showable, tidy

LONGEST_NOTE = 500  # characters
LONGEST_NEWS = 20_000  # characters
NOTE = "What changed, in a sentence that readers see"


def read_revision(field: Field) -> uuid.UUID | None:
    """Which draft a form was made from; None where there was none."""
    try:
        return uuid.UUID(hex=field.data or "")
    except ValueError:
        return None


def read_version(field: Field) -> int:
    """The number of a version; 0 where there is none in the field."""
    data = str(field.data or "")
    return int(data) if data.isascii() and data.isdigit() and len(data) < 6 else 0


class DraftForm(PublicForm):
    """What a moderator writes for a text. Nothing in it is refused: it is saved as it is."""

    text = TextAreaField("The text")
    note = StringField(NOTE, filters=[tidy])
    merged = BooleanField()
    base_version = HiddenField()  # the version that the writing began from
    newest = HiddenField()  # the version that stood beside the form
    revision = HiddenField()

    @property
    def begun_from(self) -> int:
        """The version that what is written goes on from."""
        return read_version(self.newest if self.merged.data else self.base_version)


class PublishForm(PublicForm):
    """What readers are told of a new version."""

    note = StringField(NOTE, filters=[tidy])
    revision = HiddenField()

    def validate_note(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError("Say what changed: readers see it in the history")
        if len(field.data) > LONGEST_NOTE:
            raise ValidationError(
                f"Use {LONGEST_NOTE} characters or fewer. There are {len(field.data)}"
            )
        if not is_showable(field.data):
            raise ValidationError("There is a character that cannot be shown. Type it once more")


def _markdown_of_news(form: Form, field: TextAreaField) -> None:
    if not field.data:
        raise ValidationError("Write the news")
    if len(field.data) > LONGEST_NEWS:
        raise ValidationError(
            f"Use {LONGEST_NEWS:,} characters or fewer. There are {len(field.data):,}"
        )
    for line, words in markdown.located_problems(field.data):
        raise ValidationError(f"Line {line}: {words}")


class NewsForm(PublicForm):
    """One more piece of news."""

    on = StringField("Day", filters=[tidy])
    title = StringField("Title", filters=[tidy], validators=[Line("The title", "Give it a title")])
    summary = StringField(
        "Summary",
        filters=[tidy],
        validators=[Line("The summary", "Say in one sentence what happened")],
    )
    words = TextAreaField(
        "The news",
        filters=[lambda text: tidy_text(text or "").strip()],
        validators=[_markdown_of_news],
    )

    def validate_on(self, field: StringField) -> None:
        self.day()

    def day(self) -> date:
        """The day that was given. Raises ValidationError where there is none."""
        try:
            return date.fromisoformat(self.on.data or "")
        except ValueError:
            raise ValidationError("Give the day as year, month, day: 2026-04-29") from None
