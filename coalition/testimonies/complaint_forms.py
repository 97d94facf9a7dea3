"""The form of a complaint. Which fields are needed, its ground says.

A notice of defamation holds what section 5(6) of the Defamation Act 2013 and regulation 2 of
SI 2013/3028 name: who complains and their mail address, the statement and where it is, why it is
defamatory and its meaning, what is inaccurate or not supported by fact, that there is not enough
information to bring proceedings against whoever wrote it, and whether they may be told name and
address.
"""

from __future__ import annotations

from wtforms import Field, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length

from coalition.mail.forms import check_email
from coalition.testimonies.complaint_models import GROUND_NAMES, Ground
from coalition.web.forms import LONGEST_LINE, PublicForm, is_showable, tidy, tidy_lines, trap_field

LONGEST_WORDS = 5_000  # characters
TOO_LONG = Length(max=LONGEST_WORDS, message=f"Use {LONGEST_WORDS:,} characters or fewer")
YES_NO = {"": "Choose one", "yes": "Yes", "no": "No"}

# Of each ground: its fields in their order, with what is said where one that is needed is empty.
NEEDED: dict[Ground, dict[str, str]] = {
    Ground.IDENTIFIES: {
        "statement": "Copy the words that tell who somebody is, or say where they stand",
        "about": "Choose whom it is about",
        "words": "Write how one can tell who it is",
        "name": "Enter your name",
        "email": "Enter your email address",
    },
    Ground.DEFAMATION: {
        "statement": "Copy the words that you complain of",
        "words": "Write why these words harm your reputation",
        "meaning": "Write what these words say of you, as you understand them",
        "inaccurate": "Write what is not true in them, or is an opinion that no fact supports",
        "knows_writer": "Say whether you know enough about who wrote it",
        "share_name": "Say whether we may give your name to whoever wrote it",
        "share_email": "Say whether we may give your email address to whoever wrote it",
        "name": "Enter your name",
        "email": "Enter your email address",
    },
    Ground.LIVE_CASE: {
        "words": "Write which court or inquest it is, and what the text says of it",
        "name": "",
        "email": "",
    },
    Ground.COPYRIGHT: {
        "statement": "Copy the words that are yours, or say where they stand",
        "words": "Write whose work it is, and where it can be found",
        "name": "Enter your name",
        "email": "Enter your email address",
    },
    Ground.OTHER: {"words": "Write what is wrong", "name": "", "email": ""},
}
LABELS = {
    Ground.IDENTIFIES: "How one can tell who it is",
    Ground.DEFAMATION: "How these words harm your reputation",
    Ground.LIVE_CASE: "Which court or inquest it is, and what the text says of it",
    Ground.COPYRIGHT: "Whose work it is, and where it can be found",
    Ground.OTHER: "What is wrong",
}
ABOUT = {
    "": "Choose one",
    "me": "Me",
    "act-for": "Somebody for whom I act",
    "else": "Somebody else",
}
FIELD_NAMES = {
    "statement": "The words",
    "about": "Whom it is about",
    "words": "What is wrong",
    "meaning": "What they say",
    "inaccurate": "What is not true in them",
    "knows_writer": "Knows enough about the writer to bring proceedings",
    "share_name": "The writer may be told the name",
    "share_email": "The writer may be told the address",
    "name": "Name",
    "email": "Email",
}


def _long(label: str) -> TextAreaField:
    return TextAreaField(label, filters=[tidy_lines], validators=[TOO_LONG])


def _yes_no(label: str) -> SelectField:
    return SelectField(label, choices=list(YES_NO.items()), default="")


class ComplaintForm(PublicForm):
    """A complaint on any ground. What the ground does not ask for is kept, and not looked at."""

    ground = SelectField(
        "What is it about?",
        choices=[("", "Choose one"), *((each.value, name) for each, name in GROUND_NAMES.items())],
        default="",
    )
    statement = _long("The words that you complain of")
    about = SelectField("Whom does it tell of?", choices=list(ABOUT.items()), default="")
    words = _long("What is wrong")
    meaning = _long("What these words say of you, as you understand them")
    inaccurate = _long("What is not true in them, or is an opinion that no fact supports")
    knows_writer = _yes_no("Do you know enough about who wrote it to bring proceedings?")
    share_name = _yes_no("May we give your name to whoever wrote it?")
    share_email = _yes_no("May we give your email address to whoever wrote it?")
    name = StringField("Your name", filters=[tidy])
    email = StringField("Your email", filters=[tidy])
    form_id = HiddenField()
    website = trap_field()

    @property
    def chosen(self) -> Ground | None:
        """The ground, if there is one of this name."""
        return Ground(self.ground.data) if self.ground.data in set(Ground) else None

    @property
    def asked(self) -> list[Field]:
        """The fields that the chosen ground asks for, as they stand on the page."""
        return [self[name] for name in NEEDED[self.chosen]] if self.chosen else []

    def validate(self, extra_validators: object = None) -> bool:
        """Whether everything is there that the chosen ground needs."""
        valid: bool = super().validate(extra_validators)
        ground = self.chosen
        if ground is None:
            self.ground.errors = ["Choose what it is about"]
            return False
        self.words.label.text = LABELS[ground]
        for name, words in NEEDED[ground].items():
            if words and not self[name].data and not self[name].errors:
                self[name].errors = [words]
                valid = False
        return valid

    def validate_name(self, field: StringField) -> None:
        if len(field.data or "") > LONGEST_LINE or not is_showable(field.data or ""):
            raise ValidationError(
                f"Your name must be one line of {LONGEST_LINE} characters or fewer"
            )

    def validate_email(self, field: StringField) -> None:
        if field.data:
            check_email(self, field)

    def details(self) -> dict[str, str]:
        """The answers of a form that is valid, as far as its ground asks for them."""
        return {field.name: str(field.data) for field in self.asked if field.data}
