"""The form that asks for a list to hand in."""

from __future__ import annotations

from sqlalchemy.orm import Session
from wtforms import SelectField

from coalition.statements.queries import history
from coalition.web.forms import PublicForm


class AskForm(PublicForm):
    """Of which version of the petition's text the list is to be."""

    version = SelectField("Which version of the text", default="")

    def __init__(self, session: Session, **given: object) -> None:
        super().__init__(**given)
        self.version.choices = [("", "All of them")] + [
            (str(each.id), f"Version {each.version}") for each in history(session, "petition")
        ]

    def version_id(self) -> int | None:
        """The id of the chosen version of a form that is valid; None for all of them."""
        return int(self.version.data) if self.version.data else None
