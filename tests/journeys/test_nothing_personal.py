"""A whole session of the desk, with everything that can be recognised looked for afterwards: in
the log files, the audit log, what commands say, the pages of errors, and the database."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.conftest import ROOT, serving
from tests.endorsing import register
from tests.leaks import Marks, columns_of, spellings
from tests.mail import bounce_samples
from tests.mailbox import Mailbox, code_in, link_in
from tests.passkeys import SoftwareKey, add_passkey, sign_in_with
from tests.reading import approve, edit, path, send, take
from tests.signing import sign
from tests.story import Person, Story
from tests.telling import code_on, come_back, go_on, press, write
from tests.visitor import Visitor

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
    for each, roles in zip(invited, (("administrator", "moderator"), ("editor",)), strict=True):
        page = boss.visitor.get("/desk/people")
        wanted = [("roles", word) for word in roles]
        send(boss.visitor, page, "/invite", wanted, name=each.name, email=each.address)
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


def tell(story: Story, writer: Visitor, words: str) -> str:
    """Somebody tells what happened to them. Returns their receipt code."""
    who = story.mark("Officer Grimbald Wexcombe")
    address = story.mark(f"wren@{DOMAIN}", "an address")
    told = f"{words}.\n\n{who} stayed."
    page = go_on(writer, write(writer, told, email=address), "send")
    code = code_on(page)
    for each in (code, code.replace(" ", "")):
        story.mark(each, "a receipt code")
    wrong = f"{(int(code[:4]) + 1) % 10_000:04}{code[4:]}"
    story.fails(come_back(writer, wrong), 422)
    return code


def ask_its_writer(story: Story, reader: Person, number: uuid.UUID) -> None:
    """A first reader opens it, tells the lead that they are worried, and asks something."""
    page = take(reader.visitor, number)
    worry = story.mark("I fear for whoever lay in Tanglefern", "a worry")
    reader.visitor.submit(page, "/flag", flag_words=worry)
    asked = story.mark("Was that in the winter of Hollowmere?", "words to a writer")
    page = reader.visitor.get(path(number, "/ask"))
    page = send(reader.visitor, page, "/ask", words=asked, step="look")
    assert asked in page.text
    send(reader.visitor, page, "/ask", step="do")


def complain(story: Story, about: str) -> None:
    visitor = story.visitor("198.51.100.63")
    page = visitor.submit(visitor.get(f"{about}/complain"), "/complain", ground="other")
    page = visitor.submit(
        page,
        "/complain",
        step="send",
        words=story.mark("That was my uncle Peregrinus", "words of a complaint"),
        name=story.mark("Cordelia Mossgrave"),
        email=story.mark(f"cordelia@{DOMAIN}", "an address"),
    )
    assert page.status == 200, page.text


def testimonies(story: Story, boss: Person, second: Person, folder: Path) -> None:
    """One that is told, read, published, complained of, and taken back."""
    shutil.copytree(ROOT / "campaign", folder)
    rule = (folder / "testimonies.toml").read_text().replace('rule = ""', 'rule = "Nobody comes."')
    (folder / "testimonies.toml").write_text(rule)
    story.command("campaign", "load", str(folder))
    writer = story.visitor("198.51.100.61")
    while "Not open yet" in writer.get("/testimonies/share").text:
        time.sleep(0.2)
    words = story.mark("Nobody at the house of Tanglefern believed me", "a testimony")
    code = tell(story, writer, words)
    (found,) = re.findall(
        r"/desk/testimonies/([0-9a-f-]{36})/take", boss.visitor.get("/desk/testimonies").text
    )
    number = uuid.UUID(found)
    ask_its_writer(story, boss, number)
    answer = story.mark("In the week of the Hollowmere fair", "an answer")
    press(writer, come_back(writer, code), "answer", words=answer)
    assert "waits for a second reader" in edit(boss.visitor, number).text
    assert words in second.visitor.get(take(second.visitor, number).url + "?to=all").text
    assert "Its writer is asked" in approve(second.visitor, number).text
    assert "It is published" in press(writer, come_back(writer, code), "agree").text
    anybody = story.visitor("198.51.100.62")
    links = anybody.get("/testimonies").links
    (public,) = {link for link in links if re.fullmatch("/testimonies/(?!share|return)[^/]+", link)}
    assert words in anybody.get(public).text
    complain(story, public)
    assert "Peregrinus" in boss.press("/desk/complaints", "/take").text
    assert "withdrawn it" in press(writer, come_back(writer, code), "withdraw").text
    story.fails(anybody.get(public), 410)


def errors_of_testimonies(story: Story, boss: Person, database_url: str) -> None:
    """What goes wrong while somebody writes, comes back, or reads."""
    writer = story.visitor("198.51.100.64")
    words = story.mark("They took me to Brackwater in a cage", "a testimony")
    story.fails(
        writer.post("/testimonies/share", {"text": words}, **{"Sec-Fetch-Site": "cross-site"}), 403
    )
    story.fails(writer.get(f"/testimonies/{words.replace(' ', '-')}"), 404)
    story.fails(write(writer, words, consent=""), 422, words)
    page = write(writer, words)
    back = writer.get("/testimonies/return")
    with without_a_table(database_url, "testimonies"):
        story.fails(go_on(writer, page, "send"), 500, words)
        story.fails(writer.submit(back, "/return", code="1234 5678 9012 3456"), 500)
        story.fails(boss.visitor.get("/desk/testimonies"), 500)


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
        testimonies(story, boss, second, tmp_path / "campaign")
        errors_of_testimonies(story, boss, database_url)
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
    for file in filter(Path.is_file, tmp_path.iterdir()):
        assert not marks.found_in(file.read_bytes(), except_for=in_drafts), file
