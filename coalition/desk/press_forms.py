"""The shape of what the press office sends."""

from __future__ import annotations

from wtforms import SelectField, StringField, ValidationError

from coalition.web.forms import Line, PublicForm, tidy


class LinkForm(PublicForm):
    """For which newsroom a link is. Not for whom in it: the log keeps no names."""

    slug = SelectField("Which release", validate_choice=False)
    desk = StringField(
        "For which newsroom", filters=[tidy], validators=[Line("The newsroom", "Name the newsroom")]
    )

    def validate_slug(self, field: SelectField) -> None:
        if field.data not in dict(self.slug.choices):
            raise ValidationError("Choose a release that is under embargo")
