"""A whole session of the desk, with everything that can be recognised looked for afterwards: in
the log files, the audit log, what commands say, the pages of errors, and the database."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.commands import run_coalition
from tests.conftest import Site, serving
from tests.desking import code_now
from tests.endorsing import register
from tests.leaks import Marks, columns_of, spellings
from tests.mail import bounce_samples
from tests.mailbox import Mailbox, code_in, link_in, text_of
from tests.passkeys import SoftwareKey, add_passkey, sign_in_with
from tests.signing import sign
from tests.visitor import Page, Visitor, visitor_at

# Where what was written stands in the open on purpose: texts that are going to be public.
MEANT_TO_BE_PLAIN = {"drafts.text"}
REASON = "It came in one night with many that are alike."
DOMAIN = "vexmoor.example.org"


@pytest.mark.parametrize(
    "written",
    [
        "x {0} y", "{0}", "%7A{1}", "a={2}&b", '{{"to": "{0}"}}', "<p>{3}</p>",
    ],
)  # fmt: skip
def test_the_search_finds_what_is_there(written: str) -> None:
    import base64
    from urllib.parse import quote, quote_plus

    mark = "zörva <quill> & nel@vexmoor"
    marks = Marks({mark: "a name"})
    text = written.format(mark, quote(mark, safe=""), quote_plus(mark), "z&ouml;rva")
    is_there = "&ouml;" not in text
    assert bool(marks.found_in(text.encode())) is is_there
    for before in range(4):
        encoded = base64.urlsafe_b64encode(b"\xfb" * before + mark.encode() + b"\xff\xfe more")
        assert marks.found_in(b"cookie=" + encoded)
        assert marks.found_in(base64.b64encode(b"-" * before + mark.encode()))
    assert not marks.found_in("zörva quill nel vexmoor".encode())
    assert len(set(spellings(mark))) > 10


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


def proofs(story: Story, boss: Person) -> None:
    page = boss.press("/desk/recovery-codes", "/desk/recovery-codes")
    for code in re.findall(r"<li><code>([^<]+)</code>", page.text):
        story.mark(code, "a recovery code")
    key = SoftwareKey(boss.visitor.origin)
    add_passkey(boss.visitor, key, "my grey phone")
    boss.press("/desk/you", "/desk/leave")
    assert sign_in_with(boss.visitor, key).url == "/desk"


def signers(story: Story) -> list[str]:
    """Three people sign, and confirm; one of them types the code. Returns their addresses."""
    addresses = []
    for number, name in enumerate(
        ("Zorvanel Quillimex", "Ümläuta Brambleskew", "Thessaly Oxbarrow")
    ):
        address = f"signer.{name.split()[1].lower()}@{DOMAIN}"
        story.mark(name)
        story.mark(address, "an address")
        visitor = story.visitor(f"198.51.100.20{number}")
        page = sign(visitor, name=name, email=address, show_name="yes")
        mail = story.mail_to(address)
        if number:
            page = visitor.get(link_in(mail, "confirm"))
        else:
            code = story.mark(code_in(mail), "a code")
            page = visitor.submit(page, "/petition/code", code=code)
        assert "is counted" in visitor.submit(page, "/petition/confirm").text
        addresses.append(address)
    return addresses


def moderate(story: Story, boss: Person, addresses: list[str]) -> str:
    """Hold a signature, whose owner writes against it; then others, and undo that. Returns where
    the first can be read."""
    found = boss.press("/desk/signatures", "/search", address=addresses[0])
    (number,) = set(re.findall(r"/desk/signatures/([0-9a-f-]{36})", found.text))
    path = f"/desk/signatures/{number}"
    page = boss.press(path, "/take")
    assert "Zorvanel Quillimex" in page.text
    page = boss.visitor.submit(page, "/preview", reason=REASON, decision="hold")
    assert REASON in page.text
    boss.visitor.submit(page, "/decide")
    visitor = story.visitor("2001:db8:77aa:1::42")
    private = visitor.get(link_in(story.mail_to(addresses[0], "is held"), "signature"))
    words = story.mark("My sister Philomerva can vouch for me", "words of an appeal")
    visitor.submit(private, "/appeal", words=words)
    found = boss.press("/desk/signatures", "/search", domain=DOMAIN)
    preview = boss.visitor.get(next(link for link in found.links if "/bulk/hold/" in link))
    done = boss.visitor.submit(preview, "/bulk/", reason=REASON)
    assert "2 of 2 are as they were" in boss.visitor.submit(done, "/undo").text
    return path


def hand_in(boss: Person) -> None:
    page = boss.press("/desk/hand-in", "/ask")
    deadline = time.monotonic() + 120
    while not [form for form in page.forms if form.action.endswith("/download")]:
        assert time.monotonic() < deadline, page.text
        time.sleep(0.5)
        page = boss.visitor.get(page.url)
    form = page.form("/download")
    values = {**form.values, "file": "names.csv"}
    assert "Thessaly Oxbarrow" in boss.visitor.post(form.action, values).text
    assert boss.visitor.post(form.action, {**values, "file": "part-1.pdf"}).status in (200, 404)


def texts(story: Story, boss: Person) -> None:
    words = story.mark("Philomerva marched to the sea", "words of a draft")
    page = boss.visitor.get("/desk/texts/about")
    form = page.form("/desk/texts/about")
    answers = {**form.values, "text": f"## About us\n\n{words}\n", "then": "preview"}
    assert words in boss.visitor.upload(form.action, answers, {}).text
    assert words in boss.visitor.get("/desk/texts/about/compare").text


def mail(story: Story, boss: Person, address: str) -> None:
    sent = story.mail_to(address)
    sample = bounce_samples.fill(bounce_samples.POSTFIX, str(sent["Message-ID"]))
    sample = sample.replace(b"ada@example.org", address.encode())
    assert "recorded" in story.command("mail", "bounce", stdin=sample)
    opened = boss.press("/desk/mail", "/open")
    assert address in opened.text


def people(story: Story, boss: Person) -> tuple[Person, Person]:
    invited = (
        Person(
            story, "Ottoline Farquhexam", "ottoline@desk-of-vexmoor.example.org", "203.0.113.71"
        ),
        Person(story, "Bartholomew Szczyglin", "bart@desk-of-vexmoor.example.org", "203.0.113.72"),
    )
    for each, role in zip(invited, ("administrator", "editor"), strict=True):
        boss.press("/desk/people", "/invite", name=each.name, email=each.address, roles=role)
        each.accept()
    second, third = invited
    path = next(
        link
        for link in boss.visitor.get("/desk/people").links
        if third.name in boss.visitor.get(link).text and re.search("[0-9a-f-]{36}$", link)
    )
    boss.press(path, "/reset")
    page = second.visitor.get(path)
    form = page.form("/reset")
    assert "is taken away" in second.visitor.post(form.action, {**form.values, "agree": "yes"}).text
    story.mail_to(third.address, "was taken away")
    third.codes = iter(range(9))
    third.set_up(third.visitor.get("/desk/sign-in"))
    second.press("/desk/forgotten", "/desk/forgotten", email=second.address)
    link = link_in(story.mail_to(second.address, "asked for a new password"), "desk/password")
    second.password = story.mark("Ottoline and five other words", "a password")
    second.visitor.submit(second.visitor.get(link), "/desk/password", password=second.password)
    second.sign_in()
    return second, third


def limits(story: Story, boss: Person) -> None:
    answers = {
        "network": story.mark("203.0.113.128/25", "a network"),
        "factor": "3",
        "note": story.mark("The day centre of Grizelda", "whose network it is"),
    }
    assert answers["note"] in boss.press("/desk/limits", "/networks/set", **answers).text


def organisations(story: Story, boss: Person) -> None:
    visitor = story.visitor("198.51.100.231")
    contact = story.mark("chair@friends-of-vexmoor.example.org", "an address")
    register(
        visitor,
        contact_name=story.mark("Hyacinthe Pellworm"),
        contact_role=story.mark("Keeper of the seals", "the role of a contact"),
        email=contact,
    )
    visitor.submit(visitor.get(link_in(story.mail_to(contact), "confirm")), "/confirm")
    page = boss.press("/desk/organisations", "/take")
    assert contact in page.text
    form = page.form("/preview")
    asked = {**form.values, "decision": "ask", "words": REASON}
    page = boss.visitor.post(form.action, asked)
    assert REASON in page.text
    boss.visitor.submit(page, "/decide")
    story.mail_to(contact, REASON)


def read_the_log(story: Story, boss: Person, address: str) -> None:
    boss.visitor.get(f"/desk/audit?subject={address.replace('@', '%40')}")
    page = boss.visitor.get("/desk/audit")
    told = boss.visitor.submit(page, "/export")
    assert told.headers["content-type"].startswith("text/csv")
    story.answers.append(("the log as a file", told.data, set()))
    assert "holds" in boss.visitor.submit(page, "/prove").text
    story.command("audit", "verify")


@contextmanager
def without_a_table(database_url: str, table: str) -> Iterator[None]:
    """A fault of the database: its errors quote what was to be written."""
    engine = create_engine(database_url)
    names = (table, f"{table}_away")
    for old, new in (names, names[::-1]):
        if old != table:
            yield
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
    engine.dispose()


def errors(story: Story, boss: Person, editor: Person, address: str, database_url: str) -> None:
    """Every error that there is, with something personal in what was sent."""
    visitor = story.visitor("198.51.100.99")
    name = story.mark("Wilhelmina Vantrussell")
    mine = story.mark(f"wilhelmina@{DOMAIN}", "an address")
    tokens = {"csrf_token": boss.visitor.get("/desk").form("/desk/leave").values["csrf_token"]}
    new = {"name": name, "email": mine, "roles": "editor"}
    # An answer to a form that another session made gives its words back, as it must.
    story.fails(boss.visitor.post("/desk/people/invite", new), 400, name, mine)
    story.fails(visitor.get("/petition", Host=f"{mine.partition('@')[0]}.example.org"), 400)
    story.fails(editor.visitor.get(f"/desk/people?who={address}"), 403)
    story.fails(editor.visitor.get(f"/desk/signatures?who={address}"), 403)
    story.fails(visitor.post("/petition/sign", new, **{"Sec-Fetch-Site": "cross-site"}), 403)
    story.fails(boss.visitor.get(f"/desk/{address}/{name.replace(' ', '%20')}"), 404)
    story.fails(visitor.get(f"/supporters/{address}"), 404)
    story.fails(visitor.request("PUT", f"/petition?{address}", {}, b"", follow=False), 405)
    story.fails(boss.visitor.post("/desk/people/invite", {**tokens, **new, "x": "x" * 70_000}), 413)
    story.fails(visitor.post("/petition/sign", {**new, "x": "x" * 70_000}), 413)
    for _ in range(4):
        limited = sign(visitor, name=name, email=mine)
    story.fails(limited, 429, name, mine)
    for _ in range(7):
        guess = visitor.get("/desk/sign-in")
        password = story.mark("Wilhelmina guesses this", "a password")
        guessed = visitor.submit(guess, "/desk/sign-in", email=mine, password=password)
    story.fails(guessed, 429)
    page = boss.visitor.get("/desk/people")
    with without_a_table(database_url, "moderators"):
        story.fails(boss.visitor.submit(page, "/invite", **new), 500, name, mine)
    other = story.visitor("198.51.100.98")
    third, theirs = story.mark("Xanthe Ploverdale"), story.mark(f"xanthe@{DOMAIN}", "an address")
    form = other.get("/petition")
    with without_a_table(database_url, "signatures"):
        answers = {"name": third, "email": theirs, "consent": "yes"}
        story.fails(other.submit(form, "/petition/sign", **answers), 500, third, theirs)
        story.fails(boss.visitor.get("/desk/signatures"), 500)
        time.sleep(2)  # in which the worker meets the fault, too


def test_a_whole_session_of_the_desk_leaves_nothing_personal_behind(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    log = tmp_path / "site.log"
    changes = {
        "TRUSTED_PROXIES": "1",
        "WEB_PROCESSES": "1",  # which counts for itself
        "LIMIT_ADDRESS": "3 per hour",
        "LIMIT_SIGN_IN": "6 per hour",
    }
    with serving(database_url, mailbox, log, **changes) as site:
        story = Story(site, mailbox)
        boss = Person(
            story, "Evangeline Marrowby", "evangeline@desk-of-vexmoor.example.org", "203.0.113.70"
        )
        roles = [
            word for role in ("administrator", "moderator", "editor") for word in ("--role", role)
        ]
        story.command("moderators", "invite", boss.address, "--name", boss.name, *roles)
        boss.accept()
        proofs(story, boss)
        addresses = signers(story)
        held = moderate(story, boss, addresses)
        hand_in(boss)
        texts(story, boss)
        mail(story, boss, addresses[1])
        second, third = people(story, boss)
        assert "My sister Philomerva" in second.press(held, "/take").text
        limits(story, boss)
        organisations(story, boss)
        errors(story, boss, third, addresses[0], database_url)
        read_the_log(story, boss, addresses[0])
        story.command("tally", "verify")
    marks = story.marks
    assert len(marks.known) > 60
    written = log.read_bytes()
    assert b" failed: " in written  # the faults were logged
    assert not marks.found_in(written)
    for where, content, typed in story.answers:
        assert not marks.found_in(content, except_for=typed), where
    columns = columns_of(database_url)
    assert b"signatures: searched" in columns["audit_entries.action"]
    assert REASON.encode() in columns["audit_entries.reason"]
    for column, content in columns.items():
        if column not in MEANT_TO_BE_PLAIN:
            assert not marks.found_in(content), column
    in_drafts = {mark for mark, what in marks.known.items() if what == "words of a draft"}
    assert marks.found_in(columns["drafts.text"])
    for file in tmp_path.iterdir():
        assert not marks.found_in(file.read_bytes(), except_for=in_drafts), file
