"""The running sites on which the states are found, and what is put into their databases."""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from coalition import clock
from coalition.accounts.models import Moderator
from coalition.app import create_app
from coalition.db import db, transaction
from coalition.endorsements.actions import Contact, ask_contact_change, keep_logo
from coalition.endorsements.logos import draw_logo
from coalition.endorsements.queries import find_by_contact, find_change_of
from coalition.mail.private_links import Purpose, make_token
from coalition.petition.models import Signature
from coalition.petition.tally import SETTLED, fix_final_number
from coalition.schema import init_migrations
from coalition.settings import Settings
from coalition.statements.actions import publish_texts
from coalition.statements.closing import close_campaign
from tests.conftest import ROOT, environment, running, serving
from tests.factories import LOGO, make_endorsement, make_recorded, make_signature
from tests.mailbox import Mailbox, free_port
from tests.pressing import count_for_months
from tests.telling import open_the_form
from tests.visitor import visitor_at

# One browser sends what a whole town might. The limit by address stays the site's own.
PATIENT = {
    "LIMIT_NETWORK": "100000 per minute",
    "LIMIT_ADDRESS": "3 per hour; 6 per day",
    "LIMIT_DOMAIN": "100000 per minute",
    "WEB_PROCESSES": "1",
}


@dataclass(frozen=True)
class Place:
    """A running site, and a hand in its database."""

    url: str
    app: Flask

    def signature(self, **values: Any) -> uuid.UUID:
        """A signature in a state of choice."""
        with self.app.app_context(), transaction() as session:
            return make_signature(session, **values).id

    def endorsement(self, *, is_recorded: bool = False, **values: Any) -> uuid.UUID:
        """An organisation's endorsement in a state of choice; what its links are about."""
        make = make_recorded if is_recorded else make_endorsement
        with self.app.app_context(), transaction() as session:
            return make(session, **values).contact_id

    def logo(self) -> uuid.UUID:
        """A logo that is kept."""
        with self.app.app_context(), transaction() as session:
            return keep_logo(session, draw_logo(LOGO), now=clock.utc_now())

    def newest_address(self) -> str:
        """Where whoever was invited last gets their mail."""
        with self.app.app_context(), transaction() as session:
            newest = select(Moderator).order_by(Moderator.invited_at.desc()).limit(1)
            return session.scalars(newest).one().email

    def contact_change(self, contact_id: uuid.UUID) -> uuid.UUID:
        """Somebody else is to speak for an organisation: the id of that change."""
        with self.app.app_context(), transaction() as session:
            endorsement = find_by_contact(session, contact_id)
            assert endorsement is not None
            new = Contact("grace@example.org", "Grace Fictional", "Treasurer")
            ask_contact_change(session, endorsement.id, new, now=clock.utc_now())
            change = find_change_of(session, endorsement.id)
            assert change is not None
            return change.id

    def change(self, signature_id: uuid.UUID, **values: Any) -> None:
        with self.app.app_context(), transaction() as session:
            signature = session.get_one(Signature, signature_id)
            for name, value in values.items():
                setattr(signature, name, value)

    def token(
        self, purpose: Purpose, signature_id: uuid.UUID, *, age: timedelta = timedelta()
    ) -> str:
        """The secret part of a link, as if its mail had been written `age` ago."""
        with self.app.app_context():
            return make_token(purpose, signature_id, clock.utc_now() - age)


class Sites:
    """Each site starts when the first state that needs it is looked at."""

    def __init__(self, folder: Path, prepared: Path, mailbox: Mailbox, stack: ExitStack) -> None:
        self._folder, self._prepared, self._mailbox, self._stack = folder, prepared, mailbox, stack

    @cached_property
    def main(self) -> Place:
        """The site as it runs, its statement in the second version."""
        place = self._start("main", **PATIENT)
        with place.app.app_context(), transaction() as session:
            text = (ROOT / "campaign" / "statement.md").read_text()
            publish_texts(
                session,
                {"statement": text.replace(" and ", " and also ", 3)},
                actor="test",
                now=clock.utc_now(),
                note="Three words were added.",
            )
        return place

    @cached_property
    def trial(self) -> Place:
        """The site as `make run` starts it: mail goes to a folder, every limit is as it is."""
        return self._start(
            "trial",
            MAIL_URL=f"maildir:{self._folder / 'mail'}",
            **dict.fromkeys(("LIMIT_NETWORK", "LIMIT_ADDRESS", "LIMIT_DOMAIN"), ""),
            WEB_PROCESSES="1",
        )

    @cached_property
    def telling(self) -> Place:
        """A site whose campaign has set its emergency rule: people can tell what happened."""
        place = self._start("telling", **PATIENT)
        open_the_form(place.app, "We send nobody to you because of what you write here.")
        while "Not open yet" in visitor_at(place.url).get("/testimonies/share").text:
            time.sleep(0.1)
        return place

    @cached_property
    def counted(self) -> Place:
        """A site on which people have signed for months, whose figures were frozen."""
        place = self._start("counted", **PATIENT)
        with place.app.app_context():
            count_for_months(clock.utc_now())
        return place

    @cached_property
    def closed(self) -> Place:
        """A site whose petition is closed, and its number fixed."""
        place = self._start("closed", **PATIENT)
        now = clock.utc_now()
        with place.app.app_context():
            with transaction() as session:
                for _ in range(2):
                    make_signature(session, now=now)
            with transaction() as session:
                close_campaign(session, actor="test", now=now)
            with transaction() as session:
                fix_final_number(session, now=now + SETTLED)
        while "closed on" not in visitor_at(place.url).get("/petition").text:
            time.sleep(0.1)
        return place

    @cached_property
    def strict(self) -> Place:
        """A site that takes one form a day from each network."""
        return self._start("strict", **{**PATIENT, "LIMIT_NETWORK": "1 per day"})

    @cached_property
    def desk(self) -> Place:
        """A site with one person at its desk."""
        return self._start("desk", **PATIENT)

    @cached_property
    def broken(self) -> Place:
        """A site whose database has lost the tables of the signatures and of the logos."""
        place = self._start("broken", **PATIENT)
        with sqlite3.connect(self._database("broken")) as connection:
            for table in ("signatures", "logos"):
                connection.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
        return place

    @cached_property
    def bare(self) -> Place:
        """A site for which no campaign was loaded."""
        url = f"sqlite:///{self._database('bare')}"
        app = self._app(environment(url, self._mailbox.url))
        init_migrations(app)
        with app.app_context():
            upgrade()
        address = self._stack.enter_context(_bare_site(url, self._mailbox))
        return Place(address, app)

    def _database(self, name: str) -> Path:
        return self._folder / f"{name}.db"

    def _start(self, name: str, **changes: str) -> Place:
        shutil.copy(self._prepared, self._database(name))
        site = self._stack.enter_context(
            serving(
                f"sqlite:///{self._database(name)}",
                self._mailbox,
                self._folder / f"{name}.log",
                **changes,
            )
        )
        return Place(site.url, self._app(site.environment))

    def _app(self, settings: dict[str, str]) -> Flask:
        app = create_app(Settings.from_environment(settings))
        self._stack.callback(_dispose, app)
        return app


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _bare_site(database_url: str, mailbox: Mailbox) -> Iterator[str]:
    """Not `serving`, which waits until a site is ready: this one never is."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = environment(database_url, mailbox.url, SITE_URL=url, WEB_PROCESSES="1")
    with running(settings, "serve", "--port", str(port)) as process:
        deadline = time.monotonic() + 30
        while not _answers(url):
            assert process.poll() is None, "the site ended"
            assert time.monotonic() < deadline, "the site does not answer"
            time.sleep(0.1)
        yield url


def _answers(url: str) -> bool:
    try:
        return visitor_at(url).get("/healthz").status == 200
    except OSError:
        return False
