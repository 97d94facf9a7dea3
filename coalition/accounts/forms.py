"""Forms about accounts."""

from __future__ import annotations

from wtforms import Field, Form, PasswordField, SelectMultipleField, StringField, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from coalition.accounts.models import ROLE_NAMES, Role
from coalition.mail.forms import email_field
from coalition.web.forms import Line, PublicForm, tidy

SHORTEST_PASSWORD = 12  # characters; NIST SP 800-63B-4 asks for 8 beside a second factor
LONGEST_PASSWORD = 200  # characters


def _check_password(form: Form, field: Field) -> None:
    password = field.data or ""
    if len(password) < SHORTEST_PASSWORD:
        raise ValidationError(
            f"A password has {SHORTEST_PASSWORD} characters or more. Four words that you tell "
            "nobody are good, and easy to type"
        )
    if len(password) > LONGEST_PASSWORD:
        raise ValidationError(f"A password has {LONGEST_PASSWORD} characters at most")
    if len(set(password)) < SHORTEST_PASSWORD // 2:
        raise ValidationError("This repeats itself: choose something that is harder to guess")


class PasswordForm(PublicForm):
    """A new password."""

    password = PasswordField("New password", validators=[_check_password])


class RolesForm(PublicForm):
    """What somebody may do."""

    roles = SelectMultipleField(
        "What they may do",
        choices=[(role.value, words) for role, words in ROLE_NAMES.items()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )

    def validate_roles(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Tick at least one role, or remove the person instead")

    def chosen(self) -> set[Role]:
        """The roles of a form that is valid."""
        return {Role(each) for each in self.roles.data}


class InviteForm(RolesForm):
    """Somebody new, and what they may do."""

    name = StringField(
        "Their name",
        filters=[tidy],
        validators=[Line("The name", "Enter their name", in_mails=True)],
    )
    email = email_field("Their email")
