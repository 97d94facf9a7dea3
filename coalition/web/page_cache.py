"""Public pages and the files that they load, kept for a moment in each process.

On the day that a campaign makes the news, the same page is asked for thousands of times a second,
and to make it takes a hundred times as long as to send it. What is kept is what the site would
have answered in this very moment, for it depends on the address alone: a test walks every public
page with other headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import request

from coalition.web.watch import ROUTE

MOST_KEPT = 512  # pages of some 13 KB
# Characters of an address, with its host and its query. No link of ours is as long; whoever makes
# up longer ones is answered, and fills nothing.
LONGEST_KEPT = 1_000
_KEEP = "coalition.keep_page"
# Of an answer that the browser has already (RFC 9110, 15.4.5).
_OF_NO_CONTENT = frozenset({"content-length", "content-type"})

Headers = list[tuple[str, str]]


def keep_page() -> None:
    """Let the answer to this request be kept: it holds nothing that depends on who asks."""
    request.environ[_KEEP] = True


@dataclass(frozen=True)
class _Kept:
    headers: Headers
    body: bytes
    etag: str
    route: str | None
    until: float


class PageCache:
    """Answers GET requests from what is kept; asks the site for all else."""

    def __init__(self, site: WSGIApplication, seconds: float) -> None:
        self._site, self._seconds = site, seconds
        self._kept: dict[tuple[str, str, str], _Kept] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET":
            return self._site(environ, start)
        # By the host too: to another one than ours the site answers otherwise.
        key = (
            environ.get("HTTP_HOST", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        if sum(map(len, key)) > LONGEST_KEPT:
            return self._site(environ, start)
        kept = self._kept.get(key)
        if kept is None or kept.until < monotonic():
            return self._ask(key, environ, start)
        environ[ROUTE] = kept.route
        if kept.etag and environ.get("HTTP_IF_NONE_MATCH") == kept.etag:
            headers = [each for each in kept.headers if each[0].lower() not in _OF_NO_CONTENT]
            start("304 NOT MODIFIED", headers)
            return [b""]
        start("200 OK", kept.headers.copy())
        return [kept.body]

    def _ask(
        self, key: tuple[str, str, str], environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        answered: list[tuple[str, Headers]] = []

        def note(status: str, headers: Headers, *error: object) -> object:
            answered.append((status, headers.copy()))
            return start(status, headers, *error)  # type: ignore[arg-type]

        content = self._site(environ, note)  # type: ignore[arg-type]
        if not environ.pop(_KEEP, False):
            return content
        body = b"".join(content)
        if hasattr(content, "close"):
            content.close()
        status, headers = answered[-1]
        names = {name.lower(): value for name, value in headers}
        if status.startswith("200 ") and "set-cookie" not in names:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            until = monotonic() + self._seconds
            self._kept[key] = _Kept(headers, body, names.get("etag", ""), environ.get(ROUTE), until)
        return [body]
