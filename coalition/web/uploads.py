"""Forms and files that visitors send: bounded in memory and in time, whatever their size."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO, Any, TypeVar

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

# What a part that is no file may take while it is read; Werkzeug reads 64 KB at a time, and a
# piece of the file before it counts too.
LARGEST_FIELDS = 256 * 1024  # bytes
MOST_PARTS = 30

View = TypeVar("View", bound=Callable[..., Any])


class BoundedFile(io.BytesIO):
    """Keeps the first LARGEST bytes that are written, and notes whether more came.

    So that a form with a file that is far too large can still be read, and shown again with
    everything else that was typed into it.
    """

    LARGEST = 2 * 1024 * 1024  # bytes

    def __init__(self) -> None:
        super().__init__()
        self.is_too_large = False

    def write(self, data: Any) -> int:
        room = self.LARGEST - self.tell()
        self.is_too_large = self.is_too_large or len(data) > room
        super().write(bytes(data)[: max(0, room)])
        return len(data)


class BoundedForms(FormDataParser):
    """Refuses a form of more fields than any of ours has before it takes them apart.

    Werkzeug counts the parts of a multipart form alone. Four megabytes of `a&a&a&` are two
    million fields: over a minute to read and to show again.
    """

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, Any]]:
        if mimetype == "application/x-www-form-urlencoded" and self.max_form_parts is not None:
            body = stream.read()
            if body.count(b"&") >= self.max_form_parts:
                raise RequestEntityTooLarge
            stream = io.BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class Request(flask.Request):
    """A request whose fields are few, and whose files lie in memory, each within its bound."""

    form_data_parser_class = BoundedForms

    @property
    def is_json(self) -> bool:
        """Never: no form of ours is sent so. The libraries that would read it take whatever it
        holds for fields, and break where it is nested deeply."""
        return False

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        return BoundedFile()


def takes_files(largest_body: int) -> Callable[[View], View]:
    """Let the forms of a route be larger than others, up to `largest_body` bytes in all; put
    it below the route's own decorator."""

    def declare(view: View) -> View:
        view.largest_body = largest_body  # type: ignore[attr-defined]
        return view

    return declare


def takes_long_texts(largest_body: int) -> Callable[[View], View]:
    """Let the forms of a route hold texts of up to `largest_body` bytes in all, in whichever way
    they are sent; put it below the route's own decorator."""

    def declare(view: View) -> View:
        view.largest_text = largest_body  # type: ignore[attr-defined]
        return view

    return declare


def init_uploads(app: flask.Flask) -> None:
    app.request_class = Request

    @app.before_request
    def allow_larger_forms() -> None:
        view = app.view_functions.get(flask.request.endpoint or "")
        largest = getattr(view, "largest_body", None)
        # Werkzeug bounds the fields of a multipart form, and not those of a urlencoded one.
        if largest is not None and flask.request.mimetype == "multipart/form-data":
            flask.request.max_content_length = largest
            flask.request.max_form_memory_size = LARGEST_FIELDS
            flask.request.max_form_parts = MOST_PARTS
        longest = getattr(view, "largest_text", None)
        if longest is not None:
            flask.request.max_content_length = longest
            flask.request.max_form_memory_size = longest
