"""A rule for tests: the example leaves it to each coalition."""

from __future__ import annotations

import tomllib

from sqlalchemy.orm import Session

from coalition import clock
from coalition.statements.actions import publish_texts
from tests.conftest import ROOT

RULE = "We do not send police to you because of what you write here."
EXCEPTIONS = ("A child is being harmed now.", "Somebody is going to kill another person.")


def open_rule(session: Session, rule: str = RULE) -> None:
    """Publish a rule with a closed list of two exceptions. The newest version after that."""
    text = (ROOT / "campaign" / "testimonies.toml").read_text(encoding="utf-8")
    text = text.replace('\nrule = ""', f'\nrule = "{rule}"')
    listed = ", ".join(f'"{each}"' for each in EXCEPTIONS)
    text = text.replace("\nexceptions = []", f"\nexceptions = [{listed}]")
    text = text.replace('\nexceptions_do = ""', '\nexceptions_do = "Only our lead decides."')
    assert tomllib.loads(text)["rule"] == rule
    publish_texts(session, {"testimonies": text}, actor="test", now=clock.utc_now())
