"""The whole story of an organisation, on a running site with its worker and real mail."""

from __future__ import annotations

import re

from tests.conftest import Site
from tests.endorsing import register
from tests.factories import LOGO
from tests.mailbox import Mailbox, link_in, text_of


def test_from_the_form_to_the_list_and_off_it_again(site: Site, mailbox: Mailbox) -> None:
    visitor = site.visitor
    assert "Check your email" in register(visitor, logo=LOGO).text
    page = visitor.get(link_in(mailbox.wait_for(1), "supporters/confirm"))
    page = visitor.submit(page, "/supporters/confirm/")
    assert "A person reads it now" in page.text

    listed = site.command("endorsements", "list").stdout
    assert "new The Fictional Friends" in listed
    endorsement_id = listed.split()[0]
    shown = site.command("endorsements", "show", endorsement_id).stdout
    assert "Ada Fictional, Chair, ada@friends.example.org" in shown
    entry = ("--entry", shown.partition("Entry: ")[2].split()[0])
    other = ("--entry", "00000000-0000-0000-0000-000000000000")
    refused = site.command("endorsements", "approve", endorsement_id, *other)
    assert "it was changed since you read it" in refused.stderr
    assert site.command("endorsements", "approve", endorsement_id, *entry).stdout == "done\n"
    approved = mailbox.wait_for(2)
    assert "is on the list" in text_of(approved)
    page = visitor.get("/supporters/the-fictional-friends")
    logo = re.search(r'src="(/supporters/logo/[^"]+)"', page.text)
    assert logo
    assert visitor.get(logo[1]).headers["content-type"] == "image/webp"

    private = visitor.get(link_in(approved, "supporters/entry"))
    page = visitor.submit(private, "/withdraw")
    assert "Withdrawn" in page.text
    assert "no longer stands" in text_of(mailbox.wait_for(3))
    assert "Withdrew on" in visitor.get("/supporters/the-fictional-friends").text
    assert site.command("audit", "verify").returncode == 0


def test_commands_say_in_one_line_what_is_not_possible(site: Site) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert site.command("endorsements", "list").stdout == "Nothing waits for a decision.\n"
    for words in (
        ("approve", nobody, "--entry", nobody),
        ("ask", nobody, "--words", "Who?"),
        ("decline", nobody, "--entry", nobody, "--code", "other", "--words", "No."),
        ("remove", nobody, "--words", "No."),
        ("show", nobody),
    ):
        result = site.command("endorsements", *words)
        assert result.returncode == 1
        assert result.stderr == "Error: there is no such endorsement\n"
