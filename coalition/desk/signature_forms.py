"""Forms about signatures: what to search for, and why something is decided."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta

from wtforms import Field, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length

from coalition.clock import LONDON
from coalition.mail.address import NotAnAddress, parse_address
from coalition.petition.clusters import UNDECIDED
from coalition.petition.deciders import AGAINST
from coalition.petition.decisions import LONGEST_REASON
from coalition.petition.fingerprints import normal_domain
from coalition.petition.models import SignatureStatus
from coalition.petition.search import Search
from coalition.web.forms import PublicForm, tidy, tidy_lines

STATUS_NAMES = {
    SignatureStatus.AWAITING: "Not confirmed yet",
    SignatureStatus.VERIFIED: "Counted",
    SignatureStatus.HELD: "Held",
    SignatureStatus.WITHDRAWN: "Withdrawn",
    SignatureStatus.REMOVED: "Removed",
}
UNDECIDED_CHOICE = "undecided"
_FORMS_OF_TIME = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_LONGEST = 300  # characters, of anything to search for


class _When(StringField):  # type: ignore[misc]
    """A moment by the clock of the United Kingdom. `last` takes in the whole minute or day."""

    def __init__(self, label: str, *, last: bool = False, **values: object) -> None:
        super().__init__(label, filters=[tidy], validators=[_check_when], **values)
        self.last = last

    @property
    def moment(self) -> datetime | None:
        """None if nothing was typed."""
        if not self.data:
            return None
        found = _read_when(self.data)
        if not self.last:
            return found
        whole_day = "T" not in self.data and " " not in self.data
        if whole_day:
            return datetime.combine(found, time.max, LONDON)
        return found + timedelta(minutes=1) - timedelta(microseconds=1)


def _read_when(text: str) -> datetime:
    for form in _FORMS_OF_TIME:
        try:
            return datetime.strptime(text, form).replace(tzinfo=LONDON)
        except ValueError:
            continue
    raise ValueError(text)


def _check_when(form: PublicForm, field: Field) -> None:
    try:
        # A moment at either end of what a calendar knows has no place in UTC.
        if field.data and not 2000 <= _read_when(field.data).year <= 2999:
            raise ValueError
    except ValueError:
        raise ValidationError("Enter a day and a time such as 2021-04-29 14:00") from None


class SearchForm(PublicForm):
    """What to look for; all of it must hold."""

    address = StringField("Email address", filters=[tidy])
    domain = StringField("Mail domain", filters=[tidy])
    network_of = StringField("Same network as the signature", filters=[tidy])
    signed_from = _When("Signed from")
    signed_until = _When("Signed until", last=True)
    status = SelectField(
        "State",
        choices=[
            ("", "Any"),
            (UNDECIDED_CHOICE, "Not decided about"),
            *((status.value, name) for status, name in STATUS_NAMES.items()),
        ],
        default="",
    )

    def validate_address(self, field: Field) -> None:
        if field.data:
            try:
                _must_be_short(field)
                parse_address(field.data)
            except NotAnAddress as error:
                raise ValidationError(
                    "Enter an email address in the form name@example.org"
                ) from error

    def validate_domain(self, field: Field) -> None:
        if field.data:
            try:
                _must_be_short(field)
                normal_domain(field.data)
            except NotAnAddress as error:
                raise ValidationError("Enter a mail domain such as example.org") from error

    def validate_network_of(self, field: Field) -> None:
        if field.data:
            try:
                uuid.UUID(field.data)
            except ValueError:
                raise ValidationError(
                    "Enter the number of a signature, as its page shows it"
                ) from None

    def validate_signed_until(self, field: _When) -> None:
        if field.errors or self.signed_from.errors:
            return
        start, end = self.signed_from.moment, field.moment
        if start and end and end < start:
            raise ValidationError("The end is before the beginning")

    def search(self) -> Search:
        """The search of a form that is valid."""
        return Search(
            address=self.address.data or None,
            domain=normal_domain(self.domain.data) if self.domain.data else None,
            network_of=uuid.UUID(self.network_of.data) if self.network_of.data else None,
            signed_from=self.signed_from.moment,
            signed_until=self.signed_until.moment,
            statuses=_statuses(self.status.data),
        )


def _must_be_short(field: Field) -> None:
    if len(field.data) > _LONGEST:
        raise ValidationError(f"Use {_LONGEST} characters or fewer")


def _statuses(choice: str) -> tuple[SignatureStatus, ...]:
    if choice == UNDECIDED_CHOICE:
        return UNDECIDED
    return (SignatureStatus(choice),) if choice else ()


def filled_in(search: Search) -> SearchForm:
    """The form as it would ask for this search, to change it; times by the minute."""
    states = search.statuses
    return SearchForm(
        formdata=None,
        data={
            "address": search.address,
            "domain": search.domain,
            "network_of": str(search.network_of) if search.network_of else None,
            "signed_from": _typed(search.signed_from),
            "signed_until": _typed(search.signed_until),
            "status": UNDECIDED_CHOICE if states == UNDECIDED else "".join(states[:1]),
        },
    )


def _typed(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}" if moment else None


class ReasonForm(PublicForm):
    """Why something is decided."""

    reason = TextAreaField(
        "Why",
        filters=[tidy_lines],
        validators=[Length(max=LONGEST_REASON, message="Use %(max)d characters or fewer")],
    )

    def validate_reason(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Say why, in kind words: whoever signed reads them")


class SingleForm(ReasonForm):
    """A decision about one signature. Which one, the button says."""

    read = HiddenField()  # the mark of what was read
    decision = HiddenField()

    def validate_reason(self, field: Field) -> None:
        if self.decision.data in AGAINST:
            super().validate_reason(field)


class BulkForm(ReasonForm):
    """A decision about all that a search finds."""

    decision_id = HiddenField()  # made with the form: sent twice, it is done once
    counted = HiddenField()  # what was shown
