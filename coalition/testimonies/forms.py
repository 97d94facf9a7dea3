"""The shape of what writers send."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from coalition.mail.forms import check_email
from coalition.statements.telling import Telling
from coalition.testimonies.actions import LONGEST_ANSWER, LONGEST_TEXT, Told
from coalition.testimonies.choices import Choices, Use
from coalition.testimonies.codes import CODE_DIGITS, codes_in, normal_code
from coalition.web.errors import Typed, typed_in
from coalition.web.forms import Line, PublicForm, tidy, tidy_lines, trap_field

USE_NAMES = {
    Use.COUNT: "Only count it. Nobody reads it",
    Use.READ: "Read it, and keep it to yourselves",
    Use.PUBLISH: "Publish it without a name",
    Use.PUBLISH_NAMED: "Publish it under the name that I give here",
}
_LINE = Line("The name", "Enter the name, or choose to publish without one")


class TextForm(PublicForm):
    """What somebody tells."""

    text = TextAreaField("What happened", filters=[tidy_lines])

    def validate_text(self, field: TextAreaField) -> None:
        if not field.data:
            raise ValidationError("Write something, however short")
        if len(field.data) > LONGEST_TEXT:
            raise ValidationError(
                f"This has {len(field.data):,} characters, and {LONGEST_TEXT:,} is the most that "
                "we can take at once. All of it is still here: shorten it, or send the rest as a "
                "second account"
            )


class TellForm(TextForm):
    """What somebody tells, and what they choose to become of it."""

    use = SelectField(
        "What may we do with it?",
        choices=[("", "Choose one"), *((use.value, name) for use, name in USE_NAMES.items())],
        default="",
        validate_choice=False,
    )
    name = StringField("The name to publish it under", filters=[tidy])
    labels = SelectMultipleField(
        "What it describes",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,
    )
    may_press = BooleanField()
    may_inquiry = BooleanField()
    need_not_ask = BooleanField()
    email = StringField("Email", filters=[tidy])
    consent = BooleanField()
    code_is_meant = BooleanField()  # what looks like a receipt code in the text is none
    ticket = HiddenField()  # of a new one
    key = HiddenField()  # the pass to one that is kept already
    revision = HiddenField()  # of it, as its writer saw it
    rules = HiddenField()  # the version of the text whose rule stood on the page
    nickname = trap_field()

    WORDS = ("text",)
    CHOICES = ("use", "name", "labels", "may_press", "may_inquiry", "need_not_ask", "email",
               "consent")  # fmt: skip

    def validate_use(self, field: SelectField) -> None:
        if field.data not in list(Use):
            raise ValidationError("Choose what we may do with it")

    def validate_name(self, field: StringField) -> None:
        if self.use.data == Use.PUBLISH_NAMED:
            _LINE(self, field)

    def validate_email(self, field: StringField) -> None:
        if field.data:
            check_email(self, field)

    def validate_consent(self, field: BooleanField) -> None:
        if not field.data:
            raise ValidationError(
                "Tick the box that says you agree. Without it we may not keep what you write"
            )

    def validate_code_is_meant(self, field: BooleanField) -> None:
        if self.text.errors or field.data:
            return  # a text that is too long to be taken is not searched
        if codes_in(self.text.data or ""):
            raise ValidationError(
                "Your text holds a number like a receipt code. Whoever reads the text could open "
                "an account with it. Take it out; or tick this box, if it is something else"
            )

    def typed(self) -> list[Typed]:
        """What was written, for a page that has no form any more."""
        return typed_in(
            self, {"text": "Your words", "name": "The name to publish it under", "email": "Email"}
        )

    def check_only(self, *names: str) -> bool:
        """Whether these fields are as they should be; the rest was not asked yet."""
        self.validate()
        for field in self:
            if field.name not in names:
                field.errors = []
        return not any(self[name].errors for name in names)

    def knows_rule_of(self, telling: Telling) -> bool:
        """Whether its writer has seen the rule as it is now."""
        return bool(self.rules.data == str(telling.version_id))

    def told(self, telling: Telling) -> Told:
        """The answers of a form that is valid. What the choice does not need is left out."""
        use = Use(self.use.data)
        known = {each.slug for each in telling.labels}
        public = use in (Use.PUBLISH, Use.PUBLISH_NAMED)
        choices = Choices(
            use=use,
            name=self.name.data if use is Use.PUBLISH_NAMED else "",
            may_press=public and bool(self.may_press.data),
            may_inquiry=bool(self.may_inquiry.data),
            ask_first=not self.need_not_ask.data,
            labels=tuple(each for each in self.labels.data or () if each in known),
        )
        return Told(
            text=str(self.text.data),
            choices=choices,
            contact=self.email.data or None,
            rules_version_id=telling.version_id,
        )


class CodeForm(PublicForm):
    """The receipt code."""

    code = StringField("Your code", filters=[tidy])

    def validate_code(self, field: StringField) -> None:
        if not normal_code(field.data or ""):
            raise ValidationError(
                f"The code has {CODE_DIGITS} digits. Spaces and dashes do not matter"
            )


class AnswerForm(PublicForm):
    """What a writer answers, or wishes to have changed."""

    words = TextAreaField(
        "Your words",
        filters=[tidy_lines],
        validators=[
            DataRequired("Write a few words, so that we know what you mean"),
            Length(max=LONGEST_ANSWER, message="Use %(max)d characters or fewer"),
        ],
    )


def filled(told: Told) -> dict[str, Any]:
    """What stands in a form about something that is kept already."""
    choices = told.choices
    return {
        "text": told.text,
        "use": choices.use.value,
        "name": choices.name,
        "labels": list(choices.labels),
        "may_press": choices.may_press,
        "may_inquiry": choices.may_inquiry,
        "need_not_ask": not choices.ask_first,
        "email": told.contact or "",
        "consent": True,
        "rules": str(told.rules_version_id),
    }
