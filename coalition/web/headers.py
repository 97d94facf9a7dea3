"""Headers that every answer carries."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request

View = TypeVar("View", bound=Callable[..., Any])

# Everything comes from this site; nothing inline, nothing from elsewhere.
_SOURCES = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # `no-referrer` would make browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ALONE = {
    "Content-Security-Policy": f"{_SOURCES}; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FRAMED = {
    "Content-Security-Policy": f"{_SOURCES}; frame-ancestors *",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
ONE_YEAR = 31_536_000  # seconds


def framed_anywhere(view: View) -> View:
    """Let every site show this page in a frame. A press in it must decide nothing by
    itself, for it may be hidden under something else."""
    view.is_framed = True  # type: ignore[attr-defined]
    return view


def is_framed(app: Flask, endpoint: str | None) -> bool:
    """Whether other sites may show this page in a frame."""
    return getattr(app.view_functions.get(endpoint or ""), "is_framed", False)


def init_headers(app: Flask, *, https: bool) -> None:
    @app.after_request
    def add_headers(response: Response) -> Response:
        place = FRAMED if is_framed(current_app, request.endpoint) else ALONE
        given = {name.lower() for name, _ in response.headers}
        for name, value in (HEADERS | place).items():
            if name.lower() not in given:
                response.headers.add(name, value)
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
        return response
