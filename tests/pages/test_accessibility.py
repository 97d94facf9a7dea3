"""The ledger of accessibility tells the truth."""

from datetime import date

from coalition.pages.ledger import read_ledger
from tests.conftest import ROOT
from tests.visitor import Visitor


def test_every_test_that_the_ledger_names_is_there() -> None:
    named = [check.test for check in read_ledger().checks if check.test]
    assert named
    for test in named:
        path, _, function = test.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {function}" in text


def test_nothing_was_looked_at_in_the_future() -> None:
    assert all(check.checked <= date.today() for check in read_ledger().checks)


def test_the_page_says_what_nobody_has_checked(visitor: Visitor) -> None:
    text = visitor.get("/accessibility").text
    ledger = read_ledger()
    assert ledger.unchecked
    for line in [*(gap.what for gap in ledger.unchecked), *(check.what for check in ledger.checks)]:
        assert line in text
