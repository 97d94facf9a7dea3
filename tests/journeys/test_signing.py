"""The whole story of a signature, through real sockets, real SMTP and the mail as received."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Site, serving
from tests.mailbox import Mailbox, code_in, html_of, link_in, text_of
from tests.visitor import Page, Visitor

ANSWERS = {"name": "Zoë Fictional", "email": "zoe@example.org", "consent": "yes"}


def sign(visitor: Visitor, **answers: str) -> Page:
    return visitor.submit(visitor.get("/petition"), "/petition/sign", **{**ANSWERS, **answers})


def count_of(site: Site) -> int:
    return int(json.loads(site.visitor.get("/petition/count.json").text)["count"])


def wait_for_count(site: Site, expected: int) -> None:
    deadline = time.monotonic() + 20
    while count_of(site) != expected:
        assert time.monotonic() < deadline, f"{count_of(site)} is counted, not {expected}"
        time.sleep(0.1)


def test_a_signature_from_the_form_to_its_withdrawal(site: Site, mailbox: Mailbox) -> None:
    visitor = site.visitor
    answer = sign(visitor)
    assert answer.status == 200
    assert "Check your email" in answer.text
    assert "zoe@example.org" in answer.text

    mail = mailbox.wait_for(1)
    assert mailbox.recipients == ["zoe@example.org"]
    link = link_in(mail, "confirm")
    assert link in html_of(mail)
    assert code_in(mail) in html_of(mail)

    for _ in range(2):
        opened = visitor.get(link)
        assert opened.status == 200
        assert "Zoë Fictional" in opened.text
    assert visitor.request("HEAD", link, {}, b"", follow=True).status == 200
    time.sleep(1.5)
    assert count_of(site) == 0

    counted = visitor.submit(visitor.get(link), "/petition/confirm")
    assert "Your signature is counted" in counted.text
    wait_for_count(site, 1)
    assert "Already counted" in visitor.get(link).text

    again = sign(visitor, email="ZOE+petition@Example.org")
    assert again.status == 200
    assert "Check your email" in again.text
    second = mailbox.wait_for(2)
    assert mailbox.recipients[1] == "zoe@example.org"
    assert "counted already" in text_of(second)
    time.sleep(1.5)
    assert count_of(site) == 1

    private = visitor.get(link_in(second, "signature"))
    assert "Zoë Fictional" in private.text
    withdrawn = visitor.submit(private, "/withdraw")
    assert "Your signature is withdrawn" in withdrawn.text
    wait_for_count(site, 0)
    assert "is withdrawn" in text_of(mailbox.wait_for(3))

    verified = site.command("tally", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "0 verified" in verified.stdout
    audited = site.command("audit", "verify")
    assert audited.returncode == 0, audited.stderr
    log = site.log.read_text()
    assert site.url in log
    for secret in ("zoe", "Zoë", "Fictional", link.rpartition("/")[2]):
        assert secret not in log


def test_a_code_can_be_typed_instead_of_following_the_link(site: Site, mailbox: Mailbox) -> None:
    visitor = site.visitor
    page = sign(visitor)
    code = code_in(mailbox.wait_for(1))
    to_confirm = visitor.submit(page, "/petition/code", code=code)
    assert "Yes, count my signature" in to_confirm.text
    assert "is counted" in visitor.submit(to_confirm, "/petition/confirm").text
    wait_for_count(site, 1)


def test_nothing_is_lost_when_the_site_restarts_between_two_steps(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    pages: list[Page] = []

    def step(act: Callable[[Visitor], Page]) -> Page:
        """Each step on a site that was started anew, at another port."""
        with serving(database_url, mailbox, tmp_path / "site.log") as site:
            pages.append(act(site.visitor))
        return pages[-1]

    step(lambda visitor: visitor.get("/petition"))
    step(lambda visitor: visitor.submit(pages[-1], "/petition/sign", **ANSWERS))
    with serving(database_url, mailbox, tmp_path / "site.log") as site:
        mail = mailbox.wait_for(1)
        assert site.visitor.get(link_in(mail, "confirm")).status == 200
    step(lambda visitor: visitor.get(link_in(mail, "confirm")))
    assert "is counted" in step(lambda visitor: visitor.submit(pages[-1], "/confirm")).text


def test_a_site_told_to_stop_ends_its_whole_tree(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "site.log") as site:
        sign(site.visitor)
        mailbox.wait_for(1)
    with pytest.raises(ConnectionRefusedError):
        site.visitor.get("/healthz")
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert site.url.rpartition(":")[2] not in left.stdout
    assert "Traceback" not in site.log.read_text()


def test_a_second_site_on_the_same_port_is_refused_in_one_line(site: Site) -> None:
    port = site.url.rpartition(":")[2]
    second = site.command("serve", "--port", port)
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port}")
    assert "Does something answer there already?" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_control_c_ends_the_site_without_alarm(
    database_url: str, mailbox: Mailbox, tmp_path: Path
) -> None:
    with serving(database_url, mailbox, tmp_path / "log") as site:
        # A service manager's signal in the same moment, at the end of `serving`.
        os.killpg(site.group, signal.SIGINT)
    log = site.log.read_text()
    assert log.rstrip().endswith("Stopped.")
    for alarm in ("Traceback", "ERROR", "WARNING", "started again"):
        assert alarm not in log
