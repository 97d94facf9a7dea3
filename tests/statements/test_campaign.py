"""A campaign is whole or it is not loaded; what is wrong with it is told in one line each."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coalition import clock
from coalition.audit.models import AuditEntry
from coalition.db import db, transaction
from coalition.statements import colour, markdown
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import FILES, LONGEST_TEXT, CampaignInvalid, read_folder
from coalition.statements.models import DocumentVersion
from coalition.statements.queries import read_campaign
from tests.conftest import ROOT, run_command

EXAMPLE = ROOT / "campaign"

many = settings(max_examples=200, deadline=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "campaign"))


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(CampaignInvalid) as raised:
        read_folder(folder)
    problems = raised.value.problems
    assert all(each and "\n" not in each and len(each) < 200 for each in problems), problems
    return problems


def replace(folder: Path, filename: str, old: str, new: str) -> None:
    text = (folder / filename).read_text(encoding="utf-8")
    assert old in text
    (folder / filename).write_text(text.replace(old, new, 1), encoding="utf-8")


def add(folder: Path, filename: str, text: str) -> None:
    with (folder / filename).open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("filename", FILES.values())
def test_a_file_that_is_missing_is_named(folder: Path, filename: str) -> None:
    (folder / filename).unlink()
    assert problems_of(folder) == [f"{filename}: this file is missing or cannot be read"]


def test_a_folder_that_is_not_there_is_told_by_its_files(tmp_path: Path) -> None:
    assert len(problems_of(tmp_path / "nowhere")) == len(FILES)


@pytest.mark.parametrize("filename", FILES.values())
def test_a_file_that_is_not_utf_8_is_named(folder: Path, filename: str) -> None:
    (folder / filename).write_bytes("Zoë".encode("latin-1"))
    assert problems_of(folder) == [f"{filename}: this file is not UTF-8"]


@pytest.mark.parametrize("filename", FILES.values())
def test_a_text_that_is_too_long_is_named(folder: Path, filename: str) -> None:
    add(folder, filename, "\n# " + "x" * LONGEST_TEXT)
    assert problems_of(folder) == [f"{filename}: longer than 200000 characters"]


@pytest.mark.parametrize("filename", FILES.values())
def test_a_text_that_postgresql_cannot_store_is_named(folder: Path, filename: str) -> None:
    nul = "\\u0000" if filename.endswith(".toml") else "\x00"
    old = {".toml": '"\n', ".md": ".\n", ".svg": "/>"}[Path(filename).suffix]
    replace(folder, filename, old, nul + old)
    if filename.endswith(".toml"):
        read_folder(folder)  # written as an escape it is stored well
        replace(folder, filename, nul, "\x00")
    (problem,) = problems_of(folder)
    assert problem.startswith(f"{filename}: ")


@pytest.mark.parametrize("filename", [name for name in FILES.values() if name.endswith(".md")])
@pytest.mark.parametrize("text", ["", " \n\n"], ids=["empty", "blank"])
def test_a_document_without_words_is_named(folder: Path, filename: str, text: str) -> None:
    (folder / filename).write_text(text, encoding="utf-8")
    assert problems_of(folder) == [f"{filename}: this file is empty"]


@pytest.mark.parametrize(
    ("filename", "old", "new", "problem"),
    [
        ("campaign.toml", "name =", "name", "not valid TOML: "),
        ("consent.toml", '"', '"""', "not valid TOML: "),
        ("helplines.toml", "[[helplines]]", "[[helplines]", "not valid TOML: "),
        ("campaign.toml", "headline =", "# headline =", "headline is missing"),
        ("campaign.toml", "hashtag =", "hash_tag =", "hash_tag is not known here"),
        ("campaign.toml", 'short_name = "StopSIM"', 'short_name = ""', "short_name is empty"),
        ("campaign.toml", 'short_name = "StopSIM"', 'short_name = "  "', "short_name is empty"),
        ("campaign.toml", '"Hello,"', "5", "mail_greeting must be words in"),
        ("campaign.toml", '"Hello,"', '"Hello from stopsim,"', "mail_greeting: names the campaign"),
        ("campaign.toml", '"hello@', '"nobody', "contact: must be an email address"),
        ("campaign.toml", '"https://www', '"javascript://www', "leave_to: must be an https://"),
        ("campaign.toml", '"https://www.bbc.co.uk/weather"', '"https://"', "leave_to: must be"),
        ("demands.toml", 'title = "Halt"', "", "demands 1: title is missing"),
        ("demands.toml", 'title = "Review"', 'title = ""', "demands 2: title is empty"),
        ("demands.toml", 'title = "Halt"', 'title = "H"\nnote = "x"', "demands 1: note is not"),
        ("campaign.toml", "#8a1538", "red", "accent: must be written as #rrggbb"),
        ("campaign.toml", "#8a1538", "#8a153", "accent: must be written as #rrggbb"),
        ("campaign.toml", "#8a1538", "#8a1538;}", "accent: must be written as #rrggbb"),
        ("campaign.toml", "#8a1538", "#808080", "accent: its contrast on the page is 3.5:1"),
        ("campaign.toml", "#ff9db1", "#8a1538", "accent_dark: its contrast on the page is 1.8:1"),
        ("consent.toml", "updates =", "# updates =", "updates is missing"),
        ("consent.toml", "updates =", 'version_id = 7\nupdates =', "version_id is not known here"),
        ("consent.toml", "updates =", "version = 7\nupdates =", "version is not known here"),
        ("consent.toml", "updates =", 'news = "x"\nupdates =', "news is not known here"),
        ("helplines.toml", '"tel:116123"', '"javascript:alert(1)"', "Samaritans: its link must"),
        ("helplines.toml", '"tel:116123"', '"116123"', "Samaritans: its link must begin"),
        ("helplines.toml", '"tel:116123"', '"https://[x"', "Samaritans: its link "),
        ("helplines.toml", "2026-11-22", '"2026-11-22"', "helplines 1: checked must be a date"),
        ("helplines.toml", "2026-11-22", "2026-11-22T10:00:00", "helplines 1: checked must be"),
        ("helplines.toml", 'name = "Samaritans"', "", "helplines 1: name is missing"),
        ("updates.toml", 'slug = "nsun-', 'slug = "NSUN ', "updates: the slug NSUN supports-us must"),
        ("updates.toml", "network-would-welcome-a-review", "nsun-supports-us", "updates: the slug"),
        ("updates.toml", "(/replies)", "(javascript:x)", "updates network-would-welcome-a-review: a"),
        ("updates.toml", "2021-04-29\n", '"April"\n', "updates 1: on must be a date"),
        ("easy-read.toml", "A coalition is", "A " + "very " * 20 + "coalition is", "parts 1: points"),
        ("easy-read.toml", '"people"', '"unicorn"', "parts 1: points 1: there is no symbol"),
        ("easy-read.toml", '"/help"', '"https://example.org"', "parts 7: points 2: link must"),
        ("easy-read.toml", 'link = "/help"', "", "parts 7: points 2: link and link_words"),
        ("easy-read.toml", "checked_by", "checkedby", "checkedby is not known here"),
        ("logo.svg", "<path", "<script", "the element <script> is not allowed"),
        # A slip in the heading would take a helpline off the page in silence.
        ("helplines.toml", "[[helplines]]\nname = \"Shout\"", "[[helpline]]\nname = \"Shout\"",
         "helpline is not known here"),
    ],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_each_fault_of_a_table_is_told_with_its_file(
    folder: Path, filename: str, old: str, new: str, problem: str
) -> None:
    replace(folder, filename, old, new)
    assert f"{filename}: {problem}" in " | ".join(problems_of(folder))


@pytest.mark.parametrize(
    ("filename", "what"), [("demands.toml", "demands"), ("helplines.toml", "helplines")]
)
@pytest.mark.parametrize(
    ("instead", "problem"),
    [("", "there must be at least one"), ("{} = []", "there must be"), ("{} = 'x'", "must be a")],
    ids=["none", "an empty list", "a word"],
)
def test_there_must_be_demands_and_helplines(
    folder: Path, filename: str, what: str, instead: str, problem: str
) -> None:
    text = (folder / filename).read_text(encoding="utf-8").partition(f"[[{what}]]")[0]
    (folder / filename).write_text(text + instead.format(what), encoding="utf-8")
    (line,) = problems_of(folder)
    assert line.startswith(f"{filename}: {what}: {problem}")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("<script>alert(1)</script>", "HTML is not allowed: <script>"),
        ("<script>\nalert(1)\n</script>", "HTML is not allowed: <script>"),
        ('A word <iframe src="https://example.org"></iframe>.', "HTML is not allowed: <iframe"),
        ("<!-- a note -->", "HTML is not allowed: <!--"),
        ("[x](javascript:alert(1))", "a link may not begin with javascript:"),
        ("[x](JaVaScRiPt:alert(1))", "a link may not begin with javascript:"),
        ("[x](&#106;avascript:alert(1))", "a link may not begin with javascript:"),
        ("<javascript:alert(1)>", "a link may not begin with javascript:"),
        ("[x]\n\n[x]: data:text/html,x", "a link may not begin with data:"),
        ("[x](//example.org/y)", "a link needs its scheme: //example.org/y"),
        ("[x](http://[y)", "a link "),
        ("![x](https://example.org/y.png)", "an image must come from /static/: https://exam"),
        ("![x](//example.org/y.png)", "an image must come from /static/: //example.org/y.png"),
        ("![](/static/img/mark.svg)", "an image needs a text alternative: /static/img/mark.svg"),
        ("![  ](/static/img/mark.svg)", "an image needs a text alternative: /static/img/mark.svg"),
    ],
    ids=lambda value: value[:30].replace("\n", " "),
)
def test_what_a_document_may_not_hold_is_told_with_its_file(
    folder: Path, words: str, problem: str
) -> None:
    add(folder, "privacy.md", f"\n\n{words}\n")
    assert f"privacy.md: {problem}" in " | ".join(problems_of(folder))


def test_every_fault_of_every_file_is_told_at_once(folder: Path) -> None:
    (folder / "petition.md").unlink()
    (folder / "support.md").write_text("", encoding="utf-8")
    add(folder, "consent.toml", '\nnews = "x"\nmore = "y"\n')
    assert [line.partition(":")[0] for line in sorted(problems_of(folder))] == [
        "consent.toml", "consent.toml", "petition.md", "support.md",
    ]  # fmt: skip


def test_the_example_campaign_is_complete_and_a_document_may_hold_much(folder: Path) -> None:
    words = "## A heading\n\n- a [link](https://example.org)\n\n![A mark](/static/img/mark.svg)\n"
    add(folder, "support.md", f"\n\n{words}\n\n[Write](mailto:us@example.org) [here](/petition)\n")
    assert read_folder(EXAMPLE).keys() == FILES.keys()
    assert read_folder(folder).keys() == FILES.keys()


def versions(session: Session, slug: str) -> dict[int, str]:
    rows = session.scalars(select(DocumentVersion).where(DocumentVersion.slug == slug))
    return {row.version: row.text for row in rows}


@pytest.mark.parametrize("bad", ["campaign", "helplines", "privacy"])
def test_nothing_is_published_when_one_text_is_bad(session: Session, bad: str) -> None:
    texts = {slug: f"{text}\n# changed\n" for slug, text in read_folder(EXAMPLE).items()}
    texts[bad] = "<script>"
    with pytest.raises(CampaignInvalid), transaction() as writing:
        publish_texts(writing, texts, actor="test", now=clock.utc_now())
    assert session.scalar(select(func.max(DocumentVersion.version))) == 1
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == len(FILES)


def test_loading_a_campaign_again_changes_nothing(session: Session) -> None:
    with transaction() as writing:
        texts = read_folder(EXAMPLE)
        assert publish_texts(writing, texts, actor="test", now=clock.utc_now()) == []
    assert session.scalar(select(func.count()).select_from(DocumentVersion)) == len(FILES)
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == len(FILES)


@pytest.mark.usefixtures("app")
def test_a_changed_text_is_a_new_version_and_the_old_one_stays() -> None:
    texts = read_folder(EXAMPLE)
    first = texts["petition"]
    for number, text in enumerate([f"{first}\nNow.\n", first], 2):
        texts["petition"] = text
        with transaction() as writing:
            published = publish_texts(writing, texts, actor="test", now=clock.utc_now())
        assert [(each.slug, each.version) for each in published] == [("petition", number)]
    db.session.remove()
    assert versions(db.session(), "petition") == {1: first, 2: f"{first}\nNow.\n", 3: first}
    assert versions(db.session(), "consent").keys() == {1}
    assert read_campaign(db.session()).petition.version == 3


def test_the_check_command_tells_each_fault_in_a_line_and_needs_no_setting(folder: Path) -> None:
    (folder / "petition.md").unlink()
    add(folder, "support.md", "\n\n<script>\n")
    wrong = run_command({}, "campaign", "check", str(folder))
    assert wrong.returncode == 1
    assert wrong.stdout == ""
    assert wrong.stderr.splitlines() == [
        "petition.md: this file is missing or cannot be read",
        "support.md: HTML is not allowed: <script>",
    ]
    right = run_command({}, "campaign", "check", str(EXAMPLE))
    assert (right.returncode, right.stderr) == (0, "")


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000000", "#FFFFFF", 21), ("#777777", "#ffffff", 4.478), ("#8a1538", "#8a1538", 1)],
)
def test_contrast_is_the_ratio_of_wcag(first: str, second: str, ratio: float) -> None:
    for pair in ((first, second), (second, first)):
        assert colour.contrast(*pair) == pytest.approx(ratio, abs=0.001)


class Elements(HTMLParser):
    """Collects the tags and attributes of a rendering, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


NASTY = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//example.org>", "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>", "<iframe srcdoc='<script>'>", "<style>@import 'x'</style>",
    "<a href='javascript:alert(1)'>x</a>", "[x](javascript:alert(1))", "[x](java\tscript:a)",
    "[x](<javascript:alert(1)>)", "[x](&#x6A;avascript:a)", "[x](\x01javascript:a)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:x)", "<javascript:alert(1)>",
    "![x](javascript:alert(1))", '![x](/static/x" onerror="alert(1))', "![x](//example.org/x)",
    '[x](/ "\" onmouseover=\"alert(1)")', "[x]: javascript:a\n\n[x]", "`<script>`", "&lt;script&gt;",
    "\\<script>", "<!--><script>-->", "<math><mi//xlink:href='data:x'>", "|a|\n|-|\n|<script>|",
    "# <script>", "<https://example.org/\"onclick=\"x>", "\x00<script>", "]]><script>",
]  # fmt: skip


def is_harmless(html: str) -> bool:
    elements = Elements(html).found
    attributes = [
        (tag, name, value or "") for tag, found in elements for name, value in found.items()
    ]
    return (
        "<script" not in html.lower()
        and {tag for tag, _ in elements} <= markdown.TAGS
        and {name for _, name, _ in attributes} <= {"href", "src", "alt", "title", "start"}
        and all(value.startswith("/static/") for _, name, value in attributes if name == "src")
        and not any(
            "".join(value.split()).lower().startswith(("javascript:", "data:", "vbscript:"))
            for _, name, value in attributes
            if name == "href"
        )
    )


@pytest.mark.parametrize("words", NASTY)
def test_nothing_nasty_is_rendered(words: str) -> None:
    assert is_harmless(markdown.render(words))


@many
@given(
    st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=6), st.sampled_from(" \n>*")
)
def test_nothing_nasty_is_rendered_of_any_mixture(parts: list[str], between: str) -> None:
    assert is_harmless(markdown.render(between.join(parts)))


def test_a_rendering_keeps_what_is_allowed() -> None:
    html = markdown.render('1. **A** [b](https://example.org "c")\n\n![d](/static/img/mark.svg)')
    assert [tag for tag, _ in Elements(html).found] == ["ol", "li", "strong", "a", "p", "img"]
    assert '<a href="https://example.org" title="c">b</a>' in html
    assert 'alt="d"' in html
