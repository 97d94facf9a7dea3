"""The public pages as files that any web server can serve, once the petition is closed.

The site is read as a visitor reads it: in this process, without a cookie, from the front page and
the sitemap on, along every link to what everybody may see.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from flask import Flask, render_template
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from coalition.db import db
from coalition.pages.archive_pages import archived, links_of, links_of_styles
from coalition.petition.queries import read_count
from coalition.statements.closing import find_closing
from coalition.web.access import Access

START = ("/", "/sitemap.xml", "/robots.txt", "/petition/count.json", "/supporters.json",
         "/press/releases.json", "/press/datapackage.json")  # fmt: skip
NOWHERE = "/nowhere"  # no page is there: what the server of the archive shows for a wrong address
NOT_FOUND = "404.html"
HTML, STYLES = "text/html", "text/css"
# What tells of other files, each by its whole address or by its path.
TELLING = ("application/json", "application/xml", "application/atom+xml")


class CannotArchive(Exception):
    """No archive was made; the message says why."""


@dataclass(frozen=True)
class Kept:
    """One answer of the site."""

    kind: str  # its media type
    data: bytes


@dataclass
class Archive:
    """What was read: files by their paths within the archive, links that lead to nothing."""

    files: dict[str, bytes] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)


def read_archive(app: Flask, *, now: datetime) -> Archive:
    """Read the whole of the public site. Raises CannotArchive if the petition is not closed, or
    two pages would have one file."""
    told = Context().run(_told, app, now)
    found = _crawl(app)
    archive = Archive()
    site_url = str(app.config["SITE_URL"])

    def place_on(page: str, link: str) -> str | None:
        address = _inside(site_url, page, link)
        if address is None or link.startswith("#"):
            return link
        if address not in found:
            archive.dead.add(address)
            return None
        fragment = urlsplit(link).fragment
        path = _address(address, found[address])
        return f"{path}#{fragment}" if fragment else path

    for address, kept in found.items():
        path = NOT_FOUND if address == NOWHERE else _file(address, kept)
        if archive.files.get(path, kept.data) != kept.data:
            raise CannotArchive(f"two addresses would have the same file: {path}")
        archive.files[path] = kept.data
    for address, kept in found.items():
        if kept.kind == HTML:
            path = NOT_FOUND if address == NOWHERE else _file(address, kept)
            page = archived(
                kept.data.decode(),
                place=lambda link, page=address: place_on(page, link),  # type: ignore[misc]
                **told,
            )
            archive.files[path] = page.encode()
    return archive


def _told(app: Flask, now: datetime) -> dict[str, str]:
    """What stands on each page of an archive: in its header, and where a form was."""
    with app.app_context():
        closing = find_closing(db.session())
        if closing is None:
            raise CannotArchive("the petition is open: `coalition campaign close` comes first")
        if closing.final_count is None:
            raise CannotArchive("the final number is not fixed yet: wait some ten minutes")
        values: dict[str, Any] = {
            "made_on": now,
            "signatures": read_count(db.session(), now=now).signatures,
        }
        return {
            "banner": render_template("pages/archive_banner.html", **values),
            "in_place_of_forms": render_template("pages/archive_line.html", **values),
        }


def _crawl(app: Flask) -> dict[str, Kept]:
    """Every answer that is reached, by its address without the host."""
    site_url = str(app.config["SITE_URL"])
    client = app.test_client(use_cookies=False)
    found: dict[str, Kept] = {}
    seen = {*START, NOWHERE}
    waiting = deque([*START, NOWHERE])
    while waiting:
        address = waiting.popleft()
        kept = _ask(client, site_url, address)
        if kept is None:
            continue
        found[address] = kept
        for link in _links(kept, site_url):
            to = _inside(site_url, address, link)
            if to is not None and to not in seen and _is_for_everybody(app, to):
                seen.add(to)
                waiting.append(to)
    return found


def _ask(client: FlaskClient, site_url: str, address: str) -> Kept | None:
    # In a context of its own, as the server does it: nothing is left of one answer in the next.
    with Context().run(client.get, address, base_url=site_url) as answer:
        if answer.status_code != (404 if address == NOWHERE else 200):
            return None
        return Kept(answer.mimetype or "", answer.get_data())


def _links(kept: Kept, site_url: str) -> Iterator[str]:
    if kept.kind == HTML:
        yield from links_of(kept.data.decode())
    elif kept.kind == STYLES:
        yield from links_of_styles(kept.data)
    elif kept.kind in TELLING:
        text = kept.data.decode()
        yield from re.findall(rf"{re.escape(site_url)}[^\s\"'<>\\]*", text)
        if kept.kind == "application/json":
            yield from _paths(json.loads(text))


def _paths(told: Any) -> Iterator[str]:
    """Paths of files that a Data Package names."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name == "path" and isinstance(value, str):
                yield value
            else:
                yield from _paths(value)
    elif isinstance(told, list):
        for each in told:
            yield from _paths(each)


def _inside(site_url: str, page: str, link: str) -> str | None:
    """Where on this site a link of a page leads, without fragment; None if it leads elsewhere.
    The hash that tells versions of a file apart is no part of its address."""
    whole = urlsplit(urljoin(f"{site_url}{page}", link))
    if f"{whole.scheme}://{whole.netloc}" != site_url:
        return None
    path = whole.path or "/"
    is_version = re.fullmatch(r"v=[0-9a-f]+", whole.query) is not None
    return f"{path}?{whole.query}" if whole.query and not is_version else path


def _is_for_everybody(app: Flask, address: str) -> bool:
    """Whether it is a page or a file that anybody may ask for."""
    try:
        endpoint, _ = app.url_map.bind("").match(urlsplit(address).path, "GET")
    except (HTTPException, RequestRedirect):
        return False
    view = app.view_functions[endpoint]
    return endpoint == "static" or getattr(view, "access", None) is Access.PUBLIC


def _address(address: str, kept: Kept) -> str:
    """Where a file stands in the archive, as links name it: pages end with a slash."""
    parts = urlsplit(address)
    if kept.kind != HTML:
        return address
    path = parts.path.rstrip("/")
    asked = re.sub(r"[^a-z0-9]+", "-", parts.query.lower()).strip("-")
    return "/".join(each for each in (path, asked) if each) + "/" if path or asked else "/"


def _file(address: str, kept: Kept) -> str:
    """The path of a file within the archive."""
    path = unquote(_address(address, kept)).partition("?")[0].lstrip("/")
    return f"{path}index.html" if kept.kind == HTML else path


def refuse_what_is_not_empty(folder: Path) -> None:
    """Raises CannotArchive where something is that an archive would write over."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotArchive(f"{folder} is there, and is not an empty folder")


def write_archive(archive: Archive, folder: Path) -> None:
    """Write the files. Raises CannotArchive if the folder is not empty, or a path leaves it."""
    refuse_what_is_not_empty(folder)
    for path, data in archive.files.items():
        if ".." in PurePosixPath(path).parts:
            raise CannotArchive(f"this address leads out of the archive: {path}")
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
