"""The archive: the public pages as files, whole, and with nothing personal in them."""

from __future__ import annotations

import http.client
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, current_app

from coalition import clock
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.endorsements.actions import keep_logo
from coalition.endorsements.logos import draw_logo
from coalition.pages.archive import (
    Archive,
    CannotArchive,
    Kept,
    _file,
    read_archive,
    write_archive,
)
from coalition.pages.archive_pages import archived, links_of, links_of_styles
from coalition.petition.models import Region, SignatureStatus
from coalition.petition.tally import SETTLED, fix_final_number
from coalition.press.actions import freeze, monday_of
from coalition.settings import Settings
from coalition.statements.actions import publish_texts
from coalition.statements.closing import close_campaign, forget_closing
from coalition.statements.queries import forget_campaign
from coalition.web.filters import long_date
from tests.commands import run_coalition
from tests.conftest import ROOT, environment, prepared_database
from tests.engines import DATABASES
from tests.factories import LOGO, make_endorsement, make_signature
from tests.telling import publish, told

NAME, ADDRESS = "Zenobia Quillfeather", "zenobia@quillfeather.example.org"
OFFICER = "officer-of-the-group@example.org"
PUBLISHED = "They came with two police officers."
TAKEN_OUT = "Officer Fictional"
NOW = clock.utc_now()
ACCOUNTS = 12  # more than stand on one page of the list


def fill(app: Flask) -> list[str]:
    """A campaign with something of all that is public. Returns the addresses of testimonies."""
    with transaction() as session:
        make_signature(session, name=NAME, email=ADDRESS, show_name=True, now=NOW - timedelta(8))
        make_signature(session, status=SignatureStatus.AWAITING, name=NAME, region=Region.WALES)
        logo = keep_logo(session, draw_logo(LOGO), now=NOW)
        make_endorsement(
            session, name="Able Group", email=OFFICER, logo_id=logo, logo_alt="A square"
        )
        statement = (ROOT / "campaign" / "statement.md").read_text() + "\n\nOne more sentence.\n"
        publish_texts(session, {"statement": statement}, actor="test", now=NOW)
    forget_campaign()
    return [publish(app, told(contact=ADDRESS))[1] for _ in range(ACCOUNTS)]


def close() -> None:
    """And what the worker does after that."""
    with transaction() as session:
        close_campaign(session, actor="test", now=NOW)
    with transaction() as session:
        fix_final_number(session, now=NOW + SETTLED)
    with transaction() as session:
        site_url = current_app.config["SITE_URL"]
        assert freeze(session, site_url=site_url, now=NOW + timedelta(days=7))
    forget_closing()


@pytest.fixture(scope="module", params=DATABASES)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archive]:
    """One of a filled site, on each engine in turn, which several tests read."""
    with prepared_database(request, tmp_path_factory.mktemp("archived")) as url:
        app = create_app(Settings.from_environment(environment(url, "smtp://127.0.0.1")))
        with app.app_context():
            fill(app)
            close()
            yield read_archive(app, now=NOW)
            db.session.remove()
            db.engine.dispose()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[Callable[[str], tuple[int, str, bytes]]]:
    """The folder on a plain web server. Gives what asks it for an address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def ask(path: str) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read()
        finally:
            connection.close()

    try:
        yield ask
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pages(archive: Archive) -> dict[str, str]:
    return {path: data.decode() for path, data in archive.files.items() if path.endswith(".html")}


def test_every_link_leads_to_a_file_on_a_plain_web_server(archive: Archive, tmp_path: Path) -> None:
    write_archive(archive, tmp_path / "archive")
    site_url = current_app.config["SITE_URL"]
    with served(tmp_path / "archive") as ask:
        waiting, seen = ["/", "/404.html"], {"/", "/404.html"}
        while waiting:
            page = waiting.pop()
            status, kind, data = ask(page)
            assert status == 200, page
            links = []
            if "html" in kind:
                links = links_of(data.decode())
            elif "css" in kind:
                links = links_of_styles(data)
            for link in links:
                assert not link.startswith(site_url), (page, link)
                to = urlsplit(urljoin(f"http://archive{page}", link))
                if to.netloc == "archive" and to.scheme == "http" and to.path not in seen:
                    seen.add(to.path)
                    waiting.append(to.path)
    assert len(seen) > 60
    assert archive.dead == set()


def test_links_to_a_part_of_a_page_find_it(archive: Archive) -> None:
    for path, page in pages(archive).items():
        for link in links_of(page):
            parts = urlsplit(link)
            if parts.scheme or not parts.fragment:
                continue
            target = parts.path.lstrip("/") or ("index.html" if parts.path else path)
            target = f"{target}index.html" if target.endswith("/") else target
            assert f'id="{parts.fragment}"' in archive.files[target].decode(), (path, link)


def test_all_that_is_public_is_in_it(app: Flask) -> None:
    slugs = fill(app)
    close()
    files = read_archive(app, now=NOW).files
    monday = (monday_of(NOW) + timedelta(days=7)).isoformat()
    wanted = {
        "index.html", "petition/index.html", "statement/index.html",
        "statement/versions/1/index.html", "statement/versions/2/index.html",
        "statement/versions/2/changes/index.html", "statement/easy-read/index.html",
        "evidence/index.html", "supporters/index.html", "supporters/able-group/index.html",
        "supporters.csv", "supporters.json", "testimonies/index.html",
        "testimonies/page-2/index.html", "press/index.html", "press/methodology/index.html",
        "press/counts.csv", "press/daily.json", "press/regions.xlsx", "press/datapackage.json",
        "press/openapi.json", "press/releases.json", "press/charts/total.svg",
        "press/charts/total.png", f"press/releases/{monday}/daily.csv",
        f"press/releases/{monday}/sha256sums.txt", f"press/releases/{monday}/kinds.xlsx",
        "updates/index.html", "updates.atom", "replies.json", "card.png", "logo.svg", "theme.css",
        "robots.txt", "sitemap.xml", "404.html", "petition/count.json", "privacy/index.html",
        "static/css/page.css", "static/fonts/newsreader-display.woff2", "static/js/comfort.js",
        *(f"testimonies/{slug}/index.html" for slug in slugs),
    }  # fmt: skip
    assert wanted - files.keys() == set()
    assert [path for path in files if re.fullmatch(r"supporters/logo/.+\.webp", path)]
    assert PUBLISHED in files[f"testimonies/{slugs[-1]}/index.html"].decode()


def test_nothing_can_be_sent_and_each_page_says_what_it_is(archive: Archive) -> None:
    for path, page in pages(archive).items():
        assert "<form" not in page, path
        assert "<button" not in page, path
        if path.startswith("dev/"):
            continue
        assert f"This is an archive, made on {long_date(NOW)}" in page, path
        assert f"closed on {long_date(NOW)}, with 1 signature." in page, path
        assert page.count("This is an archive, made on") == 1, path
    for path in ("petition/your-signature", "petition/code", "supporters/your-entry",
                 "testimonies/return"):  # fmt: skip
        assert "There was a form here" in archive.files[f"{path}/index.html"].decode(), path


def test_nothing_personal_is_in_it(archive: Archive) -> None:
    for path, data in archive.files.items():
        for words in (NAME, ADDRESS, OFFICER, "quillfeather", TAKEN_OUT):
            assert words.encode() not in data, (path, words)
        assert b'name="stamp"' not in data, path


def test_nothing_of_the_desk_and_no_private_page_is_in_it(archive: Archive) -> None:
    private = re.compile(r"desk|dev/|signature/|confirm|not-me|check-email|embargo|healthz|metrics")
    assert [path for path in archive.files if private.match(path)] == []


def test_links_to_what_is_not_for_everybody_become_words(app: Flask) -> None:
    fill(app)
    links = "\n\n[Our desk](/desk), [gone](/gone), [components](/dev/components).\n"
    about = (ROOT / "campaign" / "about.md").read_text() + links
    with transaction() as session:
        publish_texts(session, {"about": about}, actor="test", now=NOW)
    forget_campaign()
    close()
    archive = read_archive(app, now=NOW)
    assert archive.dead == {"/desk", "/gone", "/dev/components"}
    page = archive.files["about/index.html"].decode()
    assert "<span>Our desk</span>, <span>gone</span>, <span>components</span>." in page
    assert [path for path in archive.files if path.startswith(("desk", "gone", "dev"))] == []


def test_files_are_as_the_site_gives_them(app: Flask, still: datetime) -> None:
    fill(app)
    close()
    archive = read_archive(app, now=NOW)
    client = app.test_client(use_cookies=False)
    monday = (monday_of(NOW) + timedelta(days=7)).isoformat()
    for path in (
        "press/counts.csv",
        "card.png",
        "theme.css",
        f"press/releases/{monday}/counts.json",
    ):
        answer = client.get(f"/{path}", base_url=app.config["SITE_URL"])
        assert archive.files[path] == answer.data, path


def test_a_page_is_written_again_letter_by_letter_but_for_links_and_forms() -> None:
    page = (
        '<!doctype html>\n<html lang="en-GB"><head><title>A &amp; B &#8211; &lt;</title></head>'
        '<body><header><p>x</p></header><!-- a --><img src="/a.png?v=1" alt="&quot;">'
        '<a class="b" href="/there?x=1&amp;y=2#z">C</a><a href="/gone"><b>D</b></a>'
        '<form action="/x"><input name="a"><p>E</p></form><br/>é</body></html>'
    )
    places = {"/a.png?v=1": "/a.png", "/there?x=1&y=2#z": "/there/x-1/#z"}
    written = archived(page, place=places.get, banner="<p>old</p>", in_place_of_forms="<p>no</p>")
    assert written == (
        '<!doctype html>\n<html lang="en-GB"><head><title>A &amp; B &#8211; &lt;</title></head>'
        '<body><header><p>x</p><p>old</p></header><!-- a --><img src="/a.png" alt="&quot;">'
        '<a class="b" href="/there/x-1/#z">C</a><span><b>D</b></span>'
        "<p>no</p><br/>é</body></html>"
    )


@pytest.mark.parametrize(
    ("address", "kind", "path"),
    [
        ("/", "text/html", "index.html"),
        ("/statement", "text/html", "statement/index.html"),
        ("/testimonies?theme=a-b&page=2", "text/html", "testimonies/theme-a-b-page-2/index.html"),
        ("/press/counts.csv", "text/csv", "press/counts.csv"),
        ("/caf%C3%A9", "text/html", "café/index.html"),
    ],
)
def test_each_address_has_a_file(address: str, kind: str, path: str) -> None:
    assert _file(address, Kept(kind, b"")) == path


def test_an_open_petition_and_one_that_is_not_fixed_have_no_archive(app: Flask) -> None:
    with pytest.raises(CannotArchive, match="is open"):
        read_archive(app, now=NOW)
    with transaction() as session:
        close_campaign(session, actor="test", now=NOW)
    with pytest.raises(CannotArchive, match="not fixed yet"):
        read_archive(app, now=NOW)


def test_nothing_is_written_over_and_nothing_beside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(CannotArchive, match="not an empty folder"):
            write_archive(Archive({"index.html": b"x"}), folder)
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(CannotArchive, match="out of the archive"):
        write_archive(Archive({"a/../../x": b"x"}), tmp_path / "new")


def test_the_command_says_what_it_did(app: Flask, database_url: str, tmp_path: Path) -> None:
    values = {**os.environ, **environment(database_url, "smtp://127.0.0.1")}
    folder = str(tmp_path / "archive")
    done = run_coalition(("archive", folder), values)
    assert (done.returncode, b"`coalition campaign close` comes first" in done.stderr) == (1, True)
    assert not Path(folder).exists()
    fill(app)
    close()
    done = run_coalition(("archive", folder), values)
    assert done.returncode == 0, done.stderr
    assert b"files are in" in done.stdout
    assert (Path(folder) / "statement" / "index.html").exists()
    assert b"not an empty folder" in run_coalition(("archive", folder), values).stderr
