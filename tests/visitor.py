"""A visitor without JavaScript: opens pages, fills in the forms that stand on them, presses
buttons, follows redirects. Works on a running server and on the application in this process.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from flask import Flask, g, has_app_context

MOST_REDIRECTS = 5


@dataclass
class Form:
    """One form of a page, with the values that it would send."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        present = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get")))
        elif tag == "a":
            self.links.append(found.get("href", ""))
        if not self.forms:
            return
        values, name = self.forms[-1].values, found.get("name", "")
        if tag == "input" and found.get("type") == "checkbox":
            if "checked" in present:
                values[name] = found.get("value", "on")
        elif tag == "input":
            values[name] = found.get("value", "")
        elif tag == "textarea":
            self._textarea, values[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select is not None:
            if "selected" in present or self._select not in values:
                values[self._select] = found.get("value", "")
        elif tag == "button":
            self.forms[-1].buttons.append((name, found.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.forms[-1].values[self._textarea] += data


@dataclass
class Page:
    """An answer, with the forms and links that stand in it."""

    status: int
    headers: Mapping[str, str]
    text: str
    url: str
    data: bytes = b""

    @cached_property
    def _read(self) -> _Reader:
        reader = _Reader()
        if "html" in self.headers.get("content-type", ""):
            reader.feed(self.text)
        return reader

    @property
    def forms(self) -> list[Form]:
        return self._read.forms

    @property
    def links(self) -> list[str]:
        return self._read.links

    def form(self, action: str) -> Form:
        """The form whose action holds this text."""
        found = [form for form in self.forms if action in form.action]
        assert found, f"no form for {action} on {self.url} ({self.status}): {self.text[:3000]}"
        return found[0]


Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]]


class Visitor:
    """Somebody with a browser."""

    def __init__(self, origin: str, send: Send) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self._send = send

    def get(self, url: str, *, follow: bool = True, **headers: str) -> Page:
        return self.request("GET", url, headers, b"", follow=follow)

    def post(
        self,
        url: str,
        values: Mapping[str, str | Sequence[str]],
        *,
        follow: bool = True,
        **headers: str,
    ) -> Page:
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
            **headers,
        }
        return self.request(
            "POST", url, sent, urlencode(values, doseq=True).encode(), follow=follow
        )

    def upload(
        self,
        url: str,
        values: Mapping[str, str],
        files: Mapping[str, bytes],
        *,
        follow: bool = True,
    ) -> Page:
        """Send a form with files, each under the name of its field."""
        boundary = "----------------a-line-that-no-test-holds"
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
            for name, value in values.items()
        ] + [
            f'Content-Disposition: form-data; name="{name}"; filename="{name}.png"\r\n'
            "Content-Type: image/png\r\n\r\n".encode()
            + data
            for name, data in files.items()
        ]
        body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
        sent = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
        }
        return self.request("POST", url, sent, body + f"--{boundary}--\r\n".encode(), follow=follow)

    def submit(self, page: Page, action: str, *, follow: bool = True, **answers: str) -> Page:
        """Send the form of `page` with this action, filled in with `answers`."""
        form = page.form(action)
        unknown = answers.keys() - form.values.keys()
        checkboxes = {name for name in unknown if f'name="{name}"' in page.text}
        assert unknown == checkboxes, f"no field {unknown - checkboxes} in the form {action}"
        return self.post(form.action, {**form.values, **answers}, follow=follow)

    def _keep_cookie(self, header: str | None) -> None:
        for name, morsel in SimpleCookie(header or "").items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, follow: bool
    ) -> Page:
        for _ in range(MOST_REDIRECTS):
            target = urlsplit(urljoin(self.origin, url))
            path = target.path + (f"?{target.query}" if target.query else "")
            if self.cookies:
                kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
                headers = {**headers, "Cookie": kept}
            status, answered, content = self._send(method, path, headers, body)
            lower = {name.lower(): value for name, value in answered.items()}
            self._keep_cookie(lower.get("set-cookie"))
            page = Page(status, lower, content.decode("utf-8", "replace"), path, content)
            if not (follow and status in (301, 302, 303) and "location" in lower):
                return page
            method, url, headers, body = "GET", lower["location"], {}, b""
        raise AssertionError("too many redirects")


@contextmanager
def _no_memory() -> Iterator[None]:
    """A test's own application context would lend its `g` to every request in turn, where a
    server gives each its own."""
    if not has_app_context():
        yield
        return
    kept = dict(vars(g))
    vars(g).clear()
    try:
        yield
    finally:
        vars(g).clear()
        vars(g).update(kept)


def visitor_of(app: Flask, address: str = "127.0.0.1") -> Visitor:
    """A visitor of the application in this process, from a network address of choice."""

    def send(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        with _no_memory():
            answer = app.test_client(use_cookies=False).open(
                path,
                method=method,
                headers=dict(headers),
                data=body,
                base_url=app.config["SITE_URL"],
                environ_overrides={"REMOTE_ADDR": address},
            )
        with answer:
            return answer.status_code, dict(answer.headers), answer.data

    return Visitor(app.config["SITE_URL"], send)


def visitor_at(url: str) -> Visitor:
    """A visitor of a running server, through a real socket."""
    host = urlsplit(url).netloc
    return visitor_over(lambda: http.client.HTTPConnection(host, timeout=30), url)


def visitor_over(connect: Callable[[], http.client.HTTPConnection], origin: str) -> Visitor:
    """A visitor of the site at `origin`, who makes a connection of their own for each request."""

    def send(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        with closing(connect()) as connection:
            connection.request(method, path, body=body or None, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    return Visitor(origin, send)
