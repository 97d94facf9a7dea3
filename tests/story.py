"""The people of a whole session on a running site, and all that must not be found of them."""

from __future__ import annotations

import re
import time
from email.message import EmailMessage

from tests.commands import run_coalition
from tests.conftest import Site
from tests.desking import code_now
from tests.leaks import Marks
from tests.mailbox import Mailbox, link_in, text_of
from tests.visitor import Page, Visitor, visitor_at


class Story:
    """The people of a session, where they come from, and all that must not be found of them."""

    def __init__(self, site: Site, mailbox: Mailbox) -> None:
        self.site, self.mailbox = site, mailbox
        self.marks = Marks()
        self.answers: list[tuple[str, bytes, set[str]]] = []  # of errors and commands

    def mark(self, mark: str, what: str = "a name") -> str:
        return self.marks.add(mark, what)

    def visitor(self, network: str) -> Visitor:
        """Somebody who comes from this network, through a proxy."""
        there = visitor_at(self.site.url)
        self.mark(network, "a network")
        return Visitor(
            self.site.url,
            lambda method, path, headers, body: there._send(
                method, path, {**headers, "X-Forwarded-For": network}, body
            ),
        )

    def mail_to(self, address: str, words: str = "") -> EmailMessage:
        """The newest mail to an address that holds these words."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for mail in reversed(list(self.mailbox.received)):
                if mail["To"] == address and words in text_of(mail):
                    for token in re.findall(r"/([\w.=-]{30,})", text_of(mail)):
                        self.mark(token, "a private link")
                    return mail
            time.sleep(0.1)
        raise AssertionError(f"no mail to {address} with {words!r}")

    def fails(self, page: Page, status: int, *typed: str) -> None:
        """Note the page of an error; `typed` is what its own reader had typed, and gets back."""
        assert page.status == status, (page.url, page.status, page.text[:2000])
        self.answers.append((f"{status} at {page.url.partition('?')[0]}", page.data, set(typed)))

    def command(self, *words: str, stdin: bytes = b"") -> str:
        done = run_coalition(words, {**self.site.environment, "PATH": "/usr/bin:/bin"}, stdin)
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        self.answers.append((" ".join(words[:2]), told, set()))
        return told.decode()


class Person:
    """Somebody at the desk, with an app that makes codes."""

    def __init__(self, story: Story, name: str, address: str, network: str) -> None:
        self.story = story
        self.name = story.mark(name)
        self.address = story.mark(address, "an address")
        self.password = story.mark(f"{name} and four words", "a password")
        self.visitor = story.visitor(network)
        self.key, self.codes = "", iter(range(9))

    def code(self) -> str:
        """A code of the app that was not used before."""
        return code_now(self.key, steps=next(self.codes))

    def accept(self) -> None:
        """Follow the invitation, choose a password, set up the app."""
        link = link_in(self.story.mail_to(self.address), "desk/password")
        page = self.visitor.submit(self.visitor.get(link), "/desk/password", password=self.password)
        self.set_up(page)

    def set_up(self, page: Page) -> None:
        page = self.give_password(page)
        page = self.visitor.submit(page, "/desk/second-factor")
        shown = page.text.partition("<code>")[2].partition("</code>")[0]
        self.key = self.story.mark(shown.replace("-", ""), "the key of an app")
        page = self.visitor.submit(page, "/desk/sign-in/code", code=self.code())
        assert page.url == "/desk"
        for cookie in self.visitor.cookies.values():
            self.story.mark(cookie, "a session")

    def give_password(self, page: Page) -> Page:
        return self.visitor.submit(
            page, "/desk/sign-in", email=self.address, password=self.password
        )

    def sign_in(self) -> None:
        page = self.give_password(self.visitor.get("/desk/sign-in"))
        page = self.visitor.submit(page, "/desk/sign-in/code", code=self.code())
        assert page.url == "/desk", page.text

    def press(self, path: str, action: str, **answers: str) -> Page:
        return self.visitor.submit(self.visitor.get(path), action, **answers)
