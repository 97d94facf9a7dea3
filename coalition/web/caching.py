"""How long an answer may be kept, and by whom."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from flask import Flask, Response, make_response, request

from coalition.db import db
from coalition.replica import read_from_replica
from coalition.web.headers import ONE_YEAR
from coalition.web.links import static_hash
from coalition.web.page_cache import keep_page

PAGE_SECONDS = 10  # a public page may be this old
ONE_DAY = 86_400
STALE_SECONDS = 60  # and this much older while a fresh one is fetched (RFC 5861)


def public_page(view: Callable[..., Any]) -> Callable[..., Response]:
    """Let shared caches keep the answer of a page without personal content, with an ETag; and this
    process for a moment: see page_cache.py."""
    kept = f"public, max-age={PAGE_SECONDS}, stale-while-revalidate={STALE_SECONDS}"
    return _cached(view, kept, is_kept=True)


def public_page_that_may_go(view: Callable[..., Any]) -> Callable[..., Response]:
    """As `public_page`, for what its writer may take back: PAGE_SECONDS later no cache shows it,
    whether or not the site answers then (RFC 9111, 5.2.2.2)."""
    return _cached(view, f"public, max-age={PAGE_SECONDS}, must-revalidate")


def _cached(
    view: Callable[..., Any], cache_control: str, *, is_kept: bool = False
) -> Callable[..., Response]:
    @wraps(view)
    def cached(*args: Any, **kwargs: Any) -> Response:
        read = partial(view, *args, **kwargs)
        # What may go at any moment must not stay readable for as long as a replica lags behind.
        response = make_response(read_from_replica(db.session(), read) if is_kept else read())
        if response.status_code == 200:
            if is_kept:
                keep_page()
            response.headers["Cache-Control"] = cache_control
            response.add_etag()
            response.make_conditional(request)
        return response

    return cached


def lasting_file(response: Response, version: str, *, seconds: int) -> Response:
    """Let everybody keep a file for good where it is asked for by its version (`?v=`), which may be
    the hash of its content, else for so many seconds: another version may be what another machine
    will serve in a moment.

    This process keeps it too, for its moment: a new visitor's page loads a dozen such files.
    """
    is_named = request.args.get("v") == version
    lasting = f"{ONE_YEAR}, immutable" if is_named else str(seconds)
    response.headers["Cache-Control"] = f"public, max-age={lasting}"
    # Under no version that somebody made up: there are many.
    if is_named or not request.query_string:
        keep_page()
    return response


def init_caching(app: Flask) -> None:
    """Whatever does not declare itself public is kept by nobody and found by no search."""

    @app.after_request
    def keep_nothing_by_default(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in (200, 206, 304):
            filename = (request.view_args or {}).get("filename", "")
            lasting_file(response, static_hash(filename), seconds=ONE_DAY)
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Robots-Tag"] = "noindex"
        return response
