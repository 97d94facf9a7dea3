"""Watches requests: gives each a number, counts it and times it, and writes its line in the log.

Outside of everything else that answers, so that pages kept in memory are counted too.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable
from time import perf_counter
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, has_request_context, request

from coalition.web.limits import counts_in_memory
from coalition.web.metrics import Metrics

ROUTE = "coalition.route"  # in a request's environment: the rule of its route, never its path
REQUEST_ID = "coalition.request_id"
HEADER = "X-Request-ID"
ACCESS_LOGGER = "coalition.access"
NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
OTHER_METHOD = "other"  # what somebody made up is nobody's business
# As proxies make them: nginx 32 characters, others a UUID. A link's token is longer, an address
# has a point or an @.
_FROM_PROXY = re.compile(r"[A-Za-z0-9_-]{8,64}")

log = logging.getLogger(ACCESS_LOGGER)


def new_request_id() -> str:
    """A number that can be read out over the telephone: 12 digits, in three groups."""
    digits = f"{secrets.randbelow(10**12):012}"
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def request_id() -> str | None:
    """The number of the current request; None outside of one."""
    return request.environ.get(REQUEST_ID) if has_request_context() else None


class Watch:
    """Counts what `site` answers, and tells it under which number."""

    def __init__(self, site: WSGIApplication, metrics: Metrics, *, behind_proxy: bool) -> None:
        self._site, self._metrics, self._behind_proxy = site, metrics, behind_proxy

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        began = perf_counter()
        number = environ[REQUEST_ID] = self._number(environ)
        answered: list[str] = []

        def note(status: str, headers: list[tuple[str, str]], *error: object) -> object:
            answered.append(status)
            return start(status, [*headers, (HEADER, number)], *error)  # type: ignore[arg-type]

        status = 500
        try:
            content = self._site(environ, note)  # type: ignore[arg-type]
            status = int(answered[-1][:3])
        finally:
            self._count(environ, number, status, perf_counter() - began)
        return content

    def _number(self, environ: WSGIEnvironment) -> str:
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._behind_proxy else ""
        return given if _FROM_PROXY.fullmatch(given) else new_request_id()

    def _count(self, environ: WSGIEnvironment, number: str, status: int, seconds: float) -> None:
        route, method = environ.get(ROUTE, NO_ROUTE), environ["REQUEST_METHOD"]
        if method not in METHODS:
            method = OTHER_METHOD
        self._metrics.count_request(route, method, status, seconds)
        self._metrics.tell_limits_in_memory(counts_in_memory())
        if log.isEnabledFor(logging.INFO):
            told = {
                "request_id": number,
                "route": route,
                "method": method,
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
            }
            log.info("%s %s %s", method, route, status, extra={"request": told})


def init_watch(app: Flask) -> None:
    """Let each request tell by which route it is answered; before anything may refuse it."""

    @app.before_request
    def tell_route() -> None:
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule
