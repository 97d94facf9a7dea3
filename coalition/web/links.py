"""Addresses: of pages as mails and other sites need them, and of static files."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask, current_app, request
from werkzeug.routing import Map


def page_url(endpoint: str, **values: Any) -> str:
    """The full public address of a page, whatever host the current request came to.

    Never built from the request's `Host`, which its sender chooses.
    """
    urls: Map = current_app.url_map
    path = urls.bind("").build(endpoint, values)
    return f"{current_app.config['SITE_URL']}{path}"


def here() -> str:
    """The public address of the page that is asked for, without what follows a question mark."""
    return f"{current_app.config['SITE_URL']}{quote(request.path)}"


@lru_cache(maxsize=256)
def _content_hash(path: Path, modified_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def static_hash(filename: str) -> str:
    """The hash of a static file's content, 12 hexadecimal digits."""
    path = Path(current_app.static_folder or "") / filename
    return _content_hash(path, path.stat().st_mtime_ns)


def static_url(filename: str) -> str:
    """The address of a static file, with its content's hash: it may be cached for ever."""
    return f"/static/{filename}?v={static_hash(filename)}"


def init_links(app: Flask, site_url: str) -> None:
    app.config["SITE_URL"] = site_url
    app.jinja_env.globals.update(static_url=static_url, page_url=page_url, here=here)
