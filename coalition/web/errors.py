"""Error pages: what happened, that nothing is lost, and what to do next.

They use no database, for it may be what failed.
"""

import logging

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests

from coalition.web.limits import retry_after

PAGES = frozenset({400, 403, 404, 405, 413, 429, 500})
log = logging.getLogger(__name__)


def error_page(error: HTTPException) -> Response:
    """The page for an HTTP error; those without one of their own share the page of 400 or 500."""
    status = error.code or 500
    page = status if status in PAGES else (500 if status >= 500 else 400)
    response = make_response(
        render_template(f"errors/{page}.html", cross_site=error.description == "cross-site"),
        status,
    )
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(retry_after(error))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def log_failure(error: InternalServerError) -> None:
    """Log what went wrong: the kind of error and its place, never its text.

    An error's text may hold what somebody typed.
    """
    original = error.original_exception
    places = []
    traceback = original.__traceback__ if original else None
    while traceback:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    log.error(
        "%s failed: %s at %s",
        request.endpoint,
        type(original).__name__,
        " < ".join(places[::-1]),
    )


def init_errors(app: Flask) -> None:
    def handle(error: HTTPException) -> Response:
        if isinstance(error, InternalServerError):
            log_failure(error)
        return error_page(error)

    app.register_error_handler(HTTPException, handle)
    # Flask would log the error's text and the request's path, which may hold a token.
    app.log_exception = lambda _: None  # type: ignore[method-assign, assignment]
