"""Error pages: what happened, that nothing is lost, and what to do next.

Those that tell of a failure use no database, for it may be what failed.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
    TooManyRequests,
)
from wtforms import Field, Form, SelectField

from coalition.db import is_passing
from coalition.web.logs import places
from coalition.web.problems import problem
from coalition.web.watch import request_id

ERROR_STATUS = "coalition.error_status"  # set in the request's environment by an error page
BACK_SOON = 10  # seconds after which to try again what the database could not do
LABELS = {
    "name": "Name",
    "email": "Email",
    "code": "Code",
    "words": "Your words",
    "organisation_website": "Website",
    "logo_alt": "What the logo shows",
    "contact_name": "Name of the contact",
    "contact_role": "Role of the contact",
    "reason": "Why",
    "network": "Network",
    "limits": "Limits",
    "note": "Whose network it is",
    "flag_words": "What worries you",
    "done": "What was done",
    "writer_words": "Words to the writer",
    "statement": "The words that you complain of",
    "meaning": "What these words say",
    "inaccurate": "What is not true in them",
    "summary": "Summary",
}
PAGES = frozenset({400, 403, 404, 405, 413, 429, 500})
log = logging.getLogger(__name__)


def as_told(error: HTTPException) -> HTTPException:
    """The error as visitors are told of it: a failure that passes is no broken program."""
    if isinstance(error, InternalServerError) and is_passing(error.original_exception):
        return ServiceUnavailable(retry_after=BACK_SOON)
    return error


def _set_retry_after(response: Response, error: HTTPException) -> None:
    if isinstance(error, TooManyRequests | ServiceUnavailable):
        response.headers["Retry-After"] = str(error.retry_after or BACK_SOON)


def error_page(error: HTTPException) -> Response:
    """The page for an HTTP error; those without one of their own share the page of 400 or 500."""
    error = as_told(error)
    status = error.code or 500
    page = status if status in PAGES else (500 if status >= 500 else 400)
    request.environ[ERROR_STATUS] = status
    response = make_response(
        render_template(
            f"errors/{page}.html",
            why=error.description if page == 403 else None,
            kept=what_was_typed() if page in (429, 500) else None,
        ),
        status,
    )
    _set_retry_after(response, error)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def form_again(error: HTTPException, form_class: type[Form], page: Callable[..., str]) -> Response:
    """The page of a form that was refused or failed, with everything that was typed in it.

    `page` is called with the form and `refused`, the status. Where it cannot be made either,
    this is the page for the error.
    """
    if isinstance(error, InternalServerError):
        log_failure(error)
    error = as_told(error)
    try:
        form = form_class(request.form)
        form.validate()  # tidies what was typed
        for field in form:
            field.errors = []
        response = make_response(page(form, refused=error.code), error.code)
    except Exception:
        # The form is too large to be read, or the campaign's own words cannot be had.
        return error_page(error)
    _set_retry_after(response, error)
    return response


@dataclass(frozen=True)
class Typed:
    """A field of a form that was sent, to be sent again."""

    name: str
    value: str
    label: str | None  # None for what the visitor did not type

    @property
    def is_long(self) -> bool:
        return len(self.value) > 80 or "\n" in self.value


def typed_in(form: Form, labels: Mapping[str, str]) -> list[Typed]:
    """What stands in the fields of a form that `labels` names, in words, for a page that takes no
    form any more. Empty fields are left out."""
    found = ((name, _words_in(form[name]), label) for name, label in labels.items())
    return [Typed(*each) for each in found if each[1]]


def _words_in(field: Field) -> str:
    if not isinstance(field, SelectField):
        return str(field.data or "")
    if not field.data:
        return ""
    return next((str(words) for _, words, chosen, *_ in field.iter_choices() if chosen), "")


def holds_password() -> bool:
    """Whether the form that was sent has a password in it, which no page ever shows again."""
    try:
        return "password" in request.form
    except HTTPException:
        return False


def what_was_typed() -> list[Typed]:
    """The form that the visitor sent, to be shown again, whichever form it was; none with a
    password, which would have to be typed anew."""
    if request.method != "POST" or holds_password():
        return []
    try:
        fields = list(request.form.items(multi=True))
    except HTTPException:
        return []  # too large to be read, let alone to be shown
    return [Typed(name, value, LABELS.get(name)) for name, value in fields]


def log_failure(error: InternalServerError) -> None:
    """Log what went wrong: the kind of error and its place, never its text.

    An error's text may hold what somebody typed.
    """
    original = error.original_exception
    log.error(
        "%s failed: %s at %s",
        request.endpoint,
        type(original).__name__,
        places(original.__traceback__ if original else None),
    )


def init_errors(app: Flask, *, is_file: Callable[[str], bool]) -> None:
    """Answer errors with a page; at the addresses of files that `is_file` knows, with what a
    program reads."""

    def handle(error: HTTPException) -> Response:
        if isinstance(error, InternalServerError):
            log_failure(error)
        return problem(as_told(error)) if is_file(request.path) else error_page(error)

    app.register_error_handler(HTTPException, handle)
    app.add_template_global(request_id)
    # Flask would log the error's text and the request's path, which may hold a token.
    app.log_exception = lambda _: None  # type: ignore[method-assign, assignment]
